"""What an artifact says of itself, whatever its kind: manifest, labeler description, or neither."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from webfaq_domains.errors import StagedError
from webfaq_domains.hub.eval_yaml import EVAL_YAML
from webfaq_domains.hub.manifest import MANIFEST, Manifest
from webfaq_domains.hub.semver import Version
from webfaq_domains.hub.snapshot import Snapshot
from webfaq_domains.hub.versioned import UNPUBLISHED
from webfaq_domains.labeler import LABELER_FILE

CARD = "README.md"

#: Read by people only: when nothing else differs, a change of these is a patch.
_FOR_READERS = (CARD, "CITATION.cff", "LICENSE", "measured.json", EVAL_YAML, "eval/", "plots/")


@dataclass(frozen=True)
class About:
    """A snapshot and its description. `kind` is pairs, retrieval, labeler or files."""

    snapshot: Snapshot
    kind: str
    manifest: Manifest | None = None
    entries: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot) -> About:
        """Read the description of a snapshot.

        :raises StagedError: if it cannot be read.
        """
        paths = set(snapshot.paths())
        if LABELER_FILE in paths:
            return cls(snapshot, "labeler", None, _json(snapshot, LABELER_FILE))
        if MANIFEST in paths:
            entries = _json(snapshot, MANIFEST)
            if "content_digest" in entries:
                manifest = Manifest.read(snapshot.local(MANIFEST).parent)
                kind = "retrieval" if "retrieval" in manifest.extra else "pairs"
                return cls(snapshot, kind, manifest, entries)
            return cls(snapshot, "files", None, entries)
        return cls(snapshot, "files")

    @property
    def version(self) -> Version | None:
        """Return the version: a tag's, else the one that the description holds."""
        names = (*self.snapshot.tags, self.entries.get("version"))
        return next((version for name in names if (version := Version.find(name))), None)

    @property
    def taxonomy(self) -> dict[str, Any]:
        """Return version, sha256 and slugs of the taxonomy, as far as they are said."""
        if self.manifest is not None:
            return self.manifest.taxonomy
        found = {
            "version": self.entries.get("taxonomy_version"),
            "slugs": self.entries.get("domains"),
        }
        return {key: value for key, value in found.items() if value is not None}

    @cached_property
    def described(self) -> dict[str, Any]:
        """Return the description without its version, which publishing writes into it."""
        return {key: value for key, value in self.entries.items() if key != "version"}

    def card(self) -> str:
        """Return the card as it is in a folder that was not published, or "" if there is none."""
        if CARD not in self.snapshot.paths():
            return ""
        text = self.snapshot.local(CARD).read_text("utf-8", errors="replace")
        stands = f"**Version:** {self.entries.get('version')}"
        return text.replace(stands, f"**Version:** {UNPUBLISHED}")

    def data_paths(self) -> set[str]:
        return {file.path for file in self.manifest.files} if self.manifest else set()

    def other_paths(self) -> set[str]:
        """Return the files that are neither data nor description nor card."""
        return set(self.snapshot.paths()) - self.data_paths() - {MANIFEST, LABELER_FILE, CARD}


def for_readers(path: str) -> bool:
    """Tell whether a file is read by people only."""
    return any(
        path == name or (name.endswith("/") and path.startswith(name)) for name in _FOR_READERS
    )


def _json(snapshot: Snapshot, path: str) -> dict[str, Any]:
    try:
        value = json.loads(snapshot.local(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise StagedError(f"{snapshot.name}: {path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise StagedError(f"{snapshot.name}: {path} is not a JSON object")
    return value
