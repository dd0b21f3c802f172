"""Counting a staged folder."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from toybuild import Toy, lines, write_faq

from webfaq_domains.dataset.stats import Stats, plot, read_stats, stats_of
from webfaq_domains.ground.errors import MissingExtra, RecipeError, StagedError
from webfaq_domains.ground.ledger import LedgerRecord
from webfaq_domains.ground.manifest import Manifest


def test_the_counts_are_those_of_the_rows(built: Path) -> None:
    rows = [
        row
        for path in sorted(built.glob("data/*/*/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    stats = read_stats(built)
    assert stats.rows == sum(stats.cells.values()) == sum(stats.splits.values()) == len(rows)
    for (language, domain), count in stats.cells.items():
        assert count == sum((r["language"], r["domain"]) == (language, domain) for r in rows)
    for name in ("question", "answer"):
        lengths = [len(row[name]) for row in rows]
        assert stats.lengths[name]["median"] == float(np.median(lengths))
        assert stats.lengths[name]["95 %"] == float(np.percentile(lengths, 95))
    origins = {row["origin"] for row in rows if row["origin"]}
    assert sum(stats.origins["by_split"].values()) == len(origins)
    largest = dict(stats.origins["largest"])
    assert len(largest) == 10
    for origin, count in largest.items():
        assert count == sum(row["origin"] == origin for row in rows)


def test_a_manifest_alone_gives_cells_and_ledger(built: Path) -> None:
    stats = stats_of(Manifest.read(built))
    assert stats.cells == read_stats(built).cells
    assert (stats.lengths, stats.origins) == ({}, {})
    assert "characters" not in stats.text()


def test_the_text_has_every_table(built: Path) -> None:
    stats = read_stats(built)
    cells, ledger, lengths, origins = stats.text().split("\n\n")
    header, *lines = (line.split() for line in cells.splitlines())
    assert header == ["language", *stats.domains, "all"]
    assert [line[0] for line in lines] == [*stats.languages, "all"]
    assert lines[-1][-1] == str(stats.rows)
    for line in lines:
        assert sum(int(n) for n in line[1:-1] if n != "·") == int(line[-1])
    for step, reason, rows in stats.drops:
        assert [step, reason, str(rows)] in [line.split() for line in ledger.splitlines()]
    assert ledger.splitlines()[0].split() == ["rows", "read", "298"]
    assert [line.split()[0] for line in lengths.splitlines()] == [
        "characters", "question", "answer",
    ]  # fmt: skip
    assert origins.startswith("origins  train ")
    assert all(line == line.rstrip() for line in stats.text().splitlines())


def test_json_says_the_same(built: Path) -> None:
    stats = read_stats(built)
    shown = json.loads(json.dumps(stats.to_json()))
    assert shown["cells"]["jpn"]["health"] == stats.cells["jpn", "health"]
    assert shown["ledger"]["rows_in"] == 298
    assert set(shown) == {"rows", "splits", "cells", "ledger", "lengths", "origins"}


def test_a_data_set_without_origins_is_counted(toy: Toy, tmp_path: Path) -> None:
    whole = (line for line in lines() if line.startswith("{") and line.endswith("}"))
    rows = [json.loads(line) for line in whole][:80]
    bare = [{key: row[key] for key in ("question", "answer") if key in row} for row in rows]
    source = write_faq(tmp_path, [json.dumps(row, ensure_ascii=False) for row in bare])
    stats = read_stats(toy.build(tmp_path / "out", sources=(str(source),), workers=1).out)
    assert stats.origins == {"by_split": {}, "largest": {}}
    assert stats.text().endswith("origins  none is known")


def test_large_numbers_are_aligned() -> None:
    ledger = LedgerRecord(3_000_000, 1_234_567, {}, {})
    stats = Stats(1_234_567, {("deu", "health"): 1_234_567}, {"train": 1_234_567}, ledger, [])
    lines = stats.text().split("\n\n")[0].splitlines()
    assert lines[1] == "deu       1,234,567  1,234,567"
    assert {len(line) for line in lines} == {30}


def test_the_picture_is_not_empty(built: Path, tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot(stats_of(Manifest.read(built)), tmp_path / "cells.png")
    picture = imread(tmp_path / "cells.png")
    assert min(picture.shape[:2]) > 300
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 20


def test_a_picture_of_one_cell_and_of_many_languages(built: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    stats = stats_of(Manifest.read(built))
    plot(replace(stats, cells={("deu", "health"): 1}), tmp_path / "one.pdf")
    many = {(f"l{number:02}", "health"): number + 1 for number in range(80)}
    plot(replace(stats, cells=many), tmp_path / "many.png")
    assert all(path.stat().st_size > 5_000 for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["cells.xyz", "nowhere/cells.png"])
def test_a_picture_that_cannot_be_written_is_refused(
    built: Path, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RecipeError, match=f"--plot .*{name}"):
        plot(stats_of(Manifest.read(built)), tmp_path / name)


def test_a_missing_matplotlib_names_the_extra(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.colors", None)
    with pytest.raises(MissingExtra, match=r"webfaq-domains\[plot\]"):
        plot(stats_of(Manifest.read(built)), tmp_path / "cells.png")


def test_a_damaged_file_is_named(staged: Path) -> None:
    path = next(iter(sorted(staged.glob("data/*/*/*.parquet"))))
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StagedError, match=f"{path.name} cannot be read.*webfaq-domains check"):
        read_stats(staged)
    path.unlink()
    with pytest.raises(StagedError, match=f"{path.name} cannot be read"):
        read_stats(staged)
