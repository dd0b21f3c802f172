from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.labelers.measuring.labelled import Labelled, only_judged
from webfaq_domains.labelers.measuring.metrics import confusion, figures, judged

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


def test_a_row_counts_as_often_as_its_weight_says():
    guesses = ["health", "legal", "health", "other"]
    repeated = figures(
        [*ROWS[:2], *[ROWS[2]] * 3, ROWS[3]], [*guesses[:2], *["health"] * 3, "other"], SLUGS
    )
    weighted = figures([*ROWS[:2], replace(ROWS[2], weight=3.0), ROWS[3]], guesses, SLUGS)
    for slug in SLUGS:
        assert weighted.domains[slug].f1 == pytest.approx(repeated.domains[slug].f1)
    assert weighted.micro.f1 == pytest.approx(repeated.micro.f1)


def judgements(folder: Path, **rows: list[str]) -> Path:
    path = folder / "judged.json"
    told = {key: {"domains": domains, "weight": 2.5} for key, domains in rows.items()}
    path.write_text(json.dumps({"rows": told}), encoding="utf-8")
    return path


def test_judged_rows_take_the_place_of_the_source_s_label(tmp_path):
    rows = [replace(row("a", "health"), id="x"), replace(row("b", "legal"), id="y")]
    kept = only_judged(rows, judgements(tmp_path, y=["other", "health"]))
    assert [(one.id, one.accepted, one.weight) for one in kept] == [("y", ("other", "health"), 2.5)]
    assert only_judged(rows, None) == rows


def test_a_judgement_of_a_row_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(LabelerError, match="1 rows that the labelled source lacks, z first"):
        only_judged([replace(ROWS[0], id="x")], judgements(tmp_path, z=["other"]))


def test_a_file_of_another_form_is_refused(tmp_path):
    path = tmp_path / "judged.json"
    path.write_text('{"rows": {"x": {"weight": 1}}}', encoding="utf-8")
    with pytest.raises(LabelerError, match="no file of judged rows"):
        only_judged([], path)
