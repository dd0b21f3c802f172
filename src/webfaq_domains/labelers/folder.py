"""Labeler folders: `labeler.json` as a typed record, the files it pins by sha256, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np

from webfaq_domains.ground.errors import LabelerError, StagedError
from webfaq_domains.ground.files import file_sha256, local_notes, write_text
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.ground.records import (
    Count,
    FilePath,
    Name,
    Record,
    Sha256,
    Share,
    parse_json,
    read_record,
)
from webfaq_domains.labelers.calibration import Platt, Reliability, ThresholdRule
from webfaq_domains.labelers.encoder import Reading

Characters = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
#: A number of a calibration. JSON can hold more than a float can, which is read as infinity.
Finite = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class Errors(Record, frozen=True):
    """Expected calibration errors before and after calibration."""

    before: Share
    after: Share


class Curves(Record, frozen=True):
    """Reliability diagrams before and after calibration."""

    before: Reliability
    after: Reliability


class Calibration(Record, frozen=True):
    """Platt scaling: one slope and one intercept per domain, and how well it does on `rows`."""

    slope: tuple[Finite, ...]
    intercept: tuple[Finite, ...]
    method: Literal["platt"] = "platt"
    rows: Count | None = None
    error: Errors | None = None
    reliability: Curves | None = None

    @property
    def platt(self) -> Platt:
        return Platt(self.slope, self.intercept)


class TextsUsed(Record, frozen=True):
    """Texts that a labeler was trained on: a folder by its content, or a repository by its commit."""

    name: str
    licence: str
    sha256: Sha256 | None = None
    pin: str | None = None
    files: Count | None = None


class Training(Record, frozen=True):
    """What a labeler was trained on; a key is absent where it does not apply."""

    sources: tuple[TextsUsed, ...] = ()
    annotations: Count | None = None
    calibration_annotations: Count | None = None
    test_annotations: Count | None = None
    languages: tuple[str, ...] | None = None
    lexicon_terms: Count | None = None
    silver_words: Count | None = None
    words_encoder: str | None = None
    encoder: str | None = None
    teacher: Sha256 | None = None
    pairs: Count | None = None
    pairs_by_domain: dict[str, Count] | None = None
    pairs_by_site: dict[str, Count] | None = None
    validation_pairs: Count | None = None
    translated_texts: Count | None = None
    translated_texts_by_domain: dict[str, Count] | None = None
    translated_languages: Count | None = None


Parameters = dict[str, bool | int | float | str]


class TriedRecipe(Record, frozen=True):
    """One tried recipe of a student, what it changed, and its macro-F1 on validation rows."""

    recipe: Parameters
    changed: Parameters
    macro_f1: Share


class SwitchPoint(Record, frozen=True):
    """A cascade's switch: the share the student decides, and macro-F1 of both ways on the same rows."""

    switch: Finite
    share: Share
    cascade_f1: Share
    teacher_f1: Share
    rows: Count
    student_sha256: Sha256 | None = None
    speed_up: Finite | None = None


class LabelerFile(Record, frozen=True, kw_only=True):
    """What `labeler.json` says of a labeler of any kind."""

    kind: str
    format: Literal[1] = 1
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    domains: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=1000)]
    fallback: Name = "other"
    taxonomy_version: str
    taxonomy_sha256: Sha256 | None = None
    training: Training | None = None
    model_sha256: Sha256
    recipe: Parameters | None = None
    calibration: Calibration
    thresholds: dict[str, Share]
    decision: ThresholdRule | None = None
    files: dict[FilePath, Sha256] = {}
    version: str | None = None

    def __post_init__(self) -> None:
        if len(set(self.domains) | {self.fallback}) != len(self.domains) + 1:
            raise ValueError(f"domains and fallback {self.fallback!r} must all differ")
        if set(self.thresholds) != set(self.domains):
            raise ValueError(f"thresholds must name {', '.join(self.domains)}, each once")
        fitted = self.calibration
        if not len(fitted.slope) == len(fitted.intercept) == len(self.domains):
            raise ValueError("calibration needs one slope and one intercept per domain")

    @property
    def cuts(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The thresholds in the order of the domains."""
        return np.array([self.thresholds[slug] for slug in self.domains], np.float32)

    @property
    def read_characters(self) -> int:
        """How many characters of a text the labeler reads."""
        raise NotImplementedError


class StudentFile(LabelerFile, frozen=True, kw_only=True):
    """`labeler.json` of a student: a fastText model in the file `model`."""

    kind: Literal["student"] = "student"
    model: Name
    characters: Characters
    trials: tuple[TriedRecipe, ...] | None = None

    @property
    def read_characters(self) -> int:
        return self.characters


class TeacherFile(LabelerFile, frozen=True, kw_only=True):
    """`labeler.json` of a teacher: body and head in `files`, and the switch of its cascade."""

    kind: Literal["teacher"] = "teacher"
    reading: Reading
    cascade: SwitchPoint | None = None

    @property
    def read_characters(self) -> int:
        return self.reading.characters


_FILES: dict[str, type[StudentFile] | type[TeacherFile]] = {
    "student": StudentFile, "teacher": TeacherFile,
}  # fmt: skip
Kind = TypeVar("Kind", StudentFile, TeacherFile)


def read_labeler_file(folder: Path) -> StudentFile | TeacherFile:
    """Read a labeler folder's description.

    :raises LabelerError: if the folder is not a labeler folder, or naming file and key where the
        description is not one.
    """
    path = folder / LABELER_FILE
    try:
        found = parse_json(path.read_bytes(), str(path))
        return read_record(found, _kind_of(found, path), str(path))
    except FileNotFoundError as error:
        raise LabelerError(
            f"{folder} is not a labeler folder: it has no {LABELER_FILE}; make one with "
            "`webfaq-domains build labeler`, or use --labeler builtin"
        ) from error
    except (OSError, StagedError) as error:
        raise LabelerError(str(error)) from error


def _kind_of(found: Any, path: Path) -> type[StudentFile] | type[TeacherFile]:
    """Return the record of the kind that a description names."""
    if not isinstance(found, dict):
        raise LabelerError(f"{path} holds a {type(found).__name__}; expected an object")
    kind = found.get("kind")
    if not isinstance(kind, str) or kind not in _FILES:
        raise LabelerError(f"{path}: kind is {ascii(kind)[:60]}; known: {', '.join(_FILES)}")
    return _FILES[kind]


def read_file_of(folder: Path, kind: type[Kind]) -> Kind:
    """Read the description of a folder that must be of one kind."""
    found = read_labeler_file(folder)
    if not isinstance(found, kind):
        raise LabelerError(f"{folder} holds a {found.kind}; expected another kind of labeler")
    return found


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


def write_labeler_file(folder: Path, record: StudentFile | TeacherFile) -> None:
    """Write `labeler.json`, last of a folder's files: the record, with the sha256 of all others."""
    pinned = msgspec.structs.replace(record, files=folder_files(folder))
    value = _without_nulls(msgspec.to_builtins(pinned))
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    write_text(folder / LABELER_FILE, text + "\n")


def _without_nulls(value: Any) -> Any:
    """Leave out what does not apply: such a key is absent and not null."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(inner) for inner in value]
    return value


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
