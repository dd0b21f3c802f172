"""The configs of a retrieval repository: `<subset>-corpus`, `-queries`, `-qrels`, one line each.

All configs of a language read the same files and differ in `filters`, a parameter of the Parquet
reader of `datasets`. Every `load_dataset` parses all of them, about a millisecond each, so `multi`
subsets are configs only where the recipe says so; the manifest has every subset.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from webfaq_domains.hub.retrieval_layout import Place

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./*+-]*|==")
OFFICIAL = ["kind", "==", "official"]


@dataclass(frozen=True)
class Config:
    """One config: name, the glob of each split, the conditions on rows, the rows of each split."""

    name: str
    paths: dict[str, str]
    filters: list[list[Any]]
    rows: dict[str, int]

    def line(self) -> str:
        """Return the config as one line of YAML in flow style."""
        files = [{"split": split, "path": path} for split, path in self.paths.items()]
        entry: dict[str, Any] = {"config_name": self.name, "data_files": files}
        if self.filters:
            entry["filters"] = self.filters
        return f"- {flow(entry)}"


def flow(value: Any) -> str:
    """Return a value as YAML in flow style, quoted only where it has to be.

    >>> flow({"path": "data/*.parquet", "filters": [["domain", "==", "health"]]})
    '{path: data/*.parquet, filters: [[domain, ==, health]]}'
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return value if _PLAIN.fullmatch(value) else json.dumps(value)


def plan_configs(subsets: Sequence[dict[str, Any]], multi: bool) -> list[Config]:
    """Return the configs of the manifest's subsets, in their order; `multi` publishes those as well."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for subset in subsets:
        if multi or subset["membership"] == "exclusive":
            by_name.setdefault(subset["name"], []).append(subset)
    return [config for splits in by_name.values() for config in _configs(splits)]


def _configs(splits: list[dict[str, Any]]) -> Iterator[Config]:
    """Yield the configs of one subset, whose splits are given."""
    yield _config("corpus", splits, {s["split"]: s["corpus"] for s in splits}, [])
    yield _config("queries", splits, {s["split"]: s["queries"] for s in splits}, [])
    yield _config("qrels", splits, {s["split"]: s["qrels"] for s in splits}, [OFFICIAL])
    if any(subset["duplicates"] for subset in splits):
        every = {s["split"]: s["qrels"] + s["duplicates"] for s in splits}
        yield _config("qrels_dup", splits, every, [])
    some = [subset for subset in splits if subset["unpaired"]]  # `datasets` fails on empty files
    if some:
        yield _config("unpaired", some, {s["split"]: s["unpaired"] for s in some}, [])


def _config(
    part: str, splits: list[dict[str, Any]], rows: dict[str, int], more: list[list[Any]]
) -> Config:
    read = {subset["split"]: subset["read"][part.removesuffix("_dup")] for subset in splits}
    paths = {split: Place.of_path(entry["files"][0]).glob for split, entry in read.items()}
    filters = _merged([entry["filters"] for entry in read.values()])
    return Config(f"{splits[0]['name']}-{part}", paths, [*filters, *more], rows)


def _merged(of_splits: list[list[list[Any]]]) -> list[list[Any]]:
    """Return the filters of all splits as one: they differ only in the memberships that were met."""
    merged = []
    for conditions in zip(*of_splits, strict=True):
        column, operator, value = conditions[0]
        if operator == "in":
            value = sorted({met for _, _, listed in conditions for met in listed})
        merged.append([column, operator, value])
    return merged
