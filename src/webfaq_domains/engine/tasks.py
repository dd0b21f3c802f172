"""What a worker does: read a source file into shards, or carry a shard through some steps.

The marker (`<name>.json`) comes last, so a shard with a marker is finished and a restart skips it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.errors import BuildError
from webfaq_domains.ground.files import replacing, write_json
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected, Source, SourceFile
from webfaq_domains.steps.base import Barrier, Outcome, Step


@dataclass(frozen=True)
class ReadTask:
    """Read `files` of `source` into shards of `rows` rows named after `stem`; at most `limit` rows."""

    source: Source
    files: tuple[SourceFile, ...]
    stem: Path
    rows: int
    limit: int | None = None


def read_files(task: ReadTask) -> dict[str, Any]:
    """Read some source files in order; return the marker's report: shards, rows in, rejected by reason."""
    report = finished(task.stem)
    if report is not None:
        return report
    shards: list[str] = []
    rejected: list[Rejected] = []
    waiting: list[pa.Table] = []
    rows_in = 0

    def flush(least: int) -> None:
        while waiting and sum(map(len, waiting)) >= least:
            pairs = pa.concat_tables(waiting)
            name = f"{task.stem.name}-{len(shards):05}"
            write_shard(task.stem.with_name(f"{name}.arrow"), pairs.slice(0, task.rows))
            shards.append(name)
            waiting[:] = [pairs.slice(task.rows)] if len(pairs) > task.rows else []

    for batch in chain.from_iterable(map(task.source.read, task.files)):
        batch = _within(batch, None if task.limit is None else task.limit - rows_in)
        rows_in += len(batch.pairs) + len(batch.rejected)
        rejected.extend(batch.rejected)
        if len(batch.pairs):
            waiting.append(_named(batch.pairs, task.source.name))
            flush(task.rows)
        if task.limit is not None and rows_in >= task.limit:
            break
    flush(1)
    report = {
        "shards": shards,
        "rows_in": rows_in,
        "quarantined": dict(Counter(row.reason for row in rejected)),
        "rejected": [[row.place, row.reason, row.row] for row in rejected],
    }
    write_json(marker(task.stem), report)
    return report


def _within(batch: Batch, room: int | None) -> Batch:
    """Cut a batch to `room` rows: a limited build reads the first rows of each file in order."""
    if room is None or len(batch.pairs) + len(batch.rejected) <= room:
        return batch
    pairs = batch.pairs.slice(0, room)
    return Batch(pairs, batch.rejected[: room - len(pairs)])


def _named(pairs: pa.Table, source: str) -> pa.Table:
    if not pairs.schema.equals(RAW):
        pairs = pairs.select(RAW.names).cast(RAW)
    return pairs.append_column("source", pa.array([source] * len(pairs), pa.string()))


@dataclass(frozen=True)
class Drops:
    """The plan of a barrier for one shard: where its verdicts lie and what the codes mean."""

    step: str
    reasons: tuple[str, ...]
    path: Path


@dataclass(frozen=True)
class MapTask:
    """Carry the shard `source` through `steps` to `target`.

    `drops` are applied first; `sketch` is computed last, for the barrier that follows. With
    `dropped`, the rows that go are written there, a Parquet file per step, reason and shard.
    """

    source: Path
    target: Path
    steps: tuple[Step, ...]
    drops: Drops | None = None
    sketch: Barrier | None = None
    dropped: Path | None = None


def sketch_folder(shard: Path) -> Path:
    return shard.with_suffix(".sketch")


def map_shard(task: MapTask) -> dict[str, Any]:
    """Run one task; return the marker's report: rows in, rows out, dropped by step and reason."""
    report = finished(task.target)
    if report is not None:
        return report
    pairs = read_shard(task.source)
    ledger = Ledger(rows_in=len(pairs))
    if task.drops is not None:
        verdict = np.load(task.drops.path, allow_pickle=False)
        outcome = Outcome.by_verdict(pairs, verdict, task.drops.reasons)
        pairs = _account(outcome, task.drops.step, task, ledger)
    met: set[str] = set()
    for step in task.steps:
        outcome = step(pairs)
        met.update(outcome.met)
        pairs = _account(outcome, type(step).__name__, task, ledger)
    ledger.rows_out = len(pairs)
    ledger.close()
    if task.sketch is not None:
        write_sketch(sketch_folder(task.target), task.sketch.sketch(pairs))
    write_shard(task.target, pairs)
    report = {
        "rows_in": ledger.rows_in,
        "rows_out": ledger.rows_out,
        "dropped": ledger.dropped,
        "met": sorted(met),
    }
    write_json(marker(task.target), report)
    return report


def _account(outcome: Outcome, step: str, task: MapTask, ledger: Ledger) -> pa.Table:
    """Book what a step dropped, write it out where that is wanted, and return what it kept."""
    ledger.drop(step, {reason: len(rows) for reason, rows in outcome.dropped.items()})
    if task.dropped is not None:
        for reason, rows in outcome.dropped.items():
            name = f"{step}.{reason}".replace(":", "-")  # Windows takes no colon
            path = task.dropped / name / f"{task.target.stem}.parquet"
            with replacing(path) as temporary:
                pq.write_table(rows, temporary, compression="zstd")
    return outcome.kept


def write_verdicts(folder: Path, verdicts: list[np.ndarray], shards: list[Path]) -> list[Path]:
    """Write one verdict array per shard.

    :raises BuildError: if a plan does not have one verdict array per shard.
    """
    if len(verdicts) != len(shards):
        raise BuildError(f"a plan has {len(verdicts)} verdicts for {len(shards)} shards")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{shard.stem}.npy" for shard in shards]
    for path, verdict in zip(paths, verdicts, strict=True):
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, verdict, allow_pickle=False)
    return paths


def write_batches(path: Path, batches: list[pa.RecordBatch], schema: pa.Schema) -> None:
    """Write record batches to one Arrow IPC file, in the order given."""
    with (
        replacing(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, schema) as writer,
    ):
        for batch in batches:
            writer.write_batch(batch)


def write_shard(path: Path, pairs: pa.Table) -> None:
    write_batches(path, pairs.combine_chunks().to_batches(), pairs.schema)


def read_shard(path: Path) -> pa.Table:
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def write_sketch(folder: Path, sketch: dict[str, np.ndarray]) -> None:
    """Write one `.npy` per field."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, values in sketch.items():
        with replacing(folder / f"{name}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, np.ascontiguousarray(values), allow_pickle=False)


def marker(path: Path) -> Path:
    """Return where the marker of a shard lies."""
    return path.with_suffix(".json")


def finished(path: Path) -> dict[str, Any] | None:
    """Return what a shard's marker says, or None if the shard is not finished."""
    try:
        report: dict[str, Any] = json.loads(marker(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return report
