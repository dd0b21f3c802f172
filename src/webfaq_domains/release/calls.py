"""Calls to the Hub: where to, how long to wait, tried again where that may help, with plain errors."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.ground.hub import explain

if TYPE_CHECKING:
    from huggingface_hub import HfApi


Found = TypeVar("Found")


class Patient:
    """Makes calls to one repository of a Hub. The token is never part of what it says or raises."""

    def __init__(self, target: Target, api: HfApi, patience: Patience, quiet: bool) -> None:
        from huggingface_hub import get_token

        self.target, self.api, self.patience, self.quiet = target, api, patience, quiet
        self._secret = api.token if isinstance(api.token, str) else (get_token() or "")

    def say(self, message: str) -> None:
        """Tell on stderr, past any progress bar, what who waits should know."""
        if not self.quiet:
            tqdm.write(message, file=sys.stderr)

    def patiently(self, call: Callable[[], Found]) -> Found:
        """Call, and call again while what goes wrong may pass."""
        for attempt in range(1, self.patience.attempts):
            try:
                return self.once(call)
            except HubError as error:
                if not error.passing:
                    raise
                self.pause(error, attempt)
        return self.once(call)

    def once(self, call: Callable[[], Found]) -> Found:
        """Call, and raise what goes wrong in plain words."""
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

        try:
            with _timeout(self.patience.timeout):
                return call()
        except (httpx.HTTPError, OSError, ValueError, LookupError, RuntimeError) as error:
            said = None if self.holds(str(error).encode()) else error
            raise explain(error, self.target, self._secret) from said

    def pause(self, error: HubError, attempt: int) -> None:
        """Wait as long as the Hub asks, or longer each time; raise `error` where that is too long."""
        asked = error.wait if error.wait is not None else 0.0
        seconds = max(asked, self.patience.first_wait * 2 ** (attempt - 1))
        if seconds > self.patience.longest_wait:
            raise error
        number = f"{attempt + 1} of {self.patience.attempts}"
        self.say(f"{error}\nwaiting {seconds:.0f} s, then trying again ({number})")
        time.sleep(seconds)

    def holds(self, text: bytes) -> bool:
        """Whether the token stands in a text."""
        return bool(self._secret) and self._secret.encode() in text


@contextmanager
def bars(quiet: bool) -> Iterator[None]:
    """Keep the client's own progress bars away from who wants none."""
    from huggingface_hub import utils

    hide = quiet and not utils.are_progress_bars_disabled()  # type: ignore[attr-defined]
    if hide:
        utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if hide:
            utils.enable_progress_bars()  # type: ignore[attr-defined]


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Give the client's session a time-out; by default it waits for a silent server for ever."""
    from huggingface_hub.utils import get_session, httpx  # type: ignore[attr-defined]

    session = get_session()
    before, session.timeout = session.timeout, httpx.Timeout(seconds)
    try:
        yield
    finally:
        session.timeout = before


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
