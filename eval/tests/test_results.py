"""A result is written whole and read with every part checked; a broken score is never 0."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from webfaq_eval.errors import ResultError
from webfaq_eval.identity import BenchmarkId, Model, Protocol, SubsetInfo
from webfaq_eval.results import (
    Counts,
    Headline,
    Result,
    find_results,
    read_queries,
    read_result,
    read_results,
    write_result,
)

PROTOCOL = Protocol("mean", None, True, "cosine", "", "", 512, "float32", "full", 100)
RESULT = Result(
    model=Model("org/toy", "a" * 40, "transformers", 16, 1000),
    protocol=PROTOCOL,
    benchmark=BenchmarkId("xtreme-r-domains", None, "b" * 64),
    subset=SubsetInfo("tatoeba_deu", "tatoeba", "deu", None, "exclusive", "full", "test", "forward"),
    n=Counts(2, 3, 2),
    main=Headline("accuracy", 0.5, 0.1, 0.9),
    scores={"official": {"accuracy": 0.5, "recall_at_10": 1.0}},
)  # fmt: skip
TABLE = pa.table({
    "query-id": ["a", "b"], "item": ["x", "y"], "official/accuracy": [1.0, 0.0],
    "run_ids": [["c"], ["d"]], "run_scores": pa.array([[0.5], [0.25]], pa.list_(pa.float32())),
})  # fmt: skip


def test_a_result_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = write_result(tmp_path, RESULT, TABLE)
    assert read_result(path) == RESULT
    assert read_queries(path).equals(TABLE)
    assert find_results(tmp_path) == [path]
    assert dict(read_results(tmp_path)) == {path: RESULT}
    assert path.relative_to(tmp_path).as_posix() == (
        f"org__toy@{'a' * 12}/{'b' * 12}/{PROTOCOL.hash[:12]}/tatoeba_deu.test.json"
    )


def test_the_reverse_direction_and_another_protocol_are_other_files(tmp_path: Path) -> None:
    reverse = replace(RESULT, subset=replace(RESULT.subset, direction="reverse"))
    assert reverse.path(tmp_path).name == "tatoeba_deu.test.reverse.json"
    prefixed = replace(RESULT, protocol=replace(PROTOCOL, query_prefix="query: "))
    assert prefixed.path(tmp_path).parent != RESULT.path(tmp_path).parent


@pytest.mark.parametrize("value", [math.nan, math.inf, None, "0.5", True, 1.5, -0.1])
def test_a_score_that_is_no_share_is_refused_and_nothing_is_written(
    tmp_path: Path, value: Any
) -> None:
    broken = replace(RESULT, scores={"official": {"accuracy": 0.5, "recall_at_10": value}})
    with pytest.raises(ResultError, match=r"recall_at_10 is|scores.*expected"):
        write_result(tmp_path, broken, TABLE)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"main": {"metric": "accuracy", "value": None, "low": 0.1, "high": 0.9}}, "main.value: expected"),
        ({"main": {"metric": "accuracy", "value": 0.5}}, "main: object missing"),
        ({"scores": {}}, "no official scores"),
        ({"scores": {"official": {"accuracy": 0.4}}}, "main accuracy is not"),
        ({"n": {"queries": 0, "corpus": 3, "items": 2}}, "nothing was scored"),
        ({"model": {"name": "x", "revision": "main", "kind": "bm25", "dimensions": None, "parameters": None}}, "revision is 'main'"),
        ({"result_version": 2}, "result_version is 2"),
        ({"surprise": 1}, "unknown entries"),
        ({"protocol_hash": "0"}, "protocol_hash is not"),
        ({"subset": {"name": "x"}}, "subset: object missing"),
    ],
)  # fmt: skip
def test_a_changed_file_is_refused_on_reading(tmp_path: Path, change: Any, said: str) -> None:
    path = write_result(tmp_path, RESULT, TABLE)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ResultError, match=said):
        read_result(path)


def test_a_missing_key_is_an_error(tmp_path: Path) -> None:
    path = write_result(tmp_path, RESULT, TABLE)
    data = json.loads(path.read_text())
    del data["scores"]
    path.write_text(json.dumps(data))
    with pytest.raises(ResultError, match="scores"):
        read_result(path)


def test_an_unreadable_file_is_an_error_and_not_a_gap(tmp_path: Path) -> None:
    path = write_result(tmp_path, RESULT, TABLE)
    path.write_text("{")
    with pytest.raises(ResultError, match="cannot be read"):
        list(read_results(tmp_path))
    with pytest.raises(ResultError, match="holds no results"):
        find_results(tmp_path / "empty")


def test_a_table_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="1 rows, the result counts 2"):
        write_result(tmp_path, RESULT, TABLE.slice(0, 1))
    with pytest.raises(ResultError, match="lacks the columns"):
        write_result(tmp_path, RESULT, TABLE.drop_columns(["run_ids"]))
    broken = TABLE.set_column(2, "official/accuracy", pa.array([1.0, math.nan]))
    with pytest.raises(ResultError, match="not finite"):
        write_result(tmp_path, RESULT, broken)
    path = write_result(tmp_path, RESULT, TABLE)
    path.with_suffix(".parquet").unlink()
    with pytest.raises(ResultError, match="cannot be read"):
        read_queries(path)
