"""Faults placed by position: at the nth request, or at the nth that matches a pattern."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

#: A number is the status answered before any work. `reset`: the connection breaks before work.
#: `lost`: the work is done, then the connection breaks. `slow`: the answer drips. `truncated`: half
#: of the answer, then the connection breaks. `wrong_etag`: another ETag. `corrupt`: the same number
#: of other bytes. `stop`: the server dies before the work; `stop_after`: after it, without answer.
FAULT_KINDS = (
    "412", "409", "429", "500", "503", "reset", "lost", "slow", "truncated", "wrong_etag",
    "corrupt", "stop", "stop_after",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One fault at the `nth` request (from 1, counted from when it was added) and the `times - 1` after.

    `when` is a regular expression looked for in `METHOD /path?query`; empty counts every request.
    `wait` is the Retry-After of a 429; `seconds` how long a slow answer takes; a stopped server
    comes back after `restart_after` seconds on the same port, or stays down where that is None.
    The kind `action` calls a function before the work, such as another publisher's commit.
    """

    kind: str
    nth: int = 1
    when: str = ""
    times: int = 1
    wait: int = 0
    seconds: float = 0.3
    restart_after: float | None = None
    action: Callable[[], object] | None = None

    def __post_init__(self) -> None:
        if self.kind not in (*FAULT_KINDS, "action"):
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(FAULT_KINDS)}")
        if self.nth < 1 or self.times < 1:
            raise ValueError("nth and times count from 1")
        if (self.kind == "action") != (self.action is not None):
            raise ValueError("the kind `action`, and no other, has an action")

    @property
    def status(self) -> int:
        """The status that is answered instead of working, or 0."""
        return int(self.kind) if self.kind.isdigit() else 0


class Faults:
    """The faults of a server and which of them happened, as (request number, fault)."""

    def __init__(self) -> None:
        self.fired: list[tuple[int, Fault]] = []
        self._placed: list[Fault] = []
        self._seen: list[int] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Place faults; each counts requests from now on."""
        with self._lock:
            self._placed += faults
            self._seen += [0] * len(faults)

    def clear(self) -> None:
        """Remove all faults; `fired` is kept."""
        with self._lock:
            self._placed, self._seen = [], []

    def take(self, number: int, target: str) -> Fault | None:
        """Count a request (`METHOD /path?query`) and return the fault that befalls it."""
        met = None
        with self._lock:
            for index, fault in enumerate(self._placed):
                if re.search(fault.when, target):
                    self._seen[index] += 1
                    if met is None and 0 <= self._seen[index] - fault.nth < fault.times:
                        met = fault
            if met is not None:
                self.fired.append((number, met))
        return met
