"""What decides a training run, as frozen dataclasses: the one place of every default.

The command line and experiments take their defaults from here, so nothing heavy is imported on top.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.settings import Draw, NegativeSettings

if TYPE_CHECKING:
    from webfaq_eval.training.loop import LoopSettings

MODES = ("full", "lora", "frozen-embeddings", "head")
#: A pair alone in a batch has no negative and teaches nothing.
LEAST = 2


@dataclass(frozen=True)
class DataSettings:
    """Which pairs: a folder or `org/name@revision`, a condition, languages that must not occur."""

    pairs: str
    condition: str
    hold_out: tuple[str, ...] = ()
    pairs_per_language: int | None = None
    negatives: NegativeSettings | None = None


@dataclass(frozen=True)
class EncoderSettings:
    """What is trained, and how texts are put to it.

    `mode` is one of `MODES`. A prefix of None is the one that the encoder names itself (its prompts
    `query` and `passage`), else empty. `max_length` is in tokens.
    """

    encoder: str
    mode: str = "full"
    query_prefix: str | None = None
    passage_prefix: str | None = None
    max_length: int = 256
    lora_rank: int = 16

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise TrainingError(f"mode {self.mode!r} is none of {', '.join(MODES)}")


@dataclass(frozen=True)
class BatchSettings:
    """How pairs are put together: `monolingual` batches hold one language each."""

    size: int = 128
    seed: int = 0
    monolingual: bool = False

    def __post_init__(self) -> None:
        if self.size < LEAST:
            raise TrainingError(f"a batch of {self.size} has no negatives; take at least {LEAST}")


@dataclass(frozen=True)
class LossSettings:
    """Which loss: cosines are divided by `temperature`; `symmetric` also asks answers for questions.

    `distil` (0 to 1) is the share of margin-MSE, the rest is contrastive. `teacher_scale` multiplies
    the teacher's margins: cosine margins end at 2, those of a cross-encoder do not.
    """

    temperature: float = 0.02
    symmetric: bool = False
    distil: float = 0.0
    teacher_scale: float = 1.0

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and 0 <= self.distil <= 1 and self.teacher_scale > 0):
            raise TrainingError(
                f"temperature {self.temperature} and teacher_scale {self.teacher_scale} must be above "
                f"0, distil {self.distil} between 0 and 1"
            )


@dataclass(frozen=True)
class StepSettings:
    """How a step is computed, which changes its speed and memory and not its meaning.

    `part` texts go through the encoder together, of similar length. Without `cached` the whole batch's
    activations are kept, which is faster where they fit.
    """

    part: int = 32
    cached: bool = True
    bf16: bool = True


@dataclass(frozen=True)
class RetrievalSettings:
    """What validation reads: at most so many questions and distractors per language, by hash."""

    questions: int = 50
    distractors: int = 50
    seed: int = 0


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: `steps`, or `epochs` over the pairs where `steps` is None.

    Validation comes every `evaluate_every` steps (0: ten times in the run) and once at the end; after
    `patience` validations without a better one training stops (0: never). The best weights are kept.
    """

    steps: int | None = None
    epochs: int = 1
    learning_rate: float = 2e-5
    warmup: float = 0.1
    weight_decay: float = 0.01
    evaluate_every: int = 0
    patience: int = 0
    save_every: int = 200

    def loop(self, steps: int, bf16: bool) -> LoopSettings:
        """Return the loop's settings for a number of steps."""
        from webfaq_eval.training.loop import LoopSettings

        evaluate_every = self.evaluate_every or max(1, -(-steps // 10))
        return LoopSettings(
            steps,
            learning_rate=self.learning_rate,
            warmup=self.warmup,
            weight_decay=self.weight_decay,
            record_every=max(1, min(10, steps // 20)),
            # A run may end at any validation, and its curve is read from the checkpoint of that step.
            save_every=evaluate_every if self.patience else self.save_every,
            evaluate_every=evaluate_every,
            bf16=bf16,
        )


@dataclass(frozen=True)
class Where:
    """Where a run happens: device (None: CUDA if there is one), shared vectors, compiled or not.

    `vectors` is a folder for the cached vectors of mode `head`, which several runs may share.
    """

    device: str | None = None
    vectors: Path | None = None
    compile: bool = False


@dataclass(frozen=True)
class TrainSettings:
    """A training run. `seed` draws pairs, orders batches and drops out.

    `step` and `where` change speed and memory: they are not part of what the run is.
    """

    data: DataSettings
    encoder: EncoderSettings
    seed: int = 0
    batch_size: int = BatchSettings.size
    monolingual: bool = BatchSettings.monolingual
    loss: LossSettings = field(default_factory=LossSettings)
    schedule: Schedule = field(default_factory=Schedule)
    validation: RetrievalSettings = field(default_factory=RetrievalSettings)
    step: StepSettings = field(default_factory=StepSettings)
    where: Where = field(default_factory=Where)

    @property
    def draw(self) -> Draw:
        return Draw(self.seed, self.data.pairs_per_language)

    @property
    def batches(self) -> BatchSettings:
        return BatchSettings(self.batch_size, self.seed, self.monolingual)

    def deciding(self) -> dict[str, Any]:
        """Return what the weights depend on beside data and encoder, as JSON values without paths."""
        values = asdict(self)
        del values["where"], values["step"], values["schedule"]["save_every"]
        del values["data"]["pairs"], values["encoder"]["encoder"]
        if values["data"]["negatives"]:
            del values["data"]["negatives"]["where"]
        values["data"]["hold_out"] = sorted(self.data.hold_out)
        return values


def check(settings: TrainSettings) -> None:
    """Refuse settings that contradict one another.

    :raises TrainingError: naming both.
    """
    if settings.loss.distil > 0 and settings.data.negatives is None:
        raise TrainingError(
            "distillation needs hard negatives with a teacher's scores: --negatives"
        )
    if settings.encoder.mode == "head" and settings.where.compile:
        raise TrainingError("a head on cached vectors is one matrix: leave --compile out")


def settings_of(options: Mapping[str, Any]) -> TrainSettings:
    """Return the settings that the options of `webfaq-eval train` name."""

    def pick(*names: str) -> dict[str, Any]:
        return {name: options[name] for name in names}

    negatives = None
    if options["negatives"] is not None:
        negatives = NegativeSettings(
            options["negatives"], options["most"], options["outside_negatives"]
        )
    data = pick("pairs", "condition", "hold_out", "pairs_per_language")
    encoder = pick("encoder", "mode", "query_prefix", "passage_prefix", "max_length")
    schedule = pick("steps", "epochs", "learning_rate", "evaluate_every", "patience", "save_every")
    return TrainSettings(
        data=DataSettings(**data, negatives=negatives),
        encoder=EncoderSettings(**encoder),
        **pick("seed", "batch_size", "monolingual"),
        loss=LossSettings(**pick("temperature", "symmetric", "distil", "teacher_scale")),
        schedule=Schedule(**schedule),
        validation=RetrievalSettings(**pick("questions", "distractors"), seed=options["seed"]),
        step=StepSettings(**pick("part", "cached")),
        where=Where(**pick("device", "vectors", "compile")),
    )
