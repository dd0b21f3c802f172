"""Which configs a set of files gives."""

from __future__ import annotations

import pytest

from webfaq_domains.dataset.layout import Cell, Config, plan_configs, shown_config
from webfaq_domains.ground.manifest import FileEntry

FILES = [
    FileEntry(Cell(domain, language, split).path(0, 1), rows, 10 * rows, "0" * 64)
    for domain, language, split, rows in (
        ("health", "deu", "train", 70),
        ("health", "deu", "test", 30),
        ("health", "jpn", "train", 20),
        ("legal", "ara", "test", 99),
        ("legal", "deu", "train", 100),
    )
]


def names(configs: list[Config]) -> list[str]:
    return [config.name for config in configs]


def test_there_is_everything_then_domains_then_large_cells() -> None:
    configs = plan_configs(FILES, min_rows=99, most=10)
    assert names(configs) == ["default", "health", "legal", "ara-legal", "deu-health", "deu-legal"]


@pytest.mark.parametrize(
    ("min_rows", "most", "cells"),
    [
        (100, 10, ["deu-health", "deu-legal"]),
        (101, 10, []),
        (1, 2, ["deu-health", "deu-legal"]),
        (1, 3, ["ara-legal", "deu-health", "deu-legal"]),
        (1, 0, []),
        (1, 10, ["ara-legal", "deu-health", "deu-legal", "jpn-health"]),
    ],
)
def test_cells_need_rows_and_the_largest_come_first(
    min_rows: int, most: int, cells: list[str]
) -> None:
    assert names(plan_configs(FILES, min_rows, most))[3:] == cells


def test_a_config_has_the_splits_that_have_rows() -> None:
    by_name = {config.name: config for config in plan_configs(FILES, 1, 10)}
    assert by_name["default"].rows == {"train": 190, "test": 129}
    assert by_name["default"].paths == {
        "train": "data/*/*/train-*.parquet",
        "test": "data/*/*/test-*.parquet",
    }
    assert by_name["health"].paths["test"] == "data/health/*/test-*.parquet"
    assert by_name["ara-legal"].paths == {"test": "data/legal/ara/test-*.parquet"}


def test_entries_are_what_the_hub_reads() -> None:
    configs = plan_configs(FILES, 99, 10)
    entries = [config.card_entry() for config in configs]
    assert [entry.get("default") for entry in entries] == [True] + [None] * 5
    assert entries[3] == {
        "config_name": "ara-legal",
        "data_files": [{"split": "test", "path": "data/legal/ara/test-*.parquet"}],
    }
    info = configs[0].info_entry()
    assert info["splits"][0] == {"name": "train", "num_bytes": 1_900, "num_examples": 190}
    assert info["download_size"] == info["dataset_size"] == 3_190


def test_the_config_of_an_example_has_a_train_split() -> None:
    assert shown_config(plan_configs(FILES, 1, 10)).name == "deu-health"
    assert shown_config(plan_configs(FILES, 1_000, 10)).name == "default"
    assert shown_config(plan_configs(FILES[3:4], 1, 10)).name == "default"
