"""Mewsli-X: a mention in a news article, entities of all languages in one pool, mAP@20.

One entity is right for a mention, so mAP@20 is MRR@20 (Ruder et al. 2021, XTREME-R).
"""

from __future__ import annotations

from webfaq_eval.protocols.base import Outcome, Question, retrieve


def evaluate(question: Question) -> Outcome:
    """Return mAP@20."""
    outcome, _ = retrieve(question, "map_at_20")
    return outcome
