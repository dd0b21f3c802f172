"""Checkpoints of a training run: all that decides the next step, as safetensors and JSON, no pickle.

    checkpoints/step-00000200/tensors.safetensors   trained weights, buffers, optimizer, torch's generators
    checkpoints/step-00000200/state.json            step, position, schedule, other generators, curve, run

A checkpoint appears whole: it is written under a temporary name and renamed. Only weights that are
trained are kept: a frozen weight is the one of the encoder that the run starts from, and `run`, the
hash of all that decides the run, holds that encoder's sha.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from webfaq_domains.ground.records import RecordError, as_record, read_json
from webfaq_eval.errors import TrainingError

_NAME = re.compile(r"step-(\d{8})")
_TENSORS, _STATE = "tensors.safetensors", "state.json"


@dataclass
class RunState:
    """What a checkpoint holds: the objects that are read and filled, and where the run stands.

    `position` is JSON: what the run's data need in order to go on (empty where the step says it all).
    `run` is a hash of everything that decides the run; a checkpoint of another run is refused.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: torch.optim.lr_scheduler.LRScheduler
    run: str
    step: int = 0
    position: dict[str, Any] = field(default_factory=dict)
    curve: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class StateRecord:
    """What `state.json` holds: all of a run's state that is not a tensor."""

    run: str
    step: int
    position: dict[str, Any]
    curve: tuple[dict[str, Any], ...]
    optimizer: dict[str, Any]
    scheduler: dict[str, Any]
    generators: dict[str, Any]


def read_state(place: Path) -> StateRecord:
    """Return the state of a checkpoint.

    :raises TrainingError: if it cannot be read.
    """
    try:
        return as_record(StateRecord, read_json(place / _STATE), _STATE)
    except RecordError as error:
        raise TrainingError(f"cannot read the checkpoint {place}: {error}; remove it") from error


def save_checkpoint(folder: Path, state: RunState, keep: int = 2) -> Path:
    """Write `folder/step-NNNNNNNN` whole and remove all but the `keep` newest checkpoints.

    :raises TrainingError: if it cannot be written (a full disk); the older checkpoints stay.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    place = folder / f"step-{state.step:08d}"
    temporary = folder / f".{place.name}.{os.getpid()}.tmp"
    try:
        temporary.mkdir(parents=True, exist_ok=True)
        save_file(_tensors(state), temporary / _TENSORS)
        (temporary / _STATE).write_text(json.dumps(asdict(_plain(state))) + "\n", encoding="utf-8")
        if place.exists():
            shutil.rmtree(place)
        os.replace(temporary, place)
    except (OSError, SafetensorError) as error:
        raise TrainingError(
            f"cannot write the checkpoint {place}: {error}; {last_good(folder)}. "
            "Make room on the disk and start the same command again"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    for old in _all(folder)[:-keep]:
        shutil.rmtree(old)
    return place


def load_checkpoint(place: Path, state: RunState) -> None:
    """Fill `state` from a checkpoint, so that the run goes on as if it had never stopped.

    :raises TrainingError: if the checkpoint is another run's, or does not fit the model.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    plain = read_state(place)
    try:
        tensors = load_file(place / _TENSORS)
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"cannot read the checkpoint {place}: {error}; remove it") from error
    if plain.run != state.run:
        raise TrainingError(
            f"{place} belongs to another run: its settings, data or encoder are not those asked for "
            f"(run {plain.run[:12]}, asked {state.run[:12]}). Use another --out, or remove the folder"
        )
    _fill_model(state.model, tensors, place)
    _fill_optimizer(state.optimizer, plain.optimizer, tensors)
    state.scheduler.load_state_dict(plain.scheduler)
    state.step, state.position, state.curve = plain.step, plain.position, list(plain.curve)
    _fill_generators(plain.generators, tensors)


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint under a folder, or None; clears what a killed process left."""
    if not folder.is_dir():
        return None
    for left in folder.glob(".step-*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    found = _all(folder)
    return found[-1] if found else None


def last_good(folder: Path) -> str:
    """Say in words where the last good checkpoint is, for the text of an error."""
    found = _all(folder) if folder.is_dir() else []
    return f"the last good checkpoint is {found[-1]}" if found else "there is no checkpoint yet"


def _all(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """Return what training changes: trained parameters (a tied one once) and buffers that are kept."""
    kept = set(model.state_dict(keep_vars=True))
    found = {name: p.data for name, p in model.named_parameters() if p.requires_grad}
    return found | {name: b for name, b in model.named_buffers() if name in kept}


def _tensors(state: RunState) -> dict[str, Tensor]:
    found = {f"model/{name}": value for name, value in _weights(state.model).items()}
    for number, values in state.optimizer.state_dict()["state"].items():
        for name, value in values.items():
            if isinstance(value, Tensor):
                found[f"optimizer/{number}/{name}"] = value
    found["generator/cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        for device, value in enumerate(torch.cuda.get_rng_state_all()):
            found[f"generator/cuda{device}"] = value
    return {name: value.detach().cpu().contiguous() for name, value in found.items()}


def _plain(state: RunState) -> StateRecord:
    """Return all that is not a tensor; JSON keeps every digit of a Python float."""
    optimizer = state.optimizer.state_dict()
    rest = {
        str(number): {name: v for name, v in values.items() if not isinstance(v, Tensor)}
        for number, values in optimizer["state"].items()
    }
    kind, keys, *place = np.random.get_state(legacy=True)
    return StateRecord(
        run=state.run,
        step=state.step,
        position=state.position,
        curve=tuple(state.curve),
        optimizer={"state": rest, "param_groups": optimizer["param_groups"]},
        scheduler=state.scheduler.state_dict(),
        generators={
            "python": random.getstate(),
            "numpy": [kind, np.asarray(keys).tolist(), *place],
        },
    )


def _fill_model(model: nn.Module, tensors: dict[str, Tensor], place: Path) -> None:
    weights = _weights(model)
    found = {name[6:]: value for name, value in tensors.items() if name.startswith("model/")}
    if found.keys() != weights.keys():
        differ = sorted(found.keys() ^ weights.keys())
        raise TrainingError(f"{place} does not fit the model: {len(differ)} weights, {differ[:3]}…")
    with torch.no_grad():
        for name, value in weights.items():
            value.copy_(found[name])


def _fill_optimizer(
    optimizer: torch.optim.Optimizer, plain: dict[str, Any], tensors: dict[str, Tensor]
) -> None:
    state = {int(number): dict(values) for number, values in plain["state"].items()}
    for key, value in tensors.items():
        if key.startswith("optimizer/"):
            _, number, name = key.split("/", 2)
            state[int(number)][name] = value
    optimizer.load_state_dict({"state": state, "param_groups": plain["param_groups"]})


def _fill_generators(plain: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    version, keys, gauss = plain["python"]
    random.setstate((version, tuple(keys), gauss))
    kind, state, *place = plain["numpy"]
    np.random.set_state((kind, np.array(state, dtype=np.uint32), *place))
    torch.set_rng_state(tensors["generator/cpu"])
    for device in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        if f"generator/cuda{device}" in tensors:
            torch.cuda.set_rng_state(tensors[f"generator/cuda{device}"], device)
