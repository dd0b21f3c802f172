"""Tables of scores: domain by language, recall at every depth, and the grids they belong to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from webfaq_eval.report.tables import ABSENT, Table, cell, points
from webfaq_eval.results import Result

#: The column of whole languages.
ALL = "all"


@dataclass(frozen=True)
class Grid:
    """The results of one table, by (language, domain); `domain` is `all` for whole languages."""

    cells: dict[tuple[str, str], Result]

    @property
    def first(self) -> Result:
        return next(iter(self.cells.values()))

    @property
    def model(self) -> str:
        return f"{self.first.model.name}@{self.first.model.revision[:12]}"

    @property
    def task(self) -> str:
        """The task with what tells its variants apart: `tatoeba reverse, domain pool`."""
        return variant(self.first)

    @property
    def metric(self) -> str:
        return self.first.main.metric

    @property
    def languages(self) -> list[str]:
        return sorted({language for language, _ in self.cells})

    @property
    def domains(self) -> list[str]:
        """All first, `other` last."""
        names = {domain for _, domain in self.cells}
        return sorted(names, key=lambda name: (name != ALL, name == "other", name))

    @cached_property
    def absent(self) -> int:
        """How many cells of the rectangle have no result."""
        return len(self.languages) * len(self.domains) - len(self.cells)

    def column(self, domain: str) -> list[Result]:
        """Return the results of a domain, by language."""
        return [self.cells[key] for key in sorted(self.cells) if key[1] == domain]

    @property
    def origin(self) -> str:
        """Model, protocol and revisions in full: what a reader needs to make the figures again."""
        one = self.first
        return (
            f"Model {one.model.name} at {one.model.revision}; {one.protocol.text()} (protocol "
            f"{one.protocol.hash[:12]}); benchmark {one.benchmark.name} "
            f"{one.benchmark.version or 'without version'} at {one.benchmark.revision}."
        )


def variant(result: Result) -> str:
    """Return the task with setting, direction, membership, pool and split where they are not the usual."""
    subset = result.subset
    parts = [subset.task, *([subset.setting] if subset.setting else [])]
    usual = {"direction": "forward", "membership": "exclusive", "split": "test"}
    parts += [found for name, value in usual.items() if (found := getattr(subset, name)) != value]
    if subset.pool != "full":
        parts.append(f"{subset.pool} pool")
    return " ".join(parts)


def gather_grids(results: Iterable[Result]) -> list[Grid]:
    """Gather results into tables, sorted by task, then model."""
    found: dict[tuple[str, ...], dict[tuple[str, str], Result]] = {}
    for result in results:
        key = (
            variant(result),
            result.model.name,
            result.model.revision,
            result.protocol.hash,
            result.benchmark.name,
            result.benchmark.revision,
        )
        place = (str(result.subset.language), str(result.subset.domain or ALL))
        found.setdefault(key, {})[place] = result
    return [Grid(found[key]) for key in sorted(found)]


RECALLS = (1, 5, 10, 20, 100)


def score_table(grid: Grid) -> Table:
    """Return a grid's headline metric, languages down and domains across, with intervals and n.

    The last row is the mean over the languages that have a result, and says how many those are.
    """
    languages, domains = grid.languages, grid.domains
    rows = [
        [language, *(_cell(grid.cells.get((language, domain))) for domain in domains)]
        for language in languages
    ]
    means = [
        f"{points(fmean(one.main.value for one in column))} (mean of {len(column)} of {len(languages)})"
        for column in (grid.column(domain) for domain in domains)
    ]
    caption = (
        f"{grid.metric}, official judgements, points of 100, 95 % cluster bootstrap over items, n "
        f"items. {_absent(grid)} {grid.origin}"
    )
    title = f"{grid.task}, {grid.model}"
    return Table(title, caption, ["language", *domains], [*rows, ["mean", *means]])


def recall_table(grid: Grid) -> Table | None:
    """Return recall at 1 to 100 by domain, the mean over languages; None for a task without recall."""
    rows = []
    for domain in grid.domains:
        column = grid.column(domain)
        for kind in ("official", "duplicate"):
            scored = [one.scores[kind] for one in column if kind in one.scores]
            if scored and all(f"recall_at_{k}" in one for one in scored for k in RECALLS):
                share = f"{len(scored)} of {len(grid.languages)}"
                means = [points(fmean(one[f"recall_at_{k}"] for one in scored)) for k in RECALLS]
                rows.append([domain, kind, share, str(_queries(column)), *means])
    if not rows:
        return None
    caption = (
        "Recall in points of 100, the mean over the languages that have a result (column languages); "
        f"duplicate judgements where a text repeats. {grid.origin}"
    )
    names = ["domain", "judgements", "languages", "queries", *(f"R@{k}" for k in RECALLS)]
    return Table(f"{grid.task} recall, {grid.model}", caption, names, rows, 3)


def _cell(result: Result | None) -> str:
    if result is None:
        return ABSENT
    main = result.main
    return cell(main.value, (main.low, main.high), result.n.items)


def _queries(results: Sequence[Result]) -> int:
    return sum(one.n.queries for one in results)


def _absent(grid: Grid) -> str:
    if not grid.absent:
        return "No cell is missing."
    total = len(grid.languages) * len(grid.domains)
    return f"{grid.absent} of {total} cells have no result ({ABSENT}) and count in no mean."
