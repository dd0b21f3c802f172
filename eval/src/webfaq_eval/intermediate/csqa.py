"""CommonsenseQA: which of five answers? The release's nested layout, and the flat one of the Hub."""

from __future__ import annotations

from typing import Any

from webfaq_eval.intermediate.examples import BrokenRow, Choice, label_number
from webfaq_eval.intermediate.rows import Row
from webfaq_eval.intermediate.source import Source

_KEYS = ("A", "B", "C", "D", "E")
_NUMBERS = {key.lower(): number for number, key in enumerate(_KEYS)}


def parse_csqa(row: Row) -> Choice:
    """Read `question.stem` and `question.choices`, or `question` and `choices.label/text`."""
    question = row.value("question")
    if isinstance(question, dict):
        stem, choices = question.get("stem"), _listed(question.get("choices"))
    else:
        stem, choices = question, _listed(row.values.get("choices"))
    if not isinstance(stem, str) or sorted(choices) != list(_KEYS):
        raise BrokenRow(
            f"{row.place}: expected a question and choices A to E, met {dict(row.values)!r:.120}"
        )
    label = label_number(row.values.get("answerKey"), _NUMBERS, row.place)
    return Choice(stem, tuple(choices[key] for key in _KEYS), label)


def _listed(choices: Any) -> dict[str, str]:
    """Return the choices' texts by key, in either layout; nothing if it is neither."""
    if isinstance(choices, dict) and isinstance(choices.get("label"), list):
        pairs = list(zip(choices["label"], choices.get("text") or [], strict=False))
    elif isinstance(choices, list) and all(isinstance(one, dict) for one in choices):
        pairs = [(one.get("label"), one.get("text")) for one in choices]
    else:
        return {}
    return {str(key): text for key, text in pairs if isinstance(text, str)}


CSQA = Source(
    "csqa",
    ("csqa", "commonsenseqa", "commonsense_qa"),
    parse_csqa,
    hub=("tau/commonsense_qa", "data"),
)
