from __future__ import annotations

import csv
import gzip
import io
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webfaq_domains.ground.errors import SchemaError, SourceError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources import open_source
from webfaq_domains.sources.base import Rejected, Source, pinned
from webfaq_domains.sources.columns import map_columns
from webfaq_domains.sources.files import FilesSource
from webfaq_domains.sources.paths import path_claims

Rows = tuple[list[dict[str, Any]], list[Rejected]]

#: A pair as WebFAQ v1 has it: `scheme_host`, and one of ten question words.
V1 = {
    "id": "5b1f",
    "scheme_host": "https://www.zahnarzt.example",
    "url": "https://www.zahnarzt.example/faq",
    "question": "Wann haben Sie geöffnet?",
    "answer": "Wir haben jeden Tag ab neun Uhr geöffnet.",
    "topic": "Healthcare Services, Wellness and Lifestyle",
    "question_type": "When",
    "semantic_similarity_score": 0.75,
}
#: The same as WebFAQ v2 has it: `origin`, and one of eight classes.
V2 = {**V1, "origin": "www.zahnarzt.example", "question_type": "FACTOID"}
del V2["scheme_host"]

PAIR = {"question": "Why?", "answer": "So."}
LINE = json.dumps(PAIR).encode() + b"\n"


def as_jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: list[dict[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


WRITERS: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
    "parquet": as_parquet,
    "jsonl": as_jsonl,
    "jsonl.gz": lambda rows: gzip.compress(as_jsonl(rows), mtime=0),
    "csv": as_csv,
    "csv.gz": lambda rows: gzip.compress(as_csv(rows), mtime=0),
}


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Source]:
    """Write one file and open it as a source."""

    def write(name: str, content: bytes | pa.Table) -> Source:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        else:
            path.write_bytes(content)
        return open_source(str(path))

    return write


@pytest.fixture
def three_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webfaq_domains.sources.rows.BATCH_ROWS", 3)


# What is read.


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("row", [V1, V2], ids=["v1", "v2"])
def test_both_dialects_of_webfaq_read_the_same_in_every_format(source, read_all, kind, row):
    rows, rejected = read_all(source(f"deu.{kind}", WRITERS[kind]([row])))
    assert rejected == []
    assert rows == [
        {
            "language": "deu",
            "question": "Wann haben Sie geöffnet?",
            "answer": "Wir haben jeden Tag ab neun Uhr geöffnet.",
            "origin": "www.zahnarzt.example",
            "url": "https://www.zahnarzt.example/faq",
            "source_id": "5b1f",
            "topic": "Healthcare Services, Wellness and Lifestyle",
            "question_type": row["question_type"],
            "semantic_similarity_score": 0.75,
            "claimed_by": "page",
        }
    ]


@pytest.mark.parametrize("kind", WRITERS)
def test_columns_that_a_language_lacks_are_null(source, read_all, kind):
    row = {key: V2[key] for key in ("origin", "question", "answer")}
    (found,), _ = read_all(source(f"abk.{kind}", WRITERS[kind]([row])))
    assert found["language"] == "abk"
    assert found["topic"] is found["question_type"] is found["semantic_similarity_score"] is None
    assert found["url"] is None
    assert found["source_id"].startswith(f"abk.{kind}:")


@pytest.mark.parametrize(
    "text",
    [
        "¿Cuánto?\n«Nada»",
        'He said "no", twice; 3,5',
        "हाँ\u200d, नहीं",
        "می‌روم",
        "是\r\n的",
        "😀",
        "Ω\t",
    ],
)
@pytest.mark.parametrize("kind", WRITERS)
def test_texts_arrive_as_they_were_written(source, read_all, kind, text):
    (row,), _ = read_all(source(f"x.{kind}", WRITERS[kind]([{"question": text, "answer": text}])))
    assert (row["question"], row["answer"]) == (text, text)


def test_rows_of_one_file_may_speak_both_dialects(source, read_all):
    rows = [{**PAIR, "origin": "a.de"}, {**PAIR, "scheme_host": "https://b.de"}, PAIR]
    found, _ = read_all(source("x.jsonl", as_jsonl(rows)))
    assert [row["origin"] for row in found] == ["a.de", "b.de", None]


