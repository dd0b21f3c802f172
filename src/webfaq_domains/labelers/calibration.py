"""Calibration: turning a model's scores into probabilities that mean what they say.

Platt scaling (Platt 1999) per domain, with his smoothed targets; expected calibration error as in
Naeini et al. 2015, per domain, with bins of equal count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from webfaq_domains.labelers.base import Probabilities

Floats = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
_EPSILON = 1e-6

#: Keeps a slope finite where scores separate the classes: one pseudo-observation's worth.
_RIDGE = 1.0
#: Steps of Newton's method; it converges in about ten.
_NEWTON = 50

#: Parts of the calibration rows for the cross-fitted figures.
FOLDS = 5


def logit(probability: npt.ArrayLike) -> Floats:
    """Return log odds, with probabilities kept 1e-6 away from 0 and 1."""
    clipped = np.clip(np.asarray(probability, np.float64), _EPSILON, 1 - _EPSILON)
    odds: Floats = np.log(clipped / (1 - clipped))
    return odds


@dataclass(frozen=True)
class Platt:
    """Platt scaling per domain: sigmoid(slope * logit(score) + intercept)."""

    slope: tuple[float, ...]
    intercept: tuple[float, ...]

    def __call__(self, scores: Probabilities) -> Probabilities:
        """Calibrate scores of shape (n, domains)."""
        odds = logit(scores) * np.asarray(self.slope) + np.asarray(self.intercept)
        calibrated: Probabilities = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return calibrated

    @classmethod
    def identity(cls, domains: int) -> Platt:
        return cls((1.0,) * domains, (0.0,) * domains)


def fit_platt(scores: Probabilities, truth: Truth, weights: Floats | None = None) -> Platt:
    """Fit one slope and intercept per domain; `scores` and `truth` have shape (n, domains).

    A domain without both a right and a wrong row keeps its scores.
    """
    importance = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    fitted = [
        _fit_one(logit(scores[:, column]), truth[:, column], importance)
        for column in range(scores.shape[1])
    ]
    return Platt(tuple(slope for slope, _ in fitted), tuple(shift for _, shift in fitted))


def _fit_one(odds: Floats, truth: Truth, weights: Floats) -> tuple[float, float]:
    right, wrong = float(weights[truth].sum()), float(weights[~truth].sum())
    if right == 0 or wrong == 0:
        return 1.0, 0.0
    target = np.where(truth, (right + 1) / (right + 2), 1 / (wrong + 2))
    design = np.column_stack([odds, np.ones_like(odds)])
    solution = _newton(design, target, weights)
    # Rounded so that another machine's last bit does not make another labeler.
    return round(float(solution[0]), 6), round(float(solution[1]), 6)


def _loss(solution: Floats, design: Floats, target: Floats, weights: Floats) -> float:
    odds = design @ solution
    fit = weights @ (np.logaddexp(0, odds) - target * odds)
    return float(fit + _RIDGE / 2 * (solution[0] - 1) ** 2)


def _newton(design: Floats, target: Floats, weights: Floats) -> Floats:
    """Minimise the logistic loss by Newton's method with backtracking (Lin, Lin and Weng 2007)."""
    solution, penalty = np.array([1.0, 0.0]), np.diag([_RIDGE, 1e-9])
    for _ in range(_NEWTON):
        guess = 1 / (1 + np.exp(-np.clip(design @ solution, -500, 500)))
        slope = design.T @ (weights * (guess - target)) + penalty @ (solution - [1.0, 0.0])
        curve = (design * (weights * guess * (1 - guess))[:, None]).T @ design + penalty
        step = np.linalg.solve(curve, slope)
        start, size = _loss(solution, design, target, weights), 1.0
        while size > 1e-10 and _loss(solution - size * step, design, target, weights) > start:
            size /= 2
        solution = solution - size * step
        if np.abs(size * step).max() < 1e-9:
            break
    return solution


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram: per bin the mean probability, the share that is right, and the rows."""

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    rows: tuple[int, ...]

    @property
    def error(self) -> float:
        """Expected calibration error: the mean distance of the two, weighted by rows."""
        total = sum(self.rows)
        gaps = (
            abs(a - b) * n for a, b, n in zip(self.predicted, self.observed, self.rows, strict=True)
        )
        return sum(gaps) / total if total else 0.0


def reliability(probability: npt.ArrayLike, truth: npt.ArrayLike, bins: int = 15) -> Reliability:
    """Bin predictions (any shape, flattened) into `bins` of equal count."""
    flat = np.asarray(probability, np.float64).ravel()
    right = np.asarray(truth, np.float64).ravel()
    order = np.argsort(flat, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return Reliability(
        tuple(round(float(flat[part].mean()), 4) for part in parts),
        tuple(round(float(right[part].mean()), 4) for part in parts),
        tuple(len(part) for part in parts),
    )


def thresholds_for_precision(
    probabilities: Probabilities, truth: Truth, precision: float, floor: float, ceiling: float
) -> npt.NDArray[np.float32]:
    """Return per domain the lowest threshold whose rows are right at least `precision` of the time.

    Between `floor` and `ceiling`, in steps of 0.01; the ceiling where none reaches it.
    """
    grid = np.round(np.arange(floor, ceiling + 0.005, 0.01), 2)
    chosen = [
        _lowest(probabilities[:, column], truth[:, column], grid, precision)
        for column in range(probabilities.shape[1])
    ]
    return np.array(chosen, np.float32)


def _lowest(probability: Probabilities, truth: Truth, grid: Floats, precision: float) -> float:
    for threshold in grid:
        reach = probability >= threshold
        if reach.any() and truth[reach].mean() >= precision:
            return float(threshold)
    return float(grid[-1])


@dataclass(frozen=True)
class ThresholdRule:
    """How thresholds are chosen: the lowest of [floor, ceiling] with the stated precision."""

    precision: float = 0.75
    floor: float = 0.20
    ceiling: float = 0.60


@dataclass(frozen=True)
class Calibrated:
    """A calibration, the thresholds, and the reliability of scores before and after.

    `after` is cross-fitted: each row's probability comes from a calibration fitted without it.
    """

    calibration: Platt
    thresholds: npt.NDArray[np.float32]
    before: Reliability
    after: Reliability


def calibrate(
    scores: Probabilities, truth: Truth, weights: npt.NDArray[np.float64], rule: ThresholdRule
) -> Calibrated:
    """Fit calibration and thresholds on rows that nothing trained on; shapes (n, domains), (n,).

    Thresholds are chosen on the cross-fitted probabilities, which no row's own label has touched.
    """
    crossed = np.array(scores, np.float32)
    folds = np.arange(len(scores)) % FOLDS
    for fold in range(min(FOLDS, len(scores))):
        out = folds == fold
        crossed[out] = fit_platt(scores[~out], truth[~out], weights[~out])(scores[out])
    thresholds = thresholds_for_precision(crossed, truth, rule.precision, rule.floor, rule.ceiling)
    return Calibrated(
        fit_platt(scores, truth, weights), thresholds,
        reliability(scores, truth), reliability(crossed, truth),
    )  # fmt: skip


def site_weights(origins: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return a weight per row: no site weighs more than 25 rows, so none decides for all."""
    sizes = Counter(origins)
    return np.array([min(1.0, 25 / sizes[origin]) if origin else 1.0 for origin in origins])
