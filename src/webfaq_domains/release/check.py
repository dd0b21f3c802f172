"""Check any folder: what it is, and whether its files, card and pins say the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webfaq_domains.dataset.check import Checked, Problem, check_dataset
from webfaq_domains.ground.errors import WebFAQError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.hub import links_to_blob
from webfaq_domains.ground.manifest import LABELER_FILE, MANIFEST, Manifest
from webfaq_domains.ground.model_folders import code_files
from webfaq_domains.labelers.folder import LabelerFile, folder_files, read_labeler_file
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.retrieval.check import check_retrieval

_FETCH = "fetch or build the folder again; nothing in it may be edited by hand"
_PROBE = "How do I reset my password? Click the link in the e-mail that we send you."


def check_folder(folder: Path, load: bool = True, quiet: bool = False) -> Checked:
    """Check a staged folder of any kind: `labeler.json` makes it a labeler, subsets a benchmark.

    A card that names an SDK makes it a Space.

    :raises WebFAQError: if it is neither a data set nor a labeler.
    """
    if (folder / LABELER_FILE).is_file():
        return check_labeler(folder)
    if is_space(folder):
        return check_space(folder)
    if "retrieval" in Manifest.read(folder).extra:
        return check_retrieval(folder, load, quiet)
    return check_dataset(folder, load, quiet)


def check_labeler(folder: Path) -> Checked:
    """Check a labeler folder.

    :raises LabelerError: if the folder has no readable `labeler.json`.
    """
    about = read_labeler_file(folder)
    result = Checked(folder)
    result.problems += _files(folder, about)
    result.problems += _card(folder, about)
    result.files = len(about.files)
    if not result.problems:
        result.problems += _labels(folder)
    return result


def _files(folder: Path, about: LabelerFile) -> Iterator[Problem]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not links_to_blob(folder, path):
            name = path.relative_to(folder).as_posix()
            yield Problem(name, "a symbolic link", "replace it by the file, or fetch again")
    pinned, found, code = about.files, folder_files(folder), dict(code_files(folder))
    for name in sorted(pinned.keys() | found.keys()):
        if name in code:
            yield Problem(name, code[name], "remove the file")
        elif name not in found:
            yield Problem(name, f"pinned by {LABELER_FILE} but not there", _FETCH)
        elif name not in pinned:
            yield Problem(name, f"not among the files of {LABELER_FILE}", "remove the file")
        elif found[name] != pinned[name]:
            yield Problem(name, f"content differs from the sha256 in {LABELER_FILE}", _FETCH)


def _card(folder: Path, about: LabelerFile) -> Iterator[Problem]:
    from huggingface_hub import ModelCard

    path = folder / "README.md"
    if not path.is_file():
        yield Problem("README.md", "there is no card", _FETCH)
        return
    try:
        card = ModelCard(path.read_text("utf-8"))
    except ValueError as error:
        yield Problem("README.md", f"its YAML cannot be read: {error}", _FETCH)
        return
    for key in ("library_name", "pipeline_tag", "license"):
        if not card.data.get(key):
            yield Problem("README.md", f"its YAML has no {key}", _FETCH)
    model = folder / str(getattr(about, "model", ""))
    if model.is_file() and file_sha256(model) not in card.text:
        yield Problem("README.md", f"does not name the sha256 of {model.name}", _FETCH)


def _labels(folder: Path) -> Iterator[Problem]:
    try:
        labeler = load_labeler(folder)
        found = labeler.label([_PROBE]).probabilities
    except WebFAQError as error:
        yield Problem(LABELER_FILE, f"the labeler does not load: {error}", _FETCH)
        return
    if found.shape != (1, len(labeler.domains)) or not ((found >= 0) & (found <= 1)).all():
        yield Problem(LABELER_FILE, f"a text got the probabilities {found.tolist()}", _FETCH)


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
