"""Shards on disk: Arrow files that appear whole, each with a marker that says what was done.

The marker (`<name>.json`) comes last, so a shard with a marker is finished and a restart skips it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from webfaq_domains.files import replacing


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
