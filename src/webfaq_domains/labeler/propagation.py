"""Carry the teacher's label of an English text over to its translations, to teach the student.

Two votes give a label: what the teacher says of the English text, and what its project is about.
Either the teacher is sure, or it finds the project's subject likely. A text of no domain teaches
nothing: what an interface says of itself ("Are you sure?") is no question of another subject.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from webfaq_domains.labeler.base import Probabilities
from webfaq_domains.labeler.translations import Translated
from webfaq_domains.text import unit_hash


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
