"""A labeler, teacher or student: `labeler.json`, the files that it pins by sha256, a model card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.check import Checked, Problem
from webfaq_domains.ground.errors import WebFAQError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.front_matter import CARD, read_front_matter
from webfaq_domains.ground.hub import links_to_blob
from webfaq_domains.ground.kinds import Kind
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.ground.model_folders import code_files
from webfaq_domains.labelers.folder import LabelerFile, folder_files, read_labeler_file
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.release.artifact import Artifact

_FETCH = "fetch or build the folder again; nothing in it may be edited by hand"
_PROBE = "How do I reset my password? Click the link in the e-mail that we send you."


class Labeler(Artifact):
    """A labeler of either kind."""

    kind = Kind.LABELER
    repo_type = "model"
    description_is_content = True

    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        """Check files and card; if they are fine, label one text.

        :raises LabelerError: if `labeler.json` cannot be read.
        """
        folder = self.snapshot.folder()
        description = read_labeler_file(folder)
        problems = [*_check_files(folder, description), *_check_card(folder, description)]
        if not problems:
            problems += _check_labels(folder)
        return Checked(folder, problems, files=len(description.files))

    @property
    def taxonomy(self) -> dict[str, Any]:
        found = {
            "version": self.description.get("taxonomy_version"),
            "slugs": self.description.get("domains"),
        }
        return {key: value for key, value in found.items() if value is not None}

    @property
    def pinned_files(self) -> dict[str, str]:
        listed = self.description.get("files") or {}
        return {str(path): str(sha256) for path, sha256 in listed.items()}

    def versioned_files(self, version: str) -> dict[str, bytes]:
        """Return `labeler.json` with the version in it; the card does not say it."""
        return {LABELER_FILE: self._versioned_description(version)}


def _check_files(folder: Path, description: LabelerFile) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not links_to_blob(folder, path):
            name = path.relative_to(folder).as_posix()
            yield Problem(name, "a symbolic link", "replace it by the file, or fetch again")
    pinned, found, code = description.files, folder_files(folder), dict(code_files(folder))
    for name in sorted(pinned.keys() | found.keys()):
        if name in code:
            yield Problem(name, code[name], "remove the file")
        elif name not in found:
            yield Problem(name, f"pinned by {LABELER_FILE} but not there", _FETCH)
        elif name not in pinned:
            yield Problem(name, f"not among the files of {LABELER_FILE}", "remove the file")
        elif found[name] != pinned[name]:
            yield Problem(name, f"content differs from the sha256 in {LABELER_FILE}", _FETCH)


def _check_card(folder: Path, description: LabelerFile) -> Iterator[Problem]:
    path = folder / CARD
    if not path.is_file():
        yield Problem(CARD, "there is no card", _FETCH)
        return
    text = path.read_text("utf-8", errors="replace")
    try:
        card = read_front_matter(text)
    except ValueError as error:
        yield Problem(CARD, str(error), _FETCH)
        return
    for key in ("library_name", "pipeline_tag", "license"):
        if not card.get(key):
            yield Problem(CARD, f"its YAML has no {key}", _FETCH)
    model = folder / str(getattr(description, "model", ""))
    if model.is_file() and file_sha256(model) not in text:
        yield Problem(CARD, f"does not name the sha256 of {model.name}", _FETCH)


def _check_labels(folder: Path) -> Iterator[Problem]:
    try:
        labeler = load_labeler(folder)
        found = labeler.label([_PROBE]).probabilities
    except WebFAQError as error:
        yield Problem(LABELER_FILE, f"the labeler does not load: {error}", _FETCH)
        return
    if found.shape != (1, len(labeler.domains)) or not ((found >= 0) & (found <= 1)).all():
        yield Problem(LABELER_FILE, f"a text got the probabilities {found.tolist()}", _FETCH)
