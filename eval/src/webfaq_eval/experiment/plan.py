"""What an experiment will do, before it does it: cells, cost, and what is there already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from webfaq_eval.experiment.settings import Cell, Experiment, Folders, cells_of
from webfaq_eval.pairs.conditions import select
from webfaq_eval.pairs.pairs import read_for_conditions
from webfaq_eval.pairs.settings import Draw

#: Passes over a text in training: forward, and backward at twice its cost (Kaplan et al. 2020).
_TRAINING = 3
_FLOPS = 2


@dataclass(frozen=True)
class PlannedCell:
    """One cell: how many pairs it trains on (None: the pairs are not known), steps and cost."""

    cell: Cell
    pairs: int | None
    steps: int | None
    flops: float | None
    state: str

    def to_json(self) -> dict[str, Any]:
        facts = {"cell": self.cell.name, "condition": str(self.cell.condition)}
        sizes = {"pairs": self.pairs, "steps": self.steps, "flops": self.flops}
        return {
            **facts,
            "start": self.cell.start,
            "seed": self.cell.seed,
            **sizes,
            "state": self.state,
        }


@dataclass(frozen=True)
class Plan:
    """All cells, and how long those that are not done take on the machine of `[cost]`."""

    name: str
    cells: list[PlannedCell]
    flops_per_second: float
    warnings: list[str] = field(default_factory=list)

    @property
    def left(self) -> list[PlannedCell]:
        return [one for one in self.cells if one.state != "done"]

    @property
    def hours(self) -> float | None:
        """Hours of training that are left; None where the pairs are not known."""
        flops = [one.flops for one in self.left]
        known = [one for one in flops if one is not None]
        return sum(known) / self.flops_per_second / 3600 if len(known) == len(flops) else None

    def to_json(self) -> dict[str, Any]:
        return {
            "experiment": self.name,
            "cells": [one.to_json() for one in self.cells],
            "left": len(self.left),
            "training_hours_left": self.hours,
            "flops_per_second": self.flops_per_second,
            "warnings": self.warnings,
        }

    def text(self) -> str:
        lines = [f"{'cell':<44} {'pairs':>10} {'steps':>8}  state"]
        for one in self.cells:
            pairs = "?" if one.pairs is None else f"{one.pairs:,}"
            steps = "?" if one.steps is None else f"{one.steps:,}"
            lines.append(f"{one.cell.name:<44} {pairs:>10} {steps:>8}  {one.state}")
        hours = "unknown: name --pairs" if self.hours is None else f"{self.hours:,.1f} hours"
        lines.append(
            f"{len(self.cells)} cells, {len(self.left)} to do; training them: {hours} at "
            f"{self.flops_per_second:.1e} FLOP/s (an estimate; scoring comes on top)"
        )
        return "\n".join([*lines, *(f"warning: {one}" for one in self.warnings)])


def plan(experiment: Experiment, folders: Folders) -> Plan:
    """Return every cell with its size; the pairs are read once if the experiment names them.

    :raises EvalError: if the pairs cannot be read, or a domain is not in them.
    """
    warnings: list[str] = []
    sizes = _sizes(experiment, warnings) if experiment.pairs else {}
    planned = []
    for cell in cells_of(experiment):
        pairs = 0 if cell.condition.kind == "none" else sizes.get(cell)
        steps = _steps(experiment, pairs)
        planned.append(
            PlannedCell(cell, pairs, steps, _flops(experiment, cell, steps), state(cell, folders))
        )
    return Plan(experiment.name, planned, experiment.cost.flops_per_second, warnings)


def state(cell: Cell, folders: Folders) -> str:
    """Return `done`, `trained` (to be scored), `started` or `to do`."""
    if folders.done(cell).is_file():
        return "done"
    model = folders.model(cell)
    if (model / "training.json").is_file():
        return "trained"
    return "started" if model.is_dir() else "to do"


def _sizes(experiment: Experiment, warnings: list[str]) -> dict[Cell, int]:
    held_out = frozenset(experiment.hold_out_languages)
    _, index, _ = read_for_conditions(experiment.pairs, held_out)
    sizes: dict[Cell, int] = {}
    known: dict[tuple[str, int], int] = {}
    for cell in cells_of(experiment):
        key = (str(cell.condition), cell.seed)
        if cell.condition.kind != "none" and key not in known:
            draw = Draw(cell.seed, experiment.train.pairs_per_language)
            chosen = select(index, cell.condition, draw)
            known[key] = len(chosen)
            warnings += [one for one in chosen.warnings if one not in warnings]
            if not len(chosen):
                warnings.append(f"{cell.condition} has no pair: its cells cannot be trained")
        sizes[cell] = known.get(key, 0)
    return sizes


def _steps(experiment: Experiment, pairs: int | None) -> int | None:
    if pairs is None:
        return experiment.train.steps
    if not pairs:
        return 0
    per_epoch = max(1, pairs // experiment.train.batch_size)
    return experiment.train.steps or experiment.train.epochs * per_epoch


def _flops(experiment: Experiment, cell: Cell, steps: int | None) -> float | None:
    """Return the FLOPs of a cell: two texts per pair and step; a head trains on vectors, at no cost."""
    if steps is None:
        return None
    if experiment.train.mode == "head":
        return 0.0
    texts = 2.0 * steps * experiment.train.batch_size
    parameters = experiment.starts[cell.start].parameters or experiment.cost.parameters
    return texts * experiment.cost.tokens * _FLOPS * _TRAINING * parameters
