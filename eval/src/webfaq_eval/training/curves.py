"""Learning curves as a figure: loss and validation over steps."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from webfaq_eval.files import replacing
from webfaq_eval.training.judge import METRIC

log = logging.getLogger(__name__)


def draw_curve(curve: list[dict[str, Any]], path: Path) -> bool:
    """Draw the curve as PNG; return whether it could be drawn (matplotlib is an extra)."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        log.warning("no figure of the curve: pip install 'webfaq-eval[plot]'")
        return False
    if not curve:
        return False
    figure = Figure(figsize=(7, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    _line(left, curve, "loss", "training loss")
    names = sorted({name for line in curve for name in line if name.startswith(METRIC)})
    for name in names:
        _line(right, curve, name, name.partition("/")[2] or "all", 2.0 if name == METRIC else 0.8)
    left.set(xlabel="step", ylabel="loss")
    right.set(xlabel="step", ylabel="validation nDCG@10")
    if names:
        right.legend(fontsize="x-small")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)
    return True


def _line(
    axes: Any, curve: list[dict[str, Any]], name: str, label: str, width: float = 1.5
) -> None:
    points = [(line["step"], line[name]) for line in curve if name in line]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, linewidth=width, marker=".")
