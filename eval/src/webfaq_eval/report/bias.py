"""LAReQA's same-language bias: does a model prefer answers in the question's own language?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from webfaq_eval.report.figures import bias_plot, save_figure
from webfaq_eval.report.pages import Figure
from webfaq_eval.report.scores import ALL, Group
from webfaq_eval.report.tables import ABSENT, Table, points, signed, slug

_SETTINGS = ("en_en", "x_x_mono", "x_x", "x_y")


def bias_section(groups: Sequence[Group], folder: Path) -> tuple[list[Table], list[Figure]]:
    """Return tables and a figure of the groups that measured the bias; none for other tasks.

    Whole languages alone: a domain's share of a language is that of the whole pool.
    """
    tables = [table for group in groups if (table := bias_table(group))]
    models = [(group.model, biases) for group in groups if (biases := _biases(group))]
    if not models:
        return tables, []
    task = groups[0].task
    path = folder / f"bias-{slug(task)}.png"
    save_figure(bias_plot(models, f"{task}: same-language bias"), path)
    origin = " ".join(dict.fromkeys(group.origin for group in groups))
    caption = (
        f"{task}: share of wrong candidates above rank 20 that are in the question's language, less "
        f"that share in the pool. {origin}"
    )
    return tables, [Figure(path, caption)]


def bias_table(group: Group) -> Table | None:
    """Return LAReQA's settings and bias by question language; None where they were not measured."""
    rows = []
    for language in group.languages:
        result = group.cells.get((language, ALL))
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
        f"{group.origin}"
    )
    names = ["language", "n", "mixed", *_SETTINGS, "bias"]
    return Table(f"{group.task} settings, {group.model}", caption, names, rows)


def _biases(group: Group) -> dict[str, float]:
    found = {
        language: group.cells[language, ALL].extra.same_language_bias
        for language in group.languages
        if (language, ALL) in group.cells
    }
    return {language: bias for language, bias in found.items() if bias is not None}
