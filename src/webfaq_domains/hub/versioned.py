"""The files that say which version they are of: written anew for a release, not in the folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from webfaq_domains.hub.card import render_card
from webfaq_domains.hub.configs import plan_configs
from webfaq_domains.hub.manifest import MANIFEST, TAXONOMY, Manifest
from webfaq_domains.labeler import LABELER_FILE
from webfaq_domains.taxonomy import read_taxonomy

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
    configs = plan_configs(manifest.files, manifest.configs["min_rows"], manifest.configs["most"])
    taxonomy = read_taxonomy((folder / TAXONOMY).read_text("utf-8"), TAXONOMY)
    return render_card(manifest, configs, taxonomy).encode()
