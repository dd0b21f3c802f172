"""The command `experiment`: plan, run, status and report of a grid of trainings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

_PATH = click.Path(path_type=Path)


def _encoders(
    ctx: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> dict[str, str]:
    if any("=" not in one for one in value):
        raise click.BadParameter("expected START=DIR or START=NAME")
    return dict(one.split("=", 1) for one in value)


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what all four commands take."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
        click.option("--out", type=_PATH, help="[default: experiment-NAME]"),
        click.option("--encoder", "encoders", multiple=True, metavar="START=DIR", callback=_encoders, help="The encoder of a start; repeat it."),
        click.option("--benchmark", metavar="DIR|ORG/NAME@REV", help="What is scored; else the file's."),
        click.option("--pairs", metavar="DIR|ORG/NAME@REV", help="What is trained on; else the file's."),
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    ):  # fmt: skip
        command = option(command)
    return command


def _opened(
    file: Path, out: Path | None, pairs: str | None, benchmark: str | None,
    encoders: dict[str, str],
) -> tuple[Any, Any]:  # fmt: skip
    from webfaq_eval.experiment.settings import Folders, read_experiment

    found = read_experiment(file).with_places(pairs, benchmark, encoders)
    return found, Folders(out or Path(f"experiment-{found.name}"))


def _show(result: Any, as_json: bool) -> None:
    text = json.dumps(result.to_json(), ensure_ascii=False, indent=1) if as_json else result.text()
    click.echo(text)


@click.group()
def experiment() -> None:
    """Train and score every cell of an experiment file, and compare them."""


@experiment.command()
@_options
def plan(as_json: bool, **places: Any) -> None:
    """Show the cells, their pairs and cost, and what is there already; trains nothing.

    \b
    Example:
      webfaq-eval experiment plan experiments/full.toml --pairs webfaq-domains
    """
    from webfaq_eval.experiment.plan import plan as make_plan

    _show(make_plan(*_opened(**places)), as_json)


@experiment.command()
@_options
def run(as_json: bool, **places: Any) -> None:
    """Train and score every cell that is not done; the same command goes on after a stop.

    \b
    Example:
      webfaq-eval experiment run experiments/tiny.toml --pairs my-faq --benchmark xtreme-r \\
        --encoder e5=multilingual-e5-small
    """
    from webfaq_eval.experiment.run import run as run_cells

    done = run_cells(*_opened(**places), quiet=as_json)
    _show(done, as_json)
    if done.failed:
        raise click.exceptions.Exit(1)


@experiment.command()
@_options
def status(as_json: bool, **places: Any) -> None:
    """Show which cells are done, trained or to do, without reading the pairs.

    \b
    Example:
      webfaq-eval experiment status experiments/tiny.toml
    """
    from dataclasses import replace

    from webfaq_eval.experiment.plan import plan as make_plan

    found, folders = _opened(**places)
    _show(make_plan(replace(found, pairs=""), folders), as_json)


@experiment.command()
@_options
def report(as_json: bool, **places: Any) -> None:
    """Write the effects of the cells that are done as tables and figures, under OUT/report.

    \b
    Example:
      webfaq-eval experiment report experiments/tiny.toml
    """
    from webfaq_eval.experiment.report import write_experiment_report

    found, folders = _opened(**places)
    _show(write_experiment_report(found, folders, folders.out / "report"), as_json)
