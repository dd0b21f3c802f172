"""An engine runs a function over tasks. How it does so never changes a byte of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Task = TypeVar("Task")
Report = TypeVar("Report")


class Engine(Protocol):
    """Maps a module-level function over tasks; both must be picklable.

    Reports come in any order. Tasks are idempotent: each writes its own files and a marker.
    """

    def map(
        self, function: Callable[[Task], Report], tasks: Sequence[Task]
    ) -> Iterator[Report]: ...
