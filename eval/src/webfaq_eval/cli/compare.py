"""The command `compare`: paired differences between models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_FOLDER = click.Path(exists=True, path_type=Path)


@click.command()
@click.argument("baseline", type=_FOLDER)
@click.argument("others", type=_FOLDER, nargs=-1, required=True)
@click.option("--metric", help="Per-query metric, such as recall_at_10; else each task's own.")
@click.option("--judgements", type=click.Choice(["official", "duplicate"]), default="official")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write JSON here too.")
def compare(
    baseline: Path, others: tuple[Path, ...], as_json: bool, out: Path | None, **settings: Any
) -> None:
    """Compare models with the first one: differences, intervals, corrected p values.

    \b
    Example:
      webfaq-eval compare results/xlmr@1a2b3c4d5e6f results/xlmr-health@6f5e4d3c2b1a
    """
    from webfaq_eval.compare import Settings
    from webfaq_eval.compare import compare as run
    from webfaq_eval.files import write_json
    from webfaq_eval.report.differences import difference_tables
    from webfaq_eval.report.tables import to_text

    result = run([baseline, *others], Settings(**settings), quiet=as_json)
    if out is not None:
        write_json(out, result.to_json())
    tables = "\n".join(to_text(table) for table in difference_tables(result))
    click.echo(json.dumps(result.to_json(), indent=1) if as_json else tables)
