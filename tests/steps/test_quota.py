from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.steps.partition import TakeQuota


def cell_rows(rows: int, seed: int) -> list[dict[str, str | None]]:
    chance = random.Random(seed)
    return [
        {
            "id": f"{n:032x}",
            "source_id": str(n),
            "language": chance.choice(["deu", "hin", None]),
            "domain": chance.choice(["health", "travel"]),
            "split": chance.choice(["train", "test"]),
        }
        for n in range(rows)
    ]


def cell(row: dict[str, str | None]) -> tuple[str | None, ...]:
    return row["language"], row["domain"], row["split"]


def test_each_cell_keeps_at_most_its_quota(pairs_of, kept_keys):
    rows = [*cell_rows(300, seed=1), {"id": "x", "source_id": "alone", "language": "amh"}]
    before = Counter(cell(row) for row in rows if "domain" in row)
    kept = kept_keys(TakeQuota(20), pairs_of(*rows))
    after = Counter(cell(row) for row in rows if "domain" in row and row["source_id"] in kept)
    assert len(before) == 12
    assert after == {key: min(count, 20) for key, count in before.items()}
    assert "alone" in kept


def test_a_larger_quota_keeps_all_of_a_smaller_one(pairs_of, kept_keys):
    table = pairs_of(*cell_rows(300, seed=2))
    kept = [kept_keys(TakeQuota(rows), table) for rows in (1, 5, 20, 1_000)]
    assert [len(some) for some in kept[:2]] == [12, 60]
    assert all(small < large for small, large in itertools.pairwise(kept))
    assert len(kept[-1]) == 300


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_the_order_and_the_cut_into_shards_change_nothing(pairs_of, kept_keys, shards):
    table = pairs_of(*cell_rows(200, seed=3))
    expected = kept_keys(TakeQuota(7), table)
    for seed in range(3):
        assert kept_keys(TakeQuota(7), table, shards, seed) == expected


def test_another_salt_draws_others(pairs_of, kept_keys):
    table = pairs_of(*cell_rows(200, seed=4))
    assert kept_keys(TakeQuota(7), table) != kept_keys(TakeQuota(7, salt="quota-2"), table)


def test_a_row_more_takes_at_most_one_place(pairs_of, kept_keys):
    rows = cell_rows(100, seed=5)
    without, with_all = (kept_keys(TakeQuota(5), pairs_of(*some)) for some in (rows[1:], rows))
    assert len(without - with_all) <= 1


def test_empty_shards_and_no_shards_are_taken(pairs_of, decide):
    (row,) = cell_rows(1, seed=6)
    assert decide(TakeQuota(1), []) == []
    assert decide(TakeQuota(1), [pairs_of(), pairs_of(row), pairs_of()]) == [[], [0], []]


def test_a_quota_of_nothing_is_refused():
    with pytest.raises(RecipeError, match="at least 1 pair"):
        TakeQuota(0)
