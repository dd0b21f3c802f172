"""From shards to cells: every row once, in the file of its cell."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from webfaq_domains.dataset.layout import Cell
from webfaq_domains.dataset.stage import CutTask, cut_shard, write_cells
from webfaq_domains.engine.local import LocalEngine
from webfaq_domains.engine.run import Run, Shards
from webfaq_domains.engine.tasks import write_shard
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.schema import PUBLISHED
from webfaq_domains.ground.text import content_id

SCHEMA = pa.schema([pa.field("split", pa.string()), pa.field("rank", pa.uint64()), *PUBLISHED])


def pairs_of(rows: list[tuple[str, str, str, str]]) -> pa.Table:
    """Make labelled pairs from (domain, language, split, text); columns in another order."""
    texts = [text for _, _, _, text in rows]
    languages = [language for _, language, _, _ in rows]
    columns = {
        "domain": [domain for domain, _, _, _ in rows],
        "language": languages,
        "split": [split for _, _, split, _ in rows],
        "question": texts,
        "answer": texts,
        "id": content_id(*(pa.array(column, pa.string()) for column in (languages, texts, texts))),
    }
    nulls = {field.name: pa.nulls(len(rows), field.type) for field in SCHEMA}
    return pa.table({**nulls, **columns}, schema=SCHEMA)


def shards_of(folder: Path, tables: list[pa.Table]) -> Shards:
    paths = [folder / f"{number}.arrow" for number in range(len(tables))]
    for path, table in zip(paths, tables, strict=True):
        write_shard(path, table)
    rows = [len(table) for table in tables]
    return Shards(paths, rows, Ledger(sum(rows), sum(rows)))


def write(folder: Path, tables: list[pa.Table]) -> list[dict[str, object]]:
    run = Run(folder / "work", LocalEngine(), quiet=True)
    return write_cells(shards_of(folder / "in", tables), folder / "work" / "staged", run)


ROWS = [
    (domain, language, split, f"{domain} {language} {split} {number} and some text")
    for number in range(20)
    for domain in ("health", "legal")
    for language in ("deu", "jpn")
    for split in ("train", "test")
]


def test_every_row_is_in_the_file_of_its_cell(tmp_path: Path) -> None:
    reports = write(tmp_path, [pairs_of(ROWS[:77]), pairs_of(ROWS[77:])])
    assert [report["path"] for report in reports] == sorted(str(r["path"]) for r in reports)
    assert sum(int(str(report["rows"])) for report in reports) == len(ROWS)
    found = []
    for report in reports:
        cell = Cell.of_path(str(report["path"]))
        rows = pq.read_table(tmp_path / "work" / "staged" / str(report["path"])).to_pylist()
        found += [(cell.domain, cell.language, cell.split, row["question"]) for row in rows]
        assert {(row["domain"], row["language"]) for row in rows} == {(cell.domain, cell.language)}
    assert sorted(found) == sorted(ROWS)


@pytest.mark.parametrize("size", [200, 600, 10_000])
def test_the_number_of_files_follows_from_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("webfaq_domains.dataset.stage.FILE_TEXT_BYTES", size)
    reports = write(tmp_path, [pairs_of(ROWS[:30]), pairs_of(ROWS[30:])])
    text = 2 * sum(len(row[3]) for row in ROWS if row[:3] == ("legal", "jpn", "train"))
    count = -(-text // size)
    mine = [str(r["path"]) for r in reports if "legal/jpn/train" in str(r["path"])]
    assert all(path.endswith(f"-of-{count:05}.parquet") for path in mine)
    assert len(mine) <= count


def test_an_empty_shard_adds_nothing(tmp_path: Path) -> None:
    reports = write(tmp_path / "one", [pairs_of([]), pairs_of(ROWS), pairs_of([])])
    assert reports == write(tmp_path / "two", [pairs_of(ROWS)])
    assert write(tmp_path / "three", [pairs_of([])]) == []
    assert write(tmp_path / "four", []) == []


def test_a_finished_shard_is_not_cut_again(tmp_path: Path) -> None:
    shards = shards_of(tmp_path / "in", [pairs_of(ROWS)])
    task = CutTask(shards.paths[0], tmp_path / "cut.arrow")
    report = cut_shard(task)
    shards.paths[0].unlink()
    assert cut_shard(task) == report
    assert sum(piece[4] for piece in report["pieces"]) == report["rows"] == len(ROWS)
