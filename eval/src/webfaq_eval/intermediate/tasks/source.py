"""A source: one public data set of a task: where its files are, which rows they hold, how a row is read.

A file belongs to the split that a part of its name says (`train`; `dev`, `val`, `validation`,
`valid`), as in every public release of the nine tasks. Files that say neither, test files and files
of another language are not read, and are listed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.examples import BrokenRow, Example, Skip
from webfaq_eval.intermediate.tasks.languages import language_of_file, three_letters
from webfaq_eval.intermediate.tasks.rows import SUFFIXES, Row, read_rows

#: A tab-separated file may have one broken row in so many; more means that it is something else.
BROKEN_ROWS_ALLOWED = 1000


def _any(path: str) -> bool:
    return True


_DEV = {"dev", "val", "valid", "validation"}


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


@dataclass(frozen=True)
class Source:
    """One data set: its name, the names its folder may have, how a row becomes an example.

    `hub` is its Hub data set and the folder of its config there; None where it is not on the Hub.
    `translated` are folders that are looked into as well when a language other than English is asked.
    """

    name: str
    folders: tuple[str, ...]
    parse: Callable[[Row], Example]
    read: Callable[[Path], Iterator[Row]] = read_rows
    suffixes: tuple[str, ...] = SUFFIXES
    accepts: Callable[[str], bool] = _any
    split_of: Callable[[Path], str | None] = split_of_file
    translated: tuple[str, ...] = ()
    hub: tuple[str, str] | None = None

    def examples(self, path: Path, language: str, skipped: Counter[str]) -> Iterator[Example]:
        """Yield the examples of a file; rows that cannot be trained on are counted by reason.

        A row of another language (its column `language`, as XNLI has it) is skipped, unless the
        file's name says the language. A file that says nothing anywhere is English.

        :raises TaskDataError: at a malformed row. Tab-separated files may have one in a thousand,
            counted: the public loaders of GLUE (datasets, TFDS) skip corrupted rows, too.
        """
        named, rows, broken, first = language_of_file(path), 0, 0, ""
        for row in self.read(path):
            rows += 1
            try:
                if language != "all" and (named or _language(row)) != language:
                    raise Skip("other language")
                example = self.parse(row)
            except Skip as skip:
                skipped[str(skip)] += 1
            except BrokenRow as error:
                if path.suffix not in (".tsv", ".txt"):
                    raise
                broken, first = broken + 1, first or str(error)
            else:
                yield example
        if broken:
            skipped["broken row"] += broken
        if broken * BROKEN_ROWS_ALLOWED > rows:
            raise TaskDataError(
                f"{first} ({broken} of {rows} rows are broken); mend or remove them"
            )


def _language(row: Row) -> str:
    code = row.values.get("language")
    return three_letters(code) if isinstance(code, str) and code else "eng"


@dataclass
class SplitFiles:
    """The files of one task in one folder; `left` are those that are not read."""

    train: list[Path] = field(default_factory=list)
    dev: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


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
