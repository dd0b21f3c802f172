"""Versions of a staged folder for tests: the same rows but for what a function changes."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import replace

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.layout import Cell, plan_configs, published_schema, write_parquet
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.manifest import TAXONOMY, FileEntry, Manifest
from webfaq_domains.ground.schema import PUBLISHED, combined, rows_digest
from webfaq_domains.ground.taxonomy import read_taxonomy

Rows = list[dict[str, Any]]


def rows_of(folder: Path) -> Rows:
    """Return every row of a folder, with its split."""
    return [
        {**row, "split": Cell.of_path(file.path).split}
        for file in Manifest.read(folder).files
        for row in pq.read_table(folder / file.path).to_pylist()
    ]


def revise(folder: Path, out: Path, change: Callable[[Rows], Rows], files: int = 1) -> Path:
    """Write the rows that `change` makes of a folder's as a folder, each cell in `files` files.

    A changed cell is written anew; the others keep their bytes. The ledger is made to close.
    """
    shutil.copytree(folder, out, ignore=shutil.ignore_patterns("data"))
    cells: dict[Cell, Rows] = defaultdict(list)
    for row in change(rows_of(folder)):
        cells[Cell(row["domain"], row["language"], row["split"])].append(row)
    entries, digests = [], []
    for cell, rows in sorted(cells.items()):
        rows.sort(key=lambda row: str(row["id"]))
        share = -(-len(rows) // files)
        parts = [rows[start : start + share] for start in range(0, len(rows), share)]
        for number, part in enumerate(parts):
            table = pa.Table.from_pylist(part, schema=PUBLISHED)
            path = out / (name := cell.path(number, len(parts)))
            write_parquet(path, table, published_schema())
            entries.append(FileEntry(name, len(part), path.stat().st_size, file_sha256(path)))
            digests.append(rows_digest(table))
    manifest = Manifest.read(folder)
    rows_out = sum(entry.rows for entry in entries)
    rows_in = manifest.ledger.rows_in + rows_out - manifest.ledger.rows_out
    rules = manifest.recipe.pairs.configs
    configs = plan_configs(entries, rules.min_rows, rules.most)
    manifest = replace(
        manifest,
        files=tuple(entries),
        content_digest=combined(digests),
        ledger=replace(manifest.ledger, rows_in=rows_in, rows_out=rows_out),
        configs=replace(manifest.configs, names=tuple(config.name for config in configs)),
    )
    manifest.write(out)
    taxonomy = read_taxonomy((out / TAXONOMY).read_text("utf-8"), TAXONOMY)
    (out / "README.md").write_text(render_card(manifest, configs, taxonomy), "utf-8")
    return out
