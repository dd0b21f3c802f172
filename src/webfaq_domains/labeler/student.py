"""The student: a fastText model that labels tens of thousands of pairs a second on one core."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.errors import LabelerError
from webfaq_domains.fasttext_models import load_fasttext
from webfaq_domains.hashing import file_sha256
from webfaq_domains.labeler import LABELER_FILE, read_labeler_file
from webfaq_domains.labeler.base import LabelerId, Probabilities
from webfaq_domains.labeler.calibration import Platt


def student_text(text: str) -> str:
    """Return a text as the student reads it, in training and in use: lower case, one line."""
    return text.lower().replace("\n", " ")


@dataclass(frozen=True)
class Student:
    """A calibrated fastText classifier with one label per domain and one for the fallback."""

    id: LabelerId
    domains: tuple[str, ...]
    characters: int
    thresholds: npt.NDArray[np.float32]
    calibration: Platt
    model: Any = field(repr=False, compare=False)

    @classmethod
    def load(cls, folder: Path) -> Student:
        """Load a student folder: `labeler.json` and the fastText model it pins by sha256.

        :raises LabelerError: if the description is incomplete or the model is another one.
        """
        about = read_labeler_file(folder)
        try:
            model_path = folder / about["model"]
            expected = about["model_sha256"]
            domains = tuple(about["domains"])
            identity = LabelerId("student", about["name"], expected, about["taxonomy_version"])
            thresholds = np.array([about["thresholds"][slug] for slug in domains], np.float32)
            calibration = Platt(
                tuple(about["calibration"]["slope"]), tuple(about["calibration"]["intercept"])
            )
            characters = int(about["characters"])
        except (KeyError, TypeError, ValueError) as error:
            raise LabelerError(f"{folder / LABELER_FILE} lacks or misstates {error}") from error
        if not model_path.is_file() or file_sha256(model_path) != expected:
            raise LabelerError(
                f"{model_path} is missing or is not the model with sha256 {expected} that "
                f"{LABELER_FILE} pins; fetch the folder again"
            )
        # Only after the check: a .bin is parsed by C++ code that trusts it.
        model = load_fasttext(str(model_path))
        return cls(identity, domains, characters, thresholds, calibration, model)

    def scores(self, texts: list[str]) -> Probabilities:
        """Return fastText's own probabilities, shape (len(texts), len(domains))."""
        columns = {f"__label__{slug}": number for number, slug in enumerate(self.domains)}
        out = np.zeros((len(texts), len(self.domains)), np.float32)
        lines = [student_text(text) + "\n" for text in texts]
        labels, values = (
            self.model.f.multilinePredict(lines, -1, 0.0, "strict") if lines else ([], [])
        )
        for row, (names, numbers) in enumerate(zip(labels, values, strict=True)):
            for name, number in zip(names, numbers, strict=True):
                if name in columns:
                    out[row, columns[name]] = number
        return out

    def probabilities(self, texts: list[str]) -> Probabilities:
        return self.calibration(self.scores(texts))

    def kinds(self, texts: list[str], probabilities: Probabilities) -> list[str]:
        return ["student"] * len(texts)
