"""What an artifact is, whatever its kind: its files, and those that say which version they are of."""

from __future__ import annotations

import json
import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.layout import configs_of
from webfaq_domains.ground.errors import PublishError
from webfaq_domains.ground.manifest import LABELER_FILE, MANIFEST, TAXONOMY, Manifest
from webfaq_domains.ground.taxonomy import read_taxonomy

#: The artifact whose card is rendered from its manifest alone.
ARTIFACT = "webfaq-domains"

#: What a card says while its folder has no version.
UNPUBLISHED = "not yet published"


def versioned_files(folder: Path, version: str) -> dict[str, bytes]:
    """Return the content of manifest and card with the version in them, by path.

    The content digest and everything else stays. A labeler's manifest is its `labeler.json`.
    """
    written = {
        name: _with_version(folder / name, version)
        for name in (MANIFEST, LABELER_FILE)
        if (folder / name).is_file()
    }
    if LABELER_FILE not in written:
        written["README.md"] = _card(folder, version)
    return written


def pinned_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of the files that manifest or `labeler.json` lists, by path."""
    name = LABELER_FILE if (folder / LABELER_FILE).is_file() else MANIFEST
    if not (folder / name).is_file():
        return {}
    listed = json.loads((folder / name).read_text("utf-8")).get("files") or {}
    if isinstance(listed, dict):
        return {str(path): str(sha256) for path, sha256 in listed.items()}
    return {str(entry["path"]): str(entry["sha256"]) for entry in listed}


def _is_dataset(folder: Path) -> bool:
    path = folder / MANIFEST
    return path.is_file() and json.loads(path.read_text("utf-8")).get("artifact") == ARTIFACT


def _with_version(path: Path, version: str) -> bytes:
    value: dict[str, Any] = json.loads(path.read_text("utf-8"))
    text = json.dumps({**value, "version": version}, ensure_ascii=False, indent=1, sort_keys=True)
    return f"{text}\n".encode()


def _card(folder: Path, version: str) -> bytes:
    """Return the card that the manifest gives once it has the version.

    Of other artifacts than `webfaq-domains` the text is kept, but for the words that stand for it.
    """
    if not _is_dataset(folder):
        text = (folder / "README.md").read_text("utf-8")
        return text.replace(UNPUBLISHED, version).encode()
    manifest = replace(Manifest.read(folder), version=version)
    taxonomy = read_taxonomy((folder / TAXONOMY).read_text("utf-8"), TAXONOMY)
    return render_card(manifest, configs_of(manifest), taxonomy).encode()


#: Files that run code when a common library loads them.
PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt")

#: The one hidden file that belongs in a repository.
_ATTRIBUTES = ".gitattributes"
_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def list_files(folder: Path, repo_id: str = "") -> dict[str, Path]:
    """Return every file below a folder by its path in the repository, sorted by that path.

    :raises PublishError: for a symbolic link, a device, a hidden file, a pickle, a loading script
        `<repo>.py`, or a name with characters that cannot be seen.
    """
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in (*folders, *names):
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            _check_name(relative, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                _refuse(relative, "is a symbolic link", "replace it by what it points to")
            elif stat.S_ISREG(mode):
                found[relative] = path
            elif not stat.S_ISDIR(mode):
                _refuse(relative, "is neither a file nor a folder", "remove it")
    script = f"{repo_id.rpartition('/')[2]}.py"
    if repo_id and script in found:
        what = "would be taken for a loading script, which `datasets` refuses to load"
        _refuse(script, what, "rename or remove it")
    return dict(sorted(found.items()))


def _check_name(relative: str, name: str) -> None:
    if any(unicodedata.category(char) in _UNSEEN for char in name) or "\\" in name:
        _refuse(ascii(relative), "has a character that cannot be seen, or a backslash", "rename it")
    if name != name.strip():
        _refuse(ascii(relative), "starts or ends with a space", "rename it")
    if name.startswith(".") and name != _ATTRIBUTES:
        _refuse(relative, "is hidden", "remove it; it is no part of a release")
    if name.lower().endswith(PICKLES):
        _refuse(relative, "is a pickle, which runs code when it is loaded", "remove it")


def _refuse(place: str, what: str, mend: str) -> None:
    raise PublishError(f"{place} {what}: {mend}")
