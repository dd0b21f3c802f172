"""Calls to the Hub: with a time-out, tried again where that may help, and with plain errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from tqdm import tqdm

from webfaq_domains.errors import HubError
from webfaq_domains.hub.target import Patience, Target
from webfaq_domains.hub_errors import explain

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
