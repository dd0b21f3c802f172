"""Cosmos QA: which of four answers fits a question about a story? CSV as released, or the Hub's rows."""

from __future__ import annotations

from webfaq_eval.intermediate.examples import Choice, label_number
from webfaq_eval.intermediate.rows import Row
from webfaq_eval.intermediate.source import Source

_NUMBERS = {str(number): number for number in range(4)}


def parse_cosmosqa(row: Row) -> Choice:
    """Read a row; the prompt is context and question joined by a space, as jiant joins them."""
    options = tuple(row.text(f"answer{number}") for number in range(4))
    label = label_number(row.values.get("label"), _NUMBERS, row.place)
    return Choice(f"{row.text('context')} {row.text('question')}", options, label)


COSMOSQA = Source(
    "cosmosqa", ("cosmosqa", "cosmos_qa"), parse_cosmosqa, hub=("allenai/cosmos_qa", "")
)
