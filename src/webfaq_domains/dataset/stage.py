"""Stage a dataset: write the folder that is the Hub repository, a set of Parquet files per cell.

Each shard is grouped by cell and indexed. Each output file then gathers its cell's pieces from all
shards and sorts them by id. Ids are uniform, so file k of n takes the k-th n-th of the id space: the
cut depends on the rows alone, and memory is bounded by one file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.layout import (
    FILE_TEXT_BYTES,
    Cell,
    plan_configs,
    published_schema,
    write_parquet,
)
from webfaq_domains.engine.run import Run, Shards
from webfaq_domains.engine.tasks import finished, marker, read_shard, write_batches
from webfaq_domains.ground.errors import BuildError
from webfaq_domains.ground.files import file_sha256, write_json, write_text
from webfaq_domains.ground.manifest import (
    TAXONOMY,
    Configs,
    FileEntry,
    LabelerPin,
    Manifest,
    TaxonomyPin,
    Writer,
    code_version,
)
from webfaq_domains.ground.recipe import Recipe, SourcePin
from webfaq_domains.ground.schema import PUBLISHED, SCHEMA_VERSION, combined, rows_digest
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import LabelerId


def stage_dataset(
    shards: Shards,
    recipe: Recipe,
    sources: tuple[SourcePin, ...],
    taxonomy: Taxonomy,
    labelers: Sequence[LabelerId],
    run: Run,
) -> Path:
    """Write data files, manifest and card under the run's work folder; return the staged folder.

    :raises BuildError: if nothing is left to publish, or the ledger does not close.
    """
    root = run.work / "staged"
    reports = write_cells(shards, root, run)
    files = [
        FileEntry(report["path"], report["rows"], report["bytes"], report["sha256"])
        for report in reports
    ]
    shards.ledger.rows_out = sum(file.rows for file in files)
    shards.ledger.close()
    if not files:
        raise BuildError(
            f"no row is left to publish; the ledger says why: {shards.ledger.to_json()}"
        )
    rules = recipe.pairs.configs
    configs = plan_configs(files, rules.min_rows, rules.most)
    manifest = Manifest(
        artifact="webfaq-domains",
        code_version=code_version(),
        schema_version=SCHEMA_VERSION,
        taxonomy=taxonomy_pin(taxonomy),
        labelers=labeler_pins(labelers),
        sources=sources,
        recipe=recipe,
        recipe_hash=recipe.sha256(sources),
        files=tuple(files),
        content_digest=combined(report["digest"] for report in reports),
        ledger=shards.ledger.record(),
        configs=Configs(tuple(config.name for config in configs), rules.min_rows, rules.most),
        writer=Writer(pa.__version__),
    )
    manifest.write(root)
    write_text(root / TAXONOMY, taxonomy.text)
    write_text(root / "README.md", render_card(manifest, configs, taxonomy))
    return root


def taxonomy_pin(taxonomy: Taxonomy) -> TaxonomyPin:
    return TaxonomyPin(taxonomy.version, taxonomy.sha256, taxonomy.slugs)


def labeler_pins(labelers: Sequence[LabelerId]) -> tuple[LabelerPin, ...]:
    return tuple(LabelerPin(**vars(labeler)) for labeler in labelers)


_GROUPED = pa.schema([*PUBLISHED, pa.field("split", pa.string())])
_CELL = ("domain", "language", "split")


@dataclass(frozen=True)
class CutTask:
    source: Path
    target: Path


def cut_shard(task: CutTask) -> dict[str, Any]:
    """Group one shard by cell; report its pieces: cell, record batch, rows, text bytes."""
    report = finished(task.target)
    if report is not None:
        return report
    pairs = read_shard(task.source).select(_GROUPED.names).cast(_GROUPED)
    pieces: list[list[Any]] = []
    batches: list[pa.RecordBatch] = []
    for cell, rows in _by_cell(pairs):
        text = sum(
            pc.sum(pc.binary_length(rows[name])).as_py() or 0 for name in ("question", "answer")
        )
        pieces.append([cell.domain, cell.language, cell.split, len(batches), len(rows), text])
        batches.append(rows)
    write_batches(task.target, batches, _GROUPED)
    report = {"name": task.target.name, "rows": len(pairs), "pieces": pieces}
    write_json(marker(task.target), report)
    return report


def _by_cell(pairs: pa.Table) -> list[tuple[Cell, pa.RecordBatch]]:
    """Split a table into its cells."""
    if not len(pairs):
        return []
    keys = [pairs[name].combine_chunks().dictionary_encode() for name in _CELL]
    code = np.zeros(len(pairs), np.int64)
    for key in keys:
        code = code * len(key.dictionary) + key.indices.to_numpy()
    order = np.argsort(code, kind="stable")
    edges = [0, *(np.flatnonzero(np.diff(code[order])) + 1).tolist(), len(pairs)]
    rows = pairs.take(pa.array(order)).combine_chunks().to_batches()[0]
    return [
        (Cell(*(key[int(order[start])].as_py() for key in keys)), rows.slice(start, stop - start))
        for start, stop in pairwise(edges)
    ]


@dataclass(frozen=True)
class GatherTask:
    """Write file `number` of `count` of a cell from its pieces: (shard file, record batch)."""

    cell: Cell
    number: int
    count: int
    pieces: tuple[tuple[Path, int], ...]
    root: Path
    schema: pa.Schema


def gather_cell(task: GatherTask) -> dict[str, Any]:
    """Write one Parquet file; report its rows, bytes, sha256 and row digest."""
    name = task.cell.path(task.number, task.count)
    path = task.root / name
    done = task.root.parent / "gathered" / name
    report = finished(done)
    if report is not None:
        return report
    parts = [_piece(shard, batch, task) for shard, batch in task.pieces]
    pairs = pa.concat_tables(parts).sort_by("id").combine_chunks()
    if len(pairs):
        write_parquet(path, pairs, task.schema)
    report = {
        "path": name,
        "rows": len(pairs),
        "bytes": path.stat().st_size if len(pairs) else 0,
        "sha256": file_sha256(path) if len(pairs) else "",
        "digest": rows_digest(pairs),
    }
    marker(done).parent.mkdir(parents=True, exist_ok=True)
    write_json(marker(done), report)
    return report


def _piece(shard: Path, batch: int, task: GatherTask) -> pa.Table:
    """Read one record batch of a shard, limited to the task's part of the id space."""
    with pa.memory_map(str(shard)) as source:
        rows = pa.Table.from_batches([pa.ipc.open_file(source).get_batch(batch)])
    rows = rows.select(PUBLISHED.names)
    if task.count == 1:
        return rows
    prefix = [int(id_[:12], 16) for id_ in rows["id"].to_pylist()]
    part = np.array(prefix, np.int64) * task.count >> 48
    return rows.filter(pa.array(part == task.number))


