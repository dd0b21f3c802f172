"""Put a whole labeler build together: teacher and student folders, cascade, evaluation, cards."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.files import file_sha256, value_sha256, write_text
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import Labeler
from webfaq_domains.labelers.cascade import STUDENT_FOLDER, choose_switch
from webfaq_domains.labelers.encoder import body_name, load_body
from webfaq_domains.labelers.folder import MEASURED_FILE, add_to_labeler_file, write_labeler_file
from webfaq_domains.labelers.load import read_labeler_file
from webfaq_domains.labelers.measuring.evaluation import Evaluation, evaluate, predict
from webfaq_domains.labelers.measuring.labelled import Labelled, from_annotations
from webfaq_domains.labelers.measuring.report import plot_calibration, write_evaluation
from webfaq_domains.labelers.onnx import compare_onnx, export_onnx
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher, teacher_files
from webfaq_domains.labelers.training.lexicon import KeywordBaseline
from webfaq_domains.labelers.training.making import (
    LabelerRecipe,
    Material,
    SilverPairs,
    label_pairs,
    label_translated,
    make_builtin,
    make_student,
    make_teacher,
)
from webfaq_domains.labelers.training.sampling import Candidate
from webfaq_domains.labelers.training.stage import About, render_card
from webfaq_domains.labelers.training.translations import Translated
from webfaq_domains.labelers.training.words import SilverWords, find_words

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
    sources: list[dict[str, Any]]
    words: SilverWords | None = None
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


def described(folder: Path, name: str, licence: str) -> dict[str, Any]:
    """Return the card's line for a folder of texts: its name, licence and content hash."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    digest = value_sha256([(path.name, file_sha256(path)) for path in files])
    return {"name": name, "licence": licence, "sha256": digest, "files": len(files)}


def measure_all(labeler: Labeler, inputs: Inputs) -> dict[str, Evaluation]:
    """Measure a labeler on the held-out annotations and on every labelled set given."""
    keywords = KeywordBaseline.of(inputs.material.lexicon, inputs.taxonomy.claimable)
    sets = {"annotations": from_annotations(inputs.material.test), **inputs.measured}
    return {
        name: evaluate(labeler, rows, inputs.taxonomy.fallback, keywords)
        for name, rows in sets.items()
        if rows
    }


def finish(
    folder: Path, labeler: Labeler, inputs: Inputs, template: str, speed: dict[str, Any]
) -> dict[str, float]:
    """Measure a staged labeler, write figures, plots and card; return macro-F1 by labelled set."""
    found = measure_all(labeler, inputs)
    about = read_labeler_file(folder)
    measured = {**speed, "evaluations": {name: e.to_json() for name, e in found.items()}}
    text = json.dumps(measured, ensure_ascii=False, indent=1, sort_keys=True)
    write_text(folder / MEASURED_FILE, text + "\n")
    if about["name"] in (TEACHER, STUDENT):
        plot_calibration(about["calibration"]["reliability"], folder / "eval")
        for name, evaluation in found.items():
            write_evaluation(evaluation, folder / "eval" / name.replace(" ", "-"))
    card = render_card(template, {**about, **speed}, inputs.taxonomy, found)
    write_text(folder / "README.md", card)
    return {name: round(evaluation.figures.macro.f1, 4) for name, evaluation in found.items()}


def assemble_builtin(inputs: Inputs, out: Path, recipe: LabelerRecipe) -> MadeLabelers:
    """Make only the builtin student, from texts of our own: seconds, no encoder, no source."""
    folder = out / BUILTIN
    name = f"{STUDENT}-builtin"
    about = About(name, inputs.taxonomy, recipe.student_decision, _training(inputs, {}))
    student = make_builtin(inputs.material, inputs.words, folder, about, recipe)
    scores = finish(folder, student, inputs, f"{STUDENT}.md", {})
    return MadeLabelers([str(folder)], {name: scores})


def _training(inputs: Inputs, silver: dict[str, Any]) -> dict[str, Any]:
    """Return what a labeler was made from, for its description and card."""
    material = inputs.material
    return {
        "sources": inputs.sources,
        "annotations": len(material.train),
        "calibration_annotations": len(material.calibration),
        "test_annotations": len(material.test),
        "languages": sorted({row.language for row in material.train}),
        "lexicon_terms": sum(len(t) for entry in material.lexicon.values() for t in entry.values()),
        "silver_words": sum(map(len, inputs.words.words.values())) if inputs.words else 0,
        "words_encoder": inputs.words.encoder if inputs.words else "",
        **silver,
    }


def reuse_teacher(made: Path, folder: Path, taxonomy: Taxonomy) -> Teacher:
    """Copy a teacher that was made before, without student, plots and exports of its own.

    :raises LabelerError: if the folder is no whole teacher, or was made for another taxonomy.
    """
    about = read_labeler_file(made)
    if about.get("taxonomy_sha256") != taxonomy.sha256:
        raise LabelerError(f"{made} was made for another taxonomy; make the teacher anew")
    for name in teacher_files(about.pop("files", {})):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made / name, folder / name)
    about.pop("cascade", None)
    write_labeler_file(folder, about)
    return Teacher.load(folder)