@pytest.mark.parametrize(
    ("origin", "bare"),
    [("https://a.de", "a.de"), ("HTTP://a.de:80", "a.de:80"), ("a.de", "a.de"), ("", None)],
)
def test_an_origin_is_without_its_scheme(source, read_all, origin, bare):
    (row,), _ = read_all(source("x.csv", as_csv([{**PAIR, "scheme_host": origin}])))
    assert row["origin"] == bare


def test_an_empty_cell_is_null_and_an_empty_question_is_not(source, read_all):
    content = b"id,question,answer,origin,url,topic,question_type,language,semantic_similarity_score\n,,So.,,,,,,\n"  # fmt: skip
    rows, rejected = read_all(source("x.csv", content))
    empty = dict.fromkeys(RAW.names)
    assert rows == [{**empty, "question": "", "answer": "So.", "source_id": "x.csv:2"}]
    assert rejected == []


@pytest.mark.parametrize(
    ("ids", "source_id"),
    [
        ({"id": "a", "_id": "b", "source_id": "c"}, "a"),
        ({"_id": "b", "source_id": "c"}, "b"),
        ({"source_id": "c"}, "c"),
        ({"id": None, "source_id": "c"}, "c"),
        ({"id": 0}, "0"),
        ({"id": None}, "x.jsonl:1"),
        ({}, "x.jsonl:1"),
    ],
)
def test_a_row_is_named_by_its_id_or_its_place(source, read_all, ids, source_id):
    (row,), _ = read_all(source("x.jsonl", as_jsonl([{**PAIR, **ids}])))
    assert row["source_id"] == source_id


@pytest.mark.parametrize(
    ("value", "score"),
    [(0.5, 0.5), ("0.5", 0.5), (1, 1.0), ("n/a", None), ("", None), ([1], None), (10**400, None), (None, None)],
)  # fmt: skip
def test_a_score_that_is_no_number_is_null(source, read_all, value, score):
    row = {**PAIR, "semantic_similarity_score": value}
    (found,), _ = read_all(source("x.jsonl", as_jsonl([row])))
    assert found["semantic_similarity_score"] == score


def test_a_score_that_is_not_finite_does_no_harm(source, read_all):
    (row,), _ = read_all(source("x.jsonl", LINE[:-2] + b', "semantic_similarity_score": NaN}\n'))
    assert math.isnan(row["semantic_similarity_score"])


@pytest.mark.parametrize("tag", ["de", "de-AT", "deu", "DE"])
def test_a_language_column_goes_before_the_file_name(source, read_all, tag):
    (row,), _ = read_all(source("fra.jsonl", as_jsonl([{**PAIR, "lang": tag}])))
    assert row["language"] == "deu"


@pytest.mark.parametrize("tag", ["", None, "und", " "])
def test_a_language_that_no_column_says_is_what_the_path_says(source, read_all, tag):
    line = json.dumps({**PAIR, "language": tag}).encode()
    assert read_all(source("fra.jsonl", line))[0][0]["language"] == "fra"
    assert read_all(source("x.jsonl", line))[0][0]["language"] is None


