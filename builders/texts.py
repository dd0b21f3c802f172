"""Join the texts that a published repository may not hold from your own copy of the release.

webfaq-domains build texts --published xtreme-r-domains --task bucc=DIR --out with-texts
"""

from __future__ import annotations

from pathlib import Path

import click
from webfaq_domains.builders.xtreme_r import named_folders

from webfaq_domains.cli.options import json_option, show
from webfaq_domains.retrieval.texts import fill_texts

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("texts")
@click.option(
    "--published",
    type=_FOLDER,
    required=True,
    help="A copy of the repository, downloaded or built.",
)
@click.option("--task", "tasks", multiple=True, required=True, metavar="NAME=DIR",
              help="The raw release of a task without texts. Repeatable.")  # fmt: skip
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder to make.")
@json_option
def texts(published: Path, tasks: tuple[str, ...], out: Path, as_json: bool) -> None:
    """Fill in the texts of tasks that are published as ids and labels only.

    \b
    Example:
      webfaq-domains build texts --published xtreme-r-domains --task bucc=bucc2018 --out mine
    """
    show(fill_texts(published, named_folders(tasks), out), as_json)
