"""Texts for masked-language training: plain text (one a line), JSON lines, or Parquet such as WebFAQ's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webfaq_eval.intermediate.tasks.instances import Text
from webfaq_eval.intermediate.tasks.source import Source, is_test_file, split_of_file
from webfaq_eval.row_files import kind_of, read_lines, read_rows
from webfaq_eval.rows import Row


def read_texts(path: Path) -> Iterator[Row]:
    """Yield texts: the lines of a `.txt` file, the rows of any other."""
    if kind_of(path) != ".txt":
        yield from read_rows(path)
        return
    for place, line in read_lines(path):
        if line.strip():
            yield Row(place, {"text": line.strip()})


def parse_text(row: Row) -> Text:
    """Read the column `text`, or `question` and `answer` joined by a space."""
    if row.get("text") is not None or "question" not in row.values:
        return Text(row.text("text"))
    return Text(f"{row.text('question')} {row.text('answer')}")


def _split_or_train(path: Path) -> str | None:
    """Return the split that a file's name says; a file that says none is training text."""
    return split_of_file(path) or (None if is_test_file(path) else "train")


MLM = Source(
    "mlm", ("mlm",), parse_text, read=read_texts,
    suffixes=(".txt", ".jsonl", ".ndjson", ".parquet"), split_of=_split_or_train,
)  # fmt: skip
