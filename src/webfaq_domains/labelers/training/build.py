"""Build the labelers of one taxonomy: domain words, teacher, pseudo-labels, student, cascade, cards.

Pairs of the unlabelled source teach the student what the teacher says of them, and a fifth of their
origins, by hash, only help to choose. Translated texts teach it what the teacher says of their English.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.files import file_sha256, value_sha256
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Labeler
from webfaq_domains.labelers.encoder import body_name, load_body
from webfaq_domains.labelers.folder import (
    SwitchPoint,
    TextsUsed,
    Training,
    read_labeler_file,
    write_labeler_file,
)
from webfaq_domains.labelers.measuring.baselines import KeywordBaseline
from webfaq_domains.labelers.measuring.evaluation import Evaluation, evaluate
from webfaq_domains.labelers.measuring.labelled import Labelled
from webfaq_domains.labelers.measuring.report import Measured, plot_calibration, write_evaluation
from webfaq_domains.labelers.onnx import OnnxReport, compare_onnx, export_onnx
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher
from webfaq_domains.labelers.training.active_learning import Candidate
from webfaq_domains.labelers.training.annotations import from_annotations
from webfaq_domains.labelers.training.card import write_card
from webfaq_domains.labelers.training.cascade import add_cascade
from webfaq_domains.labelers.training.description import Description
from webfaq_domains.labelers.training.lexicon import DomainWords, find_domain_words
from webfaq_domains.labelers.training.pseudo_labels import (
    PseudoLabelled,
    joined,
    label_pairs,
    label_translated,
)
from webfaq_domains.labelers.training.recipe import LabelerRecipe, Material
from webfaq_domains.labelers.training.student import (
    StudentRecipe,
    annotation_lines,
    balanced,
    choose_recipe,
    lexicon_lines,
    quantise_student,
    stage_student,
    text_lines,
    train_student,
    word_lines,
)
from webfaq_domains.labelers.training.teacher import reuse_teacher, stage_teacher, train_teacher
from webfaq_domains.labelers.training.translations import Translated

_log = logging.getLogger(__name__)

TEACHER = "webfaq-domain-labeler"
STUDENT = "webfaq-domain-labeler-fasttext"
BUILTIN = "builtin"


@dataclass(frozen=True)
class Inputs:
    """What a build reads: texts of our own, an encoder, texts to label, rows to measure on.

    `sources` describes the texts for the cards: name, licence, pin. `measured` maps the name of a
    labelled set to its rows, which nothing trains or chooses on.
    """

    taxonomy: Taxonomy
    material: Material
    sources: tuple[TextsUsed, ...]
    words: DomainWords | None = None
    encoder: Path | None = None
    teacher: Path | None = None
    unlabelled: list[Candidate] = field(default_factory=list)
    translated: list[Translated] = field(default_factory=list)
    measured: dict[str, list[Labelled]] = field(default_factory=dict)


@dataclass(frozen=True)
class MadeLabelers:
    """What a build made: a line per labeler and measured set."""

    folders: list[str]
    macro_f1: dict[str, dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        lines = [f"made {folder}" for folder in self.folders]
        for name, sets in self.macro_f1.items():
            lines += [f"{name} on {rows}: macro-F1 {score:.3f}" for rows, score in sets.items()]
        return "\n".join(lines)


def texts_used(folder: Path, name: str, licence: str) -> TextsUsed:
    """Return the card's entry for a folder of texts: its name, licence and content hash."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = value_sha256([(path.name, file_sha256(path)) for path in files])
    return TextsUsed(name=name, licence=licence, sha256=digest, files=len(files))


def own_lines(material: Material, words: DomainWords | None, recipe: StudentRecipe) -> list[str]:
    """Return the training lines that need no source: annotations, lexicon, domain words."""
    lines = annotation_lines(material.train, recipe) + lexicon_lines(material.lexicon, recipe)
    return lines + (word_lines(words, recipe) if words else [])


