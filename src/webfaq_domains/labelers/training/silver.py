"""Silver labels: what teaches the student besides annotations and lexicon.

Two votes give a label: what the teacher says of the English text, and what its project is about.
Either the teacher is sure, or it finds the project's subject likely. A text of no domain teaches
nothing: what an interface says of itself ("Are you sure?") is no question of another subject.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from webfaq_domains.ground.text import unit_hash
from webfaq_domains.labelers.base import Probabilities
from webfaq_domains.labelers.training.student import StudentRecipe, training_line
from webfaq_domains.labelers.training.translations import Translated
from webfaq_domains.labelers.training.words import SilverWords


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


@dataclass(frozen=True)
class Propagation:
    """How translated texts teach.

    `per_domain` English texts are read of each subject, shared out among its projects; `likely` is
    the least probability of the project's own subject; a language has at most `per_cell` texts of a
    label, its projects in turn; up to `together` of them make one line, so that lines are as long
    as pairs are.
    """

    per_domain: int = 7000
    least: int = 120
    likely: float = 0.15
    per_cell: int = 3000
    together: int = 12


@dataclass(frozen=True)
class TaughtText:
    """A text in one language, the domains that it teaches, and the project that it is of."""

    text: str
    language: str
    domains: tuple[str, ...]
    project: str


def sample_texts(texts: Iterable[Translated], plan: Propagation) -> list[Translated]:
    """Return a hashed sample of each project's texts, so that no project is most of its subject."""
    projects: dict[tuple[str, str], list[Translated]] = defaultdict(list)
    for text in texts:
        projects[text.source.domain, text.source.repository].append(text)
    kept = []
    for (domain, _), found in sorted(projects.items()):
        share = plan.per_domain // sum(name == domain for name, _ in projects)
        chance = unit_hash(pa.array([text.english for text in found], pa.string()), "translated")
        kept += [found[n] for n in np.argsort(chance, kind="stable")[: max(plan.least, share)]]
    return kept


def propagate(
    texts: Sequence[Translated], probabilities: Probabilities, domains: Sequence[str], sure: float,
    plan: Propagation,
) -> list[TaughtText]:  # fmt: skip
    """Label each text and its translations; `probabilities` are those of the English texts."""
    taught = []
    for text, row in zip(texts, probabilities, strict=True):
        subject = text.source.domain
        found = tuple(slug for slug, value in zip(domains, row, strict=True) if value >= sure)
        if not found and subject in domains and row[domains.index(subject)] >= plan.likely:
            found = (subject,)
        if found:
            every = [("eng", text.english), *sorted(text.others.items())]
            taught += [
                TaughtText(said, code, found, text.source.repository) for code, said in every
            ]
    return taught


def even_cells(rows: Sequence[TaughtText], plan: Propagation) -> list[list[TaughtText]]:
    """Return the rows of each language and main domain, at most `per_cell`, projects in turn."""
    cells: dict[tuple[str, str], dict[str, list[TaughtText]]] = {}
    for row in rows:
        cell = cells.setdefault((row.language, row.domains[0]), {})
        cell.setdefault(row.project, []).append(row)
    kept = []
    for _, projects in sorted(cells.items()):
        deepest = max(map(len, projects.values()))
        turns = [
            found[n]
            for n in range(deepest)
            for _, found in sorted(projects.items())
            if n < len(found)
        ]
        kept.append(turns[: plan.per_cell])
    return kept


def joined(rows: Sequence[TaughtText], plan: Propagation, seed: int) -> list[TaughtText]:
    """Return the rows with one to `together` of a cell as one text, so that lengths vary."""
    generator = np.random.default_rng(seed)
    out = []
    for cell in even_cells(rows, plan):
        place = 0
        while place < len(cell):
            part = cell[place : place + int(generator.integers(1, plan.together + 1))]
            text = " ".join(row.text for row in part)
            out.append(TaughtText(text, part[0].language, part[0].domains, part[0].project))
            place += len(part)
    return out
