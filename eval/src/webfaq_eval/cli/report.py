"""The command `report`: tables and figures of a results folder."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("results", type=_FOLDER)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--baseline", type=_FOLDER, help="A model's folder; show how the others differ.")
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
