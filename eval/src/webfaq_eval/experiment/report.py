"""The experiment's answer as tables and figures: `report.md`, `report.tex`, `report.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.files import write_json, write_text
from webfaq_eval.experiment.effects import Effect, find_effects
from webfaq_eval.experiment.plan import state
from webfaq_eval.experiment.settings import Experiment, Folders, cells_of
from webfaq_eval.report.figures import new_figure, save_figure
from webfaq_eval.report.pages import (
    Figure,
    Section,
    to_latex_document,
    to_markdown_document,
    to_page,
)
from webfaq_eval.report.tables import Table, points, probability, signed, signed_interval, slug

_COLUMNS = (
    "start", "trained on", "tested on", "task", "metric", "languages", "n", "items", "seeds",
    "in-domain", "control", "difference", "95 % interval", "by seed", "p", "p Holm",
)  # fmt: skip
_WORDS = {
    "random": "equal-size random control (the domain-match effect)",
    "none": "no training on WebFAQ",
    "out-of-domain": "all other domains",
    "english": "English pairs of the domain, as many",
    "all": "all non-English pairs",
}


@dataclass(frozen=True)
class ExperimentReport:
    """What was written, and the effects themselves."""

    out: Path
    effects: list[Effect]
    missing: list[str]

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "effects": [one.to_json() for one in self.effects],
            "cells_missing": self.missing,
        }

    def text(self) -> str:
        matched = [
            one for one in self.effects
            if one.train_domain == one.test_domain and one.control == "random" and not one.against
        ]  # fmt: skip
        lines = [
            f"{one.start} {one.train_domain} {one.task} {one.direction}: {signed(one.difference)} "
            f"{signed_interval(one.low, one.high)} points of {one.metric}, n={one.items} items, "
            f"{one.seeds} seeds, p Holm {probability(one.p_corrected)}"
            for one in matched
        ]
        head = f"domain-match effect (in-domain minus random), {len(self.missing)} cells missing:"
        return "\n".join([head, *lines, f"{self.out / 'report.html'}"])


def write_experiment_report(
    experiment: Experiment, folders: Folders, out: Path
) -> ExperimentReport:
    """Write the report of what is done; cells that are missing are named in it.

    :raises ResultError: if no two cells can be compared.
    """
    effects = find_effects(experiment, folders)
    missing = [one.name for one in cells_of(experiment) if state(one, folders) != "done"]
    sections = [_what_was_run(experiment, missing)]
    for control in dict.fromkeys(one.control for one in effects):
        rows = [one for one in effects if one.control == control and one.against is None]
        sections.append(_section(control, rows, out / "figures"))
    crossed = [one for one in effects if one.against is not None]
    if crossed:
        sections.append(_interaction(crossed))
    title = f"Experiment {experiment.name}"
    write_text(out / "report.md", to_markdown_document(title, sections))
    write_text(out / "report.tex", to_latex_document(title, sections))
    write_text(out / "report.html", to_page(title, sections))
    found = ExperimentReport(out, effects, missing)
    write_json(out / "effects.json", found.to_json() | {"out": out.name})
    return found


def _what_was_run(experiment: Experiment, missing: Sequence[str]) -> Section:
    gone = f" Cells that are missing: {', '.join(missing)}." if missing else " Every cell is done."
    held = ", ".join(experiment.hold_out_languages) or "none"
    text = (
        f"Starts: {', '.join(experiment.starts)}. Domains: {', '.join(experiment.domains)}. "
        f"Conditions: {', '.join(experiment.conditions)}. Seeds: {len(experiment.seeds)}. Languages "
        f"held out of training: {held}. Trained by {experiment.train.mode}; scored in the "
        f"{experiment.score.pool} pool.{gone}"
    )
    return Section("What was run", text)


def _section(control: str, rows: list[Effect], folder: Path) -> Section:
    caption = (
        "Points of 100, official judgements, languages together. Interval: 95 % bootstrap over items "
        "(parallel queries are one item) and seeds; with few seeds their part is rough. p: paired "
        f"randomisation over items, for these seeds; Holm over the {len(rows)} rows. n counts queries."
    )
    table = Table(_title(control), caption, list(_COLUMNS), [_row(one) for one in rows], 5)
    figures = []
    for start, task, direction in dict.fromkeys((r.start, r.task, r.direction) for r in rows):
        mine = [r for r in rows if (r.start, r.task, r.direction) == (start, task, direction)]
        name = slug(f"effect {control} {start} {task} {direction}")
        path = folder / f"{name}.png"
        save_figure(
            draw_matrix(mine, f"{start}, {task} {direction}: in-domain minus {control}"), path
        )
        figures.append(Figure(path, f"{_title(control)}: {start}, {task} {direction}."))
    return Section(_title(control), f"Control: {_WORDS[control]}.", [table], figures)


def _title(control: str) -> str:
    return f"In-domain minus {control}"


def _interaction(rows: list[Effect]) -> Section:
    caption = (
        "The effect after one start minus the effect after the first, on the same queries; in-domain "
        "and control are the two effects. Points of 100; Holm within each control."
    )
    lines = [[f"{one.start} − {one.against}", *_row(one)[1:]] for one in rows]
    columns = [*_COLUMNS[:9], "effect", "effect of the first", *_COLUMNS[11:]]
    table = Table("Effects by start", caption, columns, lines, 5)
    return Section("How the start changes the effect", "", [table])


def _row(one: Effect) -> list[str]:
    task = one.task if one.direction == "forward" else f"{one.task} {one.direction}"
    return [
        one.start, one.train_domain, one.test_domain, task, one.metric, str(one.languages),
        str(one.queries), str(one.items), str(one.seeds), points(one.in_domain),
        points(one.controlled), signed(one.difference), signed_interval(one.low, one.high),
        " ".join(signed(value) for value in one.by_seed), probability(one.p),
        probability(one.p_corrected),
    ]  # fmt: skip


def draw_matrix(rows: Sequence[Effect], title: str) -> Any:
    """Draw train domain by test domain: darker is a larger gain, the interval stands below it.

    An asterisk marks a corrected p below 0.05; the cells where both domains agree are framed.
    """
    trained = list(dict.fromkeys(one.train_domain for one in rows))
    tested = list(dict.fromkeys(one.test_domain for one in rows))
    values = np.full((len(trained), len(tested)), np.nan)
    for one in rows:
        values[trained.index(one.train_domain), tested.index(one.test_domain)] = (
            100 * one.difference
        )
    figure = new_figure(2.2 + 1.35 * len(tested), 1.5 + 0.75 * len(trained))
    axes = figure.add_subplot()
    reach = max(2.0, float(np.nanmax(np.abs(values))))  # less than two points is no dark cell
    image = axes.imshow(values, cmap="Greys", aspect="auto", vmin=-reach, vmax=reach)
    axes.set_xticks(range(len(tested)), tested, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(trained)), trained)
    axes.set(xlabel="tested on", ylabel="trained on")
    for one in rows:
        at = (tested.index(one.test_domain), trained.index(one.train_domain))
        star = "*" if one.p_corrected < 0.05 else ""
        text = (
            f"{signed(one.difference)}{star}\n{signed_interval(one.low, one.high)}\nn={one.items}"
        )
        dark = 100 * one.difference > 0.3 * reach
        axes.text(*at, text, ha="center", va="center", size=7, color="white" if dark else "black")
        if one.train_domain == one.test_domain:
            axes.add_patch(_frame(at))
    axes.set_title(title, size=9)
    figure.colorbar(image, ax=axes, label="points of 100", shrink=0.8)
    return figure


def _frame(at: tuple[int, int]) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (at[0] - 0.48, at[1] - 0.46), 0.96, 0.92, fill=False, edgecolor="black", lw=1.6
    )
