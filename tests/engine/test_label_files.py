"""Labelling files: the same rows in their places, with four more columns."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webfaq_domains.engine import label_files as module
from webfaq_domains.engine.label_files import LabelledFile, label_files
from webfaq_domains.ground.errors import LabelerError, SchemaError, SourceError

NEW = ["domain", "domain_score", "domains", "labeler"]
ROWS = [
    {"n": 1, "question": "Is paracetamol safe for children?", "answer": "In the right dose."},
    {"n": 2, "question": "Wie lange dauert der Versand?", "answer": None},
    {"n": 3, "question": "", "answer": "An answer to nothing."},
    {"n": 4, "question": "Как сменить пароль?", "answer": "В настройках учётной записи."},
]


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    return path


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def read(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("out", ["out.parquet", "out.jsonl"])
@pytest.mark.parametrize("name", ["in.parquet", "in.jsonl", "in.jsonl.gz"])
def test_every_row_stays_in_its_place(student: Path, tmp_path: Path, name: str, out: str) -> None:
    write = write_parquet if name.endswith(".parquet") else write_jsonl
    path = write(tmp_path / name, ROWS)
    result = label_files([path], tmp_path / out, str(student), quiet=True)
    rows = read(tmp_path / out)
    assert [{key: row[key] for key in ("n", "question", "answer")} for row in rows] == ROWS
    assert [list(row)[3:] for row in rows] == [NEW] * 4
    for row in rows[1:3]:
        assert [row[name] for name in NEW] == [None] * 4
    for row in (rows[0], rows[3]):
        assert row["domains"][0] == row["domain"]
        assert 0 <= row["domain_score"] <= 1
        assert row["labeler"] == "student"
    assert (result.rows, result.unlabelled.total(), result.domains.total()) == (4, 2, 2)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([name, out])


def test_the_result_is_shown_as_text_and_json(tmp_path: Path) -> None:
    result = LabelledFile(tmp_path, 3)
    result.domains.update(["health", "legal", "health"])
    result.unlabelled.update({"question or answer missing": 1})
    assert result.text().splitlines()[0].split() == ["health", "2"]
    assert "unlabelled (question or answer missing): 1" in result.text()
    assert result.to_json()["domains"] == {"health": 2, "legal": 1}


def test_files_are_labelled_in_the_order_given(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    one = write_jsonl(tmp_path / "one.jsonl", ROWS)
    two = write_parquet(tmp_path / "two.parquet", ROWS)
    out = tmp_path / "out.parquet"
    label_files([two, one, two], out, str(student), quiet=True)
    assert [row["n"] for row in read(out)] == [1, 2, 3, 4] * 3


def test_a_column_that_begins_later_is_kept(
    student: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH_ROWS", 2)
    rows = [*ROWS, {**ROWS[0], "topic": None}, {**ROWS[3], "topic": "Security"}]
    path = write_jsonl(tmp_path / "in.jsonl", rows)
    for name in ("out.jsonl", "out.parquet"):
        label_files([path], tmp_path / name, str(student), quiet=True)
        assert [row["topic"] for row in read(tmp_path / name)] == [None] * 5 + ["Security"]


def test_blank_lines_are_no_rows(student: Path, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(["", json.dumps(ROWS[0]), " ", json.dumps(ROWS[3]), "", ""]))
    assert label_files([path], tmp_path / "out.jsonl", str(student), quiet=True).rows == 2


def test_dates_become_texts_in_json(student: Path, tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "in.parquet", [{**ROWS[0], "seen": date(2026, 11, 22)}])
    label_files([path], tmp_path / "out.jsonl", str(student), quiet=True)
    assert read(tmp_path / "out.jsonl")[0]["seen"] == "2026-11-22"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.jsonl", b"{\n", "in.jsonl:1: not a JSON object"),
        ("in.jsonl", b"[1]\n", r"in.jsonl:1: not a JSON object: \[1\]"),
        ("in.jsonl", b'{"question": "\xff", "answer": "a"}\n', "in.jsonl cannot be read"),
        ("in.jsonl", b'{"question": "\\ud800", "answer": "a"}\n', "in.jsonl cannot be read"),
        (
            "in.jsonl",
            b'{"question": "q", "answer": "a", "id": 99999999999999999999}\n',
            "cannot be read",
        ),
        ("in.jsonl", b"\n", "in.jsonl: no rows"),
        ("in.jsonl.gz", b"no gzip", "in.jsonl.gz cannot be read"),
        (
            "in.jsonl.gz",
            gzip.compress(b'{"question": "q"}\n' * 99, mtime=0)[:-20],
            "cannot be read",
        ),
        ("in.parquet", b"no parquet", "in.parquet cannot be read"),
        ("in.csv", b"question,answer\n", "expected a file that ends in .parquet, .jsonl"),
    ],
)
def test_a_bad_file_is_named(
    student: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        label_files([tmp_path / name], tmp_path / "out.jsonl", str(student), quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_parquet_file_without_rows_is_refused(student: Path, tmp_path: Path) -> None:
    schema = pa.schema({"question": pa.string(), "answer": pa.string()})
    pq.write_table(schema.empty_table(), tmp_path / "in.parquet")
    with pytest.raises(SourceError, match="no rows"):
        label_files([tmp_path / "in.parquet"], tmp_path / "out.parquet", str(student), quiet=True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"question": "q"}], "missing: answer; met: question"),
        ([{**ROWS[0], "domain": "x", "domains": []}], "already have domain, domains; drop or"),
        ([{"question": 7, "answer": "a"}], "'question' is int64, not text"),
        ([{"question": "q", "answer": ["a"]}], "'answer' is list<.*>, not text"),
    ],
)
def test_wrong_columns_are_refused(
    student: Path, tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", rows)
    with pytest.raises(SchemaError, match=message):
        label_files([path], tmp_path / "out.parquet", str(student), quiet=True)


def test_a_column_of_two_types_is_refused(student: Path, tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "one.jsonl", ROWS)
    two = write_jsonl(tmp_path / "two.jsonl", [{**ROWS[0], "n": "one"}])
    with pytest.raises(SchemaError, match=r"a column is of two types: .* n "):
        label_files([one, two], tmp_path / "out.jsonl", str(student), quiet=True)


@pytest.mark.parametrize("name", ["out", "out.csv", "out.jsonl.gz"])
def test_another_ending_of_out_is_refused(student: Path, tmp_path: Path, name: str) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", ROWS)
    with pytest.raises(SourceError, match=r"expected a name that ends in .parquet or .jsonl"):
        label_files([path], tmp_path / name, str(student), quiet=True)


def test_a_missing_labeler_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "in.jsonl", ROWS)
    with pytest.raises(LabelerError, match="not a labeler folder"):
        label_files([path], tmp_path / "out.jsonl", str(tmp_path), quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
