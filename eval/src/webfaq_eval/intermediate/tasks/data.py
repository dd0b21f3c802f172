"""A task's rows, read, split and counted: what is trained on, what it is measured on, what was left out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.ground.files import file_sha256, value_sha256
from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.instances import Instance
from webfaq_eval.intermediate.tasks.source import (
    EVERY,
    Source,
    SplitFiles,
    find_files,
    task_folders,
)

_NO_FALLBACK = ("eng", EVERY)
_NAMED = 5  # files that are named of those that are left for one reason


@dataclass(frozen=True)
class Selection:
    """Which rows are wanted.

    `language` is ISO 639-3; `all` takes every language (masked-language texts). `dev_share` of the
    groups become dev where no dev file is there; `limit` keeps at most so many training and so many
    dev rows. Both are decided by hashes of the texts, so the same rows are taken in any order of files.
    """

    language: str = "eng"
    dev_share: float = 0.1
    limit: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.dev_share < 1:
            raise TaskDataError(f"dev_share is {self.dev_share}; expected a share between 0 and 1")


@dataclass
class TaskData:
    """The rows of one task. `files` are path -> sha256, `left` path -> reason, `skipped` reason -> rows.

    `notes` are for a reader of the card.
    """

    train: list[Instance] = field(default_factory=list)
    dev: list[Instance] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    left: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def describe(self) -> dict[str, Any]:
        """Return what a card says of the data; `sha256` is that of the rows that are used."""
        return {
            "train": len(self.train), "dev": len(self.dev), "sha256": self.sha256, "files": self.files,
            "skipped": dict(sorted(self.skipped.items())), "notes": self.notes,
        }  # fmt: skip

    @property
    def sha256(self) -> str:
        """The hash of all rows in their order: of what is trained on, whatever file it came from."""
        digest = hashlib.sha256()
        for part in (self.train, self.dev):
            for instance in part:
                digest.update(repr(instance).encode())
            digest.update(b"\0")
        return digest.hexdigest()


class NoFiles(TaskDataError):
    """There is no file of a data set in a folder."""


def load_task(
    places: Iterable[tuple[Source, Path]], selection: Selection, alone: bool = True
) -> TaskData:
    """Read a task's sources, each from a folder or a file.

    A file holds no split of its own, so it is split by hash. A folder without a dev file too; dev
    rows in English stand in where a language has none of its own. Rows that occur again are dropped,
    as are training rows whose texts are among the dev rows; both are counted. `alone` says that a
    folder may be the data set's own, and not one that holds a folder for each.

    :raises NoFiles: if a source has no file there.
    :raises TaskDataError: if a file is malformed, or no training or no dev row is left.
    """
    result = TaskData()
    for source, place in places:
        found = _files(source, place, selection.language, alone)
        result.left |= {str(path): reason for path, reason in found.left.items()}
        result.train += _read(source, found.train, selection.language, result)
        result.dev += _dev(source, found.dev, selection.language, result)
    _settle(result, selection)
    return result


def _files(source: Source, place: Path, language: str, alone: bool) -> SplitFiles:
    if place.is_file():
        return SplitFiles(train=[place])
    names = source.folders + (source.translated if language not in _NO_FALLBACK else ())
    folders = task_folders(place, names, alone)
    found = find_files(source, folders, language)
    if language not in _NO_FALLBACK:
        english = find_files(source, folders, "eng")
        found.dev += [path for path in english.dev if path not in found.dev]
        found.left = {p: reason for p, reason in found.left.items() if p not in found.dev}
    if not found.train and not found.dev:
        listed = "; ".join(left_files(found.left)) or "no file"
        below = "" if alone else f" in a folder named {' or '.join(source.folders)}"
        raise NoFiles(
            f"{place}: no {source.name} file{below} says train or dev in its name and ends in "
            f"{', '.join(source.suffixes)}; there is {listed}"
        )
    return found


def left_files(left: Mapping[Path, str] | Mapping[str, str]) -> list[str]:
    """Say which files are not read and why, a line for each reason."""
    lines = []
    for reason in sorted(set(left.values())):
        names = [Path(path).name for path, why in left.items() if why == reason]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        lines.append(f"{', '.join(names[:_NAMED])}{more}: {reason}")
    return lines


def _read(source: Source, files: list[Path], language: str, result: TaskData) -> list[Instance]:
    instances: list[Instance] = []
    for path in files:
        before = len(instances)
        instances += source.instances(path, language, result.skipped)
        if len(instances) > before:
            result.files[str(path)] = file_sha256(path)
    return instances


def _dev(source: Source, files: list[Path], language: str, result: TaskData) -> list[Instance]:
    """Read the dev files in the language asked for, or, where it has no row, in English."""
    found = _read(source, files, language, result)
    if found or language in _NO_FALLBACK or not files:
        return found
    result.notes.append(f"{source.name}: no dev rows in {language}; those in English are used")
    return _read(source, files, "eng", result)


def _settle(result: TaskData, selection: Selection) -> None:
    """Drop what occurs twice, split by hash where no dev rows are there, keep dev out of training."""
    result.train = _once(result.train, result.skipped)
    result.dev = _once(result.dev, result.skipped)
    if result.train and not result.dev:
        share = selection.dev_share
        result.notes.append(f"no dev file: {share:.0%} of the groups, chosen by hash, are dev")
        rows = result.train
        result.dev = [e for e in rows if _unit(e.source_text) < share]
        result.train = [e for e in rows if _unit(e.source_text) >= share]
    held = {_key(instance) for instance in result.dev}
    kept = [instance for instance in result.train if _key(instance) not in held]
    if len(kept) < len(result.train):
        result.skipped["training row that is a dev row"] += len(result.train) - len(kept)
    result.train = _limited(kept, selection.limit)
    result.dev = _limited(result.dev, selection.limit)
    if not result.train or not result.dev:
        raise TaskDataError(
            f"{', '.join(result.files) or 'the files'}: {len(result.train)} training and "
            f"{len(result.dev)} dev rows are left (skipped: {dict(result.skipped)}); "
            "expected some of both"
        )


def _once(instances: list[Instance], skipped: Counter[str]) -> list[Instance]:
    """Drop rows that are equal in texts and label, as when a folder has two formats of one release."""
    once = list(dict.fromkeys(instances))
    if len(once) < len(instances):
        skipped["the same row again"] += len(instances) - len(once)
    return once


def _key(instance: Instance) -> str:
    return value_sha256(instance.texts)


def _unit(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / 2**64


def _limited(instances: list[Instance], limit: int | None) -> list[Instance]:
    if limit is None or len(instances) <= limit:
        return instances
    chosen = sorted(range(len(instances)), key=lambda row: _key(instances[row]))[:limit]
    return [instances[row] for row in sorted(chosen)]