def make_builtin(
    material: Material, words: DomainWords | None, folder: Path, description: Description,
    recipe: StudentRecipe,
) -> Student:  # fmt: skip
    """Train, quantise, calibrate and stage the student that the package ships, as `model.ftz`."""
    model = train_student(own_lines(material, words, recipe), recipe)
    quantise_student(model)
    held_out = from_annotations(material.calibration)
    return stage_student(model, folder / "model.ftz", description, recipe, held_out)


def make_student(
    material: Material, words: DomainWords | None, pseudo: PseudoLabelled, folder: Path,
    description: Description, recipe: LabelerRecipe,
) -> Student:  # fmt: skip
    """Choose the student's recipe, train it, and stage it as `model.bin`."""
    held_out = from_annotations(material.calibration)
    rows = [*held_out, *balanced(pseudo.aside, 30, recipe.student.seed)]
    lines = own_lines(material, words, recipe.student)
    lines += text_lines(
        [row.text for row in pseudo.train], [row.accepted for row in pseudo.train], recipe.student
    )
    taught = joined(pseudo.taught, recipe.translations, recipe.student.seed)
    lines += text_lines(
        [row.text for row in taught], [row.domains for row in taught], recipe.student
    )
    slugs = description.taxonomy.slugs
    trials = choose_recipe(lines, rows, slugs, recipe.student, recipe.choices)
    best = trials[0].recipe
    model = train_student(lines, best)
    return stage_student(model, folder / "model.bin", description, best, held_out, trials)


def measure_all(labeler: Labeler, inputs: Inputs) -> dict[str, Evaluation]:
    """Measure a labeler on the held-out annotations and on every labelled set given."""
    keywords = KeywordBaseline.of(inputs.material.lexicon, inputs.taxonomy.claimable)
    sets = {"annotations": from_annotations(inputs.material.test), **inputs.measured}
    return {name: evaluate(labeler, rows, keywords) for name, rows in sets.items() if rows}


def measure_staged(
    folder: Path, labeler: Labeler, inputs: Inputs, point: SwitchPoint | None = None,
    export: OnnxReport | None = None,
) -> dict[str, float]:  # fmt: skip
    """Measure a staged labeler, write figures, plots and card; return macro-F1 by labelled set."""
    found = measure_all(labeler, inputs)
    record = read_labeler_file(folder)
    Measured(found, point, export).write(folder)
    if record.name in (TEACHER, STUDENT):
        curves = record.calibration.reliability
        if curves is not None:
            drawn = {"before": curves.before, "after": curves.after}
            plot_calibration(dict(sorted(drawn.items())), folder / "eval")
        for name, evaluation in found.items():
            write_evaluation(evaluation, folder / "eval" / name.replace(" ", "-"))
    write_card(folder, inputs.taxonomy)
    return {name: round(evaluation.figures.macro.f1, 4) for name, evaluation in found.items()}


def build_builtin(inputs: Inputs, out: Path, recipe: LabelerRecipe) -> MadeLabelers:
    """Make only the builtin student, from texts of our own: seconds, no encoder, no source."""
    folder, name = out / BUILTIN, f"{STUDENT}-builtin"
    told = Description(name, inputs.taxonomy, recipe.student_decision, _training(inputs))
    student = make_builtin(inputs.material, inputs.words, folder, told, recipe.builtin)
    return MadeLabelers([str(folder)], {name: measure_staged(folder, student, inputs)})


def _training(inputs: Inputs, **more: Any) -> Training:
    """Return what a labeler was made from, for its description and card."""
    material = inputs.material
    return Training(
        sources=inputs.sources,
        annotations=len(material.train),
        calibration_annotations=len(material.calibration),
        test_annotations=len(material.test),
        languages=tuple(sorted({row.language for row in material.train})),
        lexicon_terms=sum(len(t) for entry in material.lexicon.values() for t in entry.values()),
        silver_words=sum(map(len, inputs.words.words.values())) if inputs.words else 0,
        words_encoder=inputs.words.encoder if inputs.words else "",
        **more,
    )


