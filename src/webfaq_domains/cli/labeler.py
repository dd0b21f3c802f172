"""`webfaq-domains labeler`: choose pairs to annotate, measure a labeler."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from webfaq_domains.cli.options import json_option, labeler_options, show

if TYPE_CHECKING:
    from webfaq_domains.labelers.training.active_learning import Candidate

_PATH = click.Path(path_type=Path)


def builder_data(name: str) -> Path:
    """Return the path of a file or folder that the builders ship."""
    return Path(str(files("webfaq_domains.builders").joinpath(name)))


def read_candidates(addresses: tuple[str, ...], limit: int) -> list[Candidate]:
    """Read the first `limit` pairs of each source; a pair without language is `und`."""
    from itertools import islice

    from webfaq_domains.labelers.training.active_learning import Candidate
    from webfaq_domains.sources import open_source

    found: list[Candidate] = []
    for address in addresses:
        source = open_source(address)
        pairs = (
            Candidate(row["language"] or "und", row["question"], row["answer"], row["origin"] or "")
            for file in source.files
            for batch in source.read(file)
            for row in batch.pairs.to_pylist()
        )
        found += islice(pairs, limit)
    return found


@click.group()
def labeler() -> None:
    """Choose pairs to annotate, and measure a labeler."""


@labeler.command()
@click.option("--source", required=True, metavar="SRC", help="As for `build webfaq`.")
@click.option("--out", type=_PATH, required=True, help="The JSON Lines file to write.")
@click.option("--per-cell", type=click.IntRange(1), default=5, show_default=True)
@click.option("--limit", type=click.IntRange(1), default=200_000, show_default=True)
@labeler_options
@json_option
def annotate(
    source: str, out: Path, per_cell: int, limit: int, labeler: str, cascade: bool, as_json: bool
) -> None:
    """Pick pairs worth a person's label: uncertain, diverse, at most one per web site.

    \b
    Example:
      webfaq-domains labeler annotate --source faq/ --out rows.jsonl --per-cell 5
    """
    from webfaq_domains.labelers.load import load_labeler
    from webfaq_domains.labelers.training.active_learning import choose_rows

    opened = load_labeler(labeler, cascade)
    chosen = choose_rows(read_candidates((source,), limit), opened, per_cell)
    chosen.write(out)
    show(chosen, as_json)


@labeler.command(name="eval")
@click.option("--labelled", type=_PATH, required=True, help="Labelled jsonl(.gz) or tsv.")
@click.option("--out", type=_PATH, required=True, help="The folder for tables and plots.")
@click.option("--frozen", type=_PATH, help="Measure only on the sites of this file of origins.")
@click.option(
    "--judged", type=_PATH, help="Measure only on the rows of this file, as judged there."
)
@click.option("--crosswalk", default="", metavar="SCHEME", help="The labels are this scheme's.")
@click.option("--taxonomy", type=_PATH, help="A taxonomy of your own.")
@labeler_options
@json_option
def evaluate(
    labelled: Path, out: Path, frozen: Path | None, judged: Path | None, crosswalk: str,
    taxonomy: Path | None, labeler: str, cascade: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure a labeler per domain and language, beside plain baselines.

    \b
    Example:
      webfaq-domains labeler eval --labeler builtin --labelled faq/ --out eval/
    """
    from webfaq_domains.ground.taxonomy import load_taxonomy
    from webfaq_domains.labelers.load import load_labeler
    from webfaq_domains.labelers.measuring.baselines import KeywordBaseline
    from webfaq_domains.labelers.measuring.labelled import only_held_out, only_judged, read_labelled
    from webfaq_domains.labelers.measuring.report import measure
    from webfaq_domains.labelers.training.lexicon import read_lexicon

    found = load_taxonomy(taxonomy)
    rows = only_held_out(read_labelled(labelled, found, crosswalk), frozen)
    rows = only_judged(rows, judged)
    opened = load_labeler(labeler, cascade)
    lexicon = read_lexicon(builder_data("lexicon"), found)
    keywords = KeywordBaseline.of(lexicon, found.claimable, found.fallback)
    show(measure(opened, rows, found, keywords, out, crosswalk), as_json)
