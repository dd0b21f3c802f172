"""Commands that train: conditions, train, mine. Each is a thin shell over one library call."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from webfaq_eval.mining.settings import MineSettings, TeacherSettings
from webfaq_eval.pairs.settings import NegativeSettings
from webfaq_eval.training.settings import (
    MODES,
    EncoderSettings,
    LossSettings,
    RetrievalSettings,
    Schedule,
    StepSettings,
    TrainSettings,
)

Command = TypeVar("Command", bound=Callable[..., Any])
_PATH = click.Path(path_type=Path)
_PAIRS = click.option("--pairs", required=True, metavar="DIR|ORG/NAME@REV", help="webfaq-domains.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def _show(result: Any, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False, indent=1))
    else:
        click.echo(result.text())


def _with(options: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _codes(ctx: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(code.strip() for code in value.split(",") if code.strip()) if value else ()


_DRAW: tuple[Any, ...] = (
    click.option(
        "--hold-out-languages", "hold_out", metavar="tha,swa", callback=_codes,
        help="No text in these languages, by label and by language identification.",
    ),
    click.option("--seed", type=int, default=TrainSettings.seed, show_default=True),
    click.option(
        "--pairs-per-language", type=click.IntRange(1), metavar="N",
        help="At most N pairs per language.",
    ),
)  # fmt: skip
_ENCODER: tuple[Any, ...] = (
    click.option(
        "--query-prefix", help="Put before questions [default: the encoder's own, or none]."
    ),
    click.option(
        "--passage-prefix", help="Put before answers [default: the encoder's own, or none]."
    ),
    click.option(
        "--max-length",
        type=click.IntRange(8),
        default=EncoderSettings.max_length,
        show_default=True,
        help="Tokens.",
    ),
)
_TEACHER: tuple[Any, ...] = (
    click.option("--teacher", metavar="DIR|NAME", help="A cross-encoder that scores what is kept, for --distil."),
    click.option("--teacher-margin", type=float, default=TeacherSettings.margin, show_default=True, help="Drop negatives that it scores so near to the right answer, as a share of that one's score."),
    click.option("--teacher-max-length", type=click.IntRange(8), default=TeacherSettings.max_length, show_default=True, help="Tokens of question and answer."),
)  # fmt: skip
_TRAIN: tuple[Any, ...] = (
    click.option(
        "--mode", type=click.Choice(MODES), default=EncoderSettings.mode,
        show_default=True, help="What is trained; head: one matrix on cached vectors.",
    ),
    click.option("--batch-size", type=click.IntRange(2), default=TrainSettings.batch_size, show_default=True),
    click.option("--monolingual", is_flag=True, help="One language per batch."),
    click.option("--steps", type=click.IntRange(1), help="[default: --epochs over the pairs]"),
    click.option("--epochs", type=click.IntRange(1), default=Schedule.epochs, show_default=True),
    click.option("--learning-rate", type=float, default=Schedule.learning_rate, show_default=True),
    click.option("--temperature", type=float, default=LossSettings.temperature, show_default=True),
    click.option("--symmetric", is_flag=True, help="Ask questions for answers, too."),
    click.option("--negatives", type=_PATH, help="Hard negatives: JSON lines or Parquet."),
    click.option("--hard-negatives-per-pair", "most", type=click.IntRange(1), default=NegativeSettings.most, show_default=True),
    click.option("--outside-negatives", is_flag=True, help="Negatives that are no pair of the condition."),
    click.option("--distil", type=float, default=LossSettings.distil, show_default=True, help="Share of margin-MSE, 0-1."),
    click.option("--teacher-scale", type=float, default=LossSettings.teacher_scale, show_default=True, help="Times its margins."),
    click.option("--evaluate-every", type=int, default=Schedule.evaluate_every, help="Steps [default: ten times]."),
    click.option("--patience", type=int, default=Schedule.patience, help="Validations without a better one [default: never]."),
    click.option("--validation-questions", "questions", type=click.IntRange(1), default=RetrievalSettings.questions, show_default=True, help="Per language."),
    click.option("--distractors", type=click.IntRange(0), default=RetrievalSettings.distractors, show_default=True, help="Wrong answers per language that validation adds."),
    click.option("--save-every", type=click.IntRange(1), default=Schedule.save_every, show_default=True),
    click.option("--part", type=click.IntRange(1), default=StepSettings.part, show_default=True, help="Texts at a time."),
    click.option("--cached/--not-cached", default=StepSettings.cached, help="Memory by --part, not by --batch-size."),
    click.option("--vectors", type=_PATH, help="A folder of cached vectors that runs share (head)."),
    click.option("--device", metavar="cpu|cuda", help="[default: cuda where there is one]"),
    click.option("--compile", is_flag=True, help="torch.compile the encoder (CUDA)."),
)  # fmt: skip


@click.command()
@_PAIRS
@click.option("--domain", required=True, help="For example health.")
@_with(_DRAW)
@_JSON
def conditions(
    pairs: str, domain: str, as_json: bool, hold_out: tuple[str, ...], seed: int,
    pairs_per_language: int | None,
) -> None:  # fmt: skip
    """Show sizes, overlaps and language shares of every condition, before any training.

    \b
    Example:
      webfaq-eval conditions --pairs my-faq --domain health
    """
    from webfaq_eval.pairs.overview import compare_conditions
    from webfaq_eval.pairs.settings import Draw

    draw = Draw(seed, pairs_per_language)
    _show(compare_conditions(pairs, domain, draw, frozenset(hold_out)), as_json)


@click.command()
@click.option("--encoder", required=True, metavar="DIR|NAME", help="Where training starts.")
@_PAIRS
@click.option("--condition", required=True, metavar="CONDITION", help="all, in-domain:health, …")
@_with(_DRAW)
@_with(_ENCODER)
@_with(_TRAIN)
@click.option("--out", type=_PATH, required=True, help="The model's folder.")
@_JSON
def train(out: Path, as_json: bool, **options: Any) -> None:
    """Train a retriever on one condition of WebFAQ; the same command goes on after a stop.

    \b
    Conditions: none, all, in-domain:D, out-of-domain:D, random:D, english:D.
    \b
    Example:
      webfaq-eval train --encoder my-xlmr --pairs my-faq --condition in-domain:health --out model
    """
    from webfaq_eval.training.settings import settings_of
    from webfaq_eval.training.train import train as train_retriever

    _show(train_retriever(settings_of(options), out), as_json)


@click.command()
@click.option("--model", required=True, metavar="DIR|NAME", help="The retriever to mine with.")
@_PAIRS
@_with(_ENCODER)
@click.option(
    "--depth",
    type=click.IntRange(1),
    default=MineSettings.depth,
    show_default=True,
    help="Look at so many.",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=MineSettings.most,
    show_default=True,
    help="Keep so many.",
)
@click.option(
    "--ratio",
    type=float,
    default=MineSettings.ratio,
    show_default=True,
    help="Of the right one's score.",
)
@_with(_TEACHER)
@click.option("--out", type=_PATH, required=True)
@_JSON
def mine(model: str, pairs: str, out: Path, as_json: bool, **options: Any) -> None:
    """Mine hard negatives with a retriever, for `train --negatives`; goes on after a stop.

    \b
    Example:
      webfaq-eval mine --model model --pairs my-faq --teacher BAAI/bge-reranker-v2-m3 --out negatives
    """
    from webfaq_eval.mining.mine import mine as mine_negatives
    from webfaq_eval.mining.settings import mine_settings_of

    _show(mine_negatives(pairs, out=out, **mine_settings_of(model, options)), as_json)
