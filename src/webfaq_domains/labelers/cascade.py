"""The cascade: the student decides where it is sure, the teacher decides the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.base import Labeler, Labels, Probabilities
from webfaq_domains.labelers.folder import TeacherFile, read_file_of
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher

#: The student's folder inside a teacher's.
STUDENT_FOLDER = "student"


@dataclass(frozen=True, eq=False)
class Cascade(Labeler):
    """A labeler of two: the student's answer stands where its highest probability is `switch`."""

    student: Labeler = field(repr=False)
    teacher: Labeler = field(repr=False)
    switch: float

    @classmethod
    def of(cls, student: Labeler, teacher: Labeler, switch: float) -> Cascade:
        """Put a student before a teacher of the same domains, whose thresholds hold for both."""
        sha256 = value_sha256([student.id.revision, teacher.id.revision, switch])
        identity = replace(teacher.id, name=f"{teacher.id.name}-cascade", revision=sha256)
        characters = max(student.characters, teacher.characters)
        return cls(
            identity, teacher.domains, teacher.thresholds, teacher.fallback, characters,
            student, teacher, switch,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Cascade:
        """Load a teacher's folder with its student and switch point.

        :raises LabelerError: if it has none, or the two know different domains.
        """
        point = read_file_of(folder, TeacherFile).cascade
        if point is None or point.student_sha256 is None:
            raise LabelerError(
                f"{folder / LABELER_FILE} has no switch point; the folder was built without a "
                "student: use it without --cascade, or build it with --unlabelled"
            )
        student, teacher = Student.load(folder / STUDENT_FOLDER), Teacher.load(folder)
        if student.id.revision != point.student_sha256 or student.domains != teacher.domains:
            raise LabelerError(
                f"{folder / STUDENT_FOLDER} is not the student the switch was chosen for"
            )
        return cls.of(student, teacher, point.switch)

    def _decide(self, texts: Sequence[str]) -> tuple[Probabilities, npt.NDArray[np.bool_]]:
        """Return the probabilities, and where they are the student's; each model runs once a text."""
        found = self.student.probabilities(texts)
        sure: npt.NDArray[np.bool_] = found.max(axis=1, initial=0.0) >= self.switch
        unsure = np.flatnonzero(~sure)
        if len(unsure):
            found[unsure] = self.teacher.probabilities([texts[row] for row in unsure.tolist()])
        return found, sure

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return self._decide(texts)[0]

    def label(self, texts: Sequence[str]) -> Labels:
        found, sure = self._decide(texts)
        kinds = [(self.student if first else self.teacher).id.kind for first in sure]
        return replace(self.assign(found), labeler=kinds)
