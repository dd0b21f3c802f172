"""The ledger closes, or the build is refused."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from toybuild import Toy, lines, write_faq

from webfaq_domains.ground.errors import BuildError
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.records import to_json


def test_a_ledger_closes_when_every_row_is_named() -> None:
    ledger = Ledger(rows_in=10, rows_out=5)
    ledger.drop("Clean", {"empty": 2})
    ledger.drop("Clean", {"empty": 1, "short": 1})
    ledger.drop("Label", {})
    ledger.quarantined.update({"not_json": 1})
    ledger.close()
    assert ledger.rows_dropped == 4
    assert ledger.to_json() == {
        "rows_in": 10,
        "rows_out": 5,
        "dropped": {"Clean": {"empty": 3, "short": 1}},
        "quarantined": {"not_json": 1},
    }


@pytest.mark.parametrize("rows_out", [4, 6])
def test_a_ledger_that_does_not_close_is_refused(rows_out: int) -> None:
    with pytest.raises(BuildError, match=f"10 rows in, but {rows_out} out \\+ 0 dropped"):
        Ledger(rows_in=10, rows_out=rows_out, quarantined=Counter(not_json=5)).close()


def test_every_row_of_the_toy_is_accounted_for(built: Path) -> None:
    """Each step that drops has rows of the collection to drop; `toybuild` says which."""
    assert to_json(Manifest.read(built).ledger) == {
        "rows_in": 298,
        "rows_out": 265,
        "dropped": {
            "KeepWellFormed": {
                "answer_asks": 2,
                "answer_too_short": 2,
                "question_too_short": 1,
            },
            "DropDuplicates": {"duplicate_pair": 3, "duplicate_question_on_origin": 2},
            "ResolveLanguage": {"language_contradicts_source": 2, "language_unsure": 1},
            "DropNearDuplicates": {"near_duplicate": 5},
            "TakeQuota": {"over_quota": 12},
        },
        "quarantined": {"answer_missing": 1, "not_an_object": 1, "not_json": 1},
    }


def test_what_is_dropped_and_quarantined_is_written_out(toy: Toy, tmp_path: Path) -> None:
    result = toy.build(tmp_path / "out", keep_dropped=True, shard_rows=100)
    assert result.quarantine == tmp_path / "out.quarantine.jsonl"
    rejected = [json.loads(line) for line in result.quarantine.read_text("utf-8").splitlines()]
    assert [(row["place"], row["reason"]) for row in rejected] == [
        ("part-0.jsonl:51", "not_json"),
        ("part-0.jsonl:151", "answer_missing"),
        ("part-0.jsonl:251", "not_an_object"),
    ]
    assert all(row["source"] == "faq" and row["row"] for row in rejected)
    met: dict[str, dict[str, int]] = {}
    for path in sorted((tmp_path / "out.dropped").rglob("*.parquet")):
        step, _, reason = path.parent.name.partition(".")
        reasons = met.setdefault(step, {})
        reasons[reason] = reasons.get(reason, 0) + pq.read_metadata(path).num_rows
    assert met == Manifest.read(result.out).ledger.dropped
    assert str(result.quarantine) in result.text()
    assert result.to_json()["dropped"] == str(tmp_path / "out.dropped")


@pytest.mark.parametrize("limit", [1, 51, 160])
def test_a_limited_build_reads_the_first_rows(toy: Toy, tmp_path: Path, limit: int) -> None:
    source = write_faq(tmp_path, lines(), files=4)
    result = toy.build(tmp_path / "out", sources=(str(source),), limit=limit, shard_rows=40)
    ledger = result.manifest.ledger
    dropped = sum(sum(reasons.values()) for reasons in ledger.dropped.values())
    quarantined = sum(ledger.quarantined.values())
    assert ledger.rows_in == limit
    assert ledger.rows_in == ledger.rows_out + dropped + quarantined
    # Three rows of the collection are rejected; a batch does not say where among its rows.
    first = {line.split('"')[3] for line in lines()[: limit + 3]}
    met = {
        row["source_id"]
        for path in result.out.glob("data/*/*/*.parquet")
        for row in pq.read_table(path, columns=["source_id"]).to_pylist()
    }
    assert met <= first


SHORT = '{"question": "Why?", "answer": "So."}'


@pytest.mark.parametrize(
    ("rows", "ledger"),
    [
        ([SHORT], "'dropped': {'KeepWellFormed': {'question_too_short': 1}}"),
        ([SHORT, "no json"], "'rows_in': 2, 'rows_out': 0"),
        ([], "'rows_in': 0, 'rows_out': 0"),
    ],
)
def test_a_build_without_a_row_left_says_why(
    toy: Toy, tmp_path: Path, rows: list[str], ledger: str
) -> None:
    source = write_faq(tmp_path, rows)
    out = tmp_path / "out"
    for _ in range(2):
        with pytest.raises(BuildError, match="no row is left to publish") as error:
            toy.build(out, sources=(str(source),))
        assert ledger in str(error.value)
    assert not out.exists()
