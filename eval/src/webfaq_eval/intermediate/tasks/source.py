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

from webfaq_domains.ground.languages import to_iso3
from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.instances import Instance
from webfaq_eval.row_files import SUFFIXES, kind_of, read_rows
from webfaq_eval.rows import BrokenRow, Row, SkippedRow

#: A tab-separated file may have one broken row in so many; more means that it is something else.
BROKEN_ROWS_ALLOWED = 1000
#: The value of `language` that takes the rows of every language.
EVERY = "all"
_DEV = {"dev", "val", "valid", "validation"}
_SPLITS = {"train", "test", *_DEV}
_LANGUAGE_TAG = re.compile(r"[a-z]{2,3}([-_][a-z0-9]{2,8})*")


def _any(path: str) -> bool:
    return True


def _words(path: Path) -> set[str]:
    """Return the words of the name that says a file's split, in lower case."""
    # The Hub's own conversions are <config>/<split>/0000.parquet.
    name = path.parent.name if path.stem.isdecimal() else path.name
    return set(re.split(r"[^a-z0-9]+", name.lower()))


def is_test_file(path: Path) -> bool:
    """Say whether a word of the file's name is `test`; `latest` and `contests` are other words."""
    return "test" in _words(path)


def split_of_file(path: Path) -> str | None:
    """Return `train` or `dev`, or None where the file's name says neither (or `test`)."""
    words = _words(path)
    if "test" in words:
        return None
    if "train" in words:
        return "train"
    return "dev" if words & _DEV else None


def language_of_file(path: Path) -> str | None:
    """Return the language that a file's name ends in (`train.deu.jsonl`, `multinli.train.pt-BR.tsv`).

    An ending that looks like a tag but is of no known language stays as it is: such a file is in no
    language that can be asked for. None if the name ends in no language.
    """
    name = path.name.removesuffix(".gz")
    last = (
        name.removesuffix(kind_of(path)).rpartition(".")[2].lower() if name.count(".") > 1 else ""
    )
    if not last or set(re.split("[-_]", last)) & _SPLITS:
        return None
    return to_iso3(last) or (last if _LANGUAGE_TAG.fullmatch(last) else None)


@dataclass(frozen=True)
class Source:
    """One data set: its name, the names its folder may have, how a row becomes an example.

    `hub` is its Hub data set and the folder of its config there; None where it is not on the Hub.
    `translated` are folders that are looked into as well when a language other than English is asked.
    """

    name: str
    folders: tuple[str, ...]
    parse: Callable[[Row], Instance]
    read: Callable[[Path], Iterator[Row]] = read_rows
    suffixes: tuple[str, ...] = SUFFIXES
    accepts: Callable[[str], bool] = _any
    split_of: Callable[[Path], str | None] = split_of_file
    translated: tuple[str, ...] = ()
    hub: tuple[str, str] | None = None

    def instances(self, path: Path, language: str, skipped: Counter[str]) -> Iterator[Instance]:
        """Yield the instances of a file; rows that cannot be trained on are counted by reason.

        A row of another language (its column `language`, as XNLI has it) is skipped, unless the
        file's name says the language. A file that says nothing anywhere is English.

        :raises TaskDataError: at a malformed row. Tab-separated files may have one in a thousand,
            counted: the public loaders of GLUE (datasets, TFDS) skip corrupted rows, too.
        """
        named, rows, broken, first = language_of_file(path), 0, 0, ""
        for row in self.read(path):
            rows += 1
            try:
                if language != EVERY and (named or _language(row)) != language:
                    raise SkippedRow("other language")
                instance = self.parse(row)
            except SkippedRow as skip:
                skipped[str(skip)] += 1
            except BrokenRow as error:
                if kind_of(path) not in (".tsv", ".txt"):
                    raise
                broken, first = broken + 1, first or str(error)
            else:
                yield instance
        if broken:
            skipped["broken row"] += broken
        if broken * BROKEN_ROWS_ALLOWED > rows:
            raise TaskDataError(
                f"{first} ({broken} of {rows} rows are broken); mend or remove them"
            )

    def why_left(self, path: Path, below: str, language: str) -> str | None:
        """Say why a file is not read, or None if it is; `below` is its path from the data set's folder on."""
        if kind_of(path) not in self.suffixes:
            return f"the name does not end in {', '.join(self.suffixes)}"
        if not self.accepts(below):
            return f"the name is not one of {self.name}"
        if self.split_of(path) is None:
            return (
                "the name says test"
                if is_test_file(path)
                else "the name says neither train nor dev"
            )
        named = language_of_file(path)
        if language != EVERY and named not in (None, language):
            return f"the name says the language {named}"
        return None


def _language(row: Row) -> str:
    if "language" not in row.values:
        return "eng"
    tag = row.get("language")
    found = to_iso3(tag) if isinstance(tag, str) else None
    if found is None:
        raise SkippedRow("unknown language")
    return found


@dataclass
class SplitFiles:
    """The files of one task in one folder; `left` are those that are not read, each with the reason."""

    train: list[Path] = field(default_factory=list)
    dev: list[Path] = field(default_factory=list)
    left: dict[Path, str] = field(default_factory=dict)


def find_files(source: Source, folders: list[Path], language: str) -> SplitFiles:
    """Sort the files under the folders into train, dev and left.

    A file whose name ends in another language is left; one that names none may be in any, and is
    kept: its rows say more.
    """
    found = SplitFiles()
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            below = path.relative_to(folder)
            if any(part.startswith(".") for part in below.parts):
                continue
            reason = source.why_left(path, f"{folder.name}/{below.as_posix()}".lower(), language)
            if reason:
                found.left[path] = reason
            else:
                (found.train if source.split_of(path) == "train" else found.dev).append(path)
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
