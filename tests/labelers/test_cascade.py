from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.labelers.base import LabelerId
from webfaq_domains.labelers.cascade import TOLERANCE, Cascade, choose_switch
from webfaq_domains.labelers.measuring.labelled import Labelled

DOMAINS = ("health", "legal")


@dataclass
class Scripted:
    """A labeler that says what it was told, and remembers what it was asked."""

    kind: str
    answers: dict[str, tuple[float, float]]
    characters: int = 50
    domains: tuple[str, ...] = DOMAINS
    asked: list[str] = field(default_factory=list)

    @property
    def id(self):
        return LabelerId(self.kind, self.kind, self.kind * 3, "1")

    @property
    def thresholds(self):
        return np.array([0.5, 0.5], np.float32)

    def probabilities(self, texts):
        self.asked += texts
        return np.array([self.answers[text] for text in texts], np.float32).reshape(-1, 2)

    def kinds(self, texts, probabilities):
        return [self.kind] * len(texts)


def test_the_teacher_is_asked_only_where_the_student_is_unsure():
    student = Scripted("student", {"a": (0.95, 0.1), "b": (0.4, 0.5)})
    teacher = Scripted("teacher", {"b": (0.9, 0.0)})
    both = Cascade(student, teacher, 0.9)
    found = both.probabilities(["a", "b"])
    assert teacher.asked == ["b"]
    assert found.tolist() == [[pytest.approx(0.95), pytest.approx(0.1)], [pytest.approx(0.9), 0.0]]
    assert both.kinds(["a", "b"], found) == ["student", "teacher"]
    assert both.id.revision not in (student.id.revision, teacher.id.revision)


def labelled(count):
    return [Labelled(str(n), "eng", f"s{n}", (DOMAINS[n % 2],)) for n in range(count)]


def test_the_switch_is_the_lowest_that_keeps_the_teachers_macro_f1():
    rows = labelled(100)
    second = np.array([[0.9, 0.1] if n % 2 == 0 else [0.1, 0.9] for n in range(100)], np.float32)
    first = second.copy()
    first[:20] = first[:20, ::-1] * 0.7  # wrong, and less sure than where it is right
    point = choose_switch(rows, (first, second), Scripted("teacher", {}), "other")
    assert 0.63 < point.switch <= 0.9
    assert point.share == pytest.approx(0.8)
    assert point.cascade_f1 >= point.teacher_f1 - TOLERANCE


def test_a_student_that_is_wrong_when_sure_decides_nothing():
    rows = labelled(40)
    second = np.array([[1.0, 0.0] if n % 2 == 0 else [0.0, 1.0] for n in range(40)], np.float32)
    point = choose_switch(rows, (second[:, ::-1], second), Scripted("teacher", {}), "other")
    assert point.switch > 1 and point.share == 0


def test_a_folder_without_a_switch_point_is_refused(tmp_path):
    (tmp_path / "labeler.json").write_text('{"kind": "teacher"}')
    with pytest.raises(LabelerError, match="no switch point"):
        Cascade.load(tmp_path)
