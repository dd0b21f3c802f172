"""What every artifact has, whatever its kind: a repository type, a description, a card, a check, rows.

There is one class for each `Kind`: `Pairs` and `Retrieval` (data.py), `Labeler`, `Space`, and `Files`
for whatever else a repository holds. A new kind, such as a trained retriever, is a member of `Kind`, a
class here and a line in kinds.py; everything else asks the class.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from webfaq_domains.dataset.check import Checked
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.front_matter import CARD, read_front_matter
from webfaq_domains.ground.kinds import Kind, description_file
from webfaq_domains.ground.manifest import EVAL_YAML, MANIFEST, Manifest
from webfaq_domains.release.semver import Version
from webfaq_domains.release.snapshot import Snapshot

#: What a card says while its folder has no version.
UNPUBLISHED = "not yet published"

#: Read by people only: when nothing else differs, a change of these is a patch.
_FOR_READERS = (CARD, "CITATION.cff", "LICENSE", "measured.json", EVAL_YAML, "eval/", "plots/")


@dataclass(frozen=True)
class Artifact(ABC):
    """An artifact in a folder or on the Hub, and what it says of itself."""

    snapshot: Snapshot

    kind: ClassVar[Kind]
    #: The type of repository that it is published to.
    repo_type: ClassVar[str]
    #: Whether the description decides what users get, as a labeler's thresholds do.
    description_is_content: ClassVar[bool] = False

    @abstractmethod
    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        """Hold files, card and description against each other.

        :param load: load it as its users do.
        :raises WebFAQError: if it has no description that can be read.
        """

    @cached_property
    def described_in(self) -> str | None:
        """The path of the description: `labeler.json`, `manifest.json`, or None."""
        return description_file(self.snapshot.paths())

    @cached_property
    def description(self) -> dict[str, Any]:
        """The entries of the description; none where there is no such file.

        :raises StagedError: if it cannot be read.
        """
        if self.described_in is None:
            return {}
        try:
            value = json.loads(self.snapshot.local(self.described_in).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise StagedError(
                f"{self.snapshot.name}: {self.described_in} cannot be read: {error}"
            ) from error
        if not isinstance(value, dict):
            raise StagedError(f"{self.snapshot.name}: {self.described_in} is not a JSON object")
        return value

    @property
    def version(self) -> Version | None:
        """Return the version: a tag's, else the one that the description holds."""
        names = (*self.snapshot.tags, self.description.get("version"))
        return next((version for name in names if (version := Version.find(name))), None)

    @property
    def taxonomy(self) -> dict[str, Any]:
        """Return version, sha256 and slugs of the taxonomy, as far as they are said."""
        return {}

    @property
    def rows(self) -> int | None:
        """Return the number of rows; None where there are none to count."""
        return None

    @property
    def pinned_files(self) -> dict[str, str]:
        """Return the sha256 of the files that the description lists, by path."""
        return {}

    def card(self) -> str:
        """Return the card as it is in a folder that was not published, or "" if there is none."""
        if CARD not in self.snapshot.paths():
            return ""
        text = self.snapshot.local(CARD).read_text("utf-8", errors="replace")
        stands = f"**Version:** {self.description.get('version')}"
        return text.replace(stands, f"**Version:** {UNPUBLISHED}")

    def other_paths(self) -> set[str]:
        """Return the files that are neither pinned data nor description nor card."""
        return set(self.snapshot.paths()) - {self.described_in, CARD}

    def versioned_files(self, version: str) -> dict[str, bytes]:
        """Return description and card with the version in them, by path; all else stays."""
        files = {CARD: self._versioned_card(version)}
        if self.described_in is not None:
            files[self.described_in] = self._versioned_description(version)
        return files

    def _versioned_card(self, version: str) -> bytes:
        """Return the card with the version for the words that stand for it."""
        text = self.snapshot.local(CARD).read_text("utf-8")
        return text.replace(UNPUBLISHED, version).encode()

    def _versioned_description(self, version: str) -> bytes:
        value = {**self.description, "version": version}
        text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
        return f"{text}\n".encode()


class Files(Artifact):
    """A repository that says of itself nothing that is known here: it is compared file by file."""

    kind = Kind.FILES
    repo_type = "dataset"

    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        """Refuse the folder, with the reason why it is taken for none.

        :raises StagedError: always.
        """
        folder = self.snapshot.folder()
        if (folder / CARD).is_file() and not (folder / MANIFEST).is_file():
            try:
                read_front_matter((folder / CARD).read_text("utf-8"))
            except ValueError as error:
                raise StagedError(f"{folder}: {error}; mend it there") from error
        Manifest.read(folder)
        raise StagedError(f"{folder} is not a staged folder: its {MANIFEST} has no content_digest")


def for_readers(path: str) -> bool:
    """Tell whether a file is read by people only."""
    return any(
        path == name or (name.endswith("/") and path.startswith(name)) for name in _FOR_READERS
    )
