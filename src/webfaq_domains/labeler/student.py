"""The student: a fastText model that labels tens of thousands of pairs a second on one core."""

from __future__ import annotations

import re
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

#: What fastText puts before a label.
LABEL = "__label__"

#: Runs of East Asian characters, which put no spaces between words.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,}")

#: What is read of a text with such runs: it says in 200 characters what English says in 500.
_DENSE = 200


def _bigrams(run: re.Match[str]) -> str:
    text = run.group()
    return f" {' '.join(map(str.__add__, text, text[1:]))} "


def student_text(text: str) -> str:
    """Return a text as the student reads it, in training and in use.

    Lower case, one line; Chinese, Japanese and Korean runs as overlapping pairs of characters,
    because fastText's own n-grams are too long for them. Punctuation stays: a word's n-grams
    without it are among its n-grams with it, and taking it out costs as much time as labelling.

    >>> student_text("Is my e-mail safe?"), student_text("健康保険")
    ('is my e-mail safe?', ' 健康 康保 保険 ')
    """
    plain = text.lower().replace("\n", " ")
    if plain.isascii() or not _UNSPACED.search(plain):
        return plain
    return _UNSPACED.sub(_bigrams, plain[:_DENSE])


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
        if not texts:
            return np.zeros((0, len(self.domains)), np.float32)
        columns = {f"{LABEL}{slug}": number for number, slug in enumerate(self.domains)}
        rest = len(columns)
        lines = [student_text(text) + "\n" for text in texts]
        labels, values = self.model.f.multilinePredict(lines, -1, 0.0, "strict")
        # One flat scatter instead of a loop over rows: rows differ in length where fastText gives
        # a label a probability of 0 and leaves it out.
        counts = np.fromiter(map(len, labels), np.int64, len(labels))
        places = [columns.get(name, rest) for names in labels for name in names]
        out = np.zeros((len(texts), rest + 1), np.float32)
        rows = np.repeat(np.arange(len(texts)), counts)
        out[rows, places] = np.concatenate([np.asarray(found, np.float32) for found in values])
        return out[:, :rest]

    def probabilities(self, texts: list[str]) -> Probabilities:
        return self.calibration(self.scores(texts))

    def kinds(self, texts: list[str], probabilities: Probabilities) -> list[str]:
        return ["student"] * len(texts)
