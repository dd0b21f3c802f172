"""What the Hub's client raises, as one plain sentence that says what to do."""

from __future__ import annotations

from webfaq_domains.errors import HubError, PublishError
from webfaq_domains.hub.target import Target

_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)


def explain(error: Exception, target: Target, secret: str = "") -> HubError | PublishError:
    """Return the error to raise in place of one of the client's; `secret` never stands in it."""
    if isinstance(error, HubError | PublishError):
        return error
    if isinstance(error, RuntimeError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # met in one of the threads that upload
    found = _explain(error, target)
    if secret:
        found.args = tuple(str(part).replace(secret, "***") for part in found.args)
    return found


def _explain(error: Exception, target: Target) -> HubError | PublishError:
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

    if isinstance(error, errors.HfHubHTTPError):
        return _answered(error, target)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError("HF_HUB_OFFLINE is set: unset it to publish")
    if isinstance(error, errors.LocalTokenNotFoundError):
        return HubError("no token is set: run `hf auth login`, or set HF_TOKEN", status=401)
    if isinstance(error, httpx.TimeoutException):
        what = "the Hub did not answer in time; check the network, then publish again"
        return HubError(f"{target}: {what}", passing=True)
    if isinstance(error, httpx.HTTPError | ConnectionError):
        what = f"the Hub cannot be reached ({type(error).__name__}: {_line(error)})"
        return HubError(f"{target}: {what}; check the network, then publish again", passing=True)
    if isinstance(error, OSError):
        return PublishError(f"a file cannot be read: {error}; publish again when it can be")
    if isinstance(error, ValueError) and "Invalid metadata in README.md" in str(error):
        said = " ".join(str(error).split())
        return HubError(f"the Hub does not take the card's YAML: {said}", status=400)
    what = f"the Hub's answer cannot be read ({type(error).__name__}: {_line(error)})"
    return HubError(f"{target}: {what}; publish again", passing=True)


def _answered(error: Exception, target: Target) -> HubError:
    """Explain an answer with an error's status."""
    from huggingface_hub import errors

    assert isinstance(error, errors.HfHubHTTPError)
    status = int(error.response.status_code)
    if isinstance(error, errors.GatedRepoError):
        return HubError(f"{target} is gated: ask for access on its page first", status)
    if isinstance(error, errors.RepositoryNotFoundError):
        return HubError(
            f"{target} is not on the Hub, or is private and the token may not see it; to make it, "
            "add --create private or --create public",
            status,
        )
    said = error.server_message or _line(error)
    wait = waiting_time(error.response.headers)
    if status == 401:
        what = f"the Hub does not know the token ({said}); run `hf auth login`, or set HF_TOKEN"
    elif status == 403:
        what = (
            f"the token may not write there ({said}); use a token with write access, or --create-pr"
        )
    elif status == 429:
        when = f"in {wait:.0f} s" if wait is not None else "later"
        what = f"the Hub's rate limit is reached; publish again {when}"
    elif status == 412:
        what = (
            f"its main branch has moved ({said}); publish again to plan against what is there now"
        )
    else:
        what = f"the Hub answered {status} ({said})"
    return HubError(f"{target}: {what}", status, status in _PASSING, wait)


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
