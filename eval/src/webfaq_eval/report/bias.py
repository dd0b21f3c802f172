"""LAReQA's same-language bias: does a model prefer answers in the question's own language?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from webfaq_eval.report.figures import bias_plot, save_figure
from webfaq_eval.report.pages import Figure
from webfaq_eval.report.scores import ALL, Grid
from webfaq_eval.report.tables import ABSENT, Table, points, signed, slug

_SETTINGS = ("en_en", "x_x_mono", "x_x", "x_y")


def bias_section(grids: Sequence[Grid], folder: Path) -> tuple[list[Table], list[Figure]]:
    """Return tables and a figure of the grids that measured the bias; none for other tasks.

    Whole languages alone: a domain's share of a language is that of the whole pool.
    """
    tables = [table for grid in grids if (table := bias_table(grid))]
    models = [(grid.model, biases) for grid in grids if (biases := _biases(grid))]
    if not models:
        return tables, []
    task = grids[0].task
    path = folder / f"bias-{slug(task)}.png"
    save_figure(bias_plot(models, f"{task}: same-language bias"), path)
    origin = " ".join(dict.fromkeys(grid.origin for grid in grids))
    caption = (
        f"{task}: share of wrong candidates above rank 20 that are in the question's language, less "
        f"that share in the pool. {origin}"
    )
    return tables, [Figure(path, caption)]


def bias_table(grid: Grid) -> Table | None:
    """Return LAReQA's settings and bias by question language; None where they were not measured."""
    rows = []
    for language in grid.languages:
        result = grid.cells.get((language, ALL))
        views = result.extra.settings if result else None
        if result is None or views is None:
            continue
        bias = result.extra.same_language_bias
        values = [getattr(views, name) for name in _SETTINGS]
        shown = [ABSENT if value is None else points(value) for value in values]
        shown.append(ABSENT if bias is None else signed(bias))
        rows.append([language, str(result.n.queries), points(result.main.value), *shown])
    if not rows:
        return None
    caption = (
        "mAP@20 in points of 100: the mixed pool, then own pool (en_en, x_x_mono), mixed pool with only "
        "the own language's answer (x_x) or another's (x_y) right. bias: wrong candidates above rank 20 "
        f"in the question's language, less their share in the pool. {ABSENT}: not defined there. "
        f"{grid.origin}"
    )
    names = ["language", "n", "mixed", *_SETTINGS, "bias"]
    return Table(f"{grid.task} settings, {grid.model}", caption, names, rows)


def _biases(grid: Grid) -> dict[str, float]:
    found = {
        language: grid.cells[language, ALL].extra.same_language_bias
        for language in grid.languages
        if (language, ALL) in grid.cells
    }
    return {language: bias for language, bias in found.items() if bias is not None}
