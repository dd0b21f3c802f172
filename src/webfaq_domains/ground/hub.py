"""The Hub as a reader meets it: its errors in plain sentences, and its client's cache.

`explained` is for reading a repository, `explain` for publishing to one.
"""

from __future__ import annotations

import re
from pathlib import Path

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

        if isinstance(error, WebFAQError) and isinstance(error.__cause__, errors.HfHubHTTPError):
            error = error.__cause__  # met while reading: a reader names the file, we the reason
        if error is not None and (text := self._text(error)) is not None:
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


def explain(error: Exception, target: object, secret: str = "") -> HubError | PublishError:
    """Return the error to raise in place of one of the client's; `secret` never stands in it.

    `target` is the repository, as it should be named.
    """
    if isinstance(error, HubError | PublishError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # met in one of the threads that upload
    found = _explain(error, target, "publish")
    if secret:
        found.args = tuple(str(part).replace(secret, "***") for part in found.args)
    return found


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
        return HubError(missing(target), status)
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


_REPO = re.compile(r"(dataset|model|space)s--.+")
_BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def links_to_blob(folder: Path, link: Path) -> bool:
    """Tell whether a link in a snapshot folder leads to a file of the same repository's cache.

    Only then it is what `snapshot_download` makes: a link that leaves the cache of its repository, or
    leads to anything but a plain blob, is none.
    """
    snapshot = folder.resolve()
    cache = snapshot.parents[1]
    if snapshot.parent.name != "snapshots" or not _REPO.fullmatch(cache.name):
        return False
    target = link.resolve()
    return (
        target.parent == cache / "blobs"
        and _BLOB.fullmatch(target.name) is not None
        and target.is_file()
    )
