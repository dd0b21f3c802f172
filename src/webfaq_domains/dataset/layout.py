"""How a staged dataset is laid out: paths, Parquet settings and the configs that the card offers.

`data/<domain>/<language>/<split>-NNNNN-of-NNNNN.parquet`, rows sorted by id. The settings are those
of `datasets.Dataset.to_parquet` (content-defined chunking, page index), which let the Hub store
only what changed between two versions and its viewer read a page at a time; zstd instead of snappy.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import replacing
from webfaq_domains.ground.manifest import FileEntry, Manifest
from webfaq_domains.ground.schema import PUBLISHED, SCHEMA_VERSION, SPLITS

#: Bytes of question and answer text per file; a cell with more is cut into several, by id.
FILE_TEXT_BYTES = 64 << 20
ROW_GROUP_ROWS = 50_000
_CHUNKING = {"min_chunk_size": 256 << 10, "max_chunk_size": 1 << 20, "norm_level": 0}


@dataclass(frozen=True, order=True)
class Cell:
    """The rows of one domain, language and split."""

    domain: str
    language: str
    split: str

    def path(self, number: int, count: int) -> str:
        """Return the path of file `number` of `count`, relative to the repository."""
        name = f"{self.split}-{number:05}-of-{count:05}.parquet"
        return f"data/{self.domain}/{self.language}/{name}"

    @classmethod
    def of_path(cls, path: str) -> Cell:
        """Return the cell that a data file's path names.

        :raises StagedError: if the path is not of the layout.
        """
        parts = path.split("/")
        if len(parts) != 4 or parts[0] != "data" or not parts[3].endswith(".parquet"):
            raise StagedError(f"{path}: expected data/<domain>/<language>/<split>-….parquet")
        split = parts[3].partition("-")[0]
        if split not in SPLITS:
            raise StagedError(f"{path}: the split {split!r} is none of {', '.join(SPLITS)}")
        return cls(parts[1], parts[2], split)


@cache
def published_schema() -> pa.Schema:
    """Return `PUBLISHED` with the metadata that `datasets` and our own tools read."""
    from datasets import Features

    features = Features.from_arrow_schema(PUBLISHED).to_dict()
    return PUBLISHED.with_metadata(
        {
            "huggingface": json.dumps({"info": {"features": features}}),
            "webfaq_domains": json.dumps({"schema_version": SCHEMA_VERSION}),
        }
    )


def write_parquet(path: Path, pairs: pa.Table, schema: pa.Schema) -> None:
    """Write one data file whole, or not at all."""
    with replacing(path) as temporary, pq.ParquetWriter(
        temporary,
        schema,
        compression="zstd",
        use_content_defined_chunking=_CHUNKING,
        write_page_index=True,
        use_dictionary=[
            "language", "origin", "source", "domain", "labeler", "topic", "question_type",
            "domains.list.element",
        ],
    ) as writer:  # fmt: skip
        writer.write_table(pairs.cast(schema), row_group_size=ROW_GROUP_ROWS)


@dataclass(frozen=True)
class Config:
    """One config: its name, the glob of each split, and what it holds."""

    name: str
    paths: dict[str, str]
    rows: dict[str, int]
    bytes: dict[str, int]

    def card_entry(self) -> dict[str, Any]:
        """Return the entry of the card's `configs` list."""
        entry: dict[str, Any] = {
            "config_name": self.name,
            "data_files": [{"split": split, "path": path} for split, path in self.paths.items()],
        }
        if self.name == "default":
            entry["default"] = True
        return entry

    def info_entry(self) -> dict[str, Any]:
        """Return the entry of the card's `dataset_info` list; `datasets` checks the counts."""
        splits = [
            {"name": split, "num_bytes": self.bytes[split], "num_examples": self.rows[split]}
            for split in self.paths
        ]
        size = sum(self.bytes.values())
        return {
            "config_name": self.name,
            "splits": splits,
            "download_size": size,
            "dataset_size": size,
        }


def plan_configs(files: Iterable[FileEntry], min_rows: int, most: int) -> list[Config]:
    """Return `default`, one config per domain, and one per large enough (language, domain) cell.

    A cell needs `min_rows` rows; of more than `most` such cells the largest are taken, since every
    config costs the card some lines that each `load_dataset` reads.
    """
    entries = [(Cell.of_path(file.path), file) for file in files]
    cells: Counter[tuple[str, str]] = Counter()
    for cell, file in entries:
        cells[cell.language, cell.domain] += file.rows
    large = sorted(
        (pair for pair in cells if cells[pair] >= min_rows), key=lambda p: (-cells[p], p)
    )
    domains = sorted({cell.domain for cell, _ in entries})
    wanted: list[tuple[str, str, str]] = [("default", "*", "*")]
    wanted += [(domain, domain, "*") for domain in domains]
    wanted += [(f"{lang}-{domain}", domain, lang) for lang, domain in sorted(large[:most])]
    return [_config(name, domain, language, entries) for name, domain, language in wanted]


def configs_of(manifest: Manifest) -> list[Config]:
    """Return the configs that a manifest's files and recipe give."""
    rules = manifest.recipe.pairs.configs
    return plan_configs(manifest.files, rules.min_rows, rules.most)


def shown_config(configs: list[Config]) -> Config:
    """Return the config for an example with `split="train"`: a cell's if one has that split."""
    trained = [config for config in configs if "train" in config.paths]
    return next((config for config in trained if "-" in config.name), (trained or configs)[0])


def _config(name: str, domain: str, language: str, entries: list[tuple[Cell, FileEntry]]) -> Config:
    rows: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for cell, file in entries:
        if domain in ("*", cell.domain) and language in ("*", cell.language):
            rows[cell.split] += file.rows
            size[cell.split] += file.bytes
    splits = [split for split in SPLITS if rows[split]]
    paths = {split: f"data/{domain}/{language}/{split}-*.parquet" for split in splits}
    return Config(name, paths, {s: rows[s] for s in splits}, {s: size[s] for s in splits})
