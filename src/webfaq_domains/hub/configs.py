"""The configs of a staged dataset: what `load_dataset` can ask for, worked out from its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from webfaq_domains.hub.layout import Cell
from webfaq_domains.hub.manifest import FileEntry
from webfaq_domains.schema import SPLITS


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
