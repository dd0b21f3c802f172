"""Check the folder of a static Space: does its card name a page that is there?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webfaq_domains.hub.check import Checked, Problem
from webfaq_domains.hub.manifest import MANIFEST

_CARD = "README.md"


def is_space(folder: Path) -> bool:
    """Whether the YAML of a folder's card names an SDK, which only Spaces do."""
    try:
        return "sdk" in _yaml(folder)
    except (OSError, ValueError):
        return False


def check_space(folder: Path) -> Checked:
    """Check the card, the page and, where there is one, the manifest of a static Space."""
    result = Checked(folder)
    result.problems += _problems(folder)
    result.files = sum(path.is_file() for path in folder.rglob("*"))
    return result


def _problems(folder: Path) -> Iterator[Problem]:
    about = _yaml(folder)
    if about["sdk"] != "static":
        yield Problem(_CARD, f"its sdk is {about['sdk']!r}", "only static Spaces are published")
    for key in ("title", "license"):
        if not about.get(key):
            yield Problem(_CARD, f"its YAML has no {key}", "add it")
    page = str(about.get("app_file") or "index.html")
    if not (folder / page).is_file():
        yield Problem(page, "is not there", f"add the page, or name another as app_file in {_CARD}")
    manifest = folder / MANIFEST
    if manifest.is_file():
        try:
            found = json.loads(manifest.read_text("utf-8"))
        except ValueError as error:
            yield Problem(MANIFEST, f"is not JSON: {error}", "build the folder again")
            return
        if not isinstance(found, dict):
            yield Problem(MANIFEST, "is not a JSON object", "build the folder again")


def _yaml(folder: Path) -> dict[str, Any]:
    """Return the YAML of the card.

    :raises ValueError: if it cannot be read as YAML.
    """
    from huggingface_hub import RepoCard

    text = (folder / _CARD).read_text("utf-8")
    try:
        found: dict[str, Any] = RepoCard(text).data.to_dict()  # type: ignore[no-untyped-call]
    except Exception as error:  # the YAML reader's own errors are no ValueErrors
        raise ValueError(f"{_CARD}: {error}") from error
    return found
