"""Files of a run appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.engine.tasks import finished, marker, read_shard, write_shard, write_sketch
from webfaq_domains.ground.files import write_json


@pytest.mark.parametrize("rows", [0, 1, 1_000])
def test_a_shard_is_read_as_it_was_written(tmp_path: Path, rows: int) -> None:
    texts = pa.array([f"text {number} é 日本" for number in range(rows)], pa.string())
    pairs = pa.table({"text": texts, "list": pa.array([["a"]] * rows, pa.list_(pa.string()))})
    pairs = pa.concat_tables([pairs.slice(0, rows // 2), pairs.slice(rows // 2)])
    write_shard(tmp_path / "shard.arrow", pairs)
    assert read_shard(tmp_path / "shard.arrow").equals(pairs)


def test_a_shard_is_finished_when_its_marker_is_there(tmp_path: Path) -> None:
    path = tmp_path / "000-00000-00001.arrow"
    assert finished(path) is None
    write_json(marker(path), {"rows": 3, "name": "日本"})
    assert finished(path) == {"rows": 3, "name": "日本"}
    assert marker(path).name == "000-00000-00001.json"


def test_a_sketch_is_one_array_per_field_without_pickle(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.uint64).reshape(4, 3).T
    write_sketch(tmp_path / "sketch", {"keys": values})
    read = np.load(tmp_path / "sketch" / "keys.npy", allow_pickle=False)
    assert np.array_equal(read, values)
    assert read.flags["C_CONTIGUOUS"]
