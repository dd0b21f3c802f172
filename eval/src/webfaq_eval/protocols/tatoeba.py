"""Tatoeba: for each sentence, is its translation the nearest sentence of the other language?

`forward` is X to English, as LASER and mteb report it and as XTREME words it; `reverse` is English to
X, the direction of XTREME's code (third_party/utils_retrieve.py: the index holds the foreign side).
"""

from __future__ import annotations

from webfaq_eval.protocols.base import Outcome, Question, retrieve


def evaluate(question: Question) -> Outcome:
    """Return accuracy: the share of queries whose best candidate is right."""
    outcome, _ = retrieve(question, "accuracy")
    return outcome
