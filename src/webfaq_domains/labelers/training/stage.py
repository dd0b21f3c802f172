"""Stage labelers as the folders that are their Hub repositories: weights, `labeler.json`, card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import file_sha256, value_sha256
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import LabelerId, Probabilities
from webfaq_domains.labelers.calibration import (
    Platt,
    Reliability,
    Truth,
    fit_platt,
    reliability,
    thresholds_for_precision,
)
from webfaq_domains.labelers.encoder import Reading, encode
from webfaq_domains.labelers.folder import by_domain, folder_files, write_labeler_file
from webfaq_domains.labelers.measuring.evaluation import Evaluation, markdown
from webfaq_domains.labelers.measuring.labelled import Labelled, truth_table
from webfaq_domains.labelers.student import Student
from webfaq_domains.labelers.teacher import Teacher, teacher_files
from webfaq_domains.labelers.training.student import StudentRecipe
from webfaq_domains.labelers.training.teacher import TeacherRecipe, Tuned

#: Parts of the calibration rows for the cross-fitted figures.
FOLDS = 5


@dataclass(frozen=True)
class Decision:
    """How thresholds are chosen: the lowest of [floor, ceiling] with the stated precision."""

    precision: float = 0.75
    floor: float = 0.20
    ceiling: float = 0.60


@dataclass(frozen=True)
class Calibrated:
    """A calibration, the thresholds, and the reliability of scores before and after.

    `after` is cross-fitted: each row's probability comes from a calibration fitted without it.
    """

    calibration: Platt
    thresholds: npt.NDArray[np.float32]
    before: Reliability
    after: Reliability

    def to_json(self, domains: tuple[str, ...], decision: Decision) -> dict[str, Any]:
        return {
            "calibration": {
                "method": "platt",
                "slope": list(self.calibration.slope),
                "intercept": list(self.calibration.intercept),
                "rows": sum(self.before.rows) // len(domains),
                "error": {
                    "before": round(self.before.error, 4),
                    "after": round(self.after.error, 4),
                },
                "reliability": {"before": asdict(self.before), "after": asdict(self.after)},
            },
            "thresholds": by_domain(domains, self.thresholds),
            "decision": asdict(decision),
        }


def calibrate(
    scores: Probabilities, truth: Truth, weights: npt.NDArray[np.float64], decision: Decision
) -> Calibrated:
    """Fit calibration and thresholds on rows that nothing trained on; shapes (n, domains), (n,).

    Thresholds are chosen on the cross-fitted probabilities, which no row's own label has touched.
    """
    crossed = np.array(scores, np.float32)
    folds = np.arange(len(scores)) % FOLDS
    for fold in range(min(FOLDS, len(scores))):
        out = folds == fold
        crossed[out] = fit_platt(scores[~out], truth[~out], weights[~out])(scores[out])
    thresholds = thresholds_for_precision(
        crossed, truth, decision.precision, decision.floor, decision.ceiling
    )
    return Calibrated(
        fit_platt(scores, truth, weights), thresholds,
        reliability(scores, truth), reliability(crossed, truth),
    )  # fmt: skip


def site_weights(rows: Sequence[Labelled]) -> npt.NDArray[np.float64]:
    """Return a weight per row: no site weighs more than 25 rows, so none decides for all."""
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row.origin] = sizes.get(row.origin, 0) + 1
    return np.array([min(1.0, 25 / sizes[row.origin]) if row.origin else 1.0 for row in rows])


@dataclass(frozen=True)
class About:
    """What a labeler's description says besides what is worked out.

    `training` lists the sources, their licences and how many rows each gave.
    """

    name: str
    taxonomy: Taxonomy
    decision: Decision
    training: dict[str, Any]

    def to_json(self, kind: str) -> dict[str, Any]:
        return {
            "kind": kind,
            "format": 1,
            "name": self.name,
            "domains": list(self.taxonomy.claimable),
            "fallback": self.taxonomy.fallback,
            "taxonomy_version": self.taxonomy.version,
            "taxonomy_sha256": self.taxonomy.sha256,
            "training": self.training,
        }


def stage_student(
    model: Any, path: Path, about: About, recipe: StudentRecipe, held_out: Sequence[Labelled]
) -> Student:
    """Save a fastText model as `path`, calibrate it on held-out rows, and describe its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model.save_model(str(path))
    domains = about.taxonomy.claimable
    sha = file_sha256(path)
    draft = Student(
        LabelerId("student", about.name, sha, about.taxonomy.version), domains, recipe.characters,
        np.zeros(len(domains), np.float32), Platt.identity(len(domains)), model,
    )  # fmt: skip
    scores = draft.scores([row.text[: recipe.characters] for row in held_out])
    truth = truth_table(held_out, domains)
    fitted = calibrate(scores, truth, site_weights(held_out), about.decision)
    description = {
        **about.to_json("student"),
        "model": path.name,
        "model_sha256": sha,
        "characters": recipe.characters,
        "recipe": asdict(recipe),
        **fitted.to_json(domains, about.decision),
    }
    write_labeler_file(path.parent, description)
    return Student.load(path.parent)