@pytest.mark.parametrize("tag", ["xx", "x-klingon", "English, German", "5", "mul"])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_a_row_with_a_claim_that_is_not_known_is_kept_apart(source, read_all, kind, tag):
    rows = [{**PAIR, "language": tag}, {**PAIR, "language": "de"}]
    found, (rejected,) = read_all(source(f"fra.{kind}", WRITERS[kind](rows)))
    assert [row["language"] for row in found] == ["deu"]
    assert rejected.reason == "language_unknown" and tag in rejected.row


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *[
            ("deu.parquet", "deu"),
            ("deu/default-00000.parquet", "deu"),
            ("deu-train.jsonl.gz", "deu"),
        ],
        *[("v2/deu/train/0.csv", "deu"), ("deu_2024.csv", "deu"), ("fra/deu.csv", "deu")],
        *[
            ("faq.jsonl", None),
            ("default-0.parquet", None),
            ("xyz.csv", None),
            ("deutsch.csv", None),
        ],
    ],
)
def test_the_path_may_spell_the_language(name, code):
    claim = path_claims([name]).get(name)
    assert (claim and (claim.language, claim.sure)) == (code and (code, False))


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (["lang=de/0.csv", "lang=no/0.csv", "lang=zh-Hant/0.csv"], ["deu", "nor", "zho"]),
        (["language=German/0.csv"], ["deu"]),
        (["de/a.csv", "fr/a.csv", "pt-BR/a.csv"], ["deu", "fra", "por"]),
        (["cmn_Hani.csv", "zsm_Latn.csv", "pap_Latn.csv"], ["zho", "msa", "pap"]),
        (["zh-Hant/train.csv", "nob/test.csv"], ["zho", "nor"]),
        (["deu-train.csv", "deu-test.csv", "fra-train-00000-of-00001.csv"], ["deu", "deu", "fra"]),
        (["mar.csv", "apr.csv"], [None, None]),
        (["new/0.csv", "export/0.csv"], [None, None]),
        (["mar.csv", "pairs.csv", "deu.csv"], [None, None, None]),
        (["in/0.csv"], [None]),
        (["new/mar.csv", "new/jun.csv", "old/mar.csv"], [None, None, "mar"]),
    ],
)
def test_words_of_a_path_are_believed_in_a_layout(names, codes):
    claims = path_claims(names)
    assert [claims[name].language if name in claims else None for name in names] == codes


def test_a_partition_of_no_language_is_refused():
    with pytest.raises(SourceError, match="lang=xx names no language"):
        path_claims(["lang=xx/0.csv"])


def test_a_lone_name_is_a_claim_that_the_text_can_refute(tmp_path, source, read_all, caplog):
    (row,), _ = read_all(source("mar.csv", as_csv([PAIR])))
    assert (row["language"], row["claimed_by"]) == ("mar", "page")
    assert "mar = mar" in caplog.text
    source("in/deu/a.csv", as_csv([PAIR]))
    source("in/fra/a.csv", as_csv([PAIR]))
    rows, _ = read_all(open_source(str(tmp_path / "in")))
    assert [(row["language"], row["claimed_by"]) for row in rows] == [("deu", None), ("fra", None)]
    assert "languages by the paths of 2 files: deu = deu, fra = fra" in caplog.text


def test_folders_are_read_in_a_stable_order_with_names_relative_to_them(tmp_path, read_all):
    for name in ("fra/b.jsonl", "deu/a.jsonl", "deu/z.csv", ".hidden/x.jsonl", "deu/.x.jsonl"):
        path = tmp_path / "in.v2" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_csv([PAIR]) if name.endswith("csv") else LINE)
    (tmp_path / "in.v2" / "README.md").write_text("no data", encoding="utf-8")
    opened = open_source(str(tmp_path / "in.v2"))
    assert opened.name == "in"
    assert [file.name for file in opened.files] == ["deu/a.jsonl", "deu/z.csv", "fra/b.jsonl"]
    rows, _ = read_all(opened)
    assert [row["language"] for row in rows] == ["deu", "deu", "fra"]
    assert [row["source_id"] for row in rows] == ["deu/a.jsonl:1", "deu/z.csv:2", "fra/b.jsonl:1"]


def test_files_are_pinned_by_their_content(source):
    opened = source("x.jsonl", LINE)
    (file,) = opened.files
    assert (file.bytes, file.sha256) == (len(LINE), file_sha256(Path(file.path)))
    pin = pinned(opened)
    assert (pin["name"], pin["kind"], pin["file_count"]) == ("x", "files", 1)
    assert str(Path(file.path).parent) not in json.dumps(pin)
    assert pinned(source("x.jsonl", LINE * 2))["pin"] != pin["pin"]


@pytest.mark.parametrize("name", ["häufige-fragen.jsonl", "質問.jsonl", "вопросы и ответы.jsonl", "أسئلة.jsonl"])  # fmt: skip
def test_file_names_may_be_of_any_script(source, read_all, name):
    opened = source(name, LINE + b"{}\n")
    assert opened.name == name.removesuffix(".jsonl")
    (row,), (rejected,) = read_all(opened)
    assert (row["source_id"], rejected.place) == (f"{name}:1", f"{name}:2")


