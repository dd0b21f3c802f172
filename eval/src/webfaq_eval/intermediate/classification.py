"""Pair classification: one class for two texts (ANLI+, MNLI, QQP). Metric: accuracy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_eval.intermediate.examples import Pair
from webfaq_eval.intermediate.objective import Encoding, Objective, Outputs, classification_head


@dataclass
class Classification(Objective):
    """Two texts in one input; a head over the first token."""

    encoding: Encoding
    labels: tuple[str, ...]
    metric = "accuracy"

    def head(self, encoder: Any) -> nn.Module:
        return classification_head(encoder.config.hidden_size, len(self.labels))

    def batch(self, features: Sequence[Pair], chance: np.random.Generator) -> dict[str, Tensor]:
        first, second = [one.first for one in features], [one.second for one in features]
        inputs = self.encoding.inputs(self.encoding(first, second))
        return {**inputs, "labels": torch.tensor([one.label for one in features])}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        found: Tensor = head(hidden[:, 0])
        return found

    def scores(self, outputs: Outputs, examples: Sequence[Any]) -> dict[str, float]:
        right = sum(
            int((logits.argmax(-1) == batch["labels"]).sum()) for _, batch, logits in outputs
        )
        return {"accuracy": right / len(examples)}

    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        common = majority(one.label for one in train)
        return {
            "majority": sum(one.label == common for one in dev) / len(dev),
            "random": 1 / len(self.labels),
        }

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "labels": list(self.labels)}


def majority(values: Any) -> Any:
    """Return the most frequent value; the smallest of several."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))
