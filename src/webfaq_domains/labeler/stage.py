"""Stage labelers as the folders that are their Hub repositories: weights, then `labeler.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.hashing import file_sha256, value_sha256
from webfaq_domains.labeler.base import LabelerId, Probabilities
from webfaq_domains.labeler.calibration import (
    Platt,
    Reliability,
    Truth,
    fit_platt,
    reliability,
    thresholds_for_precision,
)
from webfaq_domains.labeler.distil import StudentRecipe
from webfaq_domains.labeler.encoder import Reading, encode
from webfaq_domains.labeler.folder import by_domain, folder_files, write_labeler_file
from webfaq_domains.labeler.labelled import Labelled, truth_table
from webfaq_domains.labeler.student import Student
from webfaq_domains.labeler.teacher import Teacher, teacher_files
from webfaq_domains.labeler.tuning import TeacherRecipe, Tuned
from webfaq_domains.taxonomy import Taxonomy

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