def _teacher(inputs: Inputs, folder: Path, recipe: LabelerRecipe) -> tuple[Teacher, Inputs]:
    """Make the teacher, or take the one that was given; return it and what the student reads."""
    if inputs.teacher is not None:
        return reuse_teacher(inputs.teacher, folder, inputs.taxonomy), inputs
    source = inputs.encoder
    if source is None:
        raise LabelerError("a teacher needs an encoder; give --encoder, or --teacher")
    if inputs.words is None:
        inputs = _with_words(inputs, source, recipe)
    encoder = {"encoder": body_name(source)}
    about = About(TEACHER, inputs.taxonomy, recipe.teacher_decision, _training(inputs, encoder))
    return make_teacher(inputs.material, source, folder, about, recipe), inputs


def assemble_all(inputs: Inputs, out: Path, recipe: LabelerRecipe) -> MadeLabelers:
    """Make teacher, student and builtin copy from an encoder, and the cascade of the first two."""
    teacher_folder, student_folder = out / TEACHER, out / STUDENT
    teacher, inputs = _teacher(inputs, teacher_folder, recipe)
    encoder = {"encoder": read_labeler_file(teacher_folder)["training"]["encoder"]}
    pairs = label_pairs(teacher, inputs.unlabelled, recipe, inputs.taxonomy.fallback)
    taught = label_translated(teacher, inputs.translated, recipe)
    pairs = replace(pairs, taught=taught)
    silver = {**encoder, "teacher": teacher.id.revision, **pairs.counts()}
    read = replace(inputs, sources=[*inputs.sources, *translated_sources(inputs, pairs)])
    about = About(STUDENT, inputs.taxonomy, recipe.student_decision, _training(read, silver))
    made = make_student(inputs.material, (inputs.words, pairs), student_folder, about, recipe)
    trials = [vars(trial) | {"recipe": asdict(trial.recipe)} for trial in made.trials]
    add_to_labeler_file(student_folder, {"trials": trials})
    switch_rows = from_annotations(inputs.material.calibration)
    speed = add_cascade(
        teacher_folder, student_folder, (teacher, made.student), switch_rows, inputs
    )
    speed |= add_onnx(teacher, teacher_folder, [row.text for row in switch_rows[:200]], inputs)
    scores = {
        TEACHER: finish(teacher_folder, teacher, inputs, f"{TEACHER}.md", speed),
        STUDENT: finish(student_folder, made.student, inputs, f"{STUDENT}.md", {}),
    }
    builtin = assemble_builtin(inputs, out, recipe)
    folders = [str(teacher_folder), str(student_folder), *builtin.folders]
    return MadeLabelers(folders, {**scores, **builtin.macro_f1})


def translated_sources(inputs: Inputs, pairs: SilverPairs) -> list[dict[str, Any]]:
    """Return the card's lines for the projects whose translated texts taught: name, licence, pin."""
    taught = {row.project for row in pairs.taught}
    found = {text.source.repository: text.source for text in inputs.translated}
    return [
        {"name": name, "licence": source.licence, "pin": source.commit}
        for name, source in sorted(found.items())
        if name in taught
    ]


def _with_words(inputs: Inputs, encoder: Path, recipe: LabelerRecipe) -> Inputs:
    taxonomy = inputs.taxonomy
    body = load_body(encoder, recipe.reading)
    texts = (inputs.material.train, inputs.material.lexicon)
    slugs = (taxonomy.slugs, taxonomy.fallback)
    found = find_words(body, encoder / "tokenizer.json", texts, recipe.reading, slugs, recipe.words)
    return replace(inputs, words=replace(found, encoder=body_name(encoder)))


def add_cascade(
    teacher_folder: Path, student_folder: Path, labelers: tuple[Teacher, Student],
    rows: list[Labelled], inputs: Inputs,
) -> dict[str, Any]:  # fmt: skip
    """Choose the switch point, put it and the student into the teacher's folder; return the gain."""
    teacher, student = labelers
    start = time.perf_counter()
    first = predict(student, rows)
    middle = time.perf_counter()
    second = predict(teacher, rows)
    fast, slow = middle - start, time.perf_counter() - middle
    point = choose_switch(rows, (first, second), teacher, inputs.taxonomy.fallback)
    shutil.copytree(student_folder, teacher_folder / STUDENT_FOLDER, dirs_exist_ok=True)
    cascade = {**asdict(point), "student_sha256": student.id.revision}
    add_to_labeler_file(teacher_folder, {"cascade": cascade})
    gain = slow / (fast + (1 - point.share) * slow)
    return {"cascade": {**cascade, "speed_up": round(gain, 2)}}


def add_onnx(teacher: Teacher, folder: Path, texts: list[str], inputs: Inputs) -> dict[str, Any]:
    """Export the encoder to ONNX where onnxruntime is installed, and measure it."""
    try:
        path = export_onnx(teacher, folder)
    except (MissingExtra, LabelerError) as error:
        _log.warning("no ONNX export: %s", error)
        return {}
    report = compare_onnx(teacher, path, texts, inputs.taxonomy.fallback)
    add_to_labeler_file(folder, {})
    return {"onnx": asdict(report)}
