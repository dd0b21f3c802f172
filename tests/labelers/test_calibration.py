from __future__ import annotations

import numpy as np
import pytest

from webfaq_domains.labelers.calibration import (
    ThresholdRule,
    calibrate,
    fit_platt,
    reliability,
    thresholds_for_precision,
)


def overconfident(rows=4000, seed=0):
    """Return scores whose log odds are three times too large, and the truth."""
    generator = np.random.default_rng(seed)
    odds = generator.normal(0, 1.5, rows)
    truth = generator.random(rows) < 1 / (1 + np.exp(-odds))
    return (1 / (1 + np.exp(-3 * odds))).astype(np.float32)[:, None], truth[:, None]


def test_platt_scaling_undoes_overconfidence():
    scores, truth = overconfident()
    fitted = fit_platt(scores, truth)
    assert fitted.slope[0] == pytest.approx(1 / 3, abs=0.05)
    assert reliability(fitted(scores), truth).error < 0.03 < reliability(scores, truth).error


def test_a_domain_without_both_sides_keeps_its_scores():
    scores = np.array([[0.2], [0.9]], np.float32)
    assert np.allclose(fit_platt(scores, np.zeros((2, 1), bool))(scores), scores, atol=1e-5)


def test_scores_that_separate_the_classes_give_a_finite_slope():
    scores = np.array([[1e-9], [1e-9], [1 - 1e-7], [1.0]], np.float32)
    fitted = fit_platt(scores, np.array([[False], [False], [True], [True]]))
    assert np.isfinite(fitted.slope).all() and abs(fitted.slope[0]) < 100


def test_the_lowest_threshold_with_the_stated_precision_is_taken():
    probabilities = np.array([[0.2], [0.3], [0.4], [0.5], [0.6]], np.float32)
    truth = np.array([[False], [False], [True], [True], [True]])
    assert thresholds_for_precision(probabilities, truth, 1.0, 0.1, 0.9)[0] == pytest.approx(0.31)
    assert thresholds_for_precision(probabilities, truth, 0.6, 0.1, 0.9)[0] == pytest.approx(0.1)


def test_a_precision_out_of_reach_gives_the_ceiling():
    probabilities = np.array([[0.2], [0.8]], np.float32)
    truth = np.zeros((2, 1), bool)
    assert thresholds_for_precision(probabilities, truth, 0.9, 0.1, 0.7)[0] == pytest.approx(0.7)


def test_calibration_error_of_a_hand_counted_case():
    found = reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0, 0, 1, 0]), bins=2)
    assert found.predicted == (0.1, 0.9) and found.observed == (0.0, 0.5)
    assert found.error == pytest.approx((2 * 0.1 + 2 * 0.4) / 4)


def test_a_fitted_calibration_reports_its_error_before_and_after():
    scores, truth = overconfident()
    found = calibrate(scores, truth, np.ones(len(scores)), ThresholdRule())
    assert found.after.error < found.before.error
    assert sum(found.before.rows) == len(scores)
