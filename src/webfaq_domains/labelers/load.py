"""Open a labeler by address: the builtin student, a student's or a teacher's folder, a cascade."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.base import Labeler


def builtin_folder() -> Path:
    """Return the folder of the student that the package ships."""
    return Path(str(files("webfaq_domains").joinpath("labelers", "builtin")))


def read_labeler_file(folder: Path) -> dict[str, Any]:
    """Read a labeler folder's description.

    :raises LabelerError: if the folder is not a labeler folder.
    """
    try:
        found = json.loads((folder / LABELER_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabelerError(
            f"{folder} is not a labeler folder: it has no {LABELER_FILE}; make one with "
            "`webfaq-domains build labeler`, or use --labeler builtin"
        ) from error
    except ValueError as error:
        raise LabelerError(f"{folder / LABELER_FILE} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise LabelerError(
            f"{folder / LABELER_FILE} holds a {type(found).__name__}; expected an object"
        )
    return found


def open_labeler(address: str, cascade: bool = False) -> Labeler:
    """Open `builtin` or a labeler folder; `cascade` puts the folder's student before its teacher.

    :raises LabelerError: if it is none, or its model is not the one its description pins.
    """
    folder = builtin_folder() if address == "builtin" else Path(address)
    kind = read_labeler_file(folder).get("kind")
    if kind == "student" and not cascade:
        from webfaq_domains.labelers.student import Student

        return Student.load(folder)
    if kind == "teacher" and not cascade:
        from webfaq_domains.labelers.teacher import Teacher

        return Teacher.load(folder)
    if kind == "teacher":
        from webfaq_domains.labelers.cascade import Cascade

        return Cascade.load(folder)
    if kind == "student":
        raise LabelerError(f"{folder} holds a student only; --cascade needs a teacher's folder")
    raise LabelerError(f"{folder / LABELER_FILE}: kind is {kind!r}; known: student, teacher")
