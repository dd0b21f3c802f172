"""What decides a labeler build: the recipe, and the texts of our own, split by hash.

The first part of the annotations trains, the second calibrates and chooses hyper-parameters,
thresholds and the cascade's switch; the test part is read once, by the evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.calibration import ThresholdRule
from webfaq_domains.labelers.encoder import Reading
from webfaq_domains.labelers.training.annotations import Annotation, hold_out, read_annotations
from webfaq_domains.labelers.training.lexicon import Lexicon, WordRecipe, read_lexicon
from webfaq_domains.labelers.training.pseudo_labels import PseudoLabelRule, TranslationRule
from webfaq_domains.labelers.training.student import StudentRecipe
from webfaq_domains.labelers.training.teacher import TeacherRecipe


@dataclass(frozen=True)
class Split:
    """The shares that are held out, and the salt of the hashes that choose."""

    test: float = 0.12
    calibration: float = 0.15
    validation: float = 0.2
    salt: str = "1"


@dataclass(frozen=True)
class LabelerRecipe:
    """Everything that decides the labelers' bytes, besides texts and encoder.

    `choices` are changes of `student` to try; the best on validation rows is trained.
    """

    split: Split = field(default_factory=Split)
    reading: Reading = field(default_factory=Reading)
    teacher: TeacherRecipe = field(default_factory=TeacherRecipe)
    student: StudentRecipe = field(default_factory=StudentRecipe)
    builtin: StudentRecipe = field(default_factory=StudentRecipe)
    words: WordRecipe = field(default_factory=WordRecipe)
    silver: PseudoLabelRule = field(default_factory=PseudoLabelRule)
    translations: TranslationRule = field(default_factory=TranslationRule)
    teacher_decision: ThresholdRule = field(default_factory=ThresholdRule)
    student_decision: ThresholdRule = field(default_factory=ThresholdRule)
    choices: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Material:
    """The texts of a build, split: nothing that trains sees `calibration` or `test`."""

    train: list[Annotation]
    calibration: list[Annotation]
    test: list[Annotation]
    lexicon: Lexicon


def read_material(annotations: Path, lexicon: Path, taxonomy: Taxonomy, split: Split) -> Material:
    """Read annotations and lexicon, and split the annotations by hash.

    :raises LabelerError: if a file of either breaks its rules.
    """
    rows = read_annotations(annotations, taxonomy)
    rest, test = hold_out(rows, split.test, f"test-{split.salt}")
    train, calibration = hold_out(rest, split.calibration, f"calibration-{split.salt}")
    return Material(train, calibration, test, read_lexicon(lexicon, taxonomy))
