from __future__ import annotations

import pytest

from webfaq_domains.labeler.labelled import Labelled
from webfaq_domains.labeler.metrics import confusion, figures, judged

SLUGS = ("health", "legal", "other")


def row(origin, *accepted):
    return Labelled("text", "eng", origin, accepted)


ROWS = [
    row("a", "health"),
    row("a", "health", "legal"),
    row("b", "legal"),
    row("b", "legal"),
]


def test_an_accepted_domain_counts_as_right():
    assert judged(ROWS, ["health", "legal", "health", "legal"]) == [
        "health", "legal", "legal", "legal",
    ]  # fmt: skip


def test_figures_of_a_hand_counted_case():
    found = figures(ROWS, ["health", "legal", "health", "other"], SLUGS)
    health, legal = found.domains["health"], found.domains["legal"]
    assert (health.precision, health.recall) == (0.5, 1.0)
    assert (legal.precision, legal.recall) == (1.0, pytest.approx(1 / 3))
    assert health.f1 == pytest.approx(2 / 3) and legal.f1 == pytest.approx(0.5)
    assert found.macro.f1 == pytest.approx((2 / 3 + 0.5) / 2)
    assert found.micro.rows == 4


def test_abstaining_costs_recall_and_not_precision():
    found = figures(ROWS, ["other"] * 4, SLUGS)
    assert found.domains["health"].recall == 0 and found.domains["other"].precision == 0


def test_intervals_come_from_sites_and_hold_the_figure():
    many = [row(f"site{n}", "health") for n in range(40)]
    guesses = ["health"] * 30 + ["legal"] * 10
    score = figures(many, guesses, SLUGS).domains["health"]
    assert score.low < score.f1 < score.high and score.sites == 40
    one = figures([row("one", "health") for _ in range(40)], guesses, SLUGS).domains["health"]
    assert one.low == one.high == pytest.approx(one.f1)


def test_the_same_seed_gives_the_same_interval():
    assert figures(ROWS, ["health"] * 4, SLUGS, 3) == figures(ROWS, ["health"] * 4, SLUGS, 3)


def test_confusion_counts_rows_by_judged_domain():
    assert confusion(ROWS, ["health", "legal", "health", "other"], SLUGS).tolist() == [
        [1, 0, 0],
        [1, 1, 1],
        [0, 0, 0],
    ]
