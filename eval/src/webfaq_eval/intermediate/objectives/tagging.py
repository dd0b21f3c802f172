"""Tagging: a tag for every word (CCG supertags). Metric: accuracy over words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_eval.intermediate.objectives.base import IGNORED, Encoding, Objective, Outputs
from webfaq_eval.intermediate.objectives.classification import majority
from webfaq_eval.intermediate.tasks.instances import Tagged


@dataclass
class Tagging(Objective):
    """A word's tag is read off its first token. A tag that training does not have is never right."""

    encoding: Encoding
    tags: tuple[str, ...]
    metric = "accuracy"

    def __post_init__(self) -> None:
        self.numbers = {tag: number for number, tag in enumerate(self.tags)}

    def head(self, encoder: Any) -> nn.Module:
        return nn.Sequential(nn.Dropout(0.1), nn.Linear(encoder.config.hidden_size, len(self.tags)))

    def batch(self, features: Sequence[Tagged], chance: np.random.Generator) -> dict[str, Tensor]:
        # Running text, since pre-split words lose the space before them in byte-level tokenizers.
        encoded = self.encoding(
            [" ".join(one.words) for one in features], return_offsets_mapping=True
        )
        labels = torch.full(encoded["input_ids"].shape, IGNORED)
        for row, one in enumerate(features):
            ends = np.cumsum([len(word) + 1 for word in one.words]) - 1
            before = -1
            for place, part in enumerate(encoded.sequence_ids(row)):
                if part is None:
                    continue
                # A token that is the space before a word is that word's.
                start = int(encoded["offset_mapping"][row, place, 0])
                word = int(np.searchsorted(ends, start, side="right"))
                if word > before:
                    labels[row, place] = self.numbers.get(one.tags[word], IGNORED)
                before = word
        return {**self.encoding.inputs(encoded), "labels": labels}

    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        found: Tensor = head(hidden)
        return found

    def scores(self, outputs: Outputs, instances: Sequence[Any]) -> dict[str, float]:
        """Count right words over all words: one that was cut off, or has an unknown tag, is wrong."""
        right = 0
        for _, batch, logits in outputs:
            right += int((logits.argmax(-1) == batch["labels"]).sum())
        return {"accuracy": right / sum(len(one.words) for one in instances)}

    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        """Return the accuracy of the most frequent tag, of each word's own, and of chance."""
        common = majority(tag for one in train for tag in one.tags)
        seen: dict[str, list[str]] = {}
        for one in train:
            for word, tag in zip(one.words, one.tags, strict=True):
                seen.setdefault(word, []).append(tag)
        own = {word: majority(tags) for word, tags in seen.items()}
        pairs = [pair for one in dev for pair in zip(one.words, one.tags, strict=True)]
        return {
            "majority": sum(tag == common for _, tag in pairs) / len(pairs),
            "majority of the word": sum(own.get(w, common) == tag for w, tag in pairs) / len(pairs),
            "random": 1 / len(self.tags),
        }

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "tags": list(self.tags)}


def tags_of(train: Sequence[Any]) -> tuple[str, ...]:
    """Return the tags that training has, sorted: the classes of the head."""
    return tuple(sorted({tag for one in train for tag in one.tags}))
