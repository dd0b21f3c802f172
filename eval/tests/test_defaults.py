"""Every default of training stands in one place: the command line and experiments take it from there."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from webfaq_eval.cli.intermediate import intermediate
from webfaq_eval.cli.train import mine, train
from webfaq_eval.experiment.settings import Training
from webfaq_eval.intermediate.settings import Settings
from webfaq_eval.mining.settings import MineSettings, TeacherSettings, mine_settings_of
from webfaq_eval.pairs.settings import NegativeSettings
from webfaq_eval.training.settings import (
    DataSettings,
    EncoderSettings,
    LossSettings,
    Schedule,
    TrainSettings,
    settings_of,
)


def parsed(command: click.Command, *given: str) -> dict[str, Any]:
    """Return what a command gets when only its required options are given."""
    return command.make_context(command.name, list(given)).params


def test_train_without_options_has_the_defaults_of_its_settings() -> None:
    given = ["--encoder", "e", "--pairs", "p", "--condition", "all", "--out", "o"]
    data = DataSettings("p", "all")
    assert settings_of(parsed(train, *given)) == TrainSettings(data, EncoderSettings("e"))
    given += ["--negatives", "n"]
    assert settings_of(parsed(train, *given)).data.negatives == NegativeSettings(Path("n"))


def test_mine_without_options_has_the_defaults_of_its_settings() -> None:
    options = parsed(mine, "--model", "m", "--pairs", "p", "--out", "o", "--teacher", "t")
    assert mine_settings_of("m", options) == {
        "encoder": EncoderSettings("m"), "settings": MineSettings(), "teacher": TeacherSettings("t"),
    }  # fmt: skip


def test_intermediate_without_options_has_the_defaults_of_its_settings() -> None:
    options = parsed(intermediate, "--task", "mnli", "--encoder", "e", "--data", "d", "--out", "o")
    names = [one.name for one in fields(Settings)]
    wanted = Settings("mnli")
    # Not on the command line: the paper's own values.
    hidden = {"warmup", "weight_decay"}
    assert {name: options[name] for name in names if name not in hidden} == {
        name: getattr(wanted, name) for name in names if name not in hidden
    }


def test_an_experiment_without_settings_trains_as_the_command_does() -> None:
    places = (EncoderSettings, TrainSettings, Schedule, LossSettings, DataSettings)
    for name, value in vars(Training()).items():
        owners = [kind for kind in places if name in kind.__dataclass_fields__]
        assert [getattr(kind, name) for kind in owners] == [value], name
