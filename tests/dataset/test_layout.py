"""The layout of a staged folder, and how its Parquet files are written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Features

from webfaq_domains.dataset.layout import Cell, published_schema, write_parquet
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.schema import PUBLISHED, SCHEMA_VERSION

PATH = re.compile(
    r"data/[a-z]+/[a-z]{3}/(train|validation|test)-(?P<number>\d{5})-of-(?P<count>\d{5})\.parquet"
)


def test_a_cell_names_its_files_and_a_path_its_cell() -> None:
    cell = Cell("health", "deu", "train")
    assert cell.path(2, 13) == "data/health/deu/train-00002-of-00013.parquet"
    assert Cell.of_path(cell.path(2, 13)) == cell


@pytest.mark.parametrize("path", ["train.parquet", "data/deu/train.parquet", "a/b/c/d/e.parquet"])
def test_another_path_has_no_cell(path: str) -> None:
    with pytest.raises(StagedError, match="expected data/"):
        Cell.of_path(path)


def test_a_staged_folder_holds_card_manifest_taxonomy_and_data_alone(built: Path) -> None:
    files = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    assert {name for name in files if "/" not in name} == {
        "README.md", "manifest.json", "taxonomy.toml",
    }  # fmt: skip
    for name in files:
        if "/" in name:
            match = PATH.fullmatch(name)
            assert match, name
            assert int(match["number"]) < int(match["count"])


def test_the_schema_is_what_datasets_reads(built: Path) -> None:
    assert published_schema().equals(PUBLISHED, check_metadata=False)
    for path in sorted(built.glob("data/*/*/*.parquet"))[::10]:
        schema = pq.read_schema(path)
        assert schema.equals(PUBLISHED, check_metadata=False)
        assert schema.metadata == published_schema().metadata
        assert Features.from_arrow_schema(schema) == Features.from_arrow_schema(PUBLISHED)
        assert json.loads(schema.metadata[b"webfaq_domains"])["schema_version"] == SCHEMA_VERSION
        info = json.loads(schema.metadata[b"huggingface"])["info"]
        assert list(info["features"]) == PUBLISHED.names


def test_files_are_zstd_with_a_page_index(built: Path) -> None:
    for path in sorted(built.glob("data/*/*/*.parquet"))[::10]:
        metadata = pq.read_metadata(path)
        for number in range(metadata.num_columns):
            column = metadata.row_group(0).column(number)
            assert column.compression == "ZSTD"
            assert column.has_offset_index
            assert column.has_column_index
        text = next(
            metadata.row_group(0).column(n)
            for n in range(metadata.num_columns)
            if metadata.row_group(0).column(n).path_in_schema == "answer"
        )
        assert "RLE_DICTIONARY" not in text.encodings


def test_rows_put_in_the_middle_change_few_bytes(tmp_path: Path) -> None:
    """Content-defined chunking: what lies before and after stays the same pages."""
    rows = [f"{number:032x} {number * number} {number % 7} and some more text" * 4 for number in range(40_000)]  # fmt: skip
    with_more = [*rows[:20_000], "a new row", *rows[20_000:]]
    for name, texts in (("one", rows), ("two", with_more)):
        nulls = {field.name: pa.nulls(len(texts), field.type) for field in PUBLISHED}
        pairs = pa.table({**nulls, "answer": pa.array(texts)}, schema=PUBLISHED)
        write_parquet(tmp_path / name, pairs, published_schema())
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    known = {one[start : start + 64] for start in range(len(one) - 64)}
    blocks = [two[start : start + 64] for start in range(0, len(two), 64)]
    assert sum(block in known for block in blocks) > 0.6 * len(blocks)


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="field names are not matching"):
        write_parquet(tmp_path / "x.parquet", pa.table({"id": [1]}), published_schema())
    assert not list(tmp_path.iterdir())
