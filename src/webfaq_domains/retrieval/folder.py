"""A staged retrieval folder, read subset by subset, and what an export wrote of it."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import read_parquet
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.subsets import SubsetEntry, TableRead


def read_rows(folder: Path, read: TableRead, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows that a manifest's entry names.

    :raises StagedError: if a file is missing, damaged, or lacks a column.
    """
    filters = list(read.filters) or None
    return pa.concat_tables(read_parquet(folder / name, columns, filters) for name in read.files)


def read_subsets(folder: Path, pattern: str = "*") -> list[SubsetEntry]:
    """Return the manifest's entries whose name matches a glob pattern, as docs/retrieval.md has them.

    :raises StagedError: if the folder is not a staged retrieval folder, or nothing matches.
    """
    try:
        subsets = Manifest.read(folder).retrieval.subsets
    except StagedError as error:
        raise StagedError(f"{folder} is not a staged retrieval folder: {error}") from error
    found = [subset for subset in subsets if fnmatch.fnmatchcase(subset.name, pattern)]
    if not found:
        names = sorted({subset.name for subset in subsets})
        raise StagedError(
            f"no subset of {folder} matches {pattern!r}; it has {', '.join(names[:8])}"
            + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        )
    return found


def whole_languages(folder: Path, task: str) -> list[SubsetEntry]:
    """Return the test subsets of a task that are a language with its full pool; may be none."""
    return [
        subset
        for subset in read_subsets(folder)
        if subset.is_whole and (subset.task, subset.split) == (task, "test")
    ]


def read_texts(folder: Path, subset: SubsetEntry, read: TableRead) -> pa.Table:
    """Return rows whose texts are needed.

    :raises StagedError: if they were left out, since they may not be redistributed.
    """
    rows = read_rows(folder, read)
    if len(rows) and not any(rows["text"].to_pylist()):
        raise StagedError(
            f"{subset.name}: {folder} holds no texts of {subset.task}, which may not be "
            "redistributed; build it from your own copy with --with-text, or export others"
        )
    return rows


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, and the files under it; `left_out` has tasks without files."""

    out: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        about = {"out": str(self.out), "files": list(self.files)}
        return {**about, "left_out": list(self.left_out)} if self.left_out else about

    def text(self) -> str:
        shown = [*self.files[:12], *(["…"] if len(self.files) > 12 else [])]
        shown += [
            f"left out, for this format has no files for it: {task}" for task in self.left_out
        ]
        return "\n".join([*shown, f"{len(self.files):,} files: {self.out}"])
