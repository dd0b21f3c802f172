"""Two texts and a class: MNLI, SNLI and ANLI (inference), and QQP (same question?).

Read as released (MultiNLI 1.0 text and JSON lines, GLUE's TSV, SNLI 1.0, ANLI v0.1 JSON lines,
XNLI 1.0 and its machine translations) and as on the Hub.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from webfaq_eval.intermediate.tasks.examples import Pair, label_number
from webfaq_eval.intermediate.tasks.rows import Row, read_rows
from webfaq_eval.intermediate.tasks.source import Source

NLI_LABELS = ("entailment", "neutral", "contradiction")
#: `contradictory` is how the machine translations of XNLI write it; e, n, c are ANLI's.
_NLI_NUMBERS = {name: number for number, name in enumerate(NLI_LABELS)}
_NLI_NUMBERS |= {"e": 0, "n": 1, "c": 2, "contradictory": 2, "0": 0, "1": 1, "2": 2}


def parse_nli(row: Row) -> Pair:
    """Read a row under any of the names that the releases give its columns."""
    label = row.value("gold_label", "label")
    first = row.text("premise", "sentence1", "context")
    second = row.text("hypothesis", "sentence2", "hypo", "statement")
    return Pair(first, second, label_number(label, _NLI_NUMBERS, row.place))


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
_QQP_NUMBERS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}


def parse_qqp(row: Row) -> Pair:
    label = row.value("is_duplicate", "label")
    first, second = row.text("question1"), row.text("question2")
    return Pair(first, second, label_number(label, _QQP_NUMBERS, row.place))


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
