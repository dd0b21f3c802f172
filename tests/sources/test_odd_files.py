"""Every reader of rows against the same list of odd files: right rows, counted rows, or an error.

Never a traceback, and never a file that is gone without a word.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webfaq_domains.ground.errors import SchemaError, SourceError
from webfaq_domains.sources import open_source

PAIR = {"question": "Why?", "answer": "So it is."}
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
PAGE = b"<!DOCTYPE html>\n<html><title>404</title></html>\n"


def lines(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"question": ["Why?"], "answer": ["So."], **columns}), sink)
    return sink.getvalue()


def doubled(name: str) -> bytes:
    sink = io.BytesIO()
    arrays = [pa.array([text]) for text in ("Why?", "So.", "x", "y")]
    pq.write_table(pa.Table.from_arrays(arrays, ["question", "answer", name, name]), sink)
    return sink.getvalue()


def classes(names: bool) -> bytes:
    schema = pa.schema(
        [("question", pa.string()), ("answer", pa.string()), ("language", pa.int64())]
    )
    if names:
        feature = {"names": ["fr", "de"], "_type": "ClassLabel"}
        about = {"info": {"features": {"language": feature}}}
        schema = schema.with_metadata({"huggingface": json.dumps(about)})
    sink = io.BytesIO()
    pq.write_table(
        pa.table({"question": ["q", "r"], "answer": ["a", "b"], "language": [0, 1]}, schema), sink
    )
    return sink.getvalue()


def zst(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    packed: bytes = sink.getvalue().to_pybytes()
    return packed


READ = [
    ("mark.jsonl", b"\xef\xbb\xbf" + lines(PAIR), 1, []),
    ("a.ndjson", lines(PAIR), 1, []),
    ("a.json", lines(PAIR, PAIR), 2, []),
    ("a.tsv", b"question\tanswer\nWhy, oh?\tSo.\n", 1, []),
    ("a.jsonl.bz2", bz2.compress(lines(PAIR)), 1, []),
    ("a.csv.bz2", bz2.compress(b"question,answer\nWhy?,So.\n"), 1, []),
    ("a.jsonl.zst", zst(lines(PAIR)), 1, []),
    ("a.tsv.gz", gzip.compress(b"question\tanswer\nWhy?\tSo.\n", mtime=0), 1, []),
    ("empty.jsonl", b"", 0, []),
    ("header.csv", b"question,answer\n", 0, []),
    ("returns.csv", b"question,answer\rWhy?,So.\rHow?,Thus.\r", 2, []),
    ("list.jsonl", lines(PAIR, {**PAIR, "origin": ["a.example"]}), 1, ["origin_not_text"]),
    ("object.jsonl", lines(PAIR, {**PAIR, "url": {"href": "x"}}), 1, ["url_not_text"]),
    ("true.jsonl", lines(PAIR, {**PAIR, "id": True}), 1, ["id_not_text"]),
    ("float.jsonl", lines(PAIR, {**PAIR, "topic": 1.0}), 1, ["topic_not_text"]),
    ("tags.jsonl", lines(PAIR, {**PAIR, "language": ["en"]}), 1, ["language_not_text"]),
    ("tag.jsonl", lines(PAIR, {**PAIR, "language": "xx"}), 1, ["language_unknown"]),
    ("null.jsonl", lines(PAIR, {**PAIR, "answer": None}), 1, ["answer_missing"]),
    ("half.jsonl", lines(PAIR, {**PAIR, "answer": "\ud83d"}), 1, ["answer_has_lone_surrogate"]),
    ("nul.jsonl", lines({**PAIR, "answer": "a\0b"}), 1, []),
    ("ids.jsonl", lines({**PAIR, "id": 7}, {**PAIR, "id": 7}), 2, []),
    ("ids.parquet", parquet(id=pa.array([7])), 1, []),
    ("names.parquet", classes(True), 2, []),
    ("unused.parquet", doubled("other"), 1, []),
    ("nulls.parquet", parquet(topic=pa.nulls(1), language=pa.nulls(1)), 1, []),
]  # fmt: skip

REFUSED = [
    ("lfs.jsonl", LFS, r"lfs\.jsonl is a Git LFS pointer.*git lfs pull"),
    ("lfs.csv", LFS, r"lfs\.csv is a Git LFS pointer"),
    ("lfs.parquet", LFS, r"lfs\.parquet is a Git LFS pointer"),
    ("page.jsonl", PAGE, r"page\.jsonl is an HTML page"),
    ("page.tsv", PAGE, r"page\.tsv is an HTML page"),
    ("array.jsonl", b"[\n" + lines(PAIR) + b"]", r"array\.jsonl is one JSON array"),
    ("array.json", json.dumps([PAIR]).encode(), r"array\.json is one JSON array.*jq"),
    ("pretty.jsonl", json.dumps(PAIR, indent=1).encode(), r"pretty\.jsonl: none of its first lines"),
    ("returns.jsonl", lines(PAIR, PAIR).replace(b"\n", b"\r"), r"returns\.jsonl: none of its first"),
    ("id.parquet", doubled("id"), r"id\.parquet: 2 columns are named 'id'"),
    ("answer.csv", b"question,answer,answer\na,b,c\n", r"answer\.csv: 2 columns are named 'answer'"),
    ("topics.parquet", parquet(topic=[["a", "b"]]), r"the column 'topic' is list<"),
    ("numbers.parquet", classes(False), r"'language' is int64, not text; it lacks the names"),
    ("empty.csv", b"", r"empty\.csv: .*met: none"),
    ("cut.jsonl.bz2", bz2.compress(lines(PAIR))[:20], r"cut\.jsonl\.bz2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "count", "reasons"), READ, ids=lambda v: str(v)[:20])
def test_rows_are_read_or_counted(tmp_path: Path, read_all, name, content, count, reasons) -> None:
    (tmp_path / name).write_bytes(content)
    rows, rejected = read_all(open_source(str(tmp_path / name)))
    assert len(rows) == count
    assert [row.reason for row in rejected] == reasons


@pytest.mark.parametrize(("name", "content", "message"), REFUSED, ids=lambda v: str(v)[:20])
def test_what_holds_no_record_is_refused_before_work(
    tmp_path: Path, name, content, message
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises((SourceError, SchemaError), match=message):
        open_source(str(tmp_path / name))


def test_a_shard_without_rows_adds_nothing_and_stops_nothing(tmp_path: Path, read_all) -> None:
    nothing = pa.table({"question": pa.nulls(0), "answer": pa.nulls(0), "origin": pa.nulls(0)})
    pq.write_table(nothing, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(parquet())
    assert len(read_all(open_source(str(tmp_path)))[0]) == 1


def test_names_of_classes_are_read(tmp_path: Path, read_all) -> None:
    (tmp_path / "names.parquet").write_bytes(classes(True))
    rows, _ = read_all(open_source(str(tmp_path)))
    assert [row["language"] for row in rows] == ["fra", "deu"]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_a_row_has_the_first_of_the_names_that_has_a_value(tmp_path: Path, read_all, kind) -> None:
    rows = [
        {**PAIR, "origin": "a.example", "scheme_host": None, "language": "de", "lang": None},
        {
            **PAIR,
            "origin": None,
            "scheme_host": "https://b.example",
            "language": None,
            "lang": "fr",
        },
    ]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    elif kind == "jsonl":
        (tmp_path / "x.jsonl").write_bytes(lines(*rows))
    else:
        cells = [",".join(value or "" for value in row.values()) for row in rows]
        (tmp_path / "x.csv").write_text("\n".join([",".join(rows[0]), *cells]), "utf-8")
    found, _ = read_all(open_source(str(tmp_path)))
    assert [row["origin"] for row in found] == ["a.example", "b.example"]
    assert [row["language"] for row in found] == ["deu", "fra"]


def test_files_that_are_not_read_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.jsonl").write_bytes(lines(PAIR))
    for name in ("b.txt", "c.txt", "LICENSE", ".hidden"):
        (tmp_path / name).write_text("x")
    open_source(str(tmp_path))
    assert "3 files are not read: 2 with .txt, 1 with no ending" in caplog.text


def test_a_json_file_about_the_data_is_said_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"question": "Why?", "answer": "So."}\n')
    (tmp_path / "about.json").write_text('{\n "made": "by hand"\n}\n')
    source = open_source(str(tmp_path))
    assert [file.name for file in source.files] == ["rows.jsonl"]
    assert "not read: about.json: none of its first lines is a JSON object" in caplog.text
    with pytest.raises(SourceError, match=r"about\.json: none of its first lines"):
        open_source(str(tmp_path / "about.json"))