@pytest.mark.parametrize("name", ["X.JSONL", "X.Jsonl.GZ", "X.CSV", "X.CSV.GZ", "X.PARQUET"])
def test_suffixes_may_be_in_capitals(source, read_all, name):
    content = WRITERS[name[2:].lower()]([PAIR])
    assert len(read_all(source(name, content))[0]) == 1


@pytest.mark.parametrize("name", ["a.csv/b.jsonl", "a.csv.jsonl", "a.parquet.jsonl"])
def test_only_the_end_of_a_name_tells_the_format(tmp_path, source, read_all, name):
    source(name, LINE)
    rows, rejected = read_all(open_source(str(tmp_path)))
    assert (len(rows), rejected) == (1, [])


def test_a_link_is_named_as_it_is_called(tmp_path, read_all):
    (tmp_path / "0a1b2c").write_bytes(LINE)
    (tmp_path / "deu.jsonl").symlink_to(tmp_path / "0a1b2c")
    opened = open_source(str(tmp_path / "deu.jsonl"))
    assert opened.name == "deu"
    assert read_all(opened)[0][0]["language"] == "deu"


def test_the_current_folder_has_a_name(tmp_path, monkeypatch, source):
    source("faqs/x.jsonl", LINE)
    monkeypatch.chdir(tmp_path / "faqs")
    assert open_source(".").name == "faqs"


def test_text_may_start_with_a_byte_order_mark_and_end_lines_as_on_windows(source, read_all):
    jsonl = b"\xef\xbb\xbf" + LINE.replace(b"\n", b"\r\n") * 2
    assert len(read_all(source("x.jsonl", jsonl))[0]) == 2
    csv_ = b"\xef\xbb\xbfquestion,answer\r\nWhy?,So.\r\n"
    assert read_all(source("x.csv", csv_))[0][0]["question"] == "Why?"


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz"])
def test_a_file_without_lines_is_empty(source, read_all, kind):
    assert read_all(source(f"x.{kind}", WRITERS[kind]([]))) == ([], [])


# Parquet types.


