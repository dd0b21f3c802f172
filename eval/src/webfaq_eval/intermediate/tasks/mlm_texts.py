"""Texts for masked-language training: plain text (one a line), JSON lines, or Parquet such as WebFAQ's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webfaq_eval.intermediate.tasks.examples import BrokenRow, Text
from webfaq_eval.intermediate.tasks.rows import Row, read_rows
from webfaq_eval.intermediate.tasks.source import Source


def read_texts(path: Path) -> Iterator[Row]:
    """Yield texts: the lines of a `.txt` file, the rows of any other."""
    if path.suffix != ".txt":
        yield from read_rows(path)
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield Row(f"{path}:{number}", {"text": line.strip()})


def parse_text(row: Row) -> Text:
    """Read the column `text`, or `question` and `answer` joined by a space."""
    if row.values.get("text") is not None:
        return Text(row.text("text"))
    if row.values.get("question") is None:
        raise BrokenRow(f"{row.place}: there is no text, and no question and answer")
    return Text(f"{row.text('question')} {row.text('answer')}")


def _split_or_train(path: Path) -> str | None:
    """Return the split that a file's name says; a file that says none is training text."""
    from webfaq_eval.intermediate.tasks.source import split_of_file

    return split_of_file(path) or (None if "test" in path.stem.lower() else "train")


MLM = Source(
    "mlm", ("mlm",), parse_text, read=read_texts,
    suffixes=(".txt", ".jsonl", ".parquet"), split_of=_split_or_train,
)  # fmt: skip
