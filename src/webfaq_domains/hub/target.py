"""Where a release goes: one repository on a Hub, and how long to wait for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from webfaq_domains.errors import PublishError

KINDS = ("dataset", "model", "space")
_NAME = re.compile(r"[\w-](?:[\w.-]{0,94}[\w-])?", re.ASCII)


@dataclass(frozen=True)
class Patience:
    """How long to wait for a Hub that is slow, busy or away. Times are in seconds.

    A request is tried `attempts` times, with waits of `first_wait`, twice that and so on, or as long
    as the Hub asks for, but not longer than `longest_wait`. `timeout` is how long a connection may be
    silent: the Hub itself gives up on a commit after 60 s.
    """

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 600.0
    timeout: float = 180.0


#: What is waited for the real Hub.
PATIENT = Patience()


@dataclass(frozen=True)
class Target:
    """A repository: `org/name` and whether it is a dataset, a model or a space."""

    repo_id: str
    kind: str

    def __post_init__(self) -> None:
        parts = self.repo_id.split("/")
        fine = len(parts) == 2 and all(_NAME.fullmatch(part) for part in parts)
        if not fine or "--" in self.repo_id or ".." in self.repo_id:
            raise PublishError(
                f"{self.repo_id!r} is no name for a repository; expected ORG/NAME of letters, "
                "digits, '-', '_' and '.'"
            )
        if self.kind not in KINDS:
            raise PublishError(f"{self.kind!r} is no kind of repository: {', '.join(KINDS)}")

    def __str__(self) -> str:
        return f"the {self.kind} {self.repo_id}"
