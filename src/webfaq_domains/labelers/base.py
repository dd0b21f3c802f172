"""What a labeler is: something that gives each text its domains, with calibrated probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Labels:
    """What a labeler says of texts: one entry per text, in their order.

    `domain` is the main domain and `domains` are all that reach their threshold, most probable first
    (the fallback alone where none does). `score` is the calibrated probability of `domain`; of the
    fallback it is 1 minus the highest probability of any domain. `probabilities` has the shape
    (texts, domains of the labeler). `labeler` says which kind decided: `student` or `teacher`.
    """

    domain: list[str]
    score: npt.NDArray[np.float32]
    domains: list[list[str]]
    probabilities: Probabilities = field(repr=False)
    labeler: list[str]

    def __len__(self) -> int:
        return len(self.domain)


@dataclass(frozen=True, eq=False)
class Labeler(ABC):
    """Labels texts by domain: `label` is the one call that everybody makes.

    `domains` are the taxonomy's slugs without its `fallback`; `thresholds` are the probabilities from
    which each is assigned, shape (len(domains),); of a text the first `characters` are read.
    """

    id: LabelerId
    domains: tuple[str, ...]
    thresholds: npt.NDArray[np.float32]
    fallback: str
    characters: int

    @abstractmethod
    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return calibrated probabilities, shape (len(texts), len(domains)). They need not sum to 1."""

    def label(self, texts: Sequence[str]) -> Labels:
        """Give each text its domains; a text of a question and its answer is both, with a space between.

        >>> from webfaq_domains import load_labeler
        >>> labels = load_labeler("builtin").label(["How do I reset my e-mail password?"])
        >>> labels.domain, labels.labeler
        (['technology'], ['student'])
        """
        return self.assign(self.probabilities(texts))

    def assign(self, probabilities: Probabilities) -> Labels:
        """Turn probabilities of this labeler's domains into labels: the one rule of the data set."""
        reach = probabilities >= self.thresholds
        order = np.argsort(np.where(reach, -probabilities, 2.0), axis=1, kind="stable")
        count = reach.sum(axis=1)
        listed = [
            [self.domains[column] for column in order[row, : count[row]]] or [self.fallback]
            for row in range(len(probabilities))
        ]
        highest = np.where(reach, probabilities, 0.0).max(axis=1, initial=0.0)
        score = np.where(count > 0, highest, 1.0 - probabilities.max(axis=1, initial=0.0))
        kinds = [self.id.kind] * len(listed)
        return Labels(
            [found[0] for found in listed], score.astype(np.float32), listed, probabilities, kinds
        )
