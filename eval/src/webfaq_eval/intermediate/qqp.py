"""QQP: do two questions ask the same? GLUE's TSV, the older partition without a header, the Hub's rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webfaq_eval.intermediate.examples import Pair, label_number
from webfaq_eval.intermediate.rows import Row, read_rows
from webfaq_eval.intermediate.source import Source

LABELS = ("different", "duplicate")
_NUMBERS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}


def parse_qqp(row: Row) -> Pair:
    label = row.value("is_duplicate", "label")
    first, second = row.text("question1"), row.text("question2")
    return Pair(first, second, label_number(label, _NUMBERS, row.place))


def read_qqp(path: Path) -> Iterator[Row]:
    """Read QQP rows; a TSV whose first line starts with a label has no header (Wang et al. 2017)."""
    with path.open("rb") as file:
        start = file.read(2)
    if path.suffix != ".tsv" or start not in (b"0\t", b"1\t"):
        yield from read_rows(path)
        return
    with path.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\r\n").split("\t")
            names = ("is_duplicate", "question1", "question2", "id")
            yield Row(f"{path}:{number}", dict(zip(names, cells, strict=False)))


QQP = Source("qqp", ("qqp",), parse_qqp, read=read_qqp, hub=("nyu-mll/glue", "qqp"))
