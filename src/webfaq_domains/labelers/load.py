"""Load a labeler by address: the builtin student, a folder of a student or a teacher, a cascade."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.model_folders import refuse_code
from webfaq_domains.labelers.base import Labeler
from webfaq_domains.labelers.cascade import Cascade
from webfaq_domains.labelers.folder import read_labeler_file
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher

#: The kinds of labeler folders, by the name in `labeler.json`, and what loads each.
KINDS = {"student": Student.load, "teacher": Teacher.load}


def builtin_folder() -> Path:
    """Return the folder of the student that the package ships."""
    return Path(str(files("webfaq_domains").joinpath("labelers", "builtin")))


def load_labeler(address: str | Path = "builtin", cascade: bool = False) -> Labeler:
    """Load a labeler: `builtin`, or the folder of one; then call its `label`.

    `cascade` puts the student in a teacher's folder before the teacher: it decides where it is sure.

    >>> labeler = load_labeler("builtin")
    >>> labeler.label(["Wie bekomme ich einen Kredit von der Bank?"]).domain
    ['finance']

    :raises LabelerError: if the folder is none, runs code, or its model is not the one it pins.
    """
    folder = builtin_folder() if address == "builtin" else Path(address)
    kind = read_labeler_file(folder).kind
    refuse_code(folder, LabelerError)
    if not cascade:
        return KINDS[kind](folder)
    if kind == "student":
        raise LabelerError(f"{folder} holds a student only; --cascade needs a teacher's folder")
    return Cascade.load(folder)
