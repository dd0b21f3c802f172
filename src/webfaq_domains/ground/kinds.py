"""What kind of artifact a folder or a repository holds: this is the one place that decides it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from enum import Enum
from pathlib import Path

from webfaq_domains.ground.front_matter import CARD, read_front_matter
from webfaq_domains.ground.manifest import LABELER_FILE, MANIFEST


class Kind(Enum):
    """The kinds of artifacts, by the word that messages use."""

    PAIRS = "pairs"
    RETRIEVAL = "retrieval"
    LABELER = "labeler"
    SPACE = "space"
    #: Anything else: files with nothing that says what they are.
    FILES = "files"


def kind_of(paths: Collection[str], read: Callable[[str], str]) -> Kind:
    """Return the kind of what has these files.

    `labeler.json` makes it a labeler, a card whose YAML names an SDK a Space, a manifest with a
    content digest a data set, for retrieval where it lists subsets.

    :param read: returns the text of one of `paths`; `OSError` and `ValueError` count as unreadable.
    """
    if LABELER_FILE in paths:
        return Kind.LABELER
    if CARD in paths and _names_sdk(read):
        return Kind.SPACE
    if MANIFEST in paths:
        return _kind_of_manifest(read)
    return Kind.FILES


def kind_of_folder(folder: Path) -> Kind:
    """Return the kind of a folder; that of an empty or missing one is `FILES`."""
    names = {name for name in (LABELER_FILE, MANIFEST, CARD) if (folder / name).is_file()}
    return kind_of(names, lambda name: (folder / name).read_text("utf-8"))


def description_file(paths: Collection[str]) -> str | None:
    """Return the file that says what an artifact is and of which version, or None."""
    return next((name for name in (LABELER_FILE, MANIFEST) if name in paths), None)


def _names_sdk(read: Callable[[str], str]) -> bool:
    try:
        return "sdk" in read_front_matter(read(CARD))
    except (OSError, ValueError):
        return False


def _kind_of_manifest(read: Callable[[str], str]) -> Kind:
    try:
        found = json.loads(read(MANIFEST))
    except (OSError, ValueError):
        return Kind.FILES
    if not isinstance(found, dict) or "content_digest" not in found:
        return Kind.FILES
    extra = found.get("extra")
    return Kind.RETRIEVAL if isinstance(extra, dict) and "retrieval" in extra else Kind.PAIRS
