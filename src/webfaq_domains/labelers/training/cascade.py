"""Put a student before its teacher: how sure it must be for the teacher not to be asked."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from webfaq_domains.labelers.base import Labeler, Probabilities
from webfaq_domains.labelers.cascade import STUDENT_FOLDER
from webfaq_domains.labelers.folder import (
    SwitchPoint,
    TeacherFile,
    read_file_of,
    write_labeler_file,
)
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.measuring.metrics import figures
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher

#: The shares of rows that are tried for the student, from few to all.
SHARES = tuple(share / 20 for share in range(1, 21))

#: What the cascade may lose against the teacher alone, in macro-F1.
TOLERANCE = 0.005


def choose_switch(
    rows: Sequence[Labelled],
    found: tuple[Probabilities, Probabilities],
    teacher: Labeler,
) -> SwitchPoint:
    """Return the switch that leaves most rows to the student while macro-F1 stays near.

    Near is within `TOLERANCE` of the teacher alone.

    `found` are the student's and the teacher's probabilities of the rows; the rows must be ones
    that neither was trained on. A switch above 1 leaves everything to the teacher.
    """
    slugs = (*teacher.domains, teacher.fallback)
    first, second = found

    def macro(mixed: Probabilities) -> float:
        return figures(rows, teacher.assign(mixed).domain, slugs).macro.f1

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


def add_cascade(
    teacher_folder: Path, student_folder: Path, teacher: Teacher, student: Student,
    rows: list[Labelled],
) -> SwitchPoint:  # fmt: skip
    """Choose the switch point, put it and the student into the teacher's folder; return the gain."""
    texts = [row.text for row in rows]
    start = time.perf_counter()
    first = student.probabilities(texts)
    middle = time.perf_counter()
    second = teacher.probabilities(texts)
    fast, slow = middle - start, time.perf_counter() - middle
    point = choose_switch(rows, (first, second), teacher)
    point = msgspec.structs.replace(point, student_sha256=student.id.revision)
    shutil.copytree(student_folder, teacher_folder / STUDENT_FOLDER, dirs_exist_ok=True)
    record = read_file_of(teacher_folder, TeacherFile)
    write_labeler_file(teacher_folder, msgspec.structs.replace(record, cascade=point))
    gain = slow / (fast + (1 - point.share) * slow)
    return msgspec.structs.replace(point, speed_up=round(gain, 2))
