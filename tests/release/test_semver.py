"""Version numbers: what is one, what follows it, which of two is the later."""

from __future__ import annotations

import pytest

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.release.semver import Version, highest


@pytest.mark.parametrize("text", ["1.2.3", "v1.2.3"])
def test_a_version_is_read_and_written(text: str) -> None:
    assert (str(Version.parse(text)), Version.parse(text).tag) == ("1.2.3", "v1.2.3")


@pytest.mark.parametrize(
    "text",
    ["", "1.2", "1.2.3.4", "1.2.x", "01.2.3", "V1.2.3", "1.2.3-rc1", "1.2.3\n", "1.٢.3", "main"],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match=r"expected MAJOR\.MINOR\.PATCH"):
        Version.parse(text)
    assert Version.find(text) is None


@pytest.mark.parametrize(
    ("level", "after"),
    [("none", "1.2.3"), ("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")],
)
def test_the_next_version_is_by_the_level(level: str, after: str) -> None:
    assert str(Version.parse("1.2.3").next(level)) == after


def test_versions_are_ordered_by_number() -> None:
    texts = ["1.10.0", "1.9.9", "2.0.0", "1.9.10"]
    assert sorted(texts, key=Version.parse) == ["1.9.9", "1.9.10", "1.10.0", "2.0.0"]


def test_the_highest_level_counts() -> None:
    assert highest([]) == "none"
    assert highest(["patch", "major", "minor"]) == "major"
