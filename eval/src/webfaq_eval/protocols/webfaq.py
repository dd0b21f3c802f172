"""WebFAQ: a question, the answers of its language in one pool, nDCG@10 (Dinzinger et al. 2025)."""

from __future__ import annotations

from webfaq_eval.protocols.base import Outcome, Question, retrieve


def evaluate(question: Question) -> Outcome:
    """Return nDCG@10."""
    outcome, _ = retrieve(question, "ndcg_at_10")
    return outcome
