"""A small training loop: accumulate, clip, warm up and decay, record, checkpoint, go on where it stopped.

The batch is a function of its number, so the step alone says where the data stand: a run that is
killed and started again takes the same batches and, on a CPU, ends with the same weights bit for bit.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn

from webfaq_domains.ground.files import write_text
from webfaq_eval.errors import TrainingError
from webfaq_eval.training.checkpoints import (
    RunState,
    last_checkpoint,
    last_good,
    load_checkpoint,
    save_checkpoint,
)

CHECKPOINTS, CURVE = "checkpoints", "curve.jsonl"

#: A batch by its number: names to tensors (moved to the model's device) or other values.
BatchAt = Callable[[int], Mapping[str, Any]]
LossOf = Callable[[Mapping[str, Any]], Tensor]
Evaluate = Callable[[], Mapping[str, float]]


@dataclass(frozen=True)
class LoopSettings:
    """How long and how fast to train.

    A step takes `accumulate` batches. The learning rate rises in a line over the first `warmup` share
    of the steps and falls in a line to zero. `evaluate_every` 0 means: never during training.
    """

    steps: int
    learning_rate: float
    warmup: float = 0.0
    weight_decay: float = 0.0
    accumulate: int = 1
    clip: float = 1.0
    record_every: int = 10
    save_every: int = 500
    evaluate_every: int = 0
    bf16: bool = True

    def __post_init__(self) -> None:
        positive = ("steps", "accumulate", "record_every", "save_every", "learning_rate", "clip")
        for name in positive:
            if not getattr(self, name) > 0:
                raise TrainingError(f"{name} is {getattr(self, name)}; it must be above 0")
        if not 0 <= self.warmup <= 1:
            raise TrainingError(f"warmup is {self.warmup}; it is a share of the steps, 0 to 1")


@dataclass(frozen=True)
class Job:
    """What a loop runs on: the model, its batches, its loss, its folder, and the hash of it all.

    `loss_of` gets the batch with its tensors on the model's device. `evaluate`, if there is one, returns
    numbers that are recorded in the curve; it must not draw from the global generators.
    """

    model: nn.Module
    batch_at: BatchAt
    loss_of: LossOf
    folder: Path
    run: str
    evaluate: Evaluate | None = None


def run_loop(job: Job, settings: LoopSettings) -> list[dict[str, Any]]:
    """Train `job.model` in place, from its last checkpoint if there is one; return the learning curve.

    :raises TrainingError: on a loss that is not finite, no memory, a full disk, or an interruption
        (Ctrl-C, SIGTERM); says where the last good checkpoint is.
    """
    state = _start(job, settings)
    with _stop_signals() as stopping, _explained(job.folder, settings):
        for step in _progress(state.step, settings.steps):
            began = time.perf_counter()
            loss, norm = _step(job, settings, state)
            state.step = step + 1
            if state.step % settings.record_every == 0 or state.step == settings.steps:
                rate = state.scheduler.get_last_lr()[0]
                seconds = round(time.perf_counter() - began, 4)
                state.curve.append(
                    {
                        "step": state.step,
                        "loss": loss,
                        "norm": norm,
                        "rate": rate,
                        "seconds": seconds,
                    }
                )
            _evaluate(job, settings, state)
            _save(job, settings, state, bool(stopping))
    return state.curve


def _start(job: Job, settings: LoopSettings) -> RunState:
    groups = _groups(job.model, settings.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, warm_up_and_decay(settings))
    state = RunState(job.model, optimizer, scheduler, job.run)
    place = last_checkpoint(job.folder / CHECKPOINTS)
    if place is not None:
        load_checkpoint(place, state)
    return state


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split the trained weights: matrices decay, biases and norms (one dimension) do not."""
    trained = [p for p in model.parameters() if p.requires_grad]
    if not trained:
        raise TrainingError("no weight of the model is trained: all of them are kept as they are")
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def warm_up_and_decay(settings: LoopSettings) -> Callable[[int], float]:
    """Return the share of the learning rate at a step: a line up, then a line down to zero."""
    rising = math.ceil(settings.warmup * settings.steps)

    def share(step: int) -> float:
        if step < rising:
            return (step + 1) / (rising + 1)
        return (settings.steps - step) / max(1, settings.steps - rising)

    return share


