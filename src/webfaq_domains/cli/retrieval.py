"""Commands over staged retrieval folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import json_option, show

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_OUT = click.Path(path_type=Path, file_okay=False)
_RUN = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--trec", type=_OUT, help="Write queries, documents and qrels of each subset here.")
@click.option("--subset", default="*", show_default=True, metavar="GLOB", help="Which, for --trec.")
@click.option("--xtreme", type=_OUT, help="Write inputs and labels in XTREME's layout here.")
@click.option("--run", type=_RUN, help="A TREC run, to be written as XTREME's predictions.")
@json_option
def export(folder: Path, as_json: bool, **wanted: Any) -> None:
    """Export a staged retrieval folder to the files of TREC tools or of XTREME.

    \b
    Example:
      webfaq-domains export xtreme-r-domains --trec trec/ --subset 'lareqa_deu*'
    """
    from webfaq_domains.retrieval.export import Wanted, export_folder

    show(export_folder(folder, Wanted(**wanted), quiet=as_json), as_json)
