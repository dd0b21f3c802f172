"""Which files of a folder are a task's training and dev rows: said by their names.

A file belongs to the split that a part of its name says (`train`; `dev`, `val`, `validation`,
`valid`), as in every public release of the nine tasks. Files that say neither, test files and files
of another language are not read, and are listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.languages import language_of_file

_DEV = {"dev", "val", "valid", "validation"}


@dataclass
class SplitFiles:
    """The files of one task in one folder; `left` are those that are not read."""

    train: list[Path] = field(default_factory=list)
    dev: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


def split_of_file(path: Path) -> str | None:
    """Return `train` or `dev`, or None where the file's name says neither (or `test`)."""
    # The Hub's own conversions are <config>/<split>/0000.parquet.
    name = path.parent.name if path.stem.isdecimal() else path.stem
    words = set(re.split(r"[^a-z0-9]+", name.lower()))
    if "test" in words:
        return None
    if "train" in words:
        return "train"
    return "dev" if words & _DEV else None


def find_files(
    folders: list[Path],
    suffixes: tuple[str, ...],
    accepts: Callable[[str], bool],
    language: str,
    split_of: Callable[[Path], str | None] = split_of_file,
) -> SplitFiles:
    """Sort the files under the folders into train, dev and left.

    A file whose name ends in another language is left; one that names none may be in any, and is
    kept: its rows say more. `accepts` gets the path from the folder's name on, in lower case.
    """
    found = SplitFiles()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            below = path.relative_to(folder)
            if any(part.startswith(".") for part in below.parts):
                continue
            split = split_of(path) if path.suffix in suffixes else None
            name = f"{folder.name}/{below.as_posix()}".lower()
            fits = accepts(name) and (
                language == "all" or language_of_file(path) in (None, language)
            )
            place = {"train": found.train, "dev": found.dev}.get(split or "", found.left)
            (place if fits else found.left).append(path)
    return found


def task_folders(data: Path, names: tuple[str, ...], alone: bool) -> list[Path]:
    """Return the folders of a data set below `data`, by name in any case.

    `alone` says that `data` may be the data set's own folder: then it is, where none is below it.

    :raises TaskDataError: if `data` is not a folder.
    """
    if not data.is_dir():
        raise TaskDataError(f"{data} is not there; expected a folder or a file of the task's data")
    found = [
        path for path in sorted(data.iterdir()) if path.is_dir() and path.name.lower() in names
    ]
    return found or ([data] if alone else [])
