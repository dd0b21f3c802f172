"""The settings of an intermediate run, with the values that are used when none is given."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.ground.languages import to_iso3
from webfaq_eval.errors import TrainingError
from webfaq_eval.intermediate.tasks.data import Selection
from webfaq_eval.intermediate.tasks.source import EVERY

#: The nine tasks of Phang et al. 2020, and what `--task` takes.
NINE = ("anli", "mnli", "qqp", "squad_v1", "squad_v2", "hellaswag", "ccg", "cosmosqa", "csqa")
NAMES = (*NINE, "multi", "mlm")


@dataclass(frozen=True)
class Settings:
    """What decides a run.

    Learning rate, warm-up and the effective batch of 32 are those of the paper's code: 1e-5, 0.1 and
    4 x 8 accumulated (nyu-mll/jiant @ daa5a25, `xtreme_runconfig_writer.py`), as are 2 epochs, which
    it uses for NLI and question answering; for the other tasks 2 is our choice. It evaluates every
    1,000 steps. `steps` 0 means: as many as `epochs` take. `max_length` 0: the task's own.
    `group_lengths` puts rows of like length into a batch, which is faster; the paper's code does not.
    """

    task: str
    language: str = "eng"
    seed: int = 0
    epochs: float = 2.0
    steps: int = 0
    batch_size: int = 32
    micro_batch: int = 0
    learning_rate: float = 1e-5
    warmup: float = 0.1
    weight_decay: float = 0.0
    max_length: int = 0
    freeze_embeddings: bool = False
    limit: int | None = None
    dev_share: float = 0.1
    mix_mlm: float = 0.0
    evaluate_every: int = 0
    save_every: int = 500
    group_lengths: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.mix_mlm < 1:
            raise TrainingError(
                f"mix_mlm is {self.mix_mlm}; expected a share of the batches below 1"
            )
        if self.batch_size < 1 or self.micro_batch < 0:
            raise TrainingError("batch_size must be 1 or more, micro_batch 0 (the same) or more")
        if self.micro_batch and self.batch_size % self.micro_batch:
            raise TrainingError(
                f"micro_batch {self.micro_batch} does not divide batch_size {self.batch_size}; "
                "a step takes whole micro-batches"
            )
        if self.steps < 0 or (not self.steps and self.epochs <= 0):
            raise TrainingError("steps or epochs must be above 0")

    @property
    def rows(self) -> int:
        """How many rows are in memory at once."""
        return self.micro_batch or self.batch_size

    @property
    def accumulate(self) -> int:
        return self.batch_size // self.rows

    def selection(self, task: str) -> Selection:
        """Return which rows are wanted of a task; masked-language texts are of every language."""
        language = EVERY if task == "mlm" else to_iso3(self.language)
        if language is None:
            raise TrainingError(
                f"{self.language!r} is no known language; name one by its code, for example deu or de"
            )
        return Selection(language, self.dev_share, self.limit)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Places:
    """Where a run reads and writes; none of it decides a byte of the result.

    `data` is a folder, a file, or `hub`; `revisions` are the commits of Hub data sets, `mlm_texts`
    the texts of `mix_mlm`, `benchmark` a staged benchmark whose queries may not be trained on.
    """

    encoder: str
    data: str
    out: Path
    mlm_texts: Path | None = None
    benchmark: Path | None = None
    revisions: tuple[str, ...] = ()
    device: str | None = None
