"""Several options, one right: HellaSwag, Cosmos QA and CommonsenseQA, as released or as on the Hub."""

from __future__ import annotations

from typing import Any

from webfaq_eval.intermediate.tasks.instances import Choice
from webfaq_eval.intermediate.tasks.source import Source
from webfaq_eval.rows import BrokenRow, Row

_NUMBERS = {str(number): number for number in range(4)}


def parse_hellaswag(row: Row) -> Choice:
    """Split as jiant does: the prompt is `ctx_a`, an option is `ctx_b` and an ending."""
    endings = row.value("endings")
    if not isinstance(endings, list) or len(endings) != 4:
        raise BrokenRow(f"{row.place}: endings is {endings!r:.80}; expected a list of 4 texts")
    if not all(isinstance(ending, str) for ending in endings):
        raise BrokenRow(f"{row.place}: an ending is not a text")
    begun = row.get("ctx_b") or ""
    options = tuple(f"{begun} {ending}".strip() for ending in endings)
    label = row.label("label", numbers=_NUMBERS, may_lack=True)
    return Choice(row.text("ctx_a", "ctx"), options, label)


HELLASWAG = Source("hellaswag", ("hellaswag",), parse_hellaswag, hub=("Rowan/hellaswag", "data"))


def parse_cosmosqa(row: Row) -> Choice:
    """Read a row; the prompt is context and question joined by a space, as jiant joins them."""
    options = tuple(row.text(f"answer{number}") for number in range(4))
    label = row.label("label", numbers=_NUMBERS, may_lack=True)
    return Choice(f"{row.text('context')} {row.text('question')}", options, label)


COSMOSQA = Source(
    "cosmosqa", ("cosmosqa", "cosmos_qa"), parse_cosmosqa, hub=("allenai/cosmos_qa", "")
)


_KEYS = ("A", "B", "C", "D", "E")
_LETTERS = {key.lower(): number for number, key in enumerate(_KEYS)}


def parse_csqa(row: Row) -> Choice:
    """Read `question.stem` and `question.choices`, or `question` and `choices.label/text`."""
    question = row.value("question")
    if isinstance(question, dict):
        stem, choices = question.get("stem"), _listed(question.get("choices"))
    else:
        stem, choices = question, _listed(row.get("choices"))
    if not isinstance(stem, str) or sorted(choices) != list(_KEYS):
        raise BrokenRow(
            f"{row.place}: expected a question and choices A to E, met {dict(row.values)!r:.120}"
        )
    label = row.label("answerKey", numbers=_LETTERS, may_lack=True)
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
