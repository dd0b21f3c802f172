"""What was asked of the server, in order, for tests to look at."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

_KEPT = 1 << 20


@dataclass
class Entry:
    """One request. The token itself is not kept: `authorized` says that one came, `user` whose.

    `path` is as sent (quoted); `host` is the Host header; `status` is 0 where no answer was sent;
    `body` is the first MiB of `body_size` bytes; `sent` counts the bytes of the answer's body.
    """

    number: int
    method: str
    path: str
    query: str
    host: str
    headers: dict[str, str]
    authorized: bool
    user: str = ""
    body_size: int = 0
    body: bytes = field(default=b"", repr=False)
    status: int = 0
    sent: int = 0
    fault: str = ""

    @property
    def target(self) -> str:
        return f"{self.method} {self.path}" + (f"?{self.query}" if self.query else "")


class RequestLog:
    """The requests of a server, in the order in which their heads arrived."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._count = 0
        self._lock = threading.Lock()

    def begin(self, method: str, target: str, headers: dict[str, str]) -> Entry:
        """Log the head of a request."""
        path, _, query = target.partition("?")
        kept = {key: value for key, value in headers.items() if key != "authorization"}
        host = headers.get("host", "")
        with self._lock:
            self._count += 1
            entry = Entry(self._count, method, path, query, host, kept, "authorization" in headers)
            self.entries.append(entry)
        return entry

    def keep_body(self, entry: Entry, body: bytes) -> None:
        entry.body_size, entry.body = len(body), body[:_KEPT]

    def clear(self) -> None:
        """Forget what was asked; numbers go on."""
        with self._lock:
            self.entries = []

    def take(self) -> RequestLog:
        """Return what was asked so far as a log of its own, and forget it here."""
        taken = RequestLog()
        with self._lock:
            taken.entries, self.entries = self.entries, []
        return taken

    def find(self, pattern: str) -> list[Entry]:
        """Return the requests whose `METHOD /path?query` has the regular expression in it."""
        with self._lock:
            return [entry for entry in self.entries if re.search(pattern, entry.target)]

    def targets(self) -> list[str]:
        """Return every `METHOD /path?query` in order."""
        with self._lock:
            return [entry.target for entry in self.entries]

    def leaks(self, host: str, secret: str) -> list[Entry]:
        """Return the requests that carry a token to another host, or a secret outside its header."""
        with self._lock:
            return [
                entry
                for entry in self.entries
                if (entry.authorized and entry.host != host)
                or secret in entry.target
                or secret.encode() in entry.body
                or any(secret in value for value in entry.headers.values())
            ]
