"""What a staged dataset holds, counted: cells, drops, lengths, origins; as text, JSON or picture."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.layout import Cell
from webfaq_domains.ground.errors import MissingExtra, RecipeError, StagedError
from webfaq_domains.ground.ledger import LedgerRecord
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.ground.schema import SPLITS


@dataclass(frozen=True)
class Stats:
    """Rows by (language, domain) and by split, and where the other input rows went.

    `lengths` (characters: quantiles of question and answer) and `origins` (web sites by split, and
    the largest ones) need the rows themselves and are empty where only a manifest was read.
    """

    rows: int
    cells: dict[tuple[str, str], int]
    splits: dict[str, int]
    ledger: LedgerRecord
    drops: list[tuple[str, str, int]]
    lengths: dict[str, dict[str, float]] = field(default_factory=dict)
    origins: dict[str, Any] = field(default_factory=dict)

    @property
    def domains(self) -> list[str]:
        return sorted({domain for _, domain in self.cells})

    @property
    def languages(self) -> list[str]:
        return sorted({language for language, _ in self.cells})

    def to_json(self) -> dict[str, Any]:
        table: dict[str, dict[str, int]] = {}
        for (language, domain), rows in sorted(self.cells.items()):
            table.setdefault(language, {})[domain] = rows
        return {
            "rows": self.rows,
            "splits": self.splits,
            "cells": table,
            "ledger": to_json(self.ledger),
            "lengths": self.lengths,
            "origins": self.origins,
        }

    def text(self) -> str:
        """Return the tables for a terminal."""
        blocks = [self._cell_table(), self._ledger_table()]
        if self.lengths:
            rows = [[name, *(f"{v:.0f}" for v in q.values())] for name, q in self.lengths.items()]
            blocks.append(_table([["characters", *next(iter(self.lengths.values()))], *rows]))
        if self.origins:
            largest = [[o, f"{n:,}"] for o, n in self.origins["largest"].items()]
            counts = "  ".join(f"{split} {n:,}" for split, n in self.origins["by_split"].items())
            blocks.append(f"origins  {counts or 'none is known'}")
            if largest:
                blocks[-1] += f"\n{_table(largest)}"
        return "\n\n".join(blocks)

    def _cell_table(self) -> str:
        rows = [["language", *self.domains, "all"]]
        for language in self.languages:
            counts = [self.cells.get((language, domain), 0) for domain in self.domains]
            rows.append([language, *(f"{n:,}" if n else "·" for n in counts), f"{sum(counts):,}"])
        totals = [
            sum(n for (_, d), n in self.cells.items() if d == domain) for domain in self.domains
        ]
        rows.append(["all", *(f"{n:,}" for n in totals), f"{self.rows:,}"])
        return _table(rows)

    def _ledger_table(self) -> str:
        rows = [["rows read", "", f"{self.ledger.rows_in:,}"]]
        rows += [["quarantined", reason, f"{n:,}"] for reason, n in self.ledger.quarantined.items()]
        rows += [[step, reason, f"{n:,}"] for step, reason, n in self.drops]
        splits = ", ".join(f"{split} {n:,}" for split, n in self.splits.items())
        return _table([*rows, ["published", splits, f"{self.ledger.rows_out:,}"]])


def _table(rows: list[list[str]]) -> str:
    """Align columns: the first to the left, the last to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    number_like = [
        all(not row[c].isalpha() or row[c] == "all" for row in rows[1:]) for c in range(len(widths))
    ]
    return "\n".join(
        "  ".join(
            text.rjust(width) if right and column else text.ljust(width)
            for column, (text, width, right) in enumerate(
                zip(row, widths, number_like, strict=True)
            )
        ).rstrip()
        for row in rows
    )


def stats_of(manifest: Manifest) -> Stats:
    """Count cells and splits from a manifest alone."""
    cells: Counter[tuple[str, str]] = Counter()
    splits: Counter[str] = Counter()
    for file in manifest.files:
        cell = Cell.of_path(file.path)
        cells[cell.language, cell.domain] += file.rows
        splits[cell.split] += file.rows
    ordered = {split: splits[split] for split in SPLITS if splits[split]}
    return Stats(manifest.rows, dict(cells), ordered, manifest.ledger, manifest.drops)


def read_stats(folder: Path) -> Stats:
    """Count a staged folder, lengths and origins included; memory is bounded by one file.

    :raises StagedError: if a data file cannot be read, or the folder holds no pairs.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    manifest = Manifest.read(folder)
    if manifest.is_retrieval:
        raise StagedError(f"{folder} holds retrieval subsets, no pairs; its counts are in its card")
    lengths: dict[str, list[np.ndarray]] = {"question": [], "answer": []}
    sites: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    for file in manifest.files:
        try:
            rows = pq.read_table(folder / file.path, columns=["question", "answer", "origin"])
        except (OSError, pa.ArrowException) as error:
            raise StagedError(
                f"{folder / file.path} cannot be read: {error}; `webfaq-domains check {folder}` "
                "lists every problem"
            ) from error
        for name, parts in lengths.items():
            parts.append(pc.utf8_length(rows[name]).to_numpy())
        counts = rows["origin"].drop_null().value_counts().to_pylist()
        sites[Cell.of_path(file.path).split].update({c["values"]: c["counts"] for c in counts})
    points = {"5 %": 5, "25 %": 25, "median": 50, "75 %": 75, "95 %": 95}
    quantiles = {
        name: {label: float(np.percentile(np.concatenate(parts), p)) for label, p in points.items()}
        for name, parts in lengths.items()
    }
    together: Counter[str] = sum(sites.values(), Counter())
    origins = {
        "by_split": {split: len(counter) for split, counter in sites.items() if counter},
        "largest": dict(together.most_common(10)),
    }
    return replace(stats_of(manifest), lengths=quantiles, origins=origins)


def plot(stats: Stats, path: Path) -> None:
    """Draw the rows per language and domain as a heat map (log scale, figures in the cells).

    :raises MissingExtra: without matplotlib.
    :raises RecipeError: if `path` cannot be written, or its ending is no format of pictures.
    """
    try:
        from matplotlib.colors import LogNorm
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "plot") from error
    import numpy as np

    by_size = Counter[str]()
    for (language, _), rows in stats.cells.items():
        by_size[language] += rows
    names = [language for language, _ in by_size.most_common(60)]
    grid = np.array(
        [[stats.cells.get((lang, d), 0) for d in stats.domains] for lang in names], float
    )
    figure = Figure(
        figsize=(1.8 + 0.95 * len(stats.domains), 1.6 + 0.26 * len(names)), layout="constrained"
    )
    axes = figure.subplots()
    top = max(grid.max(), 2)
    image = axes.imshow(
        np.ma.masked_equal(grid, 0), norm=LogNorm(1, top), cmap="cividis", aspect="auto"
    )
    axes.set_xticks(range(len(stats.domains)), stats.domains, rotation=30, ha="right")
    axes.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(grid):
        if value:
            dark = np.log(value) < 0.6 * np.log(top)
            axes.text(
                column,
                row,
                f"{value:,.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="w" if dark else "k",
            )
    more = (
        f", the {len(names)} largest of {len(by_size)} languages"
        if len(by_size) > len(names)
        else ""
    )
    axes.set_title(f"Pairs per language and domain (n = {stats.rows:,}{more})", fontsize=10)
    figure.colorbar(image, ax=axes, label="pairs (log scale)", shrink=0.8)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise RecipeError(f"--plot {path}: {error}") from error
