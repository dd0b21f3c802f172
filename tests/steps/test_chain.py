from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.ground.errors import SchemaError
from webfaq_domains.ground.schema import RAW, require
from webfaq_domains.steps.base import Barrier, Outcome, Sketches, check_chain
from webfaq_domains.steps.clean import Clean
from webfaq_domains.steps.duplicates import DropDuplicates, RankRows
from webfaq_domains.steps.languages import IdentifyLanguage, KeepLanguages, ResolveLanguage
from webfaq_domains.steps.near_duplicates import DropNearDuplicates
from webfaq_domains.steps.partition import AssignId, AssignSplit, TakeQuota
from webfaq_domains.steps.wellformed import KeepWellFormed

SOURCE_COLUMNS = [*RAW.names, "source"]


def test_a_chain_that_connects_is_taken():
    check_chain(
        SOURCE_COLUMNS,
        [
            *(Clean(), KeepWellFormed(), IdentifyLanguage(), ResolveLanguage(), KeepLanguages()),
            *(RankRows(), DropDuplicates(), DropNearDuplicates(), AssignId(), AssignSplit()),
        ],
    )


def test_a_step_before_the_one_that_gives_its_column_is_refused():
    with pytest.raises(SchemaError, match=r"ResolveLanguage needs .*missing: identified"):
        check_chain(SOURCE_COLUMNS, [ResolveLanguage(), IdentifyLanguage()])


def test_a_barrier_without_its_column_is_refused():
    with pytest.raises(SchemaError, match=r"DropDuplicates needs .*missing: rank"):
        check_chain(SOURCE_COLUMNS, [DropDuplicates()])
    with pytest.raises(SchemaError, match=r"TakeQuota needs .*missing: id, domain, split"):
        check_chain(SOURCE_COLUMNS, [TakeQuota(10)])


def test_a_step_that_adds_a_column_twice_is_refused():
    with pytest.raises(SchemaError, match="AssignId adds 'id', which is already there"):
        check_chain(SOURCE_COLUMNS, [AssignId(), AssignId()])


def test_the_error_lists_what_was_met():
    with pytest.raises(SchemaError, match=r"Clean needs the columns question, answer; .*met: none"):
        check_chain([], [Clean()])
    require(["a", "b"], ("b",), "anyone")


def test_barriers_are_told_from_steps():
    assert isinstance(DropDuplicates(), Barrier)
    assert not isinstance(Clean(), Barrier)


def test_a_row_with_two_reasons_is_dropped_under_the_first_and_null_is_no_reason():
    table = pa.table({"n": [0, 1, 2, 3]})
    outcome = Outcome.drop_if(
        table, odd=pa.array([None, True, None, True]), big=pa.array([False, False, True, True])
    )
    assert outcome.kept["n"].to_pylist() == [0]
    assert {why: rows["n"].to_pylist() for why, rows in outcome.dropped.items()} == {
        "odd": [1, 3],
        "big": [2],
    }


def test_a_mask_may_come_in_chunks():
    mask = pa.chunked_array([[True], [], [False, None]])
    outcome = Outcome.drop_if(pa.table({"n": [0, 1, 2]}), first=mask)
    assert outcome.kept["n"].to_pylist() == [1, 2]


def test_sketches_of_all_shards_are_joined_and_cut_again(tmp_path):
    for number, values in enumerate(([1, 2], [], [3])):
        (tmp_path / str(number)).mkdir()
        np.save(tmp_path / str(number) / "x.npy", np.array(values, np.uint64))
    sketches = Sketches(tuple(tmp_path / str(number) for number in range(3)))
    assert sketches.all("x").tolist() == [1, 2, 3]
    verdicts = sketches.split(np.array([0, 1, 2], np.uint8), "x")
    assert [part.tolist() for part in verdicts] == [[0, 1], [], [2]]


def test_sketches_of_no_shard_are_empty():
    assert Sketches(()).all("x").tolist() == []
    assert Sketches(()).split(np.zeros(0, np.uint8), "x") == []
