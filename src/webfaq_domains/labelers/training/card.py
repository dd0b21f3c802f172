"""The README.md of a labeler's folder, rendered from `labeler.json` and `measured.json`."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import write_text
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.calibration import ThresholdRule
from webfaq_domains.labelers.folder import (
    StudentFile,
    SwitchPoint,
    TeacherFile,
    Training,
    read_labeler_file,
)
from webfaq_domains.labelers.measuring.evaluation import Evaluation, markdown
from webfaq_domains.labelers.measuring.report import Measured, read_measured
from webfaq_domains.labelers.onnx import OnnxReport

#: The template of each kind's card.
TEMPLATES = {
    "student": "webfaq-domain-labeler-fasttext.md",
    "teacher": "webfaq-domain-labeler.md",
}


def write_card(folder: Path, taxonomy: Taxonomy) -> None:
    """Write a labeler folder's README.md anew from what its two JSON files say."""
    record = read_labeler_file(folder)
    card = render_card(TEMPLATES[record.kind], record, taxonomy, read_measured(folder))
    write_text(folder / "README.md", card)


def render_card(
    template: str, record: StudentFile | TeacherFile, taxonomy: Taxonomy, measured: Measured
) -> str:
    """Return the README.md of a labeler's folder.

    :raises LabelerError: if the template asks for something that is not known.
    """
    text = files("webfaq_domains.cards").joinpath(template).read_text("utf-8")
    try:
        return Template(text).substitute(_values(record, taxonomy, measured))
    except (KeyError, ValueError) as error:
        raise LabelerError(f"the card template {template} asks for {error}") from error


def _values(
    record: StudentFile | TeacherFile, taxonomy: Taxonomy, measured: Measured
) -> dict[str, str]:
    training = record.training or Training()
    codes, known = training.languages or (), languages()
    own = _student_values(record) if isinstance(record, StudentFile) else _teacher_values(record)
    return {
        **own,
        "name": record.name,
        "revision": record.model_sha256,
        "language_yaml": "\n".join(f"- {code}" for code in codes),
        "language_count": str(len(codes)),
        "language_names": ", ".join(known[c].name if c in known else c for c in codes),
        "taxonomy_version": record.taxonomy_version,
        "taxonomy_sha256": record.taxonomy_sha256 or "",
        "definitions": markdown(
            ("domain", "what belongs here"), [(d.slug, d.definition) for d in taxonomy.domains]
        ),
        "thresholds": markdown(
            ("domain", "assigned from"),
            [(slug, f"{value:.2f}") for slug, value in sorted(record.thresholds.items())],
        ),
        "precision": f"{(record.decision or ThresholdRule()).precision:.0%}",
        "characters": str(record.read_characters),
        "encoder": training.encoder or "none: no encoder was used",
        "sources": _sources(training),
        "calibration_rows": str(record.calibration.rows or 0),
        "calibration": _calibration(record),
        "cascade": _cascade(measured.cascade),
        "onnx": _onnx(measured.onnx),
        "results": "\n\n".join(_result(name, e) for name, e in measured.evaluations.items()),
        "recipe": markdown(
            ("parameter", "value"), [(k, str(v)) for k, v in sorted((record.recipe or {}).items())]
        ),
    }


def _student_values(record: StudentFile) -> dict[str, str]:
    return {"model": record.model, "prefix": "", "tokens": ""}


def _teacher_values(record: TeacherFile) -> dict[str, str]:
    return {"model": "", "prefix": record.reading.prefix, "tokens": str(record.reading.tokens)}


def _sources(training: Training) -> str:
    rows = [
        (source.name, source.licence, f"`{source.sha256 or source.pin or ''}`")
        for source in training.sources
    ]
    table = markdown(("source", "licence", "sha256 or revision"), rows)
    lines = [
        f"- {training.annotations or 0:,} annotations written for this project "
        f"({training.calibration_annotations or 0:,} more calibrate, "
        f"{training.test_annotations or 0:,} test)",
        f"- {training.lexicon_terms or 0:,} lexicon terms written for this project",
        f"- {training.silver_words or 0:,} words of an encoder's vocabulary, sorted into domains by: "
        f"{training.words_encoder or 'no encoder'}",
    ]
    if training.pairs is not None:
        sites = ", ".join(
            f"{name or 'sites without a name'} ({n:,})"
            for name, n in (training.pairs_by_site or {}).items()
        )
        lines.append(
            f"- {training.pairs:,} FAQ pairs labelled by the teacher, of {sites or 'no site'}"
        )
    if training.translated_texts:
        lines.append(
            f"- {training.translated_texts:,} texts in {training.translated_languages} languages "
            "of the projects below, each with the teacher's label of its English original"
        )
    return "\n".join(lines) + "\n\n" + table


def _calibration(record: StudentFile | TeacherFile) -> str:
    errors = record.calibration.error
    if errors is None:
        return ""
    return (
        f"Expected calibration error on the calibration rows (cross-fitted): {errors.before:.3f} "
        f"before, {errors.after:.3f} after."
    )


def _cascade(point: SwitchPoint | None) -> str:
    if point is None:
        return "No student was built with this teacher."
    return (
        f"The student decides where its highest probability reaches {point.switch:.2f}: "
        f"{point.share:.1%} of the {point.rows:,} validation rows. Macro-F1 there: "
        f"{point.cascade_f1:.3f}, of the teacher alone {point.teacher_f1:.3f}."
        + (f" Speed: {point.speed_up:.1f} times the teacher's." if point.speed_up else "")
    )


def _onnx(report: OnnxReport | None) -> str:
    if report is None:
        return "Not exported in this build."
    return (
        f"`onnx/model_quantized.onnx` (int8 weights, {report.bytes / 1e6:.0f} MB): "
        f"{report.speed_up:.2f} times as fast as the full encoder on the same CPU, the same domain "
        f"for {report.same_domain:.1%} of {report.rows:,} texts."
    )


def _result(name: str, found: Evaluation) -> str:
    parts = [f"### On {name}", found.summary().replace("\n", "  \n"), found.domain_table()]
    if found.languages:
        parts.append(found.language_table())
    return "\n\n".join(parts)