def write_cells(shards: Shards, root: Path, run: Run) -> list[dict[str, Any]]:
    """Write all cells under `root`; return the report of each file, sorted by path."""
    cuts = [CutTask(path, run.work / "cells" / path.name) for path in shards.paths]
    pieces: dict[Cell, list[tuple[Path, int]]] = defaultdict(list)
    text: dict[Cell, int] = defaultdict(int)
    reports: dict[str, dict[str, Any]] = {}
    with run.progress("cut into cells", shards.ledger.rows_out) as bar:
        for report in run.engine.map(cut_shard, cuts):
            reports[report["name"]] = report
            bar.update(report["rows"])
    for cut in cuts:
        for domain, language, split, batch, _, size in reports[cut.target.name]["pieces"]:
            cell = Cell(domain, language, split)
            pieces[cell].append((cut.target, batch))
            text[cell] += size
    schema = published_schema()
    gathers = []
    for cell in sorted(pieces, key=lambda cell: (-text[cell], cell)):  # the largest first
        count = -(-text[cell] // FILE_TEXT_BYTES) or 1
        gathers += [
            GatherTask(cell, number, count, tuple(pieces[cell]), root, schema)
            for number in range(count)
        ]
    files: list[dict[str, Any]] = []
    with run.progress("write parquet", shards.ledger.rows_out) as bar:
        for report in run.engine.map(gather_cell, gathers):
            files.append(report)
            bar.update(report["rows"])
    return sorted((file for file in files if file["rows"]), key=lambda file: str(file["path"]))
