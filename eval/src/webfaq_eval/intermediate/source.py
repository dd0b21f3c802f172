"""A source: one public data set of a task, that is, where its files are and how a row is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.examples import BrokenRow, Example, Skip
from webfaq_eval.intermediate.folders import split_of_file
from webfaq_eval.intermediate.languages import language_of_file, three_letters
from webfaq_eval.intermediate.rows import SUFFIXES, Row, read_rows

#: A tab-separated file may have one broken row in so many; more means that it is something else.
BROKEN_ROWS_ALLOWED = 1000


def _any(path: str) -> bool:
    return True


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
