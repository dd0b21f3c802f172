"""A static Space, such as a leaderboard page: a card that names an SDK, a page, perhaps a manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.check import Checked, Problem
from webfaq_domains.ground.front_matter import CARD, read_front_matter
from webfaq_domains.ground.kinds import Kind
from webfaq_domains.ground.manifest import MANIFEST
from webfaq_domains.release.artifact import Artifact


class Space(Artifact):
    """A static Space."""

    kind = Kind.SPACE
    repo_type = "space"

    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        """Check the card, the page and, where there is one, the manifest."""
        folder = self.snapshot.folder()
        card = read_front_matter((folder / CARD).read_text("utf-8"))
        problems = [*_check_card(folder, card), *_check_manifest(folder)]
        return Checked(folder, problems, files=len(self.snapshot.paths()))


def _check_card(folder: Path, card: dict[str, Any]) -> Iterator[Problem]:
    if card["sdk"] != "static":
        yield Problem(CARD, f"its sdk is {card['sdk']!r}", "only static Spaces are published")
    for key in ("title", "license"):
        if not card.get(key):
            yield Problem(CARD, f"its YAML has no {key}", "add it")
    page = str(card.get("app_file") or "index.html")
    if not (folder / page).is_file():
        yield Problem(page, "is not there", f"add the page, or name another as app_file in {CARD}")


def _check_manifest(folder: Path) -> Iterator[Problem]:
    if not (folder / MANIFEST).is_file():
        return
    try:
        found = json.loads((folder / MANIFEST).read_text("utf-8"))
    except ValueError as error:
        yield Problem(MANIFEST, f"is not JSON: {error}", "build the folder again")
        return
    if not isinstance(found, dict):
        yield Problem(MANIFEST, "is not a JSON object", "build the folder again")
