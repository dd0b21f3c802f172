"""The cells of an experiment: each is one model, trained once and scored on everything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from webfaq_eval.experiment.settings import Experiment
from webfaq_eval.training.conditions import WITH_DOMAIN, Condition


@dataclass(frozen=True)
class Cell:
    """One model of the grid. `none` trains nothing, so it has no seed (-1)."""

    start: str
    condition: Condition
    seed: int

    @property
    def name(self) -> str:
        """The cell's name in folders and tables: `xlmr.in-domain-health.s0`."""
        what = str(self.condition).replace(":", "-")
        return f"{self.start}.{what}" + ("" if self.seed < 0 else f".s{self.seed}")


def cells_of(experiment: Experiment) -> list[Cell]:
    """Return all cells, start by start, in the order of the file."""
    found = []
    for start in experiment.starts:
        for kind in experiment.conditions:
            domains = experiment.domains if kind in WITH_DOMAIN else (None,)
            seeds = (-1,) if kind == "none" else experiment.seeds
            found += [
                Cell(start, Condition(kind, domain), seed) for domain in domains for seed in seeds
            ]
    return found


@dataclass(frozen=True)
class Folders:
    """Where an experiment keeps what it makes."""

    out: Path

    @property
    def record(self) -> Path:
        return self.out / "experiment.json"

    @property
    def results(self) -> Path:
        return self.out / "results"

    @property
    def vectors(self) -> Path:
        """Vectors of texts under a start's encoder: shared by all its heads and all scoring."""
        return self.out / "vectors"

    def start(self, name: str) -> Path:
        return self.out / "starts" / name

    def model(self, cell: Cell) -> Path:
        return self.out / "models" / cell.name

    def done(self, cell: Cell) -> Path:
        """The cell's record, written when its model is trained and scored."""
        return self.out / "cells" / f"{cell.name}.json"
