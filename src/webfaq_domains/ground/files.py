"""Files that appear whole or not at all, staged files that are refused by name, and hashes that pin."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_domains.ground.errors import StagedError

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
    """Write a JSON file whole. NaN and infinity are refused: JSON has no word for them."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    write_text(path, text + "\n")


def local_notes(path: str) -> bool:
    """Tell whether a repository's path is no content: git's own file, or a Hub client's notes."""
    return path == ".gitattributes" or path.startswith(".cache/huggingface/")


def file_sha256(path: Path) -> str:
    """Return the sha256 of a file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def value_sha256(value: Any) -> str:
    """Return the sha256 of a JSON value in canonical form: sorted keys, no spaces."""
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def folder_sha256(folder: Path) -> str:
    """Return the sha256 over the names and contents of all files of a folder but hidden ones."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
    return value_sha256({path.relative_to(folder).as_posix(): file_sha256(path) for path in files})
