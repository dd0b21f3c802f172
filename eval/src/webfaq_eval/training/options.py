"""The settings of a run from the command line's flat options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webfaq_eval.training.candidates import MineSettings
from webfaq_eval.training.encoder import EncoderSettings
from webfaq_eval.training.losses import LossSettings
from webfaq_eval.training.negatives import NegativeSettings
from webfaq_eval.training.settings import DataSettings, Schedule, TrainSettings, Where
from webfaq_eval.training.step import StepSettings
from webfaq_eval.training.teacher import TeacherSettings
from webfaq_eval.training.validation import RetrievalSettings


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


def mine_settings_of(model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the options of `webfaq-eval mine` name, for `mine`."""
    names = ("query_prefix", "passage_prefix", "max_length")
    teacher = None
    if options["teacher"] is not None:
        teacher = TeacherSettings(
            options["teacher"], options["teacher_margin"], options["teacher_max_length"]
        )
    return {
        "encoder": EncoderSettings(model, **{name: options[name] for name in names}),
        "settings": MineSettings(options["depth"], options["most"], options["ratio"]),
        "teacher": teacher,
    }
