"""SQuAD's exact match and F1, as the official scripts evaluate-v1.1.py and evaluate-v2.0.py compute them.

Rajpurkar et al. 2016 and 2018. Answers are compared in lower case without punctuation, English
articles and double spaces. For another language the articles stay those of English, as in XQuAD's
evaluation.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = set(string.punctuation)


def normalize_answer(text: str) -> str:
    kept = "".join(c for c in text.lower() if c not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", kept).split())


def exact_match(predicted: str, gold: str) -> float:
    return float(normalize_answer(predicted) == normalize_answer(gold))


def token_f1(predicted: str, gold: str) -> float:
    """Return the F1 of the two answers' words; where one has none, 1 if both have none, else 0."""
    found, right = normalize_answer(predicted).split(), normalize_answer(gold).split()
    if not found or not right:
        return float(found == right)
    shared = sum((Counter(found) & Counter(right)).values())
    return 2 * shared / (len(found) + len(right))


def best_of(score: Callable[[str, str], float], predicted: str, answers: Sequence[str]) -> float:
    """Return the best score over the right answers; a question without one has the answer ''.

    As in v2.0, an answer that is nothing once it is normalized does not count while others do.
    """
    kept = [answer for answer in answers if normalize_answer(answer)] or [""]
    return max(score(predicted, answer) for answer in kept)


def squad_scores(
    predicted: Mapping[str, str], answers: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """Return `exact` and `f1`, shares in 0..1, over all questions."""
    count = len(answers)
    exact = sum(best_of(exact_match, predicted[name], right) for name, right in answers.items())
    f1 = sum(best_of(token_f1, predicted[name], right) for name, right in answers.items())
    return {"exact": exact / count, "f1": f1 / count}


def best_threshold(
    spans: Mapping[str, str],
    null_odds: Mapping[str, float],
    answers: Mapping[str, Sequence[str]],
    score: Callable[[str, str], float],
) -> tuple[float, float]:
    """Find the null threshold with the best score: answer while `null_odds` is at most it.

    Returns the score (0..1) and the threshold. Sweeps as evaluate-v2.0.py does: from answering
    nothing, in the order of rising odds, one question more at each step.
    """
    current = best = float(sum(not right for right in answers.values()))
    threshold = min(null_odds.values()) - 1.0
    for name in sorted(null_odds, key=null_odds.__getitem__):
        if answers[name]:
            current += best_of(score, spans[name], answers[name])
        elif spans[name]:
            current -= 1.0
        if current > best:
            best, threshold = current, null_odds[name]
    return best / len(answers), threshold
