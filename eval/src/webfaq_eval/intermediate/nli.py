"""MNLI, SNLI and ANLI: does a premise entail, contradict or not settle a hypothesis?

Read as released (MultiNLI 1.0 text and JSON lines, GLUE's TSV, SNLI 1.0, ANLI v0.1 JSON lines,
XNLI 1.0 and its machine translations) and as on the Hub.
"""

from __future__ import annotations

from webfaq_eval.intermediate.examples import Pair, label_number
from webfaq_eval.intermediate.rows import Row
from webfaq_eval.intermediate.source import Source

LABELS = ("entailment", "neutral", "contradiction")
#: `contradictory` is how the machine translations of XNLI write it; e, n, c are ANLI's.
_NUMBERS = {name: number for number, name in enumerate(LABELS)}
_NUMBERS |= {"e": 0, "n": 1, "c": 2, "contradictory": 2, "0": 0, "1": 1, "2": 2}


def parse_nli(row: Row) -> Pair:
    """Read a row under any of the names that the releases give its columns."""
    label = row.value("gold_label", "label")
    first = row.text("premise", "sentence1", "context")
    second = row.text("hypothesis", "sentence2", "hypo", "statement")
    return Pair(first, second, label_number(label, _NUMBERS, row.place))


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
