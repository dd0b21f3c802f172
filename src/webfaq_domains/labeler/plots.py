"""Figures of an evaluation: reliability diagram and confusion matrix, as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.errors import MissingExtra
from webfaq_domains.labeler.calibration import Reliability


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