@pytest.mark.parametrize("text", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_parquet_text_may_be_of_any_text_type(source, read_all, text):
    names = [name for name in RAW.names if name not in ("language", "semantic_similarity_score")]
    table = pa.table({name: pa.array(["x", None], text) for name in names})
    both = {"question": pa.array(["q", "r"], text), "answer": pa.array(["a", "b"], text)}
    for name, values in both.items():
        table = table.set_column(table.column_names.index(name), name, values)
    rows, rejected = read_all(source("deu.parquet", table.rename_columns({"source_id": "id"})))
    assert rejected == []
    assert [row["question"] for row in rows] == ["q", "r"]
    assert [row["url"] for row in rows] == ["x", None]


def test_parquet_text_may_be_dictionary_encoded(source, read_all):
    columns = {
        "question": ["q", "q", None],
        "answer": ["a", "b", "c"],
        "origin": ["https://a.de", "https://a.de", None],
        "language": ["de", "xx", None],
    }
    table = pa.table({name: pa.array(v).dictionary_encode() for name, v in columns.items()})
    rows, rejected = read_all(source("fra.parquet", table))
    assert [(row["question"], row["origin"], row["language"]) for row in rows] == [
        ("q", "a.de", "deu")
    ]
    assert [(row.place, row.reason) for row in rejected] == [
        ("fra.parquet:2", "language_unknown"),
        ("fra.parquet:3", "question_or_answer_missing"),
    ]


def test_parquet_ids_may_be_numbers_and_columns_all_null(source, read_all):
    table = pa.table(
        {
            "id": [7],
            "question": ["q"],
            "answer": ["a"],
            "topic": pa.nulls(1),
            "semantic_similarity_score": pa.array([1], pa.int8()),
            "embedding": [[1.0, 2.0]],
        }
    )
    (row,), _ = read_all(source("x.parquet", table))
    assert (row["source_id"], row["topic"], row["semantic_similarity_score"]) == ("7", None, 1.0)


# What is rejected: every row is a pair or in quarantine.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"question": "x"}', "answer_missing"),
        (b'{"answer": "x"}', "question_missing"),
        (b'{"question": null, "answer": "x"}', "question_missing"),
        (b'{"question": "x", "answer": null}', "answer_missing"),
        (b'{"question": 5, "answer": "x"}', "question_not_text"),
        (b'{"question": "x", "answer": ["y"]}', "answer_not_text"),
        (b'{"question": "\\ud83d", "answer": "x"}', "question_has_lone_surrogate"),
        (b'{"question": "x", "answer": "\\udc00"}', "answer_has_lone_surrogate"),
        (b'{"question": "x", "answer": "\xff"}', "not_utf8"),
        ('{"question": "x", "answer": "ü"}'.encode("latin-1"), "not_utf8"),
        (b'{"question": "x", "answer": "y"', "not_json"),
        (b'{"question": "x"} {"answer": "y"}', "not_json"),
        (b"question: x", "not_json"),
        (b"[" * 50_000, "not_json"),
        (b'{"question":' * 50_000, "not_json"),
        (b"[1, 2]", "not_an_object"),
        (b"null", "not_an_object"),
        (b'"text"', "not_an_object"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_line_that_is_no_pair_is_rejected_with_its_place(source, read_all, line, reason):
    opened = source("deu.jsonl", LINE + b"\n" + line + b"\n" + LINE)
    rows, rejected = read_all(opened)
    assert [row["source_id"] for row in rows] == ["deu.jsonl:1", "deu.jsonl:4"]
    assert [(row.place, row.reason) for row in rejected] == [("deu.jsonl:3", reason)]
    assert len(rejected[0].row) <= 500
    rejected[0].row.encode()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"only one", "has_1_of_2_columns"),
        (b"a,b,c", "has_3_of_2_columns"),
        (b'"a"b,c', "not_csv"),
        (b"a\xff,b", "not_utf8"),
    ],
)
def test_a_csv_record_that_is_no_pair_is_rejected_with_its_line(source, read_all, record, reason):
    opened = source("x.csv", b'question,answer\n"two\nlines",b\n' + record + b"\n\nWhy?,So.\n")
    rows, rejected = read_all(opened)
    assert [row["source_id"] for row in rows] == ["x.csv:3", "x.csv:6"]
    assert [(row.place, row.reason) for row in rejected] == [("x.csv:4", reason)]
    rejected[0].row.encode()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("last", [b'"e,f', b'e","f'])
def test_a_quote_that_never_closes_costs_one_row(source, read_all, end, last):
    lines = [b"question,answer", b"Why?,So.", b'"a,b', *[b"c,d"] * 900, last, b'"g\nh",i', b""]
    rows, rejected = read_all(source("x.csv", end.join(lines)))
    assert len(rows) == 902
    assert [row.place for row in rejected] == ["x.csv:3", "x.csv:904"]
    assert {row.reason for row in rejected} <= {"not_csv", "has_3_of_2_columns"}
    assert rows[-1]["question"] == "g\nh"


def test_a_line_too_long_is_one_rejected_row_and_the_count_goes_on(source, read_all, monkeypatch):
    monkeypatch.setattr("webfaq_domains.sources.records._LINE_LIMIT", 100)
    rows, rejected = read_all(
        source("x.jsonl", LINE + b'{"question": "' + b"x" * 950 + b"\n" + LINE)
    )
    assert [row["source_id"] for row in rows] == ["x.jsonl:1", "x.jsonl:3"]
    assert [(row.place, row.reason) for row in rejected] == [("x.jsonl:2", "line_too_long")]


def test_a_lone_surrogate_outside_the_texts_costs_no_row(source, read_all):
    (row,), rejected = read_all(
        source("x.jsonl", LINE[:-2] + b', "url": "https://a.de/\\ud800"}\n')
    )
    assert (row["url"], rejected) == ("https://a.de/?", [])


