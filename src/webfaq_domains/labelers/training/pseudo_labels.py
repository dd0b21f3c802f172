"""Pseudo-labels (Lee 2013): texts that the teacher labelled teach the student.

Two votes give a label: what the teacher says of the English text, and what its project is about.
Either the teacher is sure, or it finds the project's subject likely. A text of no domain teaches
nothing: what an interface says of itself ("Are you sure?") is no question of another subject.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from webfaq_domains.ground.text import unit_hash, unit_threshold
from webfaq_domains.labelers.base import Labeler, Probabilities
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.training.active_learning import Candidate
from webfaq_domains.labelers.training.translations import Translated


@dataclass(frozen=True)
class PseudoLabelRule:
    """When the teacher is sure enough of a pair to teach.

    A pair teaches each domain of at least `sure`, and the fallback if none reaches `absent`;
    between the two it teaches nothing.
    """

    sure: float = 0.6
    absent: float = 0.15


def sure_labels(
    probabilities: Probabilities, domains: Sequence[str], fallback: str, rule: PseudoLabelRule
) -> list[list[str]]:
    """Return the domains each row teaches: those that are sure, the fallback, or none."""
    names = np.array(domains)
    return [
        list(names[row >= rule.sure])
        if row.max() >= rule.sure
        else [fallback]
        if row.max() < rule.absent
        else []
        for row in probabilities
    ]


def counted(labels: Sequence[Sequence[str]]) -> dict[str, int]:
    """Return how many rows teach each domain, for the card."""
    return dict(sorted(Counter(slug for found in labels for slug in found).items()))


@dataclass(frozen=True)
class TranslationRule:
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


def sample_texts(texts: Iterable[Translated], rule: TranslationRule) -> list[Translated]:
    """Return a hashed sample of each project's texts, so that no project is most of its subject."""
    projects: dict[tuple[str, str], list[Translated]] = defaultdict(list)
    for text in texts:
        projects[text.source.domain, text.source.repository].append(text)
    kept = []
    for (domain, _), found in sorted(projects.items()):
        share = rule.per_domain // sum(name == domain for name, _ in projects)
        chance = unit_hash(pa.array([text.english for text in found], pa.string()), "translated")
        kept += [found[n] for n in np.argsort(chance, kind="stable")[: max(rule.least, share)]]
    return kept


def propagate(
    texts: Sequence[Translated], probabilities: Probabilities, domains: Sequence[str], sure: float,
    rule: TranslationRule,
) -> list[TaughtText]:  # fmt: skip
    """Label each text and its translations; `probabilities` are those of the English texts."""
    taught = []
    for text, row in zip(texts, probabilities, strict=True):
        subject = text.source.domain
        found = tuple(slug for slug, value in zip(domains, row, strict=True) if value >= sure)
        if not found and subject in domains and row[domains.index(subject)] >= rule.likely:
            found = (subject,)
        if found:
            every = [("eng", text.english), *sorted(text.others.items())]
            taught += [
                TaughtText(said, code, found, text.source.repository) for code, said in every
            ]
    return taught


def even_cells(rows: Sequence[TaughtText], rule: TranslationRule) -> list[list[TaughtText]]:
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
        kept.append(turns[: rule.per_cell])
    return kept


def joined(rows: Sequence[TaughtText], rule: TranslationRule, seed: int) -> list[TaughtText]:
    """Return the rows with one to `together` of a cell as one text, so that lengths vary."""
    generator = np.random.default_rng(seed)
    out = []
    for cell in even_cells(rows, rule):
        place = 0
        while place < len(cell):
            part = cell[place : place + int(generator.integers(1, rule.together + 1))]
            text = " ".join(row.text for row in part)
            out.append(TaughtText(text, part[0].language, part[0].domains, part[0].project))
            place += len(part)
    return out


@dataclass(frozen=True)
class PseudoLabelled:
    """Texts with what the teacher says of them: `train` and `taught` teach, `aside` rows choose."""

    train: list[Labelled]
    aside: list[Labelled]
    taught: list[TaughtText] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        return {
            "pairs": len(self.train),
            "pairs_by_domain": counted([row.accepted for row in self.train]),
            "pairs_by_site": dict(sorted(Counter(row.origin for row in self.train).items())),
            "validation_pairs": len(self.aside),
            "translated_texts": len(self.taught),
            "translated_texts_by_domain": counted([row.domains for row in self.taught]),
            "translated_languages": len({row.language for row in self.taught}),
        }


def label_pairs(
    teacher: Labeler, pairs: Sequence[Candidate], rule: PseudoLabelRule, validation: float
) -> PseudoLabelled:
    """Let the teacher label unlabelled pairs; those it is unsure of are left out.

    Origins are set aside for validation by a hash, `validation` of them.
    """
    found = teacher.probabilities([row.text for row in pairs])
    labels = sure_labels(found, teacher.domains, teacher.fallback, rule)
    rows = [
        Labelled(row.text, row.language, row.origin, tuple(said))
        for row, said in zip(pairs, labels, strict=True)
        if said
    ]
    numbers = unit_hash(pa.array([row.origin or row.text for row in rows], pa.string()), "silver")
    held = numbers < unit_threshold(validation)
    return PseudoLabelled(
        [row for row, out in zip(rows, held, strict=True) if not out],
        [row for row, out in zip(rows, held, strict=True) if out],
    )


def label_translated(
    teacher: Labeler, texts: Sequence[Translated], sure: float, rule: TranslationRule
) -> list[TaughtText]:
    """Let the teacher label English texts, and carry its labels over to their translations."""
    kept = sample_texts(texts, rule)
    found = teacher.probabilities([text.english for text in kept])
    return propagate(kept, found, teacher.domains, sure, rule)
