"""Carry the teacher's label of an English text over to its translations, to teach the student.

Two votes give a label: what the teacher says of the English text, and what its project is about.
Either the teacher is sure, or it finds the project's subject likely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from webfaq_domains.labeler.base import Probabilities
from webfaq_domains.labeler.silver import Silver, sure_labels
from webfaq_domains.labeler.translations import Translated
from webfaq_domains.text import unit_hash


@dataclass(frozen=True)
class Propagation:
    """How translated texts teach.

    `per_domain` English texts are read of each subject, shared out among its projects; `likely` is
    the least probability of the project's own subject; a language has at most `per_cell` texts of a
    label, its projects in turn; up to `together` of them make one line, as long as a pair is.
    """

    per_domain: int = 7000
    least: int = 120
    likely: float = 0.3
    per_cell: int = 400
    together: int = 3


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
    texts: Sequence[Translated], probabilities: Probabilities, domains: Sequence[str],
    fallback: str, plans: tuple[Silver, Propagation],
) -> list[TaughtText]:  # fmt: skip
    """Label each text and its translations; `probabilities` are those of the English texts."""
    silver, plan = plans
    taught = []
    labels = sure_labels(probabilities, domains, fallback, silver)
    for text, row, sure in zip(texts, probabilities, labels, strict=True):
        subject, found = text.source.domain, tuple(sure)
        if (not found or found == (fallback,)) and subject in domains:
            found = (subject,) if row[domains.index(subject)] >= plan.likely else found
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
