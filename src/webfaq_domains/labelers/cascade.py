"""The cascade: the student decides where it is sure, the teacher decides the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.base import Labeler, LabelerId, Probabilities, assign
from webfaq_domains.labelers.load import read_labeler_file
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.measuring.metrics import figures
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher

#: The student's folder inside a teacher's.
STUDENT_FOLDER = "student"

#: The shares of rows that are tried for the student, from few to all.
SHARES = tuple(share / 20 for share in range(1, 21))

#: What the cascade may lose against the teacher alone, in macro-F1.
TOLERANCE = 0.005


@dataclass(frozen=True)
class Cascade:
    """A labeler of two: the student's answer stands where its highest probability is `switch`."""

    student: Labeler = field(repr=False)
    teacher: Labeler = field(repr=False)
    switch: float

    @property
    def id(self) -> LabelerId:
        parts = [self.student.id.revision, self.teacher.id.revision, self.switch]
        return replace(
            self.teacher.id, name=f"{self.teacher.id.name}-cascade", revision=value_sha256(parts)
        )

    @property
    def domains(self) -> tuple[str, ...]:
        return self.teacher.domains

    @property
    def characters(self) -> int:
        return max(self.student.characters, self.teacher.characters)

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        return self.teacher.thresholds

    @classmethod
    def load(cls, folder: Path) -> Cascade:
        """Load a teacher's folder with its student and switch point.

        :raises LabelerError: if it has none, or the two know different domains.
        """
        about: dict[str, Any] = read_labeler_file(folder).get("cascade") or {}
        if "switch" not in about or "student_sha256" not in about:
            raise LabelerError(
                f"{folder / LABELER_FILE} has no switch point; the folder was built without a "
                "student: use it without --cascade, or build it with --unlabelled"
            )
        student, teacher = Student.load(folder / STUDENT_FOLDER), Teacher.load(folder)
        if student.id.revision != about["student_sha256"] or student.domains != teacher.domains:
            raise LabelerError(
                f"{folder / STUDENT_FOLDER} is not the student the switch was chosen for"
            )
        return cls(student, teacher, float(about["switch"]))

    def _sure(self, probabilities: Probabilities) -> npt.NDArray[np.bool_]:
        sure: npt.NDArray[np.bool_] = probabilities.max(axis=1, initial=0.0) >= self.switch
        return sure

    def probabilities(self, texts: list[str]) -> Probabilities:
        found = self.student.probabilities([t[: self.student.characters] for t in texts])
        unsure = np.flatnonzero(~self._sure(found))
        if len(unsure):
            cut = self.teacher.characters
            found[unsure] = self.teacher.probabilities([texts[row][:cut] for row in unsure])
        return found

    def kinds(self, texts: list[str], probabilities: Probabilities) -> list[str]:
        first = self.student.probabilities([t[: self.student.characters] for t in texts])
        return ["student" if sure else "teacher" for sure in self._sure(first)]


@dataclass(frozen=True)
class SwitchPoint:
    """A chosen switch: the share the student decides, and macro-F1 of both ways on the same rows."""

    switch: float
    share: float
    cascade_f1: float
    teacher_f1: float
    rows: int


def choose_switch(
    rows: Sequence[Labelled],
    found: tuple[Probabilities, Probabilities],
    teacher: Labeler,
    fallback: str,
) -> SwitchPoint:
    """Return the switch that leaves most rows to the student while macro-F1 stays near.

    Near is within `TOLERANCE` of the teacher alone.

    `found` are the student's and the teacher's probabilities of the rows; the rows must be ones
    that neither was trained on. A switch above 1 leaves everything to the teacher.
    """
    slugs = (*teacher.domains, fallback)
    first, second = found

    def macro(mixed: Probabilities) -> float:
        chosen = assign(mixed, teacher.domains, np.asarray(teacher.thresholds), fallback)
        return figures(rows, chosen.domain, slugs).macro.f1

    alone, top = macro(second), first.max(axis=1)
    best = SwitchPoint(1.01, 0.0, alone, alone, len(rows))
    # By share and not by probability: nearly all of a good student's answers lie close to 1.
    for share in SHARES:
        switch = float(np.quantile(top, 1 - share, method="higher"))
        sure = top >= switch
        score = macro(np.where(sure[:, None], first, second))
        if score >= alone - TOLERANCE:
            best = SwitchPoint(_down(switch), float(sure.mean()), score, alone, len(rows))
    return best


def _down(switch: float) -> float:
    """Round down, so that the row the switch was taken from stays the student's."""
    return float(np.floor(switch * 1e6) / 1e6)
