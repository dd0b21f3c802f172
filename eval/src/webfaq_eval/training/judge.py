"""Validation during a run: record the score, keep the best weights, stop when nothing gets better."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from webfaq_eval.checkpoints import last_checkpoint
from webfaq_eval.files import replacing
from webfaq_eval.loop import CHECKPOINTS
from webfaq_eval.training.embedders import Embedder
from webfaq_eval.training.validation import Retrieval

METRIC = "ndcg_at_10"


class Enough(Exception):
    """Training has not become better for `patience` validations: no further batch is wanted."""


class Judge:
    """Scores the model when the loop asks, for `loop.Job.evaluate`.

    What it knows of earlier validations comes from the last checkpoint's curve, so a run that was
    killed stops where it would have stopped.
    """

    def __init__(
        self, embedder: Embedder, retrieval: Retrieval, folder: Path, patience: int
    ) -> None:
        self.embedder, self.retrieval = embedder, retrieval
        self.folder, self.patience = folder, patience
        self.items = embedder.prepare(retrieval.questions), embedder.prepare(retrieval.answers)
        self.scores = [float(record[METRIC]) for record in self.curve() if METRIC in record]

    def curve(self) -> list[dict[str, Any]]:
        """Return the curve of the last checkpoint; empty at the start."""
        place = last_checkpoint(self.folder / CHECKPOINTS)
        if place is None:
            return []
        state = json.loads((place / "state.json").read_text(encoding="utf-8"))
        return list(state["curve"])

    def score(self) -> dict[str, float]:
        """Score the model as it is; nothing is recorded."""
        return self.retrieval.summary(self.retrieval.score(self.embedder, self.items))

    def __call__(self) -> Mapping[str, float]:
        """Score, and keep the weights if they are the best so far."""
        found = self.score()
        best = max(self.scores, default=float("-inf"))
        self.scores.append(found[METRIC])
        if found[METRIC] > best:
            save_weights(self.embedder.module, self.best_path)
        return found

    @property
    def enough(self) -> bool:
        """Return whether the last `patience` validations brought no better one."""
        if not (self.patience and self.scores):
            return False
        return len(self.scores) - 1 - self.best_place >= self.patience

    @property
    def best_place(self) -> int:
        """Return which validation was the best, the first of equals."""
        return self.scores.index(max(self.scores))

    @property
    def best_path(self) -> Path:
        return self.folder / "best.safetensors"


def _trained(module: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the trained weights whole."""
    from safetensors.torch import save_file

    weights = {name: p.detach().cpu().contiguous() for name, p in _trained(module).items()}
    with replacing(path) as temporary:
        save_file(weights, temporary)


def load_weights(module: nn.Module, path: Path) -> None:
    """Read trained weights back into the module."""
    from safetensors.torch import load_file

    found = load_file(path)
    with torch.no_grad():
        for name, weight in _trained(module).items():
            weight.copy_(found[name])
