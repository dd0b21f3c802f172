"""Figures that can be read in greyscale: heat map, forest plot, recall curves, language bias.

Shades are grey, lines differ in marker and dash, and every shade has its figure written on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from webfaq_domains.ground.files import replacing
from webfaq_eval.errors import EvalError
from webfaq_eval.report.scores import RECALLS, Grid
from webfaq_eval.report.tables import points
from webfaq_eval.statistics.compare import Difference

_MARKERS = "osD^vPX*<>"
_DASHES = ("-", "--", "-.", ":")
_DPI = 130


def new_figure(width: float, height: float) -> Any:
    """Return an empty figure in inches.

    :raises EvalError: if matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise EvalError(
            "figures need matplotlib; install it with: pip install 'webfaq-eval[plot]'"
        ) from error
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as PNG at `path` and as PDF beside it; the same figure gives the same bytes."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the layout is found: it need not be sought twice again
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})
    with replacing(path.with_suffix(".pdf")) as temporary:
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})


def heat_map(grid: Grid) -> Any:
    """Draw domain by language: darker is better, n items under each figure, hatched where absent."""
    import numpy as np

    languages, domains = grid.languages, grid.domains
    values = np.full((len(languages), len(domains)), np.nan)
    for (language, domain), result in grid.cells.items():
        values[languages.index(language), domains.index(domain)] = 100 * result.main.value
    figure = new_figure(1.9 + 0.95 * len(domains), 1.4 + 0.42 * len(languages))
    axes = figure.add_subplot()
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    image = axes.imshow(values, cmap="Greys", aspect="auto", vmin=low - 1, vmax=high + 1)
    axes.set_xticks(range(len(domains)), domains, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(languages)), languages)
    axes.patch.set(hatch="////", edgecolor="0.75")
    for (language, domain), result in grid.cells.items():
        at = (domains.index(domain), languages.index(language))
        dark = 100 * result.main.value > (low + high) / 2 + 0.08 * (high - low)
        text = f"{points(result.main.value)}\nn={result.n.items}"
        axes.text(*at, text, ha="center", va="center", size=7, color="white" if dark else "black")
    axes.set_title(f"{grid.task}: {grid.metric}\n{grid.model}", size=9)
    figure.colorbar(image, ax=axes, label="points of 100", shrink=0.8)
    return figure


def forest_plot(rows: Sequence[tuple[str, Difference]], title: str) -> Any:
    """Draw differences with 95 % intervals; filled where the corrected p value is below 0.05.

    `rows` are (label, difference), drawn from the top down.
    """
    figure = new_figure(7.2, 1.3 + 0.24 * len(rows))
    axes = figure.add_subplot()
    axes.axvline(0, color="0.5", linewidth=1)
    for at, (_, row) in enumerate(rows):
        sure = row.p_corrected < 0.05
        axes.plot([100 * row.low, 100 * row.high], [at, at], color="black", linewidth=1)
        face = "black" if sure else "white"
        axes.plot(100 * row.difference, at, "o", color="black", markerfacecolor=face, markersize=5)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows], size=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(
        "difference in points of 100, 95 % interval\n(filled: p < 0.05 after Holm)", size=8
    )
    axes.set_title(title, size=9)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)
    return figure


def recall_curves(grids: Sequence[Grid]) -> Any | None:
    """Draw recall@k of several models, one panel a domain; the mean over languages all models have.

    `grids` are of one task. None where the task has no recall.
    """
    domains = [
        (domain, shared)
        for domain in grids[0].domains
        if (shared := _shared_languages(grids, domain))
    ]
    if not domains:
        return None
    across = min(3, len(domains))
    down = -(-len(domains) // across)
    figure = new_figure(1.2 + 2.7 * across, 0.9 + 2.4 * down + 0.2 * len(grids))
    panels = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for panel, (domain, languages) in zip(panels, domains, strict=False):
        for number, grid in enumerate(grids):
            scores = [grid.cells[language, domain].scores["official"] for language in languages]
            means = [100 * fmean(one[f"recall_at_{k}"] for one in scores) for k in RECALLS]
            panel.plot(RECALLS, means, label=grid.model, **_line(number))
        panel.set_xscale("log")
        panel.set_xticks(RECALLS, [str(k) for k in RECALLS])
        panel.minorticks_off()
        panel.set_xlabel("k", size=8)
        queries = sum(grids[0].cells[language, domain].n.queries for language in languages)
        panel.set_title(f"{domain}: {len(languages)} languages, {queries} queries", size=8)
        panel.grid(color="0.9")
    for panel in panels[len(domains) :]:
        panel.set_visible(False)
    figure.supylabel("recall@k, points of 100", size=8)
    figure.suptitle(f"{grids[0].task}\nmean over the languages that every model has", size=9)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", fontsize=7)
    return figure


def _shared_languages(grids: Sequence[Grid], domain: str) -> list[str]:
    """Return the languages whose cell of this domain every grid has with recall."""
    return [
        language
        for language in grids[0].languages
        if all(
            (cell := grid.cells.get((language, domain))) is not None
            and all(f"recall_at_{k}" in cell.scores["official"] for k in RECALLS)
            for grid in grids
        )
    ]


def bias_plot(models: Sequence[tuple[str, dict[str, float]]], title: str) -> Any:
    """Draw the same-language bias of several models: one row a question language, 0 is no bias.

    `models` are (name, language -> bias in -1..1).
    """
    languages = sorted({language for _, biases in models for language in biases})
    figure = new_figure(6.4, 1.6 + 0.3 * len(languages) + 0.2 * len(models))
    axes = figure.add_subplot()
    axes.axvline(0, color="0.5", linewidth=1)
    for number, (name, biases) in enumerate(models):
        style = {**_line(number), "linestyle": "", "markersize": 6}
        if number % 2:
            style["markerfacecolor"] = "white"
        places = [languages.index(language) for language in biases]
        axes.plot([100 * value for value in biases.values()], places, label=name, **style)
    axes.set_yticks(range(len(languages)), languages)
    axes.set_ylim(len(languages) - 0.4, -0.6)
    axes.set_xlabel("same-language bias in points of 100; 0: language does not matter", size=8)
    axes.set_title(title, size=9)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    figure.legend(loc="outside lower center", fontsize=7)
    return figure


def _line(number: int) -> dict[str, Any]:
    """Return a line's look; marker, dash and shade tell lines apart without colour."""
    return {
        "marker": _MARKERS[number % len(_MARKERS)],
        "linestyle": _DASHES[number % len(_DASHES)],
        "color": str(min(0.6, 0.2 * (number // len(_DASHES)))),
        "markersize": 4,
        "linewidth": 1.2,
    }
