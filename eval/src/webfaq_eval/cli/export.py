"""The command `export`: results in other tools' formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_FOLDER = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("results", type=_FOLDER)
@click.option("--to", "form", type=click.Choice(["mteb", "hub", "xtreme", "trec"]), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--benchmark", help="xtreme: the data set that was scored, a folder or org/name@rev.")
@click.option("--dataset-id", help="hub: the data set's Hub id.")
@click.option("--date", help="hub: when the scores were made, such as 2026-11-22.")
@click.option(
    "--training-dataset", multiple=True, help="mteb: a data set the model was trained on."
)
def export(
    results: Path, form: str, out: Path, training_dataset: tuple[str, ...], **told: Any
) -> None:
    """Write results as mteb, Hub, XTREME or TREC files.

    \b
    Example:
      webfaq-eval export results/ --to trec --out runs/
    """
    from webfaq_eval.export.base import Request
    from webfaq_eval.export.base import export as run

    request = Request(results, out, training_datasets=training_dataset or None, **told)
    click.echo(run(request, form).text())
