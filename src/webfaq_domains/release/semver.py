"""Version numbers MAJOR.MINOR.PATCH, and the rule that asks for the next one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from webfaq_domains.ground.errors import RecipeError

#: The kinds of change, smallest first: `none` needs no version.
LEVELS = ("none", "patch", "minor", "major")

_FORM = re.compile(r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, order=True)
class Version:
    """A version MAJOR.MINOR.PATCH; its tag is `vMAJOR.MINOR.PATCH`."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.2.3` or `v1.2.3`.

        :raises RecipeError: if it is something else.
        """
        match = _FORM.fullmatch(text)
        if match is None:
            raise RecipeError(f"{text!r} is not a version; expected MAJOR.MINOR.PATCH, like 1.2.0")
        return cls(*map(int, match.groups()))

    @classmethod
    def find(cls, text: str | None) -> Version | None:
        """Read a version, or return None where a text is none, as the name of a branch."""
        match = _FORM.fullmatch(text or "")
        return cls(*map(int, match.groups())) if match else None

    def next(self, level: str) -> Version:
        """Return the version after a change of this level; `none` keeps it."""
        if level == "major":
            return Version(self.major + 1, 0, 0)
        if level == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + (level == "patch"))

    @property
    def tag(self) -> str:
        return f"v{self}"

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def highest(levels: list[str]) -> str:
    """Return the largest of some levels; `none` of nothing."""
    return max(levels, key=LEVELS.index, default="none")
