"""What the Hub's client raises, in plain sentences that say what to do. The token is in none of them.

`explained` is for reading a repository, `explain` for publishing to one. Both hide the token, which a
server may repeat: no other place has to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from webfaq_domains.ground.errors import HubError, PublishError, SourceError, WebFAQError

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
_TOKEN = "run `hf auth login`, or set HF_TOKEN"


class explained:
    """Turns what `huggingface_hub` raises while a repository is read into an error of ours.

    with explained("org/name", "v1.0.0", StagedError):
        HfApi().dataset_info(...)
    """

    def __init__(
        self, repo: str, revision: str, kind: type[WebFAQError] = SourceError, what: str = "dataset"
    ) -> None:
        self.repo, self.revision, self.kind, self.what = repo, revision, kind, what

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        from huggingface_hub import errors

        if error is None:
            return
        hide_token(error)
        if isinstance(error, WebFAQError) and isinstance(error.__cause__, errors.HfHubHTTPError):
            error = error.__cause__  # met while reading: a reader names the file, we the reason
        if (text := self._text(error)) is not None:
            raise self.kind(text) from error

    def _text(self, error: BaseException) -> str | None:
        from huggingface_hub import errors
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

        if isinstance(error, errors.GatedRepoError):
            return f"{self.repo} is gated: accept its terms on the Hub and set HF_TOKEN"
        if isinstance(error, errors.RevisionNotFoundError):
            return (
                f"{self.repo} has no revision {self.revision!r}; list them with `webfaq-domains "
                f"versions {self.repo}` or on the Hub's page of the repository"
            )
        if isinstance(error, errors.RepositoryNotFoundError):
            return (
                f"there is no {self.what} {self.repo} on the Hub, or it is private and HF_TOKEN is "
                "not set"
            )
        place = f"{self.repo}@{self.revision}"
        if isinstance(error, httpx.HTTPError | ConnectionError | errors.LocalTokenNotFoundError):
            return str(_explain(error, place, "try"))
        return f"{place}: {_line(error)}" if isinstance(error, OSError) else None


def explain(error: Exception, target: object, token: str = "") -> HubError | PublishError:
    """Return the error to raise in place of one of the client's.

    `target` is the repository, as it should be named. `token` is hidden where it is not the one that
    the client finds by itself.
    """
    hide_token(error, token)
    if isinstance(error, HubError | PublishError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # met in one of the threads that upload
    return _explain(error, target, "publish")


def hide_token(error: BaseException, token: str = "") -> None:
    """Put `***` for the token into an error and into all that it came from, as a traceback shows them.

    `token` is one beside that of `hf auth login` or HF_TOKEN.
    """
    from huggingface_hub import errors, get_token

    tokens = [found for found in (token, get_token()) if found]
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        met = left.pop()
        if met is None or any(met is one for one in seen):
            continue
        seen.append(met)
        left += [met.__cause__, met.__context__]
        met.args = tuple(_without(part, tokens) for part in met.args)
        if isinstance(met, errors.HfHubHTTPError):
            met.server_message = _without(met.server_message, tokens)


def _without(text: Any, tokens: Sequence[str]) -> Any:
    if isinstance(text, str):
        for token in tokens:
            text = text.replace(token, "***")
    return text


def _explain(error: Exception, target: object, act: str) -> HubError | PublishError:
    """Explain an error; `act` is what to do again, `publish` or `try`."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    if isinstance(error, errors.HfHubHTTPError):
        return _answered(error, target, act)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError(f"{target}: HF_HUB_OFFLINE is set; unset it, then {act} again")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return HubError(f"{target}: no token is set; {_TOKEN}", status=401)
    if isinstance(error, httpx.TimeoutException):
        what = f"the Hub did not answer in time; check the network, then {act} again"
        return HubError(f"{target}: {what}", passing=True)
    if isinstance(error, httpx.HTTPError | ConnectionError):
        what = f"the Hub cannot be reached ({type(error).__name__}: {_line(error)})"
        return HubError(f"{target}: {what}; check the network, then {act} again", passing=True)
    if isinstance(error, OSError):
        return PublishError(f"a file cannot be read: {error}; {act} again when it can be")
    if isinstance(error, ValueError) and "Invalid metadata in README.md" in str(error):
        said = " ".join(str(error).split())
        return HubError(f"the Hub does not take the card's YAML: {said}", status=400)
    what = f"the Hub's answer cannot be read ({type(error).__name__}: {_line(error)})"
    return HubError(f"{target}: {what}; {act} again", passing=True)


def _answered(error: Exception, target: object, act: str) -> HubError:
    """Explain an answer with an error's status."""
    from huggingface_hub import errors

    assert isinstance(error, errors.HfHubHTTPError)
    status = int(error.response.status_code)
    if isinstance(error, errors.GatedRepoError):
        return HubError(f"{target} is gated: ask for access on its page first", status)
    if isinstance(error, errors.RepositoryNotFoundError):
        return HubError(missing(target), status, missing=True)
    said = error.server_message or _line(error)
    wait = waiting_time(error.response.headers)
    if status == 401:
        what = f"the Hub does not know the token ({said}); {_TOKEN}"
    elif status == 403 and act == "publish":
        what = (
            f"the token may not write there ({said}); use a token with write access, or, if the "
            "repository is there, --create-pr"
        )
    elif status == 403:
        what = f"the token may not read it ({said}); use another token"
    elif status == 413:
        what = (
            f"this is more than the Hub takes ({said}); make the card smaller, or the files fewer"
        )
    elif status == 429:
        when = f"in {wait:.0f} s" if wait is not None else "later"
        what = f"the Hub's rate limit is reached; {act} again {when}"
    elif status == 412:
        what = f"its main branch has moved ({said}); {act} again to plan against what is there now"
    else:
        what = f"the Hub answered {status} ({said})"
    return HubError(f"{target}: {what}", status, status in _PASSING, wait)


def missing(target: object) -> str:
    """Return what to say of a repository that one wants to publish to and does not see."""
    return (
        f"{target} is not on the Hub, or is private and the token may not see it; to make it, "
        "add --create private or --create public"
    )


def waiting_time(headers: object) -> float | None:
    """Return the seconds that an answer asks to wait, by `Retry-After` or `RateLimit`, or None."""
    from huggingface_hub.utils import parse_ratelimit_headers  # type: ignore[attr-defined]

    after = str(headers.get("Retry-After") or "")  # type: ignore[attr-defined]
    if after.strip().isdigit():
        return float(after)
    limit = parse_ratelimit_headers(headers)  # type: ignore[arg-type]
    return float(limit.reset_in_seconds) if limit is not None and limit.remaining == 0 else None


def _line(error: Exception) -> str:
    """Return the first line of an error's text that says something."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if line), type(error).__name__)
