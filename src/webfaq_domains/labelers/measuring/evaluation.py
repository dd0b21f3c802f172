"""Measure a labeler on labelled pairs: per domain and language, with baselines beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from webfaq_domains.labelers.base import Labeler, Labels
from webfaq_domains.labelers.calibration import Reliability, reliability
from webfaq_domains.labelers.measuring.agreement import CrosswalkAgreement
from webfaq_domains.labelers.measuring.baselines import BASELINES, KeywordBaseline, baselines
from webfaq_domains.labelers.measuring.labelled import Labelled, truth_table
from webfaq_domains.labelers.measuring.metrics import Figures, Score, confusion, figures

#: A language with fewer rows has no line of its own: its interval would say nothing.
LANGUAGE_ROWS = 50


@dataclass(frozen=True)
class Evaluation:
    """What one labeler does on one labelled set; every figure of a card comes from here."""

    labeler: str
    revision: str
    rows: int
    sites: int
    figures: Figures
    languages: dict[str, Score]
    abstained: float
    reliability: Reliability
    reliability_by_domain: dict[str, float]
    confusion: list[list[int]]
    domains: tuple[str, ...]
    baselines: dict[str, Figures]
    agreement: CrosswalkAgreement | None = None

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "calibration_error": round(self.reliability.error, 4)}

    def text(self) -> str:
        """Return the tables as people read them, in Markdown."""
        return "\n\n".join([self.summary(), self.domain_table(), self.language_table()])

    def summary(self) -> str:
        macro, micro = self.figures.macro, self.figures.micro
        lines = [
            f"{self.labeler}: {self.rows:,} rows of {self.sites:,} sites",
            f"macro-F1 {_interval(macro)}, micro-F1 {_interval(micro)}, "
            f"abstained {self.abstained:.1%}, calibration error {self.reliability.error:.3f}",
        ]
        lines += [
            f"baseline {name}: macro-F1 {_interval(self.baselines[name].macro)}"
            for name in sorted(self.baselines, key=BASELINES.index)
        ]
        if self.agreement is not None:
            lines.append(self.agreement.text())
        return "\n".join(lines)

    def domain_table(self) -> str:
        head = ("domain", "precision", "recall", "F1 [95 %]", "rows", "sites")
        scores = {slug: self.figures.domains[slug] for slug in self.domains}
        return markdown(head, [_line(slug, score) for slug, score in scores.items() if score.rows])

    def language_table(self) -> str:
        head = ("language", "precision", "recall", "F1 [95 %]", "rows", "sites")
        return markdown(head, [_line(code, s) for code, s in self.languages.items()])


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _interval(score: Score) -> str:
    return f"{score.f1:.3f} [{score.low:.3f}, {score.high:.3f}]"


def _line(name: str, score: Score) -> tuple[str, ...]:
    return (
        name, f"{score.precision:.3f}", f"{score.recall:.3f}", _interval(score),
        f"{score.rows:,}", f"{score.sites:,}",
    )  # fmt: skip


def evaluate(
    labeler: Labeler,
    rows: Sequence[Labelled],
    keywords: KeywordBaseline | None = None,
    labels: Labels | None = None,
) -> Evaluation:
    """Score a labeler on labelled rows; `labels` spares work where its labels of them are known.

    :raises ValueError: if there are no rows.
    """
    found = labels or labeler.label([row.text for row in rows])
    slugs = (*labeler.domains, labeler.fallback)
    truth, guessed = truth_table(rows, labeler.domains), found.probabilities
    present = [c for c in range(len(labeler.domains)) if truth[:, c].any()]
    return Evaluation(
        labeler=labeler.id.name,
        revision=labeler.id.revision,
        rows=len(rows),
        sites=len({row.origin for row in rows if row.origin}),
        figures=figures(rows, found.domain, slugs),
        languages=by_language(rows, found.domain, labeler.domains),
        abstained=float(np.mean([slug == labeler.fallback for slug in found.domain])),
        reliability=reliability(guessed, truth),
        reliability_by_domain={
            labeler.domains[c]: round(reliability(guessed[:, c], truth[:, c]).error, 4)
            for c in present
        },
        confusion=confusion(rows, found.domain, slugs).tolist(),
        domains=slugs,
        baselines=baselines(rows, slugs, keywords),
    )


def by_language(
    rows: Sequence[Labelled], chosen: Sequence[str], domains: Sequence[str]
) -> dict[str, Score]:
    """Return micro-averaged scores of each language with at least `LANGUAGE_ROWS` rows.

    Micro: a language's rows are often of one or two domains, and an average over domains that it
    lacks would say nothing. Abstaining costs recall, not precision.
    """
    sizes = Counter(row.language for row in rows)
    scores = {}
    for code in sorted(code for code, size in sizes.items() if size >= LANGUAGE_ROWS):
        picked = [number for number, row in enumerate(rows) if row.language == code]
        scores[code] = figures(
            [rows[number] for number in picked], [chosen[number] for number in picked], domains
        ).pooled
    return scores
