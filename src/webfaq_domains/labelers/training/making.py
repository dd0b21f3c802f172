"""Make the labelers of one taxonomy: silver words, teacher, silver pairs, student, cascade.

Annotations are split by hash into training, calibration and test. The first trains, the second
calibrates, chooses hyper-parameters, thresholds and the cascade's switch; the test part is read
once, by the evaluation. Pairs of the unlabelled source teach the student what the teacher says of
them, and a fifth of their origins, by hash, only help to choose. Translated texts teach it what the
teacher says of their English.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.ground.text import unit_hash, unit_threshold
from webfaq_domains.labelers.encoder import Reading, load_body
from webfaq_domains.labelers.measuring.labelled import Labelled, from_annotations
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher
from webfaq_domains.labelers.training.annotations import Annotation, hold_out, read_annotations
from webfaq_domains.labelers.training.lexicon import Lexicon, read_lexicon
from webfaq_domains.labelers.training.sampling import Candidate
from webfaq_domains.labelers.training.silver import (
    Propagation,
    Silver,
    TaughtText,
    counted,
    joined,
    propagate,
    sample_texts,
    sure_labels,
    text_lines,
    word_lines,
)
from webfaq_domains.labelers.training.stage import About, Decision, stage_student, stage_teacher
from webfaq_domains.labelers.training.student import (
    StudentRecipe,
    Trial,
    annotation_lines,
    balanced,
    choose_recipe,
    lexicon_lines,
    quantise_student,
    train_student,
)
from webfaq_domains.labelers.training.teacher import TeacherRecipe, train_teacher
from webfaq_domains.labelers.training.translations import Translated
from webfaq_domains.labelers.training.words import SilverWords, WordRecipe


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
    silver: Silver = field(default_factory=Silver)
    translations: Propagation = field(default_factory=Propagation)
    teacher_decision: Decision = field(default_factory=Decision)
    student_decision: Decision = field(default_factory=Decision)
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


def make_teacher(
    material: Material, encoder: Path, folder: Path, about: About, recipe: LabelerRecipe
) -> Teacher:
    """Tune, fit, calibrate and stage the teacher."""
    body = load_body(encoder, recipe.reading)
    how = (recipe.reading, recipe.teacher)
    domains = about.taxonomy.claimable
    tuned = train_teacher(body, material.train, material.lexicon, domains, how)
    return stage_teacher(tuned, folder, about, how, from_annotations(material.calibration))


@dataclass(frozen=True)
class SilverPairs:
    """Texts with what the teacher says of them: `train` and `taught` teach, `aside` rows choose."""

    train: list[Labelled]
    aside: list[Labelled]
    taught: list[TaughtText] = field(default_factory=list)

    def counts(self) -> dict[str, Any]:
        return {
            "pairs": len(self.train),
            "pairs_by_domain": counted([row.accepted for row in self.train]),
            "pairs_by_site": dict(sorted(Counter(row.origin for row in self.train).items())),
            "validation_pairs": len(self.aside),
            "translated_texts": len(self.taught),
            "translated_texts_by_domain": counted([row.domains for row in self.taught]),
            "translated_languages": len({row.language for row in self.taught}),
        }


def label_pairs(
    teacher: Teacher, pairs: Sequence[Candidate], recipe: LabelerRecipe, fallback: str
) -> SilverPairs:
    """Let the teacher label unlabelled pairs; those it is unsure of are left out."""
    found = teacher.probabilities([row.text[: teacher.characters] for row in pairs])
    labels = sure_labels(found, teacher.domains, fallback, recipe.silver)
    rows = [
        Labelled(row.text, row.language, row.origin, tuple(said))
        for row, said in zip(pairs, labels, strict=True)
        if said
    ]
    numbers = unit_hash(pa.array([row.origin or row.text for row in rows], pa.string()), "silver")
    held = numbers < unit_threshold(recipe.split.validation)
    return SilverPairs(
        [row for row, out in zip(rows, held, strict=True) if not out],
        [row for row, out in zip(rows, held, strict=True) if out],
    )


def label_translated(
    teacher: Teacher, texts: Sequence[Translated], recipe: LabelerRecipe
) -> list[TaughtText]:
    """Let the teacher label English texts, and carry its labels over to their translations."""
    kept = sample_texts(texts, recipe.translations)
    found = teacher.probabilities([text.english[: teacher.characters] for text in kept])
    return propagate(kept, found, teacher.domains, recipe.silver.sure, recipe.translations)


def own_lines(material: Material, words: SilverWords | None, recipe: StudentRecipe) -> list[str]:
    """Return the training lines that need no source: annotations, lexicon, silver words."""
    lines = annotation_lines(material.train, recipe) + lexicon_lines(material.lexicon, recipe)
    return lines + (word_lines(words, recipe) if words else [])


def make_builtin(
    material: Material, words: SilverWords | None, folder: Path, about: About, recipe: LabelerRecipe
) -> Student:
    """Train, quantise, calibrate and stage the student that the package ships, as `model.ftz`."""
    model = train_student(own_lines(material, words, recipe.builtin), recipe.builtin)
    quantise_student(model)
    held_out = from_annotations(material.calibration)
    return stage_student(model, folder / "model.ftz", about, recipe.builtin, held_out)


@dataclass(frozen=True)
class MadeStudent:
    """A staged student, the trials that chose its recipe, and the rows they were judged on."""

    student: Student
    trials: list[Trial]
    validation_rows: int


def make_student(
    material: Material, silver: tuple[SilverWords | None, SilverPairs], folder: Path, about: About,
    recipe: LabelerRecipe,
) -> MadeStudent:  # fmt: skip
    """Choose the student's recipe, train it, and stage it as `model.bin`."""
    words, pairs = silver
    held_out = from_annotations(material.calibration)
    rows = [*held_out, *balanced(pairs.aside, 30, recipe.student.seed)]
    lines = own_lines(material, words, recipe.student)
    lines += text_lines(
        [row.text for row in pairs.train], [row.accepted for row in pairs.train], recipe.student
    )
    taught = joined(pairs.taught, recipe.translations, recipe.student.seed)
    lines += text_lines(
        [row.text for row in taught], [row.domains for row in taught], recipe.student
    )
    slugs = about.taxonomy.slugs
    trials = choose_recipe(lines, rows, slugs, recipe.student, recipe.choices)
    best = trials[0].recipe
    model = train_student(lines, best)
    student = stage_student(model, folder / "model.bin", about, best, held_out)
    return MadeStudent(student, trials, len(rows))
