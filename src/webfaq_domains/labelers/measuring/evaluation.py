"""Measure a labeler on labelled pairs: per domain and language, with baselines beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from webfaq_domains.ground.agreement import cohen_kappa
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Labeler, Probabilities, assign
from webfaq_domains.labelers.calibration import Reliability, reliability
from webfaq_domains.labelers.measuring.labelled import Labelled, truth_table
from webfaq_domains.labelers.measuring.metrics import Figures, Score, confusion, figures
from webfaq_domains.labelers.training.lexicon import KeywordBaseline

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
    agreement: Agreement | None = None

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
            f"baseline {name}: macro-F1 {_interval(found.macro)}"
            for name, found in self.baselines.items()
        ]
        if self.agreement is not None:
            lines.append(self.agreement.text())
        return "\n".join(lines)

    def domain_table(self) -> str:
        head = ("domain", "precision", "recall", "F1 [95 %]", "rows", "sites")
        return markdown(
            head, [_line(slug, s) for slug, s in self.figures.domains.items() if s.rows]
        )

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


def predict(labeler: Labeler, rows: Sequence[Labelled]) -> Probabilities:
    """Return a labeler's probabilities for labelled rows, cut as it reads them."""
    return labeler.probabilities([row.text[: labeler.characters] for row in rows])


def evaluate(
    labeler: Labeler,
    rows: Sequence[Labelled],
    fallback: str,
    keywords: KeywordBaseline | None = None,
    probabilities: Probabilities | None = None,
) -> Evaluation:
    """Score a labeler on labelled rows; `probabilities` spares work where they are known.

    :raises ValueError: if there are no rows.
    """
    found = predict(labeler, rows) if probabilities is None else probabilities
    slugs = (*labeler.domains, fallback)
    chosen = assign(found, labeler.domains, np.asarray(labeler.thresholds), fallback).domain
    truth = truth_table(rows, labeler.domains)
    present = [c for c in range(len(labeler.domains)) if truth[:, c].any()]
    return Evaluation(
        labeler=labeler.id.name,
        revision=labeler.id.revision,
        rows=len(rows),
        sites=len({row.origin for row in rows if row.origin}),
        figures=figures(rows, chosen, slugs),
        languages=by_language(rows, chosen, labeler.domains),
        abstained=float(np.mean([slug == fallback for slug in chosen])),
        reliability=reliability(found, truth),
        reliability_by_domain={
            labeler.domains[c]: round(reliability(found[:, c], truth[:, c]).error, 4)
            for c in present
        },
        confusion=confusion(rows, chosen, slugs).tolist(),
        domains=slugs,
        baselines=baselines(rows, slugs, fallback, keywords),
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


def baselines(
    rows: Sequence[Labelled],
    slugs: Sequence[str],
    fallback: str,
    keywords: KeywordBaseline | None,
) -> dict[str, Figures]:
    """Return what plain rules reach: the most frequent domain for all, and the most keyword hits."""
    often = Counter(row.main for row in rows).most_common(1)[0][0]
    found = {"majority": figures(rows, [often] * len(rows), slugs)}
    if keywords is not None:
        votes = keywords.probabilities([row.text for row in rows])
        guess = assign(
            votes, keywords.domains, np.full(len(keywords.domains), 1e-6, np.float32), fallback
        )
        found["keyword"] = figures(rows, guess.domain, slugs)
    return found


@dataclass(frozen=True)
class Agreement:
    """Rows compared, the share that agree, Cohen's kappa, and the table of label by domain.

    A row agrees when its domain is one that its foreign label overlaps. For kappa (Cohen 1960) a
    foreign label counts as the row's own domain where it overlaps it, else as its first overlap.
    """

    scheme: str
    rows: int
    share: float
    kappa: float
    table: dict[str, dict[str, int]]

    def text(self) -> str:
        return (
            f"agreement with {self.scheme} labels through the crosswalk: {self.share:.1%} of "
            f"{self.rows:,} rows, kappa {self.kappa:.3f}"
        )

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


def agreement(
    labels: Sequence[str], domains: Sequence[str], taxonomy: Taxonomy, scheme: str
) -> Agreement:
    """Compare foreign labels with domains row by row; labels that overlap nothing are left out.

    A label of another scheme may overlap several domains, so agreement is the most it can be.
    """
    table: dict[str, Counter[str]] = {}
    pairs = []
    for label, domain in zip(labels, domains, strict=True):
        overlaps = taxonomy.from_foreign(scheme, label)
        if overlaps:
            table.setdefault(label, Counter())[domain] += 1
            pairs.append((domain if domain in overlaps else overlaps[0], domain))
    same = sum(theirs == ours for theirs, ours in pairs)
    share = same / len(pairs) if pairs else 0.0
    return Agreement(
        scheme,
        len(pairs),
        share,
        cohen_kappa([theirs for theirs, _ in pairs], [ours for _, ours in pairs]),
        {label: dict(n) for label, n in table.items()},
    )
