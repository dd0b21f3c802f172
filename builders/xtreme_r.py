"""Build `xtreme-r-domains`: Tatoeba, LAReQA, Mewsli-X and BUCC as retrieval subsets by domain.

    webfaq-domains build xtreme-r --task tatoeba=DIR --task lareqa=DIR --out xtreme-r-domains

The readers are in `benchmarks/`, the layout in `docs/retrieval.md`, the parameters in `xtreme_r.toml`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import json_option, labeler_options, show
from webfaq_domains.dataset.stage import labeler_pins
from webfaq_domains.engine.recipe import read_recipe, recipe_of_build
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.recipe import SourcePin
from webfaq_domains.ground.taxonomy import load_taxonomy
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.retrieval.labels import Labelling, label_items
from webfaq_domains.retrieval.readers import read_task
from webfaq_domains.retrieval.readers.base import Reading, Task
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
class XtremeOptions:
    """What a build is asked for; `tasks` are (name, folder of the raw release)."""

    tasks: tuple[tuple[str, Path], ...]
    out: Path
    labeler: str = "builtin"
    cascade: bool = False
    languages: str = ""
    min_queries: int | None = None
    partial: bool = False
    with_text: bool = False
    recipe: Path | None = None
    taxonomy: Path | None = None
    quiet: bool = False


def named_folders(values: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    """Return (task, folder) of each NAME=DIR, sorted.

    :raises RecipeError: for one without `=`, or a name twice.
    """
    pairs = sorted(tuple(value.partition("=")[::2]) for value in values)
    for number, (name, folder) in enumerate(pairs):
        if not name or not folder:
            raise RecipeError(f"--task {name or '=' + folder}: expected NAME=DIR")
        if number and pairs[number - 1][0] == name:
            raise RecipeError(f"--task {name} is given twice; one release each")
    return tuple((name, Path(folder)) for name, folder in pairs)


def build(options: XtremeOptions) -> Staged:
    """Build and stage the repository; releases are read and refused before any labelling.

    :raises WebFAQError: with what was met, what was expected and what to do.
    """
    destination_of(options.out).check()
    default = files("webfaq_domains.builders").joinpath("xtreme_r.toml").read_text("utf-8")
    sections: dict[str, Any] = read_recipe(options.recipe, default)
    if options.min_queries is not None:
        sections["subsets"]["min_queries"] = options.min_queries
    taxonomy = load_taxonomy(options.taxonomy)
    labeler = load_labeler(options.labeler, options.cascade)
    taxonomy.require(labeler.domains, labeler.fallback, options.labeler)
    reading = Reading.of(options.languages, options.partial)
    tasks = [read_task(name, folder, reading) for name, folder in options.tasks]
    _check_languages(reading, tasks)
    values = {
        **sections,
        "languages": "all" if reading.all_languages else list(reading.languages),
        "partial": options.partial,
        "with_text": options.with_text,
        "labeler": asdict(labeler.id),
        "taxonomy": taxonomy.sha256,
    }
    repository = Repository(
        "xtreme-r-domains", recipe_of_build(values, options.recipe), tuple(map(_pinned, tasks)), taxonomy, labeler_pins([labeler.id])
    )  # fmt: skip
    done = refuse_other(options.out, repository.recipe_hash)
    if done is not None:
        return done
    labelling, ready = Labelling(labeler, taxonomy.fallback, options.quiet), []
    for task in tasks:
        labels, agreements = label_items(task.items, task.sides, labelling, task.about.title)
        tables = assemble(task, labels, taxonomy.fallback)
        ready.append(Ready(task.about, tables, agreements, task.addresses))
    texts = sum(task.texts for task in tasks)
    return stage_retrieval(repository, ready, Ledger(rows_in=texts), options.out)


def _pinned(task: Task) -> SourcePin:
    files = dict(task.files)
    return SourcePin(task.about.title, value_sha256(files), len(files), files=files)


def _check_languages(reading: Reading, tasks: list[Task]) -> None:
    """Refuse languages that were asked for by name and that no task has."""
    found = {part.language for task in tasks for part in task.parts}
    lacking = sorted(set(reading.languages) - found)
    if lacking:
        raise RecipeError(f"--languages: no --task has {', '.join(lacking)}; leave it out")


@click.command("xtreme-r")
@click.option("--task", "tasks", multiple=True, required=True, metavar="NAME=DIR",
              help="A raw release: tatoeba, lareqa, mewslix or bucc. Repeatable.")  # fmt: skip
@click.option("--out", type=_PATH, required=True, help="The staged folder to make.")
@click.option(
    "--languages", default="", metavar="deu,fra|all", help="[default: each benchmark's own]"
)
@click.option(
    "--min-queries",
    type=click.IntRange(1),
    help="Fewest queries of a domain [default: the recipe's].",
)
@click.option("--partial", is_flag=True, help="Accept what is not the whole official release.")
@click.option("--with-text", is_flag=True, help="Keep texts that may not be redistributed.")
@click.option("--recipe", type=_PATH, help="TOML with the parameters that differ.")
@click.option("--taxonomy", type=_PATH, help="A taxonomy of your own.")
@labeler_options
@json_option
def xtreme_r(as_json: bool, tasks: tuple[str, ...], **values: Any) -> None:
    """Build the domain-labelled retrieval subsets of XTREME-R from the raw releases.

    \b
    Example:
      webfaq-domains build xtreme-r --task tatoeba=LASER/v1 --task lareqa=xquad-r --out mine
    """
    show(build(XtremeOptions(named_folders(tasks), quiet=as_json, **values)), as_json)
