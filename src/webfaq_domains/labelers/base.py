"""What a labeler is: something that gives each text a calibrated probability per domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LabelerId:
    """Which labeler decided: `kind` is `student` or `teacher`, `revision` the sha256 of its model."""

    kind: str
    name: str
    revision: str
    taxonomy_version: str


class Labeler(Protocol):
    """Gives probabilities for `domains` (the taxonomy's slugs without its fallback)."""

    @property
    def id(self) -> LabelerId: ...

    @property
    def domains(self) -> tuple[str, ...]: ...

    @property
    def characters(self) -> int:
        """How many characters of `question answer` it reads."""

    @property
    def thresholds(self) -> npt.NDArray[np.float32]:
        """The probability from which each domain is assigned; shape (len(domains),)."""

    def probabilities(self, texts: list[str]) -> Probabilities:
        """Return calibrated probabilities, shape (len(texts), len(domains)). They need not sum to 1."""

    def kinds(self, texts: list[str], probabilities: Probabilities) -> list[str]:
        """Return who decided each row: `student` or `teacher`."""


@dataclass(frozen=True)
class Assignment:
    """The decision per row: `domain` and `score`, and every domain at or above its threshold."""

    domain: list[str]
    score: npt.NDArray[np.float32]
    domains: list[list[str]]


def assign(
    probabilities: Probabilities,
    domains: tuple[str, ...],
    thresholds: npt.NDArray[np.float32],
    fallback: str,
) -> Assignment:
    """Turn probabilities into domains: the one rule of the data set.

    `domains` lists every domain whose probability reaches its threshold, most probable first, or
    the fallback alone; `domain` is the first of them. `score` is the calibrated probability of
    `domain`; of the fallback it is 1 minus the highest probability of any domain.
    """
    reach = probabilities >= thresholds
    order = np.argsort(np.where(reach, -probabilities, 2.0), axis=1, kind="stable")
    count = reach.sum(axis=1)
    listed = [
        [domains[column] for column in order[row, : count[row]]] or [fallback]
        for row in range(len(probabilities))
    ]
    highest = np.where(reach, probabilities, 0.0).max(axis=1, initial=0.0)
    score = np.where(count > 0, highest, 1.0 - probabilities.max(axis=1, initial=0.0))
    return Assignment([found[0] for found in listed], score.astype(np.float32), listed)
