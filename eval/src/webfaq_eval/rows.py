"""One row of a training file: where it is, its values, and what a reader may ask of them.

All readers of rows that training uses ask through `Row`, so they share one rule for each question:

* A row is named by file and line. A row that is not in its format raises `BrokenRow`; one that is in it
  but cannot be trained on raises `SkippedRow`, whose text is the reason that it is counted by.
* A column may have several names; each row takes the first of them that has a value. A column that a
  file has twice is refused where it is read.
* A null is a value that is missing, not a column that is missing: the row is counted.
* A class that a file gives as a number is read by the names that the file gives its classes.
* An id is text; a whole number becomes text.
* A row with more cells than the header has is broken: nobody can say which cell is too much.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from webfaq_eval.errors import TaskDataError

_WHOLE = re.compile(r"(\d+)\.0+")


class SkippedRow(Exception):
    """A row that is well formed but cannot be trained on; its text is the reason it is counted by."""


class BrokenRow(TaskDataError):
    """A row that is not in its format; says place, what was met and what was expected."""


@dataclass(frozen=True)
class Row:
    """One row: where it is (file and line) and its values by column.

    `extra` are cells beyond the header's, `doubled` columns that the file has twice, `classes` the
    names that the file gives the numbers of a column.
    """

    place: str
    values: Mapping[str, Any]
    extra: tuple[str, ...] = ()
    doubled: frozenset[str] = frozenset()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def columns(self) -> set[str]:
        return {*self.values, *self.doubled}

    def find(self, *names: str) -> tuple[str, Any] | None:
        """Return the first of these columns that has a value, with it; None if none has.

        :raises BrokenRow: if the row has too many cells, or the file has such a column twice.
        """
        if self.extra:
            header = len(self.values)
            raise BrokenRow(
                f"{self.place}: has {header + len(self.extra)} cells, the header has {header}"
            )
        for name in names:
            if name in self.doubled:
                raise BrokenRow(f"{self.place}: the file has the column {name!r} twice; rename one")
            if self.values.get(name) is not None:
                return name, self.values[name]
        return None

    def get(self, *names: str) -> Any:
        """Return the first value of these columns, or None."""
        found = self.find(*names)
        return found[1] if found else None

    def value(self, *names: str) -> Any:
        """Return the first value of these columns.

        :raises SkippedRow: if it is null.
        :raises BrokenRow: if the row has none of the columns.
        """
        found = self.find(*names)
        if found is None:
            self._need_column(names)
            raise SkippedRow(f"no {names[0]}")
        return found[1]

    def text(self, *names: str) -> str:
        """Return a text.

        :raises SkippedRow: if it is null, empty or blank.
        :raises BrokenRow: if it is no text, or the row has none of the columns.
        """
        found = self.find(*names)
        if found is None:
            self._need_column(names)
            raise SkippedRow("empty text")
        if not isinstance(found[1], str):
            raise BrokenRow(f"{self.place}: {found[0]} is {found[1]!r:.80}; expected a text")
        if not found[1].strip():
            raise SkippedRow("empty text")
        return found[1]

    def identifier(self, name: str) -> str:
        """Return an id as text.

        :raises BrokenRow: if it is neither a text nor a whole number.
        """
        value = self.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if isinstance(value, str) and value.strip():
            return value
        raise BrokenRow(
            f"{self.place}: {name} is {value!r:.80}; expected a text or a whole number that tells rows apart"
        )

    def label(self, *names: str, numbers: Mapping[str, int], may_lack: bool = False) -> int:
        """Return the number of a row's class.

        `numbers` gives each name of a class, in lower case, its number. Numbers in the file are read
        by the file's own names where it gives them; `1.0` is 1. `may_lack`: rows without the column
        are rows without a label.

        :raises SkippedRow: for a row without a label: null, empty, `-` (no majority of annotators) or -1.
        :raises BrokenRow: for any other value.
        """
        found = self.find(*names)
        if found is None and not may_lack:
            self._need_column(names)
        column, value = found or ("", None)
        text = self._class_name(column, value)
        if text in ("", "-", "-1"):
            raise SkippedRow("unlabelled")
        if text not in numbers:
            classes = self.classes.get(column)
            shown = f"{value!r}, which the file names {text!r}" if classes else repr(value)
            raise BrokenRow(
                f"{self.place}: the label is {shown}; expected one of {', '.join(numbers)}"
            )
        return numbers[text]

    def _class_name(self, column: str, value: object) -> str:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        classes = self.classes.get(column)
        if classes and isinstance(value, int) and value != -1:
            if not 0 <= value < len(classes):
                raise BrokenRow(
                    f"{self.place}: {column} is {value}; the file names {len(classes)} classes"
                )
            value = classes[value]
        text = "" if value is None else str(value).strip().lower()
        whole = _WHOLE.fullmatch(text)
        return whole[1] if whole else text

    def _need_column(self, names: tuple[str, ...]) -> None:
        if not any(name in self.values for name in names):
            raise BrokenRow(
                f"{self.place}: there is no {' or '.join(names)}; "
                f"the row has {', '.join(map(str, self.values)) or 'no column'}"
            )