def _teacher(inputs: Inputs, folder: Path, recipe: LabelerRecipe) -> tuple[Teacher, Inputs]:
    """Make the teacher, or take the one that was given; return it and what the student reads."""
    if inputs.teacher is not None:
        return reuse_teacher(inputs.teacher, folder, inputs.taxonomy), inputs
    source = inputs.encoder
    if source is None:
        raise LabelerError("a teacher needs an encoder; give --encoder, or --teacher")
    if inputs.words is None:
        inputs = _with_words(inputs, source, recipe)
    training = _training(inputs, encoder=body_name(source))
    told = Description(TEACHER, inputs.taxonomy, recipe.teacher_decision, training)
    material, how = inputs.material, (recipe.reading, recipe.teacher)
    body, domains = load_body(source, recipe.reading), inputs.taxonomy.claimable
    tuned = train_teacher(body, material.train, material.lexicon, domains, how)
    held_out = from_annotations(material.calibration)
    return stage_teacher(tuned, folder, told, how, held_out), inputs


def build_labelers(inputs: Inputs, out: Path, recipe: LabelerRecipe) -> MadeLabelers:
    """Make teacher, student and builtin copy from an encoder, and the cascade of the first two."""
    teacher_folder, student_folder = out / TEACHER, out / STUDENT
    teacher, inputs = _teacher(inputs, teacher_folder, recipe)
    training = read_labeler_file(teacher_folder).training or Training()
    pseudo = label_pairs(teacher, inputs.unlabelled, recipe.silver, recipe.split.validation)
    taught = label_translated(teacher, inputs.translated, recipe.silver.sure, recipe.translations)
    pseudo = replace(pseudo, taught=taught)
    read = replace(inputs, sources=(*inputs.sources, *translated_sources(inputs, pseudo)))
    known = {"encoder": training.encoder, "teacher": teacher.id.revision, **pseudo.counts()}
    told = Description(STUDENT, inputs.taxonomy, recipe.student_decision, _training(read, **known))
    student = make_student(inputs.material, inputs.words, pseudo, student_folder, told, recipe)
    rows = from_annotations(inputs.material.calibration)
    point = add_cascade(teacher_folder, student_folder, teacher, student, rows)
    export = add_onnx(teacher, teacher_folder, [row.text for row in rows[:200]])
    scores = {
        TEACHER: measure_staged(teacher_folder, teacher, inputs, point, export),
        STUDENT: measure_staged(student_folder, student, inputs),
    }
    builtin = build_builtin(inputs, out, recipe)
    folders = [str(teacher_folder), str(student_folder), *builtin.folders]
    return MadeLabelers(folders, {**scores, **builtin.macro_f1})


def translated_sources(inputs: Inputs, pseudo: PseudoLabelled) -> list[TextsUsed]:
    """Return the card's entries for the projects whose translated texts taught."""
    taught = {row.project for row in pseudo.taught}
    found = {text.source.repository: text.source for text in inputs.translated}
    return [
        TextsUsed(name=name, licence=source.licence, pin=source.commit)
        for name, source in sorted(found.items())
        if name in taught
    ]


def _with_words(inputs: Inputs, encoder: Path, recipe: LabelerRecipe) -> Inputs:
    body = load_body(encoder, recipe.reading)
    texts = (inputs.material.train, inputs.material.lexicon)
    slugs = (inputs.taxonomy.slugs, inputs.taxonomy.fallback)
    tokenizer = encoder / "tokenizer.json"
    found = find_domain_words(body, tokenizer, texts, recipe.reading, slugs, recipe.words)
    words = msgspec.structs.replace(found, encoder=body_name(encoder))
    return replace(inputs, words=words)


def add_onnx(teacher: Teacher, folder: Path, texts: list[str]) -> OnnxReport | None:
    """Export the encoder to ONNX where onnxruntime is installed, and measure it."""
    try:
        path = export_onnx(teacher, folder)
    except (MissingExtra, LabelerError) as error:
        _log.warning("no ONNX export: %s", error)
        return None
    report = compare_onnx(teacher, path, texts)
    write_labeler_file(folder, read_labeler_file(folder))
    return report
