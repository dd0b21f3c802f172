"""Open any artifact: `ground.kinds` says which kind it is, and a class what that means."""

from __future__ import annotations

from pathlib import Path

from webfaq_domains.ground.kinds import kind_of
from webfaq_domains.release.artifact import Artifact, Files
from webfaq_domains.release.data import Pairs, Retrieval
from webfaq_domains.release.labeler import Labeler
from webfaq_domains.release.snapshot import FolderSnapshot, Snapshot, open_snapshot
from webfaq_domains.release.space import Space

_CLASSES = {found.kind: found for found in (Pairs, Retrieval, Labeler, Space, Files)}


def artifact_of(snapshot: Snapshot) -> Artifact:
    """Return the artifact that these files are; none of them is checked."""
    kind = kind_of(snapshot.paths(), lambda path: snapshot.local(path).read_text("utf-8"))
    return _CLASSES[kind](snapshot)


def open_artifact(address: str | Path) -> Artifact:
    """Open a staged folder, or `org/name[@revision]` of the Hub.

    :raises StagedError: if it is neither a folder nor a repository that can be read.
    """
    if isinstance(address, Path):
        return artifact_of(FolderSnapshot(address))
    return artifact_of(open_snapshot(address))
