"""Files of a run appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.engine.shards import (
    finished,
    marker,
    read_shard,
    replacing,
    sweep,
    write_json,
    write_shard,
    write_sketch,
)


def test_a_file_replaces_the_old_one_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    for text in ("one", "two"):
        with replacing(path) as temporary:
            temporary.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), replacing(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_temporary_files_of_a_killed_process_are_swept(tmp_path: Path) -> None:
    killed = replacing(tmp_path / "a" / "file.parquet")
    killed.__enter__().write_text("half")
    (tmp_path / "a" / "other.tmp").write_text("not ours")
    sweep(tmp_path)
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["other.tmp"]
    with pytest.raises(FileNotFoundError):
        killed.__exit__(None, None, None)


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
