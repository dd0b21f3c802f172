"""The same recipe gives the same bytes, however the work is cut and shared out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from toybuild import Toy, data_of, lines, sha256_of, write_faq

from webfaq_domains.ground.manifest import Manifest


@pytest.mark.parametrize(
    ("workers", "shard_rows", "shards"),
    [(1, 100, 3), (1, 43, 7), (2, 298, 1), (2, 100, 3), (2, 43, 7)],
)
def test_shards_and_workers_change_no_byte(
    toy: Toy, built: Path, tmp_path: Path, workers: int, shard_rows: int, shards: int
) -> None:
    """Against one shard and one worker."""
    assert -(-len(lines()) // shard_rows) == shards
    out = toy.build(tmp_path / "other-name", workers=workers, shard_rows=shard_rows).out
    assert sha256_of(out) == sha256_of(built)


@pytest.mark.parametrize("files", [3, 7])
def test_files_of_the_input_change_the_list_of_sources_only(
    toy: Toy, built: Path, tmp_path: Path, files: int
) -> None:
    source = write_faq(tmp_path, lines(), files)
    out = toy.build(tmp_path / "out", sources=(str(source),)).out
    assert data_of(out) == data_of(built)
    assert _without_sources(out) == _without_sources(built)


def test_the_order_of_the_input_changes_no_data(toy: Toy, built: Path, tmp_path: Path) -> None:
    source = write_faq(tmp_path, lines()[::-1])
    out = toy.build(tmp_path / "out", sources=(str(source),), shard_rows=100).out
    assert data_of(out) == data_of(built)
    assert _without_sources(out) == _without_sources(built)


def _without_sources(folder: Path) -> dict[str, Any]:
    manifest = Manifest.read(folder).to_json()
    for name in ("sources", "recipe_hash"):
        del manifest[name]
    return manifest


@pytest.fixture
def cut_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a data file hold 300 bytes of text, so that most cells are several files."""
    monkeypatch.setattr("webfaq_domains.dataset.stage.FILE_TEXT_BYTES", 300)


@pytest.mark.usefixtures("cut_cells")
def test_cells_of_several_files_do_not_depend_on_shards(toy: Toy, tmp_path: Path) -> None:
    one = toy.build(tmp_path / "one", limit=120).out
    many = toy.build(tmp_path / "many", limit=120, shard_rows=20).out
    assert sha256_of(many) == sha256_of(one)
    assert any("-00001-of-00002" in name for name in sha256_of(one))


@pytest.mark.usefixtures("cut_cells")
def test_the_files_of_a_cell_share_the_id_space(toy: Toy, tmp_path: Path) -> None:
    out = toy.build(tmp_path / "out", limit=120).out
    cut = 0
    for path in sorted(out.glob("data/*/*/*.parquet")):
        number, count = map(int, path.stem.split("-")[1::2])
        ids = pq.read_table(path)["id"].to_pylist()
        assert ids == sorted(ids)
        assert all(int(id_, 16) * count >> 128 == number for id_ in ids)
        cut += count > 1
    assert cut > 20


@pytest.mark.usefixtures("cut_cells")
def test_cutting_cells_into_files_changes_no_row(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Manifest.read(toy.build(tmp_path / "cut", limit=120).out)
    monkeypatch.undo()
    whole = Manifest.read(toy.build(tmp_path / "whole", limit=120).out)
    assert cut.content_digest == whole.content_digest
    assert len(cut.files) > len(whole.files)
