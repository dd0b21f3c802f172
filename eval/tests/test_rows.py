"""Every reader of training rows against the same odd files: right rows, a count, or an error with its place."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.ccg import CCG
from webfaq_eval.intermediate.tasks.choices import COSMOSQA, CSQA, HELLASWAG
from webfaq_eval.intermediate.tasks.inference import ANLI, MNLI, QQP, SNLI
from webfaq_eval.intermediate.tasks.instances import Pair
from webfaq_eval.intermediate.tasks.mlm_texts import MLM
from webfaq_eval.intermediate.tasks.source import Source
from webfaq_eval.intermediate.tasks.squad import SQUAD_V1, SQUAD_V2
from webfaq_eval.pairs.negatives import read_negatives
from webfaq_eval.row_files import read_rows
from webfaq_eval.rows import BrokenRow, Row, SkippedRow

Found = tuple[list[Any], Counter[str]]

NLI = {"premise": "Rain falls.", "hypothesis": "It is wet.", "label": "entailment"}
QUORA = {"question1": "Why rain?", "question2": "What is rain?", "is_duplicate": 1}
ENDINGS = {"ctx_a": "A man", "ctx_b": "sits", "endings": ["a", "b", "c", "d"], "label": 1}
COSMOS = {"context": "It rained.", "question": "Why?", "label": 2} | {
    f"answer{n}": f"because {n}" for n in range(4)
}
COMMON = {
    "question": "Where?", "answerKey": "B",
    "choices": {"label": list("ABCDE"), "text": ["a", "b", "c", "d", "e"]},
}  # fmt: skip
CAT = {
    "id": "q1", "question": "Where?", "context": "The cat sat on a mat.",
    "answers": {"text": ["a mat"], "answer_start": [15]},
}  # fmt: skip
TEXT = {"text": "Rain falls."}
MINED = {"query": "Why?", "positive": "So.", "negatives": ["No.", "Never."]}
AUTO = "ID=wsj_0001.1\n(<L NP PRP PRP It NP>)\n"


def task(source: Source) -> Callable[[Path], Found]:
    def read(path: Path) -> Found:
        skipped: Counter[str] = Counter()
        return list(source.instances(path, "eng", skipped)), skipped

    return read


def mined(path: Path) -> Found:
    found = list(read_negatives(path))
    skipped = Counter(one for one in found if isinstance(one, str))
    return [one for one in found if not isinstance(one, str)], skipped


#: name -> (reader, a row of its format as JSON)
READERS: dict[str, tuple[Callable[[Path], Found], dict[str, Any]]] = {
    "mnli": (task(MNLI), NLI), "snli": (task(SNLI), NLI), "anli": (task(ANLI), NLI), "qqp": (task(QQP), QUORA),
    "hellaswag": (task(HELLASWAG), ENDINGS), "cosmosqa": (task(COSMOSQA), COSMOS), "csqa": (task(CSQA), COMMON),
    "squad_v1": (task(SQUAD_V1), CAT), "squad_v2": (task(SQUAD_V2), CAT), "mlm": (task(MLM), TEXT),
    "negatives": (mined, MINED),
}  # fmt: skip
every_reader = pytest.mark.parametrize("name", READERS)


def json_lines(*rows: Any) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def read(name: str, path: Path, content: bytes) -> Found:
    path.write_bytes(content)
    return READERS[name][0](path)


@every_reader
def test_good_rows_are_read_from_each_kind_of_file(name: str, tmp_path: Path) -> None:
    reader, row = READERS[name]
    packed = gzip.compress(json_lines(row), mtime=0)
    files = {
        "a.jsonl": json_lines(row),
        "mark.jsonl": b"\xef\xbb\xbf" + json_lines(row),
        "windows.jsonl": json_lines(row).replace(b"\n", b"\r\n") + b"\r\n\r\n",
        "nul.jsonl": json_lines({**row, "unread": "a\0b"}),
        "a.ndjson": json_lines(row),
    }
    for file, content in files.items():
        found, skipped = read(name, tmp_path / file, content)
        assert len(found) == 1 and not skipped, file
    (tmp_path / "a.jsonl.gz").write_bytes(packed)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    for file in ("a.jsonl.gz", "a.parquet"):
        assert len(reader(tmp_path / file)[0]) == 1, file


@every_reader
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"x\.jsonl: is a pointer of Git LFS.*git lfs pull"),
        (b"<!DOCTYPE html>\n<html></html>\n", r"x\.jsonl: is a web page"),
        (b'[{"a": 1}]\n', r"x\.jsonl:1: is list; expected a JSON object"),
        (b"{\n", r"x\.jsonl:1: is not JSON"),
        (b'{"text": "\xe4"}\n', r"x\.jsonl:1: is not UTF-8 text"),
        (b'{"a": 1}\r{"a": 2}\r', r"x\.jsonl: has lines that end in a carriage return alone"),
        (b'{"a": "b \\ud83d"}\n', r"x\.jsonl:1: has the half surrogate pair"),
        (b'{"a": ["b", {"c": "\\uDE00"}]}\n', r"x\.jsonl:1: has the half surrogate pair"),
        (b'{"other": 1}\n', r"x\.jsonl:1: "),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_named(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    with pytest.raises(TaskDataError, match=message):
        read(name, tmp_path / "x.jsonl", content)


@every_reader
def test_a_null_in_any_column_is_counted_named_or_no_matter(name: str, tmp_path: Path) -> None:
    _, row = READERS[name]
    for column in row:
        for value in (None, "", {"deep": [1]}):
            broken = {**row, column: value}
            try:
                found, skipped = read(name, tmp_path / "x.jsonl", json_lines(row, broken))
            except TaskDataError as error:
                assert "x.jsonl:2" in str(error), (column, value)
            else:
                assert len(found) + skipped.total() == 2, (column, value)


@every_reader
def test_an_empty_file_has_no_rows(name: str, tmp_path: Path) -> None:
    assert read(name, tmp_path / "x.jsonl", b"") == ([], Counter())
    pq.write_table(pa.table({"a": pa.array([], pa.null())}), tmp_path / "x.parquet")
    assert READERS[name][0](tmp_path / "x.parquet") == ([], Counter())
    with pytest.raises(
        TaskDataError, match=r"y\.parquet: (cannot be read as Parquet|is a pointer)"
    ):
        read(name, tmp_path / "y.parquet", b"PAR1 cut off")
    with pytest.raises(TaskDataError, match=r"z\.jsonl\.gz: cannot be read"):
        read(
            name, tmp_path / "z.jsonl.gz", gzip.compress(json_lines(READERS[name][1]), mtime=0)[:-6]
        )


@every_reader
def test_a_column_twice_is_refused_where_it_is_read(name: str, tmp_path: Path) -> None:
    reader, row = READERS[name]
    table = pa.Table.from_pylist([row])
    first = table.column_names[0]
    pq.write_table(table.append_column(first, table[first]), tmp_path / "x.parquet")
    with pytest.raises(
        TaskDataError, match=f"x.parquet: row 1: the file has the column '{first}' twice"
    ):
        reader(tmp_path / "x.parquet")
    unread = pa.array(["x"])
    twice = table.append_column("unread", unread).append_column("unread", unread)
    pq.write_table(twice, tmp_path / "y.parquet")
    assert len(reader(tmp_path / "y.parquet")[0]) == 1


@pytest.mark.parametrize(
    ("source", "name", "content"),
    [(MLM, "a.txt", "Stra\xdfe\n"), (QQP, "a.tsv", "0\tStra\xdfe?\tWo?\t1\n"), (CCG, "a.auto", AUTO + "ID=\xdf\n"),
     (MNLI, "a.csv", "premise,hypothesis,label\n\xdf,b,neutral\n"), (SQUAD_V1, "a.json", '{"data": ["\xdf"]}'),
     (COSMOSQA, "a.csv", "context,question,label\n\xdf,b,1\n")],
)  # fmt: skip
def test_a_text_file_in_another_encoding_is_named(
    source: Source, name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content.encode("latin-1"))
    with pytest.raises(TaskDataError, match=rf"{name}:\d: is not UTF-8 text .*; convert the file"):
        task(source)(tmp_path / name)


# Classes


def class_label(
    path: Path, values: list[int | None], names: list[str], column: str = "label"
) -> Path:
    """Write a Parquet file whose metadata name the classes, as `datasets` writes it."""
    features = {column: {"names": names, "_type": "ClassLabel"}}
    note = json.dumps({"info": {"features": features}})
    rows = {
        "premise": [f"P{n}" for n in range(len(values))],
        "hypothesis": ["H"] * len(values), "question1": ["P"] * len(values),
        "question2": [f"H{n}" for n in range(len(values))], column: pa.array(values, pa.int64()),
    }  # fmt: skip
    pq.write_table(pa.table(rows).replace_schema_metadata({"huggingface": note}), path)
    return path


def test_classes_have_the_names_that_the_file_gives_them(tmp_path: Path) -> None:
    names = ["contradiction", "entailment", "neutral"]
    path = class_label(tmp_path / "a.parquet", [0, 1, 2, None, -1], names)
    found, skipped = task(MNLI)(path)
    assert [one.label for one in found] == [2, 0, 1] and skipped == {"unlabelled": 2}
    turned = class_label(tmp_path / "b.parquet", [0, 1], ["duplicate", "not_duplicate"])
    assert [one.label for one in task(QQP)(turned)[0]] == [1, 0]
    plain = class_label(tmp_path / "c.parquet", [0, 1, 2], ["0", "1", "2"])
    assert [one.label for one in task(MNLI)(plain)[0]] == [0, 1, 2]


def test_classes_of_unknown_names_are_refused(tmp_path: Path) -> None:
    path = class_label(tmp_path / "a.parquet", [0], ["yes", "no"])
    with pytest.raises(
        TaskDataError, match=r"a\.parquet: row 1: the label is 0, which the file names 'yes'"
    ):
        task(MNLI)(path)
    path = class_label(tmp_path / "b.parquet", [3], ["entailment", "neutral"])
    with pytest.raises(TaskDataError, match=r"label is 3; the file names 2 classes"):
        task(MNLI)(path)
    broken = pa.table({"label": [1]}).replace_schema_metadata({"huggingface": "{"})
    pq.write_table(broken, tmp_path / "c.parquet")
    with pytest.raises(
        TaskDataError, match=r"c\.parquet: its metadata `huggingface` cannot be read"
    ):
        task(MNLI)(tmp_path / "c.parquet")


@pytest.mark.parametrize("name", ["mnli", "snli", "anli", "qqp", "hellaswag", "cosmosqa"])
def test_labels_with_nulls_become_floats_and_are_read_all_the_same(
    name: str, tmp_path: Path
) -> None:
    reader, row = READERS[name]
    column = "is_duplicate" if name == "qqp" else "label"
    rows = [{**row, column: value} for value in (1.0, None)]
    found, skipped = read(name, tmp_path / "a.jsonl", json_lines(*rows))
    assert found[0].label == 1 and skipped == {"unlabelled": 1}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    found, skipped = reader(tmp_path / "a.parquet")
    assert found[0].label == 1 and skipped == {"unlabelled": 1}
    with pytest.raises(TaskDataError, match=r"a\.jsonl:1: the label is 0\.5"):
        read(name, tmp_path / "a.jsonl", json_lines({**row, column: 0.5}))


# Tables


SNLI_HEADER = "index\tcaptionID\tsentence1\tsentence2\tlabel1\tgold_label"


def test_the_gold_label_stands_behind_all_annotators(tmp_path: Path) -> None:
    rows = [
        "0\tc\tA dog.\tA cat.\tneutral\tcontradiction",
        "1\tc\tA red dog.\tA dog.\tneutral\tentailment\tentailment\tneutral\tentailment\tentailment",
        "2\tc\tA bus.\tFull.\tneutral\tentailment\tcontradiction\tneutral\tentailment\t-",
    ]
    path = tmp_path / "train.tsv"
    path.write_text("\n".join([SNLI_HEADER, *rows]) + "\n")
    found, skipped = task(SNLI)(path)
    assert found == [Pair("A dog.", "A cat.", 2), Pair("A red dog.", "A dog.", 0)]
    assert skipped == {"unlabelled": 1}


@pytest.mark.parametrize(
    ("source", "header", "row", "cells"),
    [
        (MNLI, SNLI_HEADER, "9\tp\tHe left\tand sold it.\tIt was sold.\tentailment\tentailment", 7),
        (MNLI, "premise\thypo\tlabel", "a\tb\tneutral\tneutral", 4),
        (QQP, "id\tquestion1\tquestion2\tis_duplicate", "2\tIs\tit late?\tIs it very late?\t0", 5),
    ],
)
def test_a_stray_tab_makes_a_broken_row_that_is_counted(
    source: Source, header: str, row: str, cells: int, tmp_path: Path
) -> None:
    path = tmp_path / "train.tsv"
    path.write_text(f"{header}\n{row}\n")
    columns = header.count("\t") + 1
    with pytest.raises(
        TaskDataError, match=rf"has {cells} cells, the header has {columns} \(1 of 1"
    ):
        task(source)(path)


def test_a_row_says_what_it_lacks() -> None:
    row = Row("a.jsonl:7", {"a": None, "b": 2, "id": 7, "odd": 1.5})
    assert (row.get("a"), row.value("a", "b"), row.identifier("id")) == (None, 2, "7")
    with pytest.raises(SkippedRow, match="no a"):
        row.value("a")
    with pytest.raises(
        BrokenRow, match=r"a\.jsonl:7: there is no c or d; the row has a, b, id, odd"
    ):
        row.value("c", "d")
    with pytest.raises(BrokenRow, match=r"odd is 1\.5; expected a text or a whole number"):
        row.identifier("odd")


def test_a_file_that_no_reader_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskDataError, match=r"a\.xml: cannot be read; expected one of \.jsonl"):
        read_rows(tmp_path / "a.xml")
    with pytest.raises(TaskDataError, match=r"b\.jsonl: cannot be read: .*No such file"):
        list(read_rows(tmp_path / "b.jsonl"))
