"""One training step: a batch of rows to a loss, its gradient held in bounded memory.

With `cached` the batch is embedded twice, part by part: once without gradients, then, when the loss's
gradient for each vector is known, once more to carry it on into the weights (GradCache, Gao et al.
2021). Memory then depends on the part and not on the batch. Several processes embed a slice of the
batch each and gather all vectors, so every question meets every answer; the gradient is their sum and
equals that of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from webfaq_eval.training.batches import Batch, TrainingData
from webfaq_eval.training.embedders import Embedder, by_length
from webfaq_eval.training.loop import autocast
from webfaq_eval.training.losses import Vectors, loss_of
from webfaq_eval.training.processes import Processes
from webfaq_eval.training.settings import LossSettings, StepSettings


@dataclass(frozen=True)
class Step:
    """The loss of a batch, for `loop.run_loop`."""

    embedder: Embedder
    data: TrainingData
    loss: LossSettings
    settings: StepSettings
    processes: Processes
    seed: int

    def __call__(self, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss; its `backward` fills the gradients of all processes' weights alike."""
        whole: Batch = batch["batch"]
        mine = self.processes.slice(len(whole.rows))
        parts = [whole.rows[mine], whole.negatives_of(mine)]
        items = self.data.items(parts[0], parts[1])
        sizes = (len(parts[0]), len(parts[0]), len(parts[1]))
        if self.settings.cached or self.processes.count > 1:
            return self._cached(items, sizes, whole, batch["step"])
        vectors = self._embed(items, batch["step"])
        return self._loss(vectors, sizes, whole)

    def _loss(self, mine: Tensor, sizes: tuple[int, int, int], whole: Batch) -> Tensor:
        gathered = (self.processes.gather(part) for part in torch.split(mine, list(sizes)))
        # Cosines over a small temperature need all the digits that bfloat16 would cut.
        with torch.autocast(mine.device.type, enabled=False):
            return loss_of(Vectors(*gathered), whole.marks.to(mine.device), self.loss)

    def _embed(self, items: Sequence[Any], step: int) -> Tensor:
        """Embed all items with gradients, in the order given."""
        found = [part(step) for part in self._parts(items)]
        order = by_length(items)
        back = torch.from_numpy(np.argsort(order, kind="stable")).to(found[0].device)
        return torch.cat(found)[back]

    def _parts(self, items: Sequence[Any]) -> list[Callable[[int], Tensor]]:
        order = by_length(items)
        size = self.settings.part if items and isinstance(items[0], str) else len(items)
        starts = range(0, len(order), size)
        return [self._part(items, order[start : start + size], n) for n, start in enumerate(starts)]

    def _part(self, items: Sequence[Any], places: Any, number: int) -> Callable[[int], Tensor]:
        chosen = [items[place] for place in places]

        def embed(step: int) -> Tensor:
            # Dropout must fall alike both times, and after a restart: its seed is the place in the run.
            torch.manual_seed(_mixed(self.seed, step, self.processes.rank, number))
            with autocast(self.embedder.device, self.settings.bf16):
                return self.embedder.embed(chosen).float()

        return embed

    def _cached(
        self, items: Sequence[Any], sizes: tuple[int, int, int], whole: Batch, step: int
    ) -> Tensor:
        parts = self._parts(items)
        order = torch.from_numpy(by_length(items)).to(self.embedder.device)
        with torch.no_grad():
            sorted_vectors = torch.cat([part(step) for part in parts])
        leaf = torch.empty_like(sorted_vectors)
        leaf[order] = sorted_vectors
        leaf.requires_grad_()
        loss = self._loss(leaf, sizes, whole)
        (gradient,) = torch.autograd.grad(loss, leaf)
        gradient = gradient[order]

        def carry_on(scale: Tensor) -> None:
            start = 0
            for part in parts:
                with torch.enable_grad():
                    vectors = part(step)
                    torch.autograd.backward(vectors, gradient[start : start + len(vectors)] * scale)
                start += len(vectors)
            self.processes.sum_gradients(self.embedder.module)

        result = loss.detach().requires_grad_()
        result.register_hook(carry_on)  # type: ignore[no-untyped-call]
        return result


def _mixed(*numbers: int) -> int:
    """Return one seed of several numbers; neighbours give unrelated seeds."""
    mixed = 0
    for number in numbers:
        mixed = (mixed ^ number) * 0x9E3779B97F4A7C15 % 2**64
        mixed ^= mixed >> 29
    return mixed % 2**63
