"""The Hub client's cache: `<kind>s--org--name/snapshots/<sha>/…`, whose files are links to `blobs/`."""

from __future__ import annotations

import re
from pathlib import Path

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
