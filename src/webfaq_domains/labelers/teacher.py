"""The teacher: a SetFit model, that is a tuned sentence encoder and a head per domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.errors import LabelerError, MissingExtra
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.labelers.base import Labeler, LabelerId, Probabilities
from webfaq_domains.labelers.calibration import Platt, Truth
from webfaq_domains.labelers.encoder import Reading, Vectors, encode, load_body
from webfaq_domains.labelers.folder import TeacherFile, check_files, read_file_of

#: Folders that are no part of the teacher itself: it is the same model with or without them.
BESIDE = ("onnx/", "student/", "eval/")


def teacher_files(files: dict[str, str]) -> dict[str, str]:
    """Return the files that make the teacher: body and head."""
    return {name: sha for name, sha in files.items() if not name.startswith(BESIDE)}


HEAD_FILE = "head.safetensors"


@dataclass(frozen=True)
class Head:
    """Weights of shape (domains, dimensions) and (domains,); the domains are independent."""

    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def __call__(self, vectors: Vectors) -> Probabilities:
        """Return uncalibrated probabilities, shape (len(vectors), domains)."""
        if not len(vectors):
            return np.zeros((0, len(self.bias)), np.float32)
        odds = vectors @ self.weight.T + self.bias
        scores: Probabilities = (1 / (1 + np.exp(-odds))).astype(np.float32)
        return scores

    def save(self, folder: Path) -> None:
        from safetensors.numpy import save_file

        # safetensors writes a Fortran-ordered array's memory as it lies, that is transposed
        # (safetensors#825), and scikit-learn's coefficients can be one.
        arrays = {
            "weight": np.ascontiguousarray(self.weight, np.float32),
            "bias": np.ascontiguousarray(self.bias, np.float32),
        }
        save_file(arrays, str(folder / HEAD_FILE))

    @classmethod
    def load(cls, folder: Path, domains: int) -> Head:
        """Read the head of a teacher's folder.

        :raises LabelerError: if the file is not a head for so many domains.
        """
        from safetensors.numpy import load_file

        arrays = load_file(str(folder / HEAD_FILE))
        shapes = {name: array.shape for name, array in arrays.items()}
        if set(shapes) != {"weight", "bias"} or shapes["weight"][0] != domains:
            raise LabelerError(
                f"{folder / HEAD_FILE} holds {shapes}; expected weight ({domains}, dimensions) and "
                f"bias ({domains},)"
            )
        return cls(arrays["weight"], arrays["bias"])


def fit_head(vectors: Vectors, truth: Truth, weights: Sequence[float], strength: float) -> Head:
    """Fit one L2-regularised logistic regression per domain; `strength` is scikit-learn's C."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingExtra("scikit-learn", "teacher") from error
    coefficients, intercepts = [], []
    for column in range(truth.shape[1]):
        if truth[:, column].all() or not truth[:, column].any():
            raise LabelerError(
                f"domain {column} has no annotation, or nothing but; the head needs both sides"
            )
        fitted = LogisticRegression(C=strength, max_iter=2000, tol=1e-6)
        fitted.fit(vectors, truth[:, column], sample_weight=weights)
        coefficients.append(fitted.coef_[0])
        intercepts.append(fitted.intercept_[0])
    return Head(
        np.ascontiguousarray(coefficients, np.float32), np.ascontiguousarray(intercepts, np.float32)
    )


@dataclass(frozen=True, eq=False)
class Teacher(Labeler):
    """A calibrated SetFit classifier with independent probabilities per domain."""

    reading: Reading
    calibration: Platt
    head: Head = field(repr=False)
    body: Any = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> Teacher:
        """Load a teacher's folder after checking every file of it against its description.

        :raises LabelerError: if the description is incomplete, or body or head are other ones.
        """
        record = read_file_of(folder, TeacherFile)
        files = teacher_files(record.files)
        if value_sha256(files) != record.model_sha256:
            raise LabelerError(f"{folder / LABELER_FILE}: model_sha256 is not that of its files")
        check_files(folder, files, sorted(files))
        head = Head.load(folder, len(record.domains))
        body = load_body(folder, record.reading)
        identity = LabelerId("teacher", record.name, record.model_sha256, record.taxonomy_version)
        return cls(
            identity, record.domains, record.cuts, record.fallback, record.reading.characters,
            record.reading, record.calibration.platt, head, body,
        )  # fmt: skip

    def scores(self, texts: Sequence[str]) -> Probabilities:
        """Return the head's own probabilities, shape (len(texts), len(domains))."""
        return self.head(encode(self.body, texts, self.reading))

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return self.calibration(self.scores(texts))
