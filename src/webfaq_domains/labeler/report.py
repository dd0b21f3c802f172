"""Write an evaluation down: `report.json`, `tables.md`, and plots where matplotlib is installed."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.errors import LabelerError, MissingExtra
from webfaq_domains.files import write_text
from webfaq_domains.labeler.agreement import agreement
from webfaq_domains.labeler.base import Labeler, assign
from webfaq_domains.labeler.calibration import Reliability
from webfaq_domains.labeler.evaluation import Evaluation, evaluate, predict
from webfaq_domains.labeler.labelled import Labelled
from webfaq_domains.labeler.lexicon import KeywordBaseline, read_lexicon
from webfaq_domains.labeler.plots import plot_confusion, plot_reliability
from webfaq_domains.taxonomy import Taxonomy

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
