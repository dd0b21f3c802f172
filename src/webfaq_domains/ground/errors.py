"""What can go wrong, as a small tree.

WebFAQError
 ├── SourceError      an input is missing, unreadable, or not what its address says
 ├── SchemaError      columns that a step or a reader needs are not there, or have another type
 ├── RecipeError      a recipe, taxonomy or option that cannot be run as written
 ├── BuildError       a run that stopped: a worker died, the ledger does not close
 ├── LabelerError     a labeler folder, annotation file or model that cannot be used
 ├── StagedError      a staged folder that is not what its manifest says
 ├── PublishError     a release that cannot be made, or is not what was planned
 ├── HubError         the Hub refused, cannot be reached, or answers nonsense
 └── MissingExtra     an optional package is not installed

Each message says what was met, what was expected and what to do next, and is shown by the
commands as one line with exit status 1.
"""

from __future__ import annotations


class WebFAQError(Exception):
    """The base of every error that this package raises on purpose."""


class SourceError(WebFAQError):
    """An input is missing, unreadable, or not what its address says."""


class SchemaError(WebFAQError):
    """Columns that a step or a reader needs are not there, or have another type."""


class RecipeError(WebFAQError):
    """A recipe, taxonomy or option cannot be run as it is written."""


class BuildError(WebFAQError):
    """A run stopped: a worker died, the disk is full, or the ledger does not close."""


class LabelerError(WebFAQError):
    """A labeler folder, an annotation file or a model cannot be used."""


class StagedError(WebFAQError):
    """A staged folder is not what its manifest says."""


class PublishError(WebFAQError):
    """A release cannot be made, or what is on the Hub is not what was planned."""


class HubError(WebFAQError):
    """The Hub refused, cannot be reached, or answered something that cannot be read.

    `status` is the HTTP status, 0 where no answer arrived; `passing` says that the same request may
    well succeed later; `wait` is the number of seconds that the Hub asks to wait; `missing` says that
    there is no such repository, or that the token may not see it.
    """

    def __init__(
        self,
        message: str,
        status: int = 0,
        passing: bool = False,
        wait: float | None = None,
        missing: bool = False,
    ) -> None:
        super().__init__(message)
        self.status, self.passing, self.wait, self.missing = status, passing, wait, missing


class MissingExtra(WebFAQError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the package {package!r} is not installed; "
            f"install it with: pip install 'webfaq-domains[{extra}]'"
        )
        self.package, self.extra = package, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """Let a worker hand this to its driver; by default only the message would be passed on."""
        return MissingExtra, (self.package, self.extra)