def test_parquet_rows_without_a_text_are_rejected_with_their_number(source, read_all):
    table = pa.table({"question": ["a", None, "c", None], "answer": ["x", "y", None, None]})
    rows, rejected = read_all(source("x.parquet", table))
    assert [row["source_id"] for row in rows] == ["x.parquet:1"]
    assert [row.place for row in rejected] == ["x.parquet:2", "x.parquet:3", "x.parquet:4"]
    assert {row.reason for row in rejected} == {"question_or_answer_missing"}
    assert "'answer': 'y'" in rejected[0].row


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "parquet", "csv"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 7])
@pytest.mark.usefixtures("three_rows_at_once")
def test_batches_end_anywhere_and_no_row_is_lost(source, read_all, kind, count):
    rows = [{"question": f"q{n}", "answer": f"a{n}"} for n in range(count)]
    opened = source(f"x.{kind}", WRITERS[kind](rows))
    (file,) = opened.files
    sizes = [len(batch.pairs) for batch in opened.read(file)]
    assert sizes == [3] * (count // 3) + [count % 3] * (count % 3 > 0)
    found, _ = read_all(opened)
    assert [row["question"] for row in found] == [row["question"] for row in rows]
    first = 2 if kind == "csv" else 1
    assert [row["source_id"] for row in found] == [f"x.{kind}:{first + n}" for n in range(count)]


@pytest.mark.usefixtures("three_rows_at_once")
def test_rows_in_are_pairs_and_rejected_rows_whatever_their_order(source, read_all):
    lines = [LINE, b"{}\n", b"[]\n", LINE, b"\xff\n", b"nope\n", b"7\n", LINE, b"{}\n", b"null\n"]
    for turn in range(len(lines)):
        turned = lines[turn:] + lines[:turn]
        opened = source("x.jsonl", b"".join(turned))
        for batch in opened.read(opened.files[0]):
            assert 1 <= len(batch.pairs) + len(batch.rejected) <= 3
        rows, rejected = read_all(opened)
        places = [row["source_id"] for row in rows] + [row.place for row in rejected]
        assert sorted(places) == sorted(f"x.jsonl:{n}" for n in range(1, 11))
        assert len(rows) == 3


@pytest.mark.usefixtures("three_rows_at_once")
def test_parquet_rows_are_numbered_through_all_batches(source, read_all):
    questions = [None if n % 4 == 0 else f"q{n}" for n in range(1, 11)]
    table = pa.table({"question": questions, "answer": ["a"] * 10})
    rows, rejected = read_all(source("x.parquet", table))
    assert [row["source_id"] for row in rows] == [
        f"x.parquet:{n}" for n in (1, 2, 3, 5, 6, 7, 9, 10)
    ]
    assert [row.place for row in rejected] == ["x.parquet:4", "x.parquet:8"]


# What is refused before any work.


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("foo:bar", "unknown kind of source 'foo'; known: hub:, nquads:, html:, or a path"),
        ("https://a.de/x.jsonl", "unknown kind of source 'https'"),
        ("no/such/folder", "no/such/folder does not exist"),
        ("hub:x", "expected hub:<org>/<name>@<revision>"),
        ("nquads:no/such.nq", "does not exist"),
    ],
)
def test_an_address_that_leads_nowhere_is_refused(address, message):
    with pytest.raises(SourceError, match=message):
        open_source(address)


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_wrong_columns_are_refused_with_those_that_were_met(source, kind):
    with pytest.raises(SchemaError, match=r"x\..*missing: question; met: frage, answer"):
        source(f"x.{kind}", WRITERS[kind]([{"frage": "x", "answer": "y"}]))


def test_columns_are_looked_for_in_every_file_of_a_folder(tmp_path, source):
    source("in/a.jsonl", LINE)
    with pytest.raises(SchemaError, match=r"b\.jsonl"):
        source("in/b.jsonl", b'{"text": "x"}\n')
    with pytest.raises(SchemaError, match=r"b\.jsonl"):
        open_source(str(tmp_path / "in"))


def test_a_first_record_that_lacks_its_answer_is_rejected_alone(source, read_all):
    rows, rejected = read_all(source("x.jsonl", b'{"question": "x"}\n{"answer": "y"}\n' + LINE))
    assert (len(rows), [row.reason for row in rejected]) == (
        1,
        ["answer_missing", "question_missing"],
    )


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("question", [1]),
        ("answer", [["a"]]),
        ("question", [b"a"]),
        ("answer", pa.nulls(1)),
        ("url", [{"a": 1}]),
        ("topic", [["a"]]),
        ("semantic_similarity_score", ["high"]),
    ],
)
def test_a_parquet_column_of_another_type_is_refused_by_name(source, column, values):
    table = pa.table({**{name: [text] for name, text in PAIR.items()}, column: values})
    with pytest.raises(
        SchemaError, match=rf"x\.parquet: the column '{column}' is .*, not (text|a number)"
    ):
        source("x.parquet", table)


