"""Write an evaluation down: `report.json`, `tables.md`, and plots where matplotlib is installed."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.files import write_text
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Labeler, assign
from webfaq_domains.labelers.calibration import Reliability
from webfaq_domains.labelers.measuring.evaluation import Evaluation, agreement, evaluate, predict
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.training.lexicon import KeywordBaseline, read_lexicon

_log = logging.getLogger(__name__)


def measure(
    labeler: Labeler,
    rows: list[Labelled],
    known: tuple[Taxonomy, Path],
    out: Path,
    scheme: str = "",
) -> Evaluation:
    """Evaluate a labeler and write the result under `out`; `known` is taxonomy and lexicon folder.

    With a `scheme` also says how far it agrees with the labels of that scheme.

    :raises LabelerError: if there are no rows, or the labeler knows other domains.
    """
    taxonomy, lexicon = known
    if not rows:
        raise LabelerError("no labelled row is left to measure on; check --labelled and --frozen")
    if labeler.domains != taxonomy.claimable:
        raise LabelerError(
            f"the labeler knows {', '.join(labeler.domains)}; the taxonomy has "
            f"{', '.join(taxonomy.claimable)}; give the labeler's own taxonomy"
        )
    keywords = KeywordBaseline.of(read_lexicon(lexicon, taxonomy), taxonomy.claimable)
    probabilities = predict(labeler, rows)
    found = evaluate(labeler, rows, taxonomy.fallback, keywords, probabilities)
    if scheme:
        chosen = assign(
            probabilities, labeler.domains, np.asarray(labeler.thresholds), taxonomy.fallback
        ).domain
        labels = [row.label for row in rows]
        found = replace(found, agreement=agreement(labels, chosen, taxonomy, scheme))
    write_evaluation(found, out)
    return found


def write_evaluation(found: Evaluation, out: Path) -> None:
    """Write tables, JSON and plots of one evaluation."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found.to_json(), ensure_ascii=False, indent=1, sort_keys=True)
    write_text(out / "report.json", text + "\n")
    write_text(out / "tables.md", found.text() + "\n")
    try:
        plot_reliability({found.labeler: found.reliability}, out / "reliability.png")
        plot_confusion(found.confusion, found.domains, out / "confusion.png")
    except MissingExtra as error:
        _log.warning("no plots: %s", error)


def plot_calibration(curves: dict[str, dict[str, Any]], out: Path) -> None:
    """Draw the reliability diagram before and after calibration, from a labeler's description."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        drawn = {name: Reliability(**curve) for name, curve in curves.items()}
        plot_reliability(drawn, out / "calibration.png")
    except MissingExtra as error:
        _log.warning("no plots: %s", error)


def _axes(width: float) -> tuple[Any, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "plot") from error
    # Figure, not pyplot: pyplot keeps global state and may want a display.
    figure = Figure(figsize=(width, width), layout="constrained")
    return figure, figure.subplots()


def plot_reliability(curves: dict[str, Reliability], path: Path) -> None:
    """Draw observed share against predicted probability, one line per name."""
    figure, axes = _axes(5)
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfect")
    for name, curve in curves.items():
        label = f"{name} (calibration error {curve.error:.3f})"
        axes.plot(curve.predicted, curve.observed, marker="o", label=label)
    axes.set(xlabel="predicted probability", ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="lower right", fontsize="small")
    figure.savefig(path, metadata={"Software": None})


def plot_confusion(table: list[list[int]], domains: tuple[str, ...], path: Path) -> None:
    """Draw a confusion matrix, rows normalised, with the counts written in."""
    figure, axes = _axes(7)
    counts = np.asarray(table, np.float64)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(domains)), domains, rotation=45, ha="right")
    axes.set_yticks(range(len(domains)), domains)
    axes.set(xlabel="labelled as", ylabel="is")
    for row, column in np.ndindex(*counts.shape):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, int(counts[row, column]), ha="center", va="center", color=colour)
    figure.savefig(path, metadata={"Software": None})
