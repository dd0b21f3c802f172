"""What every kind of task answers: its head, its batches, its loss, its metric and the baseline of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from webfaq_eval.intermediate.tasks.instances import Instance

IGNORED = -100  # a label that the cross entropy does not count
_COUNTED = 256  # features whose tokens are counted together

#: What a head gives for a batch of features: (features, batch, logits), all on the CPU.
Outputs = Iterable[tuple[Sequence[Any], Mapping[str, Any], Tensor]]


@dataclass(frozen=True)
class Encoding:
    """How texts become numbers: a fast tokenizer and the most tokens of an input."""

    tokenizer: Any
    max_length: int

    def __call__(self, *texts: Any, **options: Any) -> Any:
        """Tokenize one or two lists of texts, cut to the longest allowed and padded to the longest met.

        Padding is on the right, whatever the tokenizer's own side: heads read the first token.
        """
        defaults = {
            "truncation": True, "max_length": self.max_length, "padding": True, "padding_side": "right",
        }  # fmt: skip
        return self.tokenizer(*texts, return_tensors="pt", **(defaults | options))

    def inputs(self, encoded: Any) -> dict[str, Tensor]:
        """Return what the encoder takes of an encoding."""
        return {name: encoded[name] for name in self.tokenizer.model_input_names if name in encoded}


class Objective(ABC):
    """One kind of task over an encoder; knows nothing of files.

    A feature is what one row of a batch is made of: an instance, or a window of one.
    """

    metric: str
    encoding: Encoding

    @abstractmethod
    def head(self, encoder: Any) -> nn.Module:
        """Return a new head for an encoder; draws from torch's global generator."""

    def features(
        self, instances: Sequence[Instance], skipped: Counter[str] | None = None
    ) -> Sequence[Any]:
        """Return what batches are made of.

        With `skipped`, which is for training, instances whose label the tokenizer cannot express are
        left out and counted there by reason.
        """
        return instances

    @abstractmethod
    def batch(self, features: Sequence[Any], chance: np.random.Generator) -> dict[str, Tensor]:
        """Return the encoder's inputs and what the loss needs."""

    @abstractmethod
    def logits(self, hidden: Tensor, head: nn.Module, batch: Mapping[str, Any]) -> Tensor:
        """Return the head's answer. `hidden`: last layer, (rows, tokens, dimensions)."""

    def loss(self, logits: Tensor, batch: Mapping[str, Any]) -> Tensor:
        """Return the mean cross entropy of `logits` (…, classes) against `batch['labels']`."""
        flat = logits.float().reshape(-1, logits.shape[-1])
        return nn.functional.cross_entropy(flat, batch["labels"].reshape(-1), ignore_index=IGNORED)

    @abstractmethod
    def scores(self, outputs: Outputs, instances: Sequence[Instance]) -> dict[str, float]:
        """Return the dev metrics, shares in 0..1; `metric` is the one that counts."""

    @abstractmethod
    def baseline(self, train: Sequence[Any], dev: Sequence[Any]) -> dict[str, float]:
        """Return what one reaches on dev without reading: by majority and by chance."""

    def settings(self) -> dict[str, Any]:
        """Return what is needed to use the head again: its kind and its labels."""
        return {"kind": type(self).__name__.lower()}


def classification_head(dimensions: int, classes: int) -> nn.Sequential:
    """Return RoBERTa's head over the first token: dropout, dense, tanh, dropout, dense."""
    return nn.Sequential(
        nn.Dropout(0.1), nn.Linear(dimensions, dimensions), nn.Tanh(),
        nn.Dropout(0.1), nn.Linear(dimensions, classes),
    )  # fmt: skip


class TaskModel(nn.Module):
    """An encoder and one head per task."""

    def __init__(self, encoder: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.encoder = encoder
        self.heads = nn.ModuleDict(dict(heads))

    def forward(self, task: str, objective: Objective, batch: Mapping[str, Any]) -> Tensor:
        names = objective.encoding.tokenizer.model_input_names
        inputs = {name: batch[name] for name in names if name in batch}
        hidden = self.encoder(**inputs).last_hidden_state
        return objective.logits(hidden, self.heads[task], batch)


def lengths(objective: Objective, features: Sequence[Any]) -> npt.NDArray[np.int64]:
    """Return the tokens of each feature, of the longest of its inputs where it has several."""
    from tqdm import tqdm

    found = [np.zeros(0, np.int64)]
    for start in tqdm(range(0, len(features), _COUNTED), desc="lengths", unit="batch"):
        part = features[start : start + _COUNTED]
        mask = objective.batch(part, np.random.default_rng(0))["attention_mask"]
        found.append(mask.sum(-1).reshape(len(part), -1).amax(1).numpy())
    return np.concatenate(found)


@torch.no_grad()
def run_head(
    model: TaskModel, task: str, objective: Objective, features: Sequence[Any], rows: int
) -> Iterator[tuple[Sequence[Any], dict[str, Tensor], Tensor]]:
    """Yield the outputs for all features, `rows` at a time; without dropout, with fixed chance."""
    from tqdm import tqdm

    from webfaq_eval.training.loop import autocast

    device = next(model.parameters()).device
    model.eval()
    for start in tqdm(range(0, len(features), rows), desc=f"dev {task}", unit="batch"):
        part = features[start : start + rows]
        batch = objective.batch(part, np.random.default_rng([17, start]))
        with autocast(device):
            there = {name: value.to(device) for name, value in batch.items()}
            logits = model(task, objective, there)
        yield part, batch, logits.float().cpu()


def evaluate(
    model: TaskModel, task: str, objective: Objective, instances: Sequence[Instance], rows: int
) -> dict[str, float]:
    """Return a task's dev metrics."""
    outputs = run_head(model, task, objective, objective.features(instances), rows)
    return objective.scores(outputs, instances)
