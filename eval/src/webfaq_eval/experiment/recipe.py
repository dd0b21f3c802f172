"""How a cell is trained: the experiment's settings as those of one run."""

from __future__ import annotations

from webfaq_eval.experiment.cells import Cell, Folders
from webfaq_eval.experiment.settings import Experiment
from webfaq_eval.training.encoder import EncoderSettings
from webfaq_eval.training.losses import LossSettings
from webfaq_eval.training.settings import DataSettings, Schedule, TrainSettings, Where


def train_settings(
    cell: Cell, encoder: str, experiment: Experiment, folders: Folders
) -> TrainSettings:
    """Return the settings of a cell's training."""
    how = experiment.train
    data = DataSettings(
        experiment.pairs,
        str(cell.condition),
        experiment.hold_out_languages,
        how.pairs_per_language,
    )
    read = EncoderSettings(
        encoder,
        how.mode if cell.condition.kind != "none" else "full",
        experiment.query_prefix,
        experiment.passage_prefix,
        how.max_length,
    )
    schedule = Schedule(
        steps=how.steps,
        epochs=how.epochs,
        learning_rate=how.learning_rate,
        evaluate_every=how.evaluate_every,
        patience=how.patience,
    )
    return TrainSettings(
        data=data,
        encoder=read,
        seed=max(cell.seed, 0),
        batch_size=how.batch_size,
        monolingual=how.monolingual,
        loss=LossSettings(how.temperature, how.symmetric),
        schedule=schedule,
        where=Where(vectors=folders.vectors),
    )
