"""Two texts and a class: MNLI, SNLI and ANLI (inference), and QQP (same question?).

Read as released (MultiNLI 1.0 text and JSON lines, GLUE's TSV, SNLI 1.0, ANLI v0.1 JSON lines,
XNLI 1.0 and its machine translations) and as on the Hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from webfaq_eval.intermediate.tasks.instances import Pair
from webfaq_eval.intermediate.tasks.source import Source
from webfaq_eval.row_files import kind_of, read_lines, read_rows, table_row
from webfaq_eval.rows import Row

NLI_LABELS = ("entailment", "neutral", "contradiction")
#: `contradictory` is how the machine translations of XNLI write it; e, n, c are ANLI's.
_NLI_NUMBERS = {name: number for number, name in enumerate(NLI_LABELS)}
_NLI_NUMBERS |= {"e": 0, "n": 1, "c": 2, "contradictory": 2, "0": 0, "1": 1, "2": 2}


_NO_MAJORITY = "-"


def parse_nli(row: Row) -> Pair:
    """Read a row under any of the names that the releases give its columns."""
    row = _with_all_annotators(row)
    label = row.label("gold_label", "label", numbers=_NLI_NUMBERS)
    first = row.text("premise", "sentence1", "context")
    second = row.text("hypothesis", "sentence2", "hypo", "statement")
    return Pair(first, second, label)


def _with_all_annotators(row: Row) -> Row:
    """Return a row of GLUE's SNLI whose gold label is its last cell.

    The header of its training file names one annotator, but a tenth of the rows have five: their gold
    label stands behind all of them. Any other row with too many cells stays as it is, and is broken.
    """
    header = list(row.values)
    if not row.extra or header[-1] != "gold_label" or "label1" not in header:
        return row
    labels = [*row.values.values(), *row.extra][header.index("label1") :]
    if not all(label == _NO_MAJORITY or label in _NLI_NUMBERS for label in labels):
        return row
    return replace(row, values={**row.values, "gold_label": labels[-1]}, extra=())


def _matched(path: str) -> bool:
    # The matched dev set is the one whose accuracy is quoted.
    return "mismatched" not in path


MNLI = Source(
    "mnli", ("mnli", "multinli", "multinli_1.0"), parse_nli,
    accepts=_matched, translated=("xnli",), hub=("nyu-mll/glue", "mnli"),
)  # fmt: skip
SNLI = Source("snli", ("snli", "snli_1.0"), parse_nli, hub=("stanfordnlp/snli", "plain_text"))
ANLI = Source(
    "anli", ("anli", "anli_v0.1", "anli_v1.0"), parse_nli, hub=("facebook/anli", "plain_text")
)


QQP_LABELS = ("different", "duplicate")
#: `not_duplicate` is what the Hub's files of GLUE name the class.
_QQP_NUMBERS = {"different": 0, "not_duplicate": 0, "duplicate": 1, "0": 0, "1": 1}
_QQP_NUMBERS |= {"false": 0, "true": 1}
_QQP_COLUMNS = ("is_duplicate", "question1", "question2", "id")


def parse_qqp(row: Row) -> Pair:
    label = row.label("is_duplicate", "label", numbers=_QQP_NUMBERS)
    return Pair(row.text("question1"), row.text("question2"), label)


def read_qqp(path: Path) -> Iterator[Row]:
    """Read QQP rows; a TSV whose first line starts with a label has no header (Wang et al. 2017)."""
    start = next(read_lines(path), ("", ""))[1] if kind_of(path) == ".tsv" else ""
    if not start.startswith(("0\t", "1\t")):
        yield from read_rows(path)
        return
    for place, line in read_lines(path):
        if line.strip():
            yield table_row(place, _QQP_COLUMNS, line.rstrip("\r\n").split("\t"))


QQP = Source("qqp", ("qqp",), parse_qqp, read=read_qqp, hub=("nyu-mll/glue", "qqp"))
