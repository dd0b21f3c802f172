"""Silver labels: what teaches the student besides annotations and lexicon."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from webfaq_domains.labeler.base import Probabilities
from webfaq_domains.labeler.distil import StudentRecipe, training_line
from webfaq_domains.labeler.words import SilverWords


@dataclass(frozen=True)
class Silver:
    """When the teacher is sure enough of a pair to teach.

    A pair teaches each domain of at least `sure`, and the fallback if none reaches `absent`;
    between the two it teaches nothing.
    """

    sure: float = 0.6
    absent: float = 0.15


def sure_labels(
    probabilities: Probabilities, domains: Sequence[str], fallback: str, plan: Silver
) -> list[list[str]]:
    """Return the domains each row teaches: those that are sure, the fallback, or none."""
    names = np.array(domains)
    return [
        list(names[row >= plan.sure])
        if row.max() >= plan.sure
        else [fallback]
        if row.max() < plan.absent
        else []
        for row in probabilities
    ]


def text_lines(
    texts: Sequence[str], labels: Sequence[Sequence[str]], recipe: StudentRecipe
) -> list[str]:
    """Return a training line per text that teaches something."""
    return [
        training_line(found, text[: recipe.characters])
        for text, found in zip(texts, labels, strict=True)
        if found
    ]


def word_lines(silver: SilverWords, recipe: StudentRecipe) -> list[str]:
    """Return each silver word as a line, and pseudo-texts: of one domain's words, and mixed.

    A mixed text is one to three words of a domain among up to five background words, as a real
    question is; it keeps the student from needing many hits.
    """
    generator = np.random.default_rng(recipe.seed)
    lines: list[str] = []
    for slug, words in sorted(silver.words.items()):
        lines += [training_line([slug], word) for word in words]
        if len(words) >= recipe.lexicon_terms:
            lines += _pure(words, slug, recipe, generator)
            lines += _mixed(words, silver.background, slug, recipe, generator)
    return lines


def _pure(
    words: list[str], slug: str, recipe: StudentRecipe, generator: np.random.Generator
) -> list[str]:
    drawn = generator.integers(0, len(words), (recipe.word_texts, recipe.lexicon_terms))
    return [training_line([slug], " ".join(words[i] for i in row)) for row in drawn]


def _mixed(
    words: list[str], background: list[str], slug: str, recipe: StudentRecipe,
    generator: np.random.Generator,
) -> list[str]:  # fmt: skip
    lines = []
    for _ in range(recipe.word_texts if background else 0):
        mine = generator.integers(0, len(words), generator.integers(1, 4))
        others = generator.integers(0, len(background), generator.integers(0, 6))
        text = [*(words[i] for i in mine), *(background[i] for i in others)]
        lines.append(training_line([slug], " ".join(text)))
    return lines


def counted(labels: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return how many rows teach each domain, for the card."""
    return dict(sorted(Counter(slug for found in labels for slug in found).items()))
