from __future__ import annotations

import numpy as np
import pytest

from webfaq_domains.labelers.base import Labeler, LabelerId
from webfaq_domains.labelers.cascade import Cascade
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.training.cascade import TOLERANCE, choose_switch

DOMAINS = ("health", "legal")


class Scripted(Labeler):
    """A labeler that says what it was told, and remembers what it was asked."""

    def __init__(self, kind, answers):
        name = LabelerId(kind, kind, kind * 3, "1")
        super().__init__(name, DOMAINS, np.array([0.5, 0.5], np.float32), "other", 50)
        vars(self).update(answers=answers, asked=[])

    def probabilities(self, texts):
        self.asked.extend(texts)
        return np.array([self.answers[text] for text in texts], np.float32).reshape(-1, 2)


def test_each_model_is_asked_once_and_the_teacher_only_where_the_student_is_unsure():
    student = Scripted("student", {"a": (0.95, 0.1), "b": (0.4, 0.5)})
    teacher = Scripted("teacher", {"b": (0.1, 0.9)})
    both = Cascade.of(student, teacher, 0.9)
    labels = both.label(["a", "b"])
    assert (student.asked, teacher.asked) == (["a", "b"], ["b"])
    assert labels.labeler == ["student", "teacher"] and labels.domain == ["health", "legal"]
    assert labels.probabilities == pytest.approx(np.array([[0.95, 0.1], [0.1, 0.9]]))
    assert both.id.revision not in (student.id.revision, teacher.id.revision)


def labelled(count):
    return [Labelled(str(n), "eng", f"s{n}", (DOMAINS[n % 2],)) for n in range(count)]


def test_the_switch_is_the_lowest_that_keeps_the_teachers_macro_f1():
    rows = labelled(100)
    second = np.array([[0.9, 0.1] if n % 2 == 0 else [0.1, 0.9] for n in range(100)], np.float32)
    first = second.copy()
    first[:20] = first[:20, ::-1] * 0.7  # wrong, and less sure than where it is right
    point = choose_switch(rows, (first, second), Scripted("teacher", {}))
    assert 0.63 < point.switch <= 0.9
    assert point.share == pytest.approx(0.8)
    assert point.cascade_f1 >= point.teacher_f1 - TOLERANCE


def test_a_student_that_is_wrong_when_sure_decides_nothing():
    rows = labelled(40)
    second = np.array([[1.0, 0.0] if n % 2 == 0 else [0.0, 1.0] for n in range(40)], np.float32)
    point = choose_switch(rows, (second[:, ::-1], second), Scripted("teacher", {}))
    assert point.switch > 1 and point.share == 0
