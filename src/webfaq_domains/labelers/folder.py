"""Labeler folders: `labeler.json`, the files it pins by sha256, and a card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import file_sha256, local_notes, write_text
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.load import read_labeler_file

#: Figures of the evaluation and of speed, which differ from run to run.
MEASURED_FILE = "measured.json"

#: Read by nobody who labels, so not pinned: card and figures may be made again.
UNPINNED = (LABELER_FILE, "README.md", MEASURED_FILE)

#: A folder of plots, not pinned either: another matplotlib draws other bytes.
_PLOTS = "eval/"


def folder_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file that a labeler's description pins, by path."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: file_sha256(path)
        for name, path in sorted(names.items())
        if path.is_file()
        and name not in UNPINNED
        and not name.startswith(_PLOTS)
        and not local_notes(name)
    }


def write_labeler_file(folder: Path, about: dict[str, Any]) -> None:
    """Write `labeler.json`, last of a folder's files: `about`, and the sha256 of all others."""
    value = {**about, "files": folder_files(folder)}
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    write_text(folder / LABELER_FILE, text + "\n")


def add_to_labeler_file(folder: Path, more: dict[str, Any]) -> None:
    """Add entries to a folder's description and pin its files again."""
    about = read_labeler_file(folder)
    about.pop("files", None)
    write_labeler_file(folder, {**about, **more})


def check_files(folder: Path, files: dict[str, str], names: list[str]) -> None:
    """Refuse a folder in which one of `names` is missing or not what `files` pins.

    :raises LabelerError: naming the first such file.
    """
    for name in names:
        path = folder / name
        if not path.is_file() or file_sha256(path) != files.get(name):
            raise LabelerError(
                f"{path} is missing or is not the file that {LABELER_FILE} pins; fetch the folder "
                "again at one revision"
            )


def by_domain(domains: tuple[str, ...], values: Any) -> dict[str, float]:
    """Return numbers as `{domain: value}`, rounded so that JSON holds what float32 says."""
    numbers = np.asarray(values, np.float64)
    return {slug: round(float(number), 4) for slug, number in zip(domains, numbers, strict=True)}
