"""Build `webfaq-domains-retrieval`: the validation and test splits of a staged webfaq-domains.

    webfaq-domains build retrieval --dataset webfaq-domains --out webfaq-domains-retrieval

The task is made in `retrieval/readers/faq.py`, the parameters are in `retrieval.toml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import json_option, show
from webfaq_domains.engine.recipe import read_recipe, recipe_of_build
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.manifest import TAXONOMY, Manifest
from webfaq_domains.ground.recipe import SourcePin
from webfaq_domains.ground.taxonomy import load_taxonomy
from webfaq_domains.retrieval.readers.faq import (
    Asked,
    faq_task,
    group_pairs,
    label_table,
    read_pairs,
)
from webfaq_domains.retrieval.stage import (
    Ready,
    Repository,
    Staged,
    destination_of,
    refuse_other,
    stage_retrieval,
)
from webfaq_domains.retrieval.subsets import assemble

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class RetrievalOptions:
    """What a build is asked for; `parallel` are the rules of `retrieval/readers/faq.py`."""

    dataset: Path
    out: Path
    parallel: tuple[str, ...] = ()
    min_queries: int | None = None
    recipe: Path | None = None


def build(options: RetrievalOptions) -> Staged:
    """Build and stage the repository.

    :raises WebFAQError: with what was met, what was expected and what to do.
    """
    source = Manifest.read(options.dataset)
    if source.artifact != "webfaq-domains":
        raise StagedError(
            f"{options.dataset} holds {source.artifact}; expected what `build webfaq` makes"
        )
    destination_of(options.out).check()
    default = files("webfaq_domains.builders").joinpath("retrieval.toml").read_text("utf-8")
    sections: dict[str, Any] = read_recipe(options.recipe, default)
    if options.min_queries is not None:
        sections["subsets"]["min_queries"] = options.min_queries
    taxonomy = load_taxonomy(options.dataset / TAXONOMY)
    values = {
        **sections,
        "steps": ["KeepLanguages", "MergeAnswers"],
        "parallel": [_pinned(rule) for rule in options.parallel],
        "taxonomy": taxonomy.sha256,
    }
    pin = SourcePin("webfaq-domains", source.content_digest, len(source.files))
    repository = Repository(
        "webfaq-domains-retrieval",
        recipe_of_build(values, options.recipe),
        (pin,),
        taxonomy,
        source.labelers,
    )
    done = refuse_other(options.out, repository.recipe_hash)
    if done is not None:
        return done
    pairs = read_pairs(options.dataset)
    groups, _ = group_pairs(pairs, options.parallel)
    asked = Asked(sections["subsets"]["min_queries"], sections["cross"]["pivot"])
    task, dropped = faq_task(pairs, groups, asked, source.recipe.about.license)
    tables = assemble(task, label_table(pairs, groups), taxonomy.fallback)
    again = sum(len(part.queries) for part in task.parts if part.language != part.pool)
    ledger = Ledger(rows_in=2 * len(pairs) + again)
    for step, reasons in dropped.items():
        ledger.drop(step, reasons)
    return stage_retrieval(
        repository, [Ready(task.about, tables, [], task.addresses)], ledger, options.out
    )


def _pinned(rule: str) -> str:
    """Return a rule as the recipe holds it: a file by name and sha256."""
    path = Path(rule)
    return f"{path.name}@{file_sha256(path)}" if path.is_file() else rule


@click.command("retrieval")
@click.option("--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path),
              required=True, help="A folder that `build webfaq` made.")  # fmt: skip
@click.option("--out", type=_PATH, required=True, help="The staged folder to make.")
@click.option("--parallel", multiple=True, metavar="COLUMN[:REGEX]|FILE",
              help="Which rows translate each other: a column, or a bitext file. Repeatable.")  # fmt: skip
@click.option(
    "--min-queries",
    type=click.IntRange(1),
    help="Fewest queries of a domain [default: the recipe's].",
)
@click.option("--recipe", type=_PATH, help="TOML with the parameters that differ.")
@json_option
def retrieval(as_json: bool, **values: Any) -> None:
    """Turn the validation and test splits of a staged data set into retrieval subsets.

    \b
    Example:
      webfaq-domains build retrieval --dataset mine --parallel bitexts.jsonl --out mine-retrieval
    """
    show(build(RetrievalOptions(**values)), as_json)
