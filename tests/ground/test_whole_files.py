"""A file is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import read_parquet, replacing, sweep


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


def test_a_damaged_or_missing_data_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(b"PAR1 and no more")
    for path in (damaged, tmp_path / "missing.parquet"):
        with pytest.raises(StagedError, match=rf"{path.name} cannot be read .*; fetch or build"):
            read_parquet(path)
