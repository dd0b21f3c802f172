"""The teacher: a SetFit model, that is a tuned sentence encoder and a head per domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.errors import LabelerError
from webfaq_domains.hashing import value_sha256
from webfaq_domains.labeler import LABELER_FILE, read_labeler_file
from webfaq_domains.labeler.base import LabelerId, Probabilities
from webfaq_domains.labeler.calibration import Platt
from webfaq_domains.labeler.encoder import Reading, encode, load_body
from webfaq_domains.labeler.folder import check_files
from webfaq_domains.labeler.head import Head

#: Folders that are no part of the teacher itself: it is the same model with or without them.
BESIDE = ("onnx/", "student/", "eval/")


def teacher_files(files: dict[str, str]) -> dict[str, str]:
    """Return the files that make the teacher: body and head."""
    return {name: sha for name, sha in files.items() if not name.startswith(BESIDE)}


@dataclass(frozen=True)
class Teacher:
    """A calibrated SetFit classifier with independent probabilities per domain."""

    id: LabelerId
    domains: tuple[str, ...]
    reading: Reading
    thresholds: npt.NDArray[np.float32]
    calibration: Platt
    head: Head = field(repr=False, compare=False)
    body: Any = field(repr=False, compare=False)

    @property
    def characters(self) -> int:
        return self.reading.characters

    @classmethod
    def load(cls, folder: Path) -> Teacher:
        """Load a teacher's folder after checking every file of it against its description.

        :raises LabelerError: if the description is incomplete, or body or head are other ones.
        """
        about = read_labeler_file(folder)
        try:
            domains = tuple(about["domains"])
            files = teacher_files(about["files"])
            identity = LabelerId(
                "teacher", about["name"], about["model_sha256"], about["taxonomy_version"]
            )
            reading = Reading(**about["reading"])
            thresholds = np.array([about["thresholds"][slug] for slug in domains], np.float32)
            fitted = about["calibration"]
            calibration = Platt(tuple(fitted["slope"]), tuple(fitted["intercept"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LabelerError(f"{folder / LABELER_FILE} lacks or misstates {error}") from error
        if value_sha256(files) != identity.revision:
            raise LabelerError(f"{folder / LABELER_FILE}: model_sha256 is not that of its files")
        check_files(folder, files, sorted(files))
        head = Head.load(folder, len(domains))
        body = load_body(folder, reading)
        return cls(identity, domains, reading, thresholds, calibration, head, body)

    def scores(self, texts: list[str]) -> Probabilities:
        """Return the head's own probabilities, shape (len(texts), len(domains))."""
        return self.head(encode(self.body, texts, self.reading))

    def probabilities(self, texts: list[str]) -> Probabilities:
        return self.calibration(self.scores(texts))

    def kinds(self, texts: list[str], probabilities: Probabilities) -> list[str]:
        return ["teacher"] * len(texts)