def stage_teacher(
    tuned: Tuned, folder: Path, about: About, how: tuple[Reading, TeacherRecipe],
    held_out: Sequence[Labelled],
) -> Teacher:  # fmt: skip
    """Save body and head, calibrate on held-out rows, and describe the folder."""
    reading, recipe = how
    tuned.body.save_pretrained(str(folder), create_model_card=False)
    tuned.head.save(folder)
    domains = about.taxonomy.claimable
    setfit = {"labels": list(domains), "normalize_embeddings": False}
    (folder / "config_setfit.json").write_text(json.dumps(setfit, indent=1) + "\n", "utf-8")
    scores = tuned.head(encode(tuned.body, [row.text for row in held_out], reading))
    truth = truth_table(held_out, domains)
    fitted = calibrate(scores, truth, site_weights(held_out), about.decision)
    description = {
        **about.to_json("teacher"),
        "model_sha256": value_sha256(teacher_files(folder_files(folder))),
        "reading": reading.to_json(),
        "recipe": asdict(recipe),
        **fitted.to_json(domains, about.decision),
    }
    write_labeler_file(folder, description)
    return Teacher.load(folder)


def render_card(
    template: str, about: dict[str, Any], taxonomy: Taxonomy, found: dict[str, Evaluation]
) -> str:
    """Return the README.md of a labeler's folder.

    :raises LabelerError: if the template asks for something that is not known.
    """
    text = files("webfaq_domains.cards").joinpath(template).read_text("utf-8")
    try:
        return Template(text).substitute(_values(about, taxonomy, found))
    except (KeyError, ValueError) as error:
        raise LabelerError(f"the card template {template} asks for {error}") from error


def _values(
    about: dict[str, Any], taxonomy: Taxonomy, found: dict[str, Evaluation]
) -> dict[str, str]:
    training = about["training"]
    codes = training["languages"]
    known = languages()
    return {
        "name": about["name"],
        "revision": about["model_sha256"],
        "model": about.get("model", ""),
        "language_yaml": "\n".join(f"- {code}" for code in codes),
        "language_count": str(len(codes)),
        "language_names": ", ".join(known[c].name if c in known else c for c in codes),
        "taxonomy_version": about["taxonomy_version"],
        "taxonomy_sha256": about["taxonomy_sha256"],
        "definitions": markdown(
            ("domain", "what belongs here"), [(d.slug, d.definition) for d in taxonomy.domains]
        ),
        "thresholds": _thresholds(about),
        "precision": f"{about['decision']['precision']:.0%}",
        "characters": str(about.get("characters") or about["reading"]["characters"]),
        "prefix": about.get("reading", {}).get("prefix", ""),
        "tokens": str(about.get("reading", {}).get("tokens", "")),
        "encoder": str(training.get("encoder", "none: no encoder was used")),
        "sources": _sources(training),
        "calibration_rows": str(about["calibration"]["rows"]),
        "calibration": _calibration(about),
        "cascade": _cascade(about),
        "onnx": _onnx(about),
        "results": "\n\n".join(_result(name, evaluation) for name, evaluation in found.items()),
        "recipe": markdown(
            ("parameter", "value"), [(k, str(v)) for k, v in about["recipe"].items()]
        ),
    }


def _thresholds(about: dict[str, Any]) -> str:
    return markdown(
        ("domain", "assigned from"), [(k, f"{v:.2f}") for k, v in about["thresholds"].items()]
    )


def _sources(training: dict[str, Any]) -> str:
    rows = [
        (source["name"], source["licence"], f"`{source.get('sha256', source.get('pin', ''))}`")
        for source in training["sources"]
    ]
    table = markdown(("source", "licence", "sha256 or revision"), rows)
    lines = [
        f"- {training['annotations']:,} annotations written for this project "
        f"({training['calibration_annotations']:,} more calibrate, {training['test_annotations']:,} test)",
        f"- {training['lexicon_terms']:,} lexicon terms written for this project",
        f"- {training['silver_words']:,} words of an encoder's vocabulary, sorted into domains by: "
        f"{training.get('words_encoder') or 'no encoder'}",
    ]
    if "pairs" in training:
        sites = ", ".join(
            f"{name or 'sites without a name'} ({n:,})"
            for name, n in training["pairs_by_site"].items()
        )
        lines.append(
            f"- {training['pairs']:,} FAQ pairs labelled by the teacher, of {sites or 'no site'}"
        )
    if training.get("translated_texts"):
        lines.append(
            f"- {training['translated_texts']:,} texts in {training['translated_languages']} languages "
            "of the projects below, each with the teacher's label of its English original"
        )
    return "\n".join(lines) + "\n\n" + table


def _calibration(about: dict[str, Any]) -> str:
    errors = about["calibration"].get("error")
    if not errors:
        return ""
    return (
        f"Expected calibration error on the calibration rows (cross-fitted): {errors['before']:.3f} "
        f"before, {errors['after']:.3f} after."
    )


def _cascade(about: dict[str, Any]) -> str:
    point = about.get("cascade")
    if not point:
        return "No student was built with this teacher."
    return (
        f"The student decides where its highest probability reaches {point['switch']:.2f}: "
        f"{point['share']:.1%} of the {point['rows']:,} validation rows. Macro-F1 there: "
        f"{point['cascade_f1']:.3f}, of the teacher alone {point['teacher_f1']:.3f}."
        + (f" Speed: {point['speed_up']:.1f} times the teacher's." if "speed_up" in point else "")
    )


def _onnx(about: dict[str, Any]) -> str:
    report = about.get("onnx")
    if not report:
        return "Not exported in this build."
    return (
        f"`onnx/model_quantized.onnx` (int8 weights, {report['bytes'] / 1e6:.0f} MB): "
        f"{report['speed_up']:.2f} times as fast as the full encoder on the same CPU, the same domain "
        f"for {report['same_domain']:.1%} of {report['rows']:,} texts."
    )


def _result(name: str, found: Evaluation) -> str:
    parts = [f"### On {name}", found.summary().replace("\n", "  \n"), found.domain_table()]
    if found.languages:
        parts.append(found.language_table())
    return "\n\n".join(parts)
