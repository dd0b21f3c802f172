"""HellaSwag: which of four endings goes on? JSON lines as released, or the Hub's rows."""

from __future__ import annotations

from webfaq_eval.intermediate.examples import BrokenRow, Choice, label_number
from webfaq_eval.intermediate.rows import Row
from webfaq_eval.intermediate.source import Source

_NUMBERS = {str(number): number for number in range(4)}


def parse_hellaswag(row: Row) -> Choice:
    """Split as jiant does: the prompt is `ctx_a`, an option is `ctx_b` and an ending."""
    endings = row.value("endings")
    if not isinstance(endings, list) or len(endings) != 4:
        raise BrokenRow(f"{row.place}: endings is {endings!r:.80}; expected a list of 4 texts")
    if not all(isinstance(ending, str) for ending in endings):
        raise BrokenRow(f"{row.place}: an ending is not a text")
    begun = row.values.get("ctx_b") or ""
    options = tuple(f"{begun} {ending}".strip() for ending in endings)
    label = label_number(row.values.get("label"), _NUMBERS, row.place)
    return Choice(row.text("ctx_a", "ctx"), options, label)


HELLASWAG = Source("hellaswag", ("hellaswag",), parse_hellaswag, hub=("Rowan/hellaswag", "data"))
