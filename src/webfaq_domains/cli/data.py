"""Commands over data: check, stats, label, demo. Each is a thin shell over one library call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import json_option, labeler_options, show

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--no-load", is_flag=True, help="Do not load every config with datasets.")
@json_option
@click.pass_context
def check(ctx: click.Context, folder: Path, no_load: bool, as_json: bool) -> None:
    """Check a folder to publish: exit 1 and list each problem, with its place and mend.

    \b
    Example:
      webfaq-domains check my-faq
    """
    from webfaq_domains.release.check import check_folder

    result = check_folder(folder, load=not no_load, quiet=as_json)
    show(result, as_json)
    ctx.exit(0 if result.fine else 1)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--plot", "picture", type=_FILE, help="Draw language x domain as a heat map (PNG, PDF)."
)
@json_option
def stats(folder: Path, picture: Path | None, as_json: bool) -> None:
    """Count a staged folder: cells, drops by reason, lengths, origins.

    \b
    Example:
      webfaq-domains stats my-faq --plot cells.png
    """
    from webfaq_domains.dataset.stats import plot, read_stats

    result = read_stats(folder)
    if picture is not None:
        plot(result, picture)
    show(result, as_json)


@click.command()
@click.argument("files", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option("--out", type=_FILE, required=True, help="A .parquet or .jsonl file.")
@labeler_options
@json_option
def label(files: tuple[Path, ...], out: Path, as_json: bool, **labeler: Any) -> None:
    """Label the rows of Parquet or JSON Lines files: the same rows plus the domain columns.

    \b
    Example:
      webfaq-domains label pairs.jsonl --out labelled.parquet
    """
    from webfaq_domains.engine.label_files import label_files

    show(label_files(files, out, quiet=as_json, **labeler), as_json)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("webfaq-domains-demo"), show_default=True
)
@json_option
def demo(out: Path, as_json: bool) -> None:
    """Build, check and show a small data set from a sample that ships with the package.

    \b
    Example:
      webfaq-domains demo
    """
    from webfaq_domains.builders.demo import build_demo

    show(build_demo(out, quiet=as_json), as_json)
