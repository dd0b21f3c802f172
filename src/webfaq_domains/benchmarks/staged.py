"""Read the subsets of a staged retrieval folder, as its manifest describes them."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.errors import StagedError
from webfaq_domains.files import read_parquet

Subset = dict[str, Any]


def read_subsets(folder: Path, pattern: str = "*") -> list[Subset]:
    """Return the manifest's entries whose name matches a glob pattern, as docs/retrieval.md has them.

    :raises StagedError: if the folder is not a staged retrieval folder, or nothing matches.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        subsets: list[Subset] = manifest["extra"]["retrieval"]["subsets"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StagedError(
            f"{folder} is not a staged retrieval folder; build one with `webfaq-domains build "
            "xtreme-r` or `build retrieval`"
        ) from error
    found = [subset for subset in subsets if fnmatch.fnmatchcase(subset["name"], pattern)]
    if not found:
        names = sorted({subset["name"] for subset in subsets})
        raise StagedError(
            f"no subset of {folder} matches {pattern!r}; it has {', '.join(names[:8])}"
            + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        )
    return found


def whole_languages(folder: Path, task: str) -> list[Subset]:
    """Return the test subsets of a task that are a language with its full pool; may be none."""
    return [
        subset
        for subset in read_subsets(folder)
        if subset["task"] == task
        and subset["split"] == "test"
        and subset["domain"] is None
        and subset["pool"] == "full"
    ]


def read_part(folder: Path, subset: Subset, part: str) -> pa.Table:
    """Return the rows of one part of a subset: `corpus`, `queries`, `unpaired`, `qrels` (every kind)."""
    read = subset["read"][part]
    filters = [tuple(condition) for condition in read["filters"]] or None
    return pa.concat_tables(read_parquet(folder / name, filters=filters) for name in read["files"])


def read_texts(folder: Path, subset: Subset, part: str) -> pa.Table:
    """Return the rows of a part whose texts are needed.

    :raises StagedError: if they were left out, since they may not be redistributed.
    """
    rows = read_part(folder, subset, part)
    if len(rows) and not any(rows["text"].to_pylist()):
        raise StagedError(
            f"{subset['name']}: {folder} holds no texts of {subset['task']}, which may not be "
            "redistributed; build it from your own copy with --with-text, or export others"
        )
    return rows
