"""The teacher's head: one logistic regression per domain, kept as safetensors and JSON, no pickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from webfaq_domains.errors import LabelerError, MissingExtra
from webfaq_domains.labeler.base import Probabilities
from webfaq_domains.labeler.calibration import Truth
from webfaq_domains.labeler.encoder import Vectors

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
