"""The Hub client's errors as one line that says what to do."""

from __future__ import annotations

from webfaq_domains.errors import SourceError, WebFAQError


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
        if isinstance(error, errors.HfHubHTTPError | httpx.HTTPError | OSError):
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            return f"{self.repo}@{self.revision}: {first_line}"
        return None
