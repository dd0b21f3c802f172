"""The whole report: `report.md`, `report.tex`, `report.html` and `figures/` from a results folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from webfaq_domains.ground.files import write_json, write_text
from webfaq_eval.errors import ResultError
from webfaq_eval.report.bias import bias_section
from webfaq_eval.report.differences import difference_tables, domain_name, task_name
from webfaq_eval.report.figures import forest_plot, heat_map, recall_curves, save_figure
from webfaq_eval.report.pages import (
    Figure,
    Section,
    to_latex_document,
    to_markdown_document,
    to_page,
)
from webfaq_eval.report.scores import Grid, gather_grids, recall_table, score_table
from webfaq_eval.report.tables import slug
from webfaq_eval.results import read_results
from webfaq_eval.statistics.compare import Comparison, Difference, Settings, compare

TITLE = "Retrieval by domain and language"
#: A forest plot longer than this is cut into several.
_ROWS = 60


@dataclass(frozen=True)
class Report:
    """What was written."""

    out: Path
    results: int
    models: int
    tables: int
    figures: int


def write_report(
    results: Path,
    out: Path,
    *,
    baseline: Path | None = None,
    settings: Settings | None = None,
    quiet: bool = False,
) -> Report:
    """Write tables and figures of all results; with a baseline also how the others differ from it.

    `baseline` is the folder of one model's results; every other model folder beside it is compared.

    >>> write_report(results, Path("report-1"), quiet=True).results
    1

    :raises ResultError: if a result is missing or cannot be read.
    """
    grids = gather_grids(result for _, result in read_results(results))
    sections = list(_task_sections(grids, out / "figures", quiet))
    if baseline is not None:
        compared = compare(
            [baseline, *_others(results, baseline)], settings or Settings(), quiet=quiet
        )
        write_json(out / "differences.json", compared.to_json())
        sections.insert(0, _difference_section(compared, out / "figures"))
    sections.append(_how_to_read(grids, baseline is not None))
    write_text(out / "report.md", to_markdown_document(TITLE, sections))
    write_text(out / "report.tex", to_latex_document(TITLE, sections))
    write_text(out / "report.html", to_page(TITLE, sections))
    return Report(
        out,
        sum(len(grid.cells) for grid in grids),
        len({grid.model for grid in grids}),
        sum(len(section.tables) for section in sections),
        sum(len(section.figures) for section in sections),
    )


def _task_sections(grids: Sequence[Grid], folder: Path, quiet: bool) -> Iterator[Section]:
    """Yield a section for each task: scores and recall of every model, heat maps, curves, bias."""
    tasks: dict[str, list[Grid]] = {}
    for grid in grids:
        tasks.setdefault(grid.task, []).append(grid)
    for task, members in tqdm(tasks.items(), desc="report", unit="task", disable=quiet):
        tables = [score_table(grid) for grid in members]
        tables += [table for grid in members if (table := recall_table(grid))]
        figures = [_heat_map(grid, folder) for grid in members]
        curves = recall_curves(members)
        if curves is not None:
            path = folder / f"recall-{slug(task)}.png"
            save_figure(curves, path)
            figures.append(Figure(path, f"{task}: recall@k. {_origins(members)}"))
        bias_tables, bias_figures = bias_section(members, folder)
        text = f"{len(members)} sets of results; metric {members[0].metric}."
        yield Section(task, text, [*tables, *bias_tables], [*figures, *bias_figures])


def _heat_map(grid: Grid, folder: Path) -> Figure:
    path = folder / f"heat-{slug(f'{grid.task} {grid.model} {grid.first.protocol.hash[:12]}')}.png"
    save_figure(heat_map(grid), path)
    absent = f" {grid.absent} cells have no result (hatched)." if grid.absent else ""
    return Figure(path, f"{grid.task}: {grid.metric} by domain and language.{absent} {grid.origin}")


def _difference_section(compared: Comparison, folder: Path) -> Section:
    figures = []
    for other in compared.others:
        pooled = [row for row in compared.pooled if row.other == other]
        cells = [row for row in compared.cells if row.other == other]
        kinds = {"languages pooled": pooled}
        for row in cells:
            kinds.setdefault(task_name(row), []).append(row)
        for kind, rows in kinds.items():
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                name = slug(f"forest {kind} {other} against {compared.baseline} {start // _ROWS}")
                title = f"{kind}: {other}\nminus {compared.baseline}"
                path = folder / f"{name}.png"
                save_figure(forest_plot([(_label(row), row) for row in part], title), path)
                caption = f"{kind}: {other} minus {compared.baseline}, rows {start + 1} to {start + len(part)} of {len(rows)}, {compared.judgements} judgements; {', '.join(compared.benchmarks)}."  # fmt: skip
                figures.append(Figure(path, caption))
    left = f" Left out: {'; '.join(compared.left_out)}." if compared.left_out else ""
    text = f"Paired query by query with {compared.baseline}.{left}"
    return Section("Differences", text, difference_tables(compared), figures)


def _label(row: Difference) -> str:
    language = row.language or f"{row.languages} lang."
    return f"{task_name(row)} {language} {domain_name(row)} {row.metric} (items {row.items})"


def _others(results: Path, baseline: Path) -> list[Path]:
    """Return the other model folders of a results folder."""
    folders = [one for one in sorted(results.iterdir()) if one.is_dir() and "@" in one.name]
    others = [one for one in folders if one.resolve() != baseline.resolve()]
    if not others:
        raise ResultError(
            f"{results} holds no model but {baseline.name}; nothing to compare it with"
        )
    return others


def _origins(grids: Sequence[Grid]) -> str:
    return " ".join(dict.fromkeys(grid.origin for grid in grids))


def _how_to_read(grids: Sequence[Grid], compared: bool) -> Section:
    cells = sum(len(grid.cells) for grid in grids)
    absent = sum(grid.absent for grid in grids)
    text = (
        f"{cells} results were read; {absent} cells of the tables have none. A cell without result was "
        "not published (too few queries) or not scored; it counts in no mean. Intervals are a cluster "
        "bootstrap over items: parallel queries of several languages are resampled together."
    )
    if not compared:
        text += " No baseline was named, so no differences are shown (--baseline)."
    return Section("About this report", text)
