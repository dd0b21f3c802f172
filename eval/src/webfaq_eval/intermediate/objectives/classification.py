"""Pair classification (ANLI+, MNLI, QQP) and multiple choice (HellaSwag, Cosmos QA, CSQA). Metric: accuracy."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_eval.intermediate.objectives.base import (
    Encoding,
    Objective,
    Outputs,
    classification_head,
)
from webfaq_eval.intermediate.tasks.instances import Choice, Pair


class _Classes(Objective):
    """One of several classes for each row: their accuracy, and what is reached without reading."""

    metric = "accuracy"

    @property
    @abstractmethod
    def count(self) -> int:
        """How many classes there are."""

    def scores(self, outputs: Outputs, instances: Sequence[Any]) -> dict[str, float]:
        right = sum(
            int((logits.argmax(-1) == batch["labels"]).sum()) for _, batch, logits in outputs
        )
        return {"accuracy": right / len(instances)}

    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        common = majority(one.label for one in train)
        return {
            "majority": sum(one.label == common for one in dev) / len(dev),
            "random": 1 / self.count,
        }


@dataclass
class Classification(_Classes):
    """Two texts in one input; a head over the first token."""

    encoding: Encoding
    labels: tuple[str, ...]

    @property
    def count(self) -> int:
        return len(self.labels)

    def head(self, encoder: Any) -> nn.Module:
        return classification_head(encoder.config.hidden_size, len(self.labels))

    def batch(self, features: Sequence[Pair], chance: np.random.Generator) -> dict[str, Tensor]:
        first, second = [one.first for one in features], [one.second for one in features]
        inputs = self.encoding.inputs(self.encoding(first, second))
        return {**inputs, "labels": torch.tensor([one.label for one in features])}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        found: Tensor = head(hidden[:, 0])
        return found

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "labels": list(self.labels)}


def majority(values: Any) -> Any:
    """Return the most frequent value; the smallest of several."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))


@dataclass
class MultipleChoice(_Classes):
    """Each option is an input of its own with the prompt; one score each, a softmax over them."""

    encoding: Encoding
    options: int

    @property
    def count(self) -> int:
        return self.options

    def head(self, encoder: Any) -> nn.Module:
        return classification_head(encoder.config.hidden_size, 1)

    def batch(self, features: Sequence[Choice], chance: np.random.Generator) -> dict[str, Tensor]:
        prompts = [one.prompt for one in features for _ in one.options]
        options = [option for one in features for option in one.options]
        inputs = self.encoding.inputs(self.encoding(prompts, options))
        return {**inputs, "labels": torch.tensor([one.label for one in features])}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        found: Tensor = head(hidden[:, 0]).reshape(-1, self.options)
        return found

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "options": self.options}
