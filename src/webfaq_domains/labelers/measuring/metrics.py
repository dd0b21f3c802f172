"""Figures of a classifier whose rows come in clusters: precision, recall, F1, with intervals.

Rows of one web site are alike, so intervals come from a bootstrap over sites (Efron and Tibshirani
1993), not over rows: few sites give wide intervals, as they should.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from webfaq_domains.labelers.measuring.labelled import Labelled

Counts = npt.NDArray[np.float64]
RESAMPLES = 1000

#: A domain that is the main one of fewer rows is listed, but no part of the averages.
MACRO_ROWS = 30


@dataclass(frozen=True)
class Score:
    """One cell of a report: figures, the 95 % interval of F1, and on how much they stand."""

    precision: float
    recall: float
    f1: float
    low: float
    high: float
    rows: int
    sites: int


def judged(rows: Sequence[Labelled], predicted: Sequence[str]) -> list[str]:
    """Return the domain each row counts under: the predicted one where it is accepted, else the main."""
    return [
        guess if guess in row.accepted else row.main
        for row, guess in zip(rows, predicted, strict=True)
    ]


def counts(rows: Sequence[Labelled], predicted: Sequence[str], domains: Sequence[str]) -> Counts:
    """Return right, wrong and missed of each row and domain by weight, shape (rows, domains, 3)."""
    truth = np.array(judged(rows, predicted))[:, None] == np.array(domains)[None, :]
    guess = np.array(predicted)[:, None] == np.array(domains)[None, :]
    weights = np.array([row.weight for row in rows])[:, None, None]
    table: Counts = np.stack([truth & guess, ~truth & guess, truth & ~guess], axis=2) * weights
    return table


def f1_of(table: Counts) -> Counts:
    """Return F1 from right, wrong and missed on the last axis; 0 where there is nothing."""
    right = table[..., 0]
    scores: Counts = np.divide(2 * right, np.maximum(right + table.sum(axis=-1), 1e-12))
    return scores


def _clusters(rows: Sequence[Labelled]) -> npt.NDArray[np.int64]:
    """Return a cluster number per row: its site, or itself where no site is known."""
    names = [row.origin or f"\x1f{number}" for number, row in enumerate(rows)]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _resampled(table: Counts, clusters: npt.NDArray[np.int64], seed: int) -> Counts:
    """Return sums over resampled clusters, shape (RESAMPLES, domains, 3)."""
    number = int(clusters.max(initial=-1)) + 1
    sums = np.zeros((number, *table.shape[1:]))
    np.add.at(sums, clusters, table)
    generator = np.random.default_rng(seed)
    times = generator.multinomial(number, np.full(number, 1 / number), RESAMPLES)
    totals: Counts = np.einsum("rc,cdk->rdk", times, sums)
    return totals


def _score(total: Counts, samples: Counts, rows: int, sites: int) -> Score:
    right, wrong, missed = (float(value) for value in total)
    low, high = np.quantile(f1_of(samples), [0.025, 0.975])
    return Score(
        right / max(right + wrong, 1e-12), right / max(right + missed, 1e-12),
        float(f1_of(total)), float(low), float(high), rows, sites,
    )  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """Scores per domain; macro and micro averages over the main domains met; all domains pooled.

    `pooled` counts a wrong answer of any domain, also of one that no row has.
    """

    domains: dict[str, Score]
    macro: Score
    micro: Score
    pooled: Score


def figures(
    rows: Sequence[Labelled], predicted: Sequence[str], domains: Sequence[str], seed: int = 0
) -> Figures:
    """Score predictions; a row counts under an accepted domain if that was predicted.

    The averages are over the domains that are the main one of `MACRO_ROWS` rows or more (of any
    row, if none has so many); the others keep their own line.

    :raises ValueError: if there are no rows.
    """
    if not rows:
        raise ValueError("there are no labelled rows to score")
    table, clusters = counts(rows, predicted, domains), _clusters(rows)
    samples, truth = _resampled(table, clusters, seed), judged(rows, predicted)
    mains = _averaged(rows)
    scores = {}
    for column, slug in enumerate(domains):
        of_slug = np.array([name == slug for name in truth])
        sites = len(np.unique(clusters[of_slug]))
        total = table[:, column].sum(axis=0)
        scores[slug] = _score(total, samples[:, column], int(of_slug.sum()), sites)
    kept = [column for column, slug in enumerate(domains) if slug in mains]
    every = list(range(len(domains)))
    return Figures(
        scores,
        _macro(scores, samples, domains, kept),
        _micro(table, samples, clusters, kept),
        _micro(table, samples, clusters, every),
    )


def _averaged(rows: Sequence[Labelled]) -> set[str]:
    """Return the main domains that averages are over: those of enough rows, or all if none has."""
    sizes = Counter(row.main for row in rows)
    return {slug for slug, size in sizes.items() if size >= MACRO_ROWS} or set(sizes)


def _macro(
    scores: dict[str, Score], samples: Counts, domains: Sequence[str], kept: list[int]
) -> Score:
    used = [scores[domains[column]] for column in kept]
    low, high = np.quantile(f1_of(samples[:, kept]).mean(axis=1), [0.025, 0.975])
    precision, recall, f1 = (
        float(np.mean([getattr(score, name) for score in used] or [0.0]))
        for name in ("precision", "recall", "f1")
    )
    rows, sites = sum(score.rows for score in used), sum(score.sites for score in used)
    return Score(precision, recall, f1, float(low), float(high), rows, sites)


def _micro(
    table: Counts, samples: Counts, clusters: npt.NDArray[np.int64], kept: list[int]
) -> Score:
    total = table[:, kept].sum(axis=(0, 1))
    return _score(total, samples[:, kept].sum(axis=1), len(table), len(np.unique(clusters)))


def confusion(
    rows: Sequence[Labelled], predicted: Sequence[str], domains: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return how often each judged domain (row) was labelled as each domain (column)."""
    place = {slug: number for number, slug in enumerate(domains)}
    table = np.zeros((len(domains), len(domains)), np.int64)
    for truth, guess in zip(judged(rows, predicted), predicted, strict=True):
        if truth in place and guess in place:
            table[place[truth], place[guess]] += 1
    return table
