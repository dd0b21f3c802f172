"""Write an evaluation down: `report.json`, `tables.md`, and plots where matplotlib is installed."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from webfaq_domains.ground.errors import LabelerError, MissingExtra, StagedError
from webfaq_domains.ground.files import write_json, write_text
from webfaq_domains.ground.records import Record, parse_json, read_record
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Labeler
from webfaq_domains.labelers.calibration import Reliability
from webfaq_domains.labelers.folder import MEASURED_FILE, SwitchPoint
from webfaq_domains.labelers.measuring.agreement import crosswalk_agreement
from webfaq_domains.labelers.measuring.baselines import KeywordBaseline
from webfaq_domains.labelers.measuring.evaluation import Evaluation, evaluate
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.onnx import OnnxReport

_log = logging.getLogger(__name__)


class Measured(Record, frozen=True):
    """`measured.json`: evaluations by the name of the labelled set, the cascade's gain, the export."""

    evaluations: dict[str, Evaluation] = {}
    cascade: SwitchPoint | None = None
    onnx: OnnxReport | None = None

    def write(self, folder: Path) -> None:
        found: dict[str, Any] = {
            "evaluations": {name: e.to_json() for name, e in self.evaluations.items()}
        }
        if self.cascade is not None:
            found["cascade"] = msgspec.to_builtins(self.cascade)
        if self.onnx is not None:
            found["onnx"] = asdict(self.onnx)
        write_json(folder / MEASURED_FILE, found)


def read_measured(folder: Path) -> Measured:
    """Read the figures that stand beside a labeler.

    :raises LabelerError: if there are none, or naming the key that is not one of them.
    """
    path = folder / MEASURED_FILE
    try:
        return read_record(parse_json(path.read_bytes(), str(path)), Measured, str(path))
    except (OSError, StagedError) as error:
        raise LabelerError(f"{path} holds no figures of a labeler: {error}") from error


def measure(
    labeler: Labeler,
    rows: list[Labelled],
    taxonomy: Taxonomy,
    keywords: KeywordBaseline,
    out: Path,
    scheme: str = "",
) -> Evaluation:
    """Evaluate a labeler and write the result under `out`.

    With a `scheme` also says how far it agrees with the labels of that scheme.

    :raises LabelerError: if there are no rows, or the labeler knows other domains.
    """
    if not rows:
        raise LabelerError("no labelled row is left to measure on; check --labelled and --frozen")
    if labeler.domains != taxonomy.claimable:
        raise LabelerError(
            f"the labeler knows {', '.join(labeler.domains)}; the taxonomy has "
            f"{', '.join(taxonomy.claimable)}; give the labeler's own taxonomy"
        )
    labels = labeler.label([row.text for row in rows])
    found = evaluate(labeler, rows, keywords, labels)
    if scheme:
        theirs = [row.label for row in rows]
        agreed = crosswalk_agreement(theirs, labels.domain, taxonomy, scheme)
        found = replace(found, agreement=agreed)
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


def plot_calibration(curves: dict[str, Reliability], out: Path) -> None:
    """Draw reliability diagrams by name, of before and after calibration."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        plot_reliability(curves, out / "calibration.png")
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
