"""One process or several (`accelerate launch`): who takes which slice, and what they exchange."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from webfaq_eval.errors import TrainingError


class Processes:
    """The processes of a run, by accelerate's state; one alone without it."""

    def __init__(self, rank: int = 0, count: int = 1, device: str = "cpu") -> None:
        self.rank, self.count, self.device = rank, count, device

    @classmethod
    def found(cls, device: str | None) -> Processes:
        """Return the processes that accelerate sees; `device` None takes CUDA where there is one.

        :raises TrainingError: if accelerate is missing.
        """
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise TrainingError(
                "training needs accelerate: pip install 'webfaq-eval[train]'"
            ) from error
        state: Any = PartialState(cpu=device == "cpu")
        place = str(state.device) if device is None or state.num_processes > 1 else device
        return cls(state.process_index, state.num_processes, place)

    @property
    def main(self) -> bool:
        return self.rank == 0

    def slice(self, rows: int) -> slice:
        """Return which of so many rows this process takes: contiguous, sizes differ by at most one."""
        return slice(rows * self.rank // self.count, rows * (self.rank + 1) // self.count)

    @cached_property
    def _distributed(self) -> Any:
        import torch.distributed

        return torch.distributed

    def gather(self, mine: Tensor) -> Tensor:
        """Return the rows of all processes in their order; gradients flow to this process's own."""
        if self.count == 1:
            return mine
        size = torch.tensor([len(mine)], device=mine.device)
        sizes = [torch.zeros_like(size) for _ in range(self.count)]
        self._distributed.all_gather(sizes, size)
        longest = int(max(int(s) for s in sizes))
        padded = mine.new_zeros((longest, *mine.shape[1:]))
        padded[: len(mine)] = mine.detach()
        found = [torch.zeros_like(padded) for _ in range(self.count)]
        self._distributed.all_gather(found, padded)
        parts = [part[: int(s)] for part, s in zip(found, sizes, strict=True)]
        parts[self.rank] = mine
        return torch.cat(parts)

    def sum_gradients(self, module: nn.Module) -> None:
        """Add the gradients of all processes; each then takes the same optimizer step."""
        if self.count == 1:
            return
        for parameter in module.parameters():
            if parameter.requires_grad:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                self._distributed.all_reduce(parameter.grad)

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            self._distributed.barrier()