def _step(job: Job, settings: LoopSettings, state: RunState) -> tuple[float, float]:
    """Take one optimizer step; return the mean loss of its batches and the gradient's norm."""
    job.model.train()
    device = next(job.model.parameters()).device
    total = 0.0
    for part in range(settings.accumulate):
        batch = _moved(job.batch_at(state.step * settings.accumulate + part), device)
        with autocast(device, settings.bf16):
            loss = job.loss_of(batch)
        torch.autograd.backward(loss / settings.accumulate)
        total += float(loss.detach()) / settings.accumulate
    norm = float(nn.utils.clip_grad_norm_(job.model.parameters(), settings.clip))
    if not (math.isfinite(total) and math.isfinite(norm)):
        raise TrainingError(
            f"at step {state.step + 1} the loss is {total} and the gradient's norm {norm}; "
            f"{last_good(job.folder / CHECKPOINTS)}. Use a smaller learning rate, or longer warm-up"
        )
    state.optimizer.step()
    state.scheduler.step()
    state.optimizer.zero_grad(set_to_none=True)
    return total, norm


def autocast(device: torch.device, bf16: bool = True) -> AbstractContextManager[Any]:
    """Return bfloat16 autocast on a CUDA device that has it, and full precision elsewhere."""
    if bf16 and device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


def _moved(batch: Mapping[str, Any], device: torch.device) -> dict[str, Any]:
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }


def _evaluate(job: Job, settings: LoopSettings, state: RunState) -> None:
    every = settings.evaluate_every
    if job.evaluate is None or not every or state.step % every:
        return
    state.curve.append({"step": state.step, **job.evaluate()})


def _save(job: Job, settings: LoopSettings, state: RunState, stopping: bool) -> None:
    done = state.step == settings.steps
    if not (done or stopping or state.step % settings.save_every == 0):
        return
    place = save_checkpoint(job.folder / CHECKPOINTS, state)
    write_curve(job.folder / CURVE, state.curve)
    if stopping and not done:
        raise TrainingError(
            f"stopped after step {state.step} of {settings.steps}; the last good checkpoint is {place}. "
            "Start the same command again to go on"
        )


def write_curve(path: Path, curve: Sequence[Mapping[str, Any]]) -> None:
    """Write a learning curve as JSON lines, whole or not at all."""
    write_text(path, "".join(json.dumps(dict(record)) + "\n" for record in curve))


def _progress(first: int, steps: int) -> Iterator[int]:
    from tqdm import tqdm

    yield from tqdm(range(first, steps), desc="train", initial=first, total=steps, unit="step")


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    """Turn the first Ctrl-C or SIGTERM into a mark that is looked at between steps.

    The second one ends the process as usual. Outside the main thread signals are left alone.
    """
    seen: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield seen
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, note)
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _explained(folder: Path, settings: LoopSettings) -> Iterator[None]:
    """Turn the errors of a machine that is too small into ones that say what to do."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _no_memory(folder, error) from error
    except RuntimeError as error:
        # The CPU allocator has no class of its own.
        if "can't allocate memory" not in str(error) and "not enough memory" not in str(error):
            raise
        raise _no_memory(folder, error) from error
    except OSError as error:
        raise TrainingError(
            f"cannot go on: {error}; {last_good(folder / CHECKPOINTS)}. "
            "Mend it (make room on the disk) and start the same command again"
        ) from error


def _no_memory(folder: Path, error: BaseException) -> TrainingError:
    first = (str(error) or type(error).__name__).splitlines()[0]
    return TrainingError(
        f"out of memory: {first}; {last_good(folder / CHECKPOINTS)}. Use smaller batches with more "
        "accumulation, or shorter texts"
    )
