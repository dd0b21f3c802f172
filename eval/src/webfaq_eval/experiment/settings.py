"""An experiment as a TOML file: what is crossed with what, and the cells that this makes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.records import RecordError, as_record
from webfaq_eval.errors import EvalError, TrainingError
from webfaq_eval.intermediate.settings import Settings as Intermediate
from webfaq_eval.pairs.conditions import KINDS, WITH_DOMAIN, Condition
from webfaq_eval.training.settings import (
    DataSettings,
    EncoderSettings,
    LossSettings,
    Schedule,
    TrainSettings,
)


@dataclass(frozen=True)
class Start:
    """Where training begins: an encoder as it is, or after an English intermediate task.

    `encoder` is a folder or Hub name; `data` the task's files, or `hub` with `revisions`. `parameters`
    are those of this encoder where they are not those of `[cost]`.
    """

    encoder: str = ""
    intermediate: str | None = None
    data: str = ""
    revisions: tuple[str, ...] = ()
    mlm_texts: str | None = None
    parameters: float | None = None


@dataclass(frozen=True)
class Training:
    """How every cell is trained; names and defaults are those of `webfaq-eval train`."""

    mode: str = EncoderSettings.mode
    batch_size: int = TrainSettings.batch_size
    steps: int | None = Schedule.steps
    epochs: int = Schedule.epochs
    learning_rate: float = Schedule.learning_rate
    temperature: float = LossSettings.temperature
    symmetric: bool = LossSettings.symmetric
    monolingual: bool = TrainSettings.monolingual
    max_length: int = EncoderSettings.max_length
    pairs_per_language: int | None = DataSettings.pairs_per_language
    evaluate_every: int = Schedule.evaluate_every
    patience: int = Schedule.patience


@dataclass(frozen=True)
class Scoring:
    """What every cell is scored on; the names are those of `webfaq-eval score`."""

    subsets: tuple[str, ...] = ()
    pool: str = "full"
    max_length: int | None = None
    depth: int = 100


@dataclass(frozen=True)
class Cost:
    """What a machine does, to say how long a plan takes.

    `flops_per_second` is what it reaches, not what it could; `parameters` are those of the encoder
    without its word embeddings; `tokens` is the mean length of a text.
    """

    flops_per_second: float = 5e10
    parameters: float = 21e6
    tokens: int = 64


@dataclass(frozen=True)
class Experiment:
    """The whole grid. Prefixes are the same in training and scoring."""

    name: str
    starts: Mapping[str, Start]
    domains: tuple[str, ...]
    conditions: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    pairs: str = ""
    benchmark: str = ""
    hold_out_languages: tuple[str, ...] = ()
    query_prefix: str = ""
    passage_prefix: str = ""
    intermediate: Mapping[str, Any] = field(default_factory=dict)
    train: Training = field(default_factory=Training)
    score: Scoring = field(default_factory=Scoring)
    cost: Cost = field(default_factory=Cost)

    def with_places(
        self, pairs: str | None, benchmark: str | None, encoders: Mapping[str, str]
    ) -> Experiment:
        """Return the experiment with other pairs, benchmark or encoders of some starts.

        :raises TrainingError: if a start is named that the experiment lacks.
        """
        unknown = set(encoders) - set(self.starts)
        if unknown:
            raise TrainingError(
                f"{self.name} has no start {', '.join(sorted(unknown))}; it has "
                f"{', '.join(self.starts)}"
            )
        starts = {
            name: replace(start, encoder=encoders.get(name, start.encoder))
            for name, start in self.starts.items()
        }
        return replace(
            self, pairs=pairs or self.pairs, benchmark=benchmark or self.benchmark, starts=starts
        )

    def deciding(self) -> str:
        """Return the sha256 of what every cell shares: a grid may grow, this may not change."""
        shared = ("hold_out_languages", "query_prefix", "passage_prefix")
        values: dict[str, Any] = {name: getattr(self, name) for name in shared}
        values |= {"train": asdict(self.train), "score": asdict(self.score)}
        return value_sha256({**values, "intermediate": dict(self.intermediate)})


def read_experiment(path: Path) -> Experiment:
    """Read an experiment file.

    :raises TrainingError: if it is no TOML, or has a name or value that means nothing.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path} cannot be read as an experiment: {error}") from error
    try:
        found = as_record(Experiment, data, "")
        if found.intermediate:  # what each start's task is trained with: its names are checked now
            as_record(Intermediate, {"task": "", **found.intermediate}, "intermediate")
    except (RecordError, EvalError) as error:
        raise TrainingError(
            f"{path}: {error}; an experiment has name, starts, domains, conditions"
        ) from error
    _check(found, path)
    return found


def _check(found: Experiment, path: Path) -> None:
    for kind in found.conditions:
        if kind not in KINDS:
            raise TrainingError(f"{path}: condition {kind!r} is none of {', '.join(KINDS)}")
    for name in ("starts", "domains", "conditions", "seeds"):
        if not getattr(found, name):
            raise TrainingError(f"{path}: {name} is empty; there is nothing to run")
    if set(found.conditions) & set(WITH_DOMAIN) and "in-domain" not in found.conditions:
        raise TrainingError(f"{path}: conditions by domain are compared with in-domain; add it")


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
