"""Files that appear whole or not at all, and staged files that are read or refused by name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_domains.errors import StagedError

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` if the block ends well, and vanishes if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_parquet(path: Path, columns: Sequence[str] | None = None, filters: Any = None) -> pa.Table:
    """Read a data file of a staged folder; `columns` and `filters` as `pyarrow.parquet` has them.

    :raises StagedError: if it is missing, damaged, or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path, columns=columns and list(columns), filters=filters)
    except (OSError, pa.ArrowException) as error:
        raise StagedError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); fetch or build its folder again"
        ) from error


def sweep(folder: Path) -> None:
    """Remove the temporary files that a killed process left under a folder."""
    for path in folder.rglob(".*.tmp"):
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def local_notes(path: str) -> bool:
    """Tell whether a repository's path is no content: git's own file, or a Hub client's notes."""
    return path == ".gitattributes" or path.startswith(".cache/huggingface/")
