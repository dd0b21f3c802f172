"""Commands over results: compare, report, export. Each is a thin shell over one library call."""

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
    from webfaq_domains.ground.files import write_json
    from webfaq_eval.report.differences import difference_tables
    from webfaq_eval.report.tables import to_text
    from webfaq_eval.statistics.compare import Settings
    from webfaq_eval.statistics.compare import compare as compare_results

    result = compare_results([baseline, *others], Settings(**settings), quiet=as_json)
    if out is not None:
        write_json(out, result.to_json())
    tables = "\n".join(to_text(table) for table in difference_tables(result))
    click.echo(json.dumps(result.to_json(), indent=1) if as_json else tables)


_RESULTS = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("results", type=_RESULTS)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--baseline", type=_RESULTS, help="A model's folder; show how the others differ.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def report(results: Path, out: Path, baseline: Path | None, quiet: bool) -> None:
    """Write report.md, report.tex, report.html and figures/ from a results folder.

    \b
    Example:
      webfaq-eval report results/ --baseline results/xlmr@1a2b3c4d5e6f --out report/
    """
    from webfaq_eval.report.build import write_report

    done = write_report(results, out, baseline=baseline, quiet=quiet)
    click.echo(
        f"{done.results} results of {done.models} models: {done.tables} tables, {done.figures} figures "
        f"in {done.out / 'report.html'}"
    )


@click.command()
@click.argument("results", type=_FOLDER)
@click.option("--to", "form", type=click.Choice(["mteb", "hub", "xtreme", "trec"]), required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option(
    "--benchmark", help="xtreme, trec: the data set that was scored, a folder or org/name@rev."
)
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
    from webfaq_eval.export.base import Request, export_results

    request = Request(results, out, training_datasets=training_dataset or None, **told)
    click.echo(export_results(request, form).text())