def test_an_empty_csv_has_no_columns(source):
    with pytest.raises(SchemaError, match=r"x\.csv: .*met: none"):
        source("x.csv", b"")


def test_a_csv_in_another_encoding_is_refused(source):
    with pytest.raises(SourceError, match=r"x\.csv is not UTF-8 text"):
        source("x.csv", "question,answer\nä,b\n".encode("utf-16"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1", LINE])
def test_a_damaged_parquet_file_is_refused_by_name(source, content):
    with pytest.raises(SourceError, match=r"x\.parquet cannot be read"):
        source("x.parquet", content)


@pytest.mark.parametrize("content", [LINE, gzip.compress(LINE, mtime=0)[:12], b"\x1f\x8b"])
def test_a_file_that_is_not_gzip_is_refused_by_name(source, content):
    with pytest.raises(SourceError, match=r"x\.jsonl\.gz: truncated or damaged gzip file"):
        source("x.jsonl.gz", content)


@pytest.mark.parametrize("kind", ["jsonl.gz", "csv.gz"])
def test_a_truncated_gzip_file_stops_the_reading_with_its_name(source, kind):
    noise = random.Random(1)
    rows = [{"question": noise.randbytes(500).hex(), "answer": "x"} for _ in range(100)]
    opened = source(f"x.{kind}", WRITERS[kind](rows)[:-20_000])
    with pytest.raises(SourceError, match=rf"x\.{kind}: truncated or damaged gzip file"):
        list(opened.read(opened.files[0]))


def test_a_folder_without_data_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("no data", encoding="utf-8")
    with pytest.raises(SourceError, match=r"holds no file that ends in \.parquet, \.jsonl"):
        open_source(str(tmp_path))


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"x")
    with pytest.raises(
        SourceError, match=r"x\.xlsx: expected a file that ends in .parquet, .jsonl"
    ):
        open_source(str(tmp_path / "x.xlsx"))


def test_a_file_that_cannot_be_opened_is_refused(source, monkeypatch, tmp_path):
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("webfaq_domains.sources.files.file_sha256", refuse)
    with pytest.raises(SourceError, match=r"x\.jsonl cannot be read: Permission denied"):
        source("x.jsonl", LINE)


def test_a_link_that_leads_nowhere_is_refused(tmp_path, source):
    source("a.jsonl", LINE)
    (tmp_path / "b.jsonl").symlink_to(tmp_path / "gone")
    with pytest.raises(SourceError, match=r"b\.jsonl cannot be read: No such file"):
        open_source(str(tmp_path))


def test_opening_reads_no_rows(source, monkeypatch):
    def refuse(*_: Any) -> Iterator[None]:
        raise AssertionError("a row was read")

    monkeypatch.setattr("webfaq_domains.sources.files.read_rows", refuse)
    assert isinstance(source("x.jsonl", LINE), FilesSource)


def test_preferred_names_go_first():
    met = ["host", "scheme_host", "origin", "_id", "id", "question", "answer", "lang"]
    mapping = map_columns(met, "x")
    assert mapping["origin"] == ("origin", "scheme_host", "host")
    assert (mapping["source_id"], mapping["language"]) == (("id", "_id"), ("lang",))
    assert "topic" not in mapping


def test_real_files_are_read_whole(shared_data, read_all):
    folder = shared_data / "faq"
    for name in ("deu", "jpn", "ara", "hin"):
        path = folder / f"{name}.jsonl.gz"
        rows, rejected = read_all(open_source(str(path)))
        assert rejected == []
        assert len(rows) == gzip.decompress(path.read_bytes()).count(b"\n")
        assert {row["language"] for row in rows} == {name}
        assert all(row["origin"] and row["source_id"] for row in rows)
