"""Build `xtreme-r-domains`: Tatoeba, LAReQA, Mewsli-X and BUCC as retrieval subsets by domain.

    webfaq-domains build xtreme-r --task tatoeba=DIR --task lareqa=DIR --out xtreme-r-domains

The readers are in `retrieval/readers/`, the layout in `docs/retrieval.md`, the parameters in `xtreme_r.toml`.
"""

from __future__ import annotations

import logging
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
from webfaq_domains.ground.manifest import LabelerPin
from webfaq_domains.ground.recipe import SourcePin
from webfaq_domains.ground.taxonomy import Taxonomy, builtin_taxonomy, load_taxonomy
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.retrieval.judged import JudgedLabels, read_labels, shipped_labels
from webfaq_domains.retrieval.labels import Labelling, label_task, unjudged
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

_log = logging.getLogger(__name__)
_PATH = click.Path(path_type=Path)


@dataclass(frozen=True)
class XtremeOptions:
    """What a build is asked for; `tasks` are (name, folder of the raw release)."""

    tasks: tuple[tuple[str, Path], ...]
    out: Path
    labeler: str = "builtin"
    cascade: bool = False
    labels: tuple[tuple[str, Path], ...] = ()
    judged: bool = True
    languages: str = ""
    min_queries: int | None = None
    partial: bool = False
    with_text: bool = False
    recipe: Path | None = None
    taxonomy: Path | None = None
    quiet: bool = False


def named_folders(
    values: tuple[str, ...], option: str = "--task", what: str = "DIR"
) -> tuple[tuple[str, Path], ...]:
    """Return (task, folder) of each NAME=DIR, sorted.

    :raises RecipeError: for one without `=`, or a name twice.
    """
    pairs = sorted(tuple(value.partition("=")[::2]) for value in values)
    for number, (name, folder) in enumerate(pairs):
        if not name or not folder:
            raise RecipeError(f"{option} {name or '=' + folder}: expected NAME={what}")
        if number and pairs[number - 1][0] == name:
            raise RecipeError(f"{option} {name} is given twice; one each")
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
    reading = Reading.of(options.languages, options.partial)
    tasks = [read_task(name, folder, reading) for name, folder in options.tasks]
    _check_languages(reading, tasks)
    judged = _judged(options, taxonomy)
    labeler = None
    if any(len(unjudged(task, judged.get(task.about.task))) for task in tasks):
        labeler = load_labeler(options.labeler, options.cascade)
        taxonomy.require(labeler.domains, labeler.fallback, options.labeler)
    pins = [LabelerPin("judged", j.name, j.sha256, taxonomy.version) for j in judged.values()]
    values = {
        **sections,
        "languages": "all" if reading.all_languages else list(reading.languages),
        "partial": options.partial,
        "with_text": options.with_text,
        "labeler": asdict(labeler.id) if labeler else None,
        "labels": {task: labels.sha256 for task, labels in judged.items()},
        "taxonomy": taxonomy.sha256,
    }
    repository = Repository(
        "xtreme-r-domains", recipe_of_build(values, options.recipe), tuple(map(_pinned, tasks)), taxonomy,
        (*pins, *labeler_pins([labeler.id] if labeler else [])),
    )  # fmt: skip
    done = refuse_other(options.out, repository.recipe_hash)
    if done is not None:
        return done

    def labelling() -> Labelling:
        assert labeler is not None  # an item that nobody judged is there, so it was opened
        return Labelling(labeler, taxonomy.fallback, options.quiet)

    ready = []
    for task in tasks:
        known = judged.get(task.about.task)
        labels, agreements = label_task(task, known, taxonomy.fallback, labelling)
        tables = assemble(task, labels, taxonomy.fallback)
        ready.append(Ready(task.about, tables, agreements, task.addresses))
    texts = sum(task.texts for task in tasks)
    return stage_retrieval(repository, ready, Ledger(rows_in=texts), options.out)


def _judged(options: XtremeOptions, taxonomy: Taxonomy) -> dict[str, JudgedLabels]:
    """Return the label file of each task that has one: a user's own, else the one that ships.

    What ships is for the taxonomy that ships: with another one the labeler decides, which is said.
    """
    given, slugs = dict(options.labels), frozenset(taxonomy.slugs)
    tasks = [name for name, _ in options.tasks]
    if odd := sorted(given.keys() - set(tasks)):
        raise RecipeError(f"--labels {odd[0]}: there is no --task {odd[0]}")
    ours = slugs >= set(builtin_taxonomy().slugs)
    if options.judged and not ours:
        _log.warning("the judged labels are for another taxonomy: the labeler decides every item")
    shipped = {name: shipped_labels(name) for name in tasks if options.judged and ours}
    paths = {name: path for name in tasks if (path := given.get(name) or shipped.get(name))}
    return {name: read_labels(path, slugs) for name, path in sorted(paths.items())}


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
@click.option("--labels", multiple=True, metavar="NAME=FILE",
              help="Labels of a task's items that somebody judged, as a TSV file. Repeatable.")  # fmt: skip
@click.option("--judged/--no-judged", default=True, show_default=True,
              help="Use the judged labels of Tatoeba and LAReQA that ship; the labeler does the rest.")  # fmt: skip
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
def xtreme_r(as_json: bool, tasks: tuple[str, ...], labels: tuple[str, ...], **values: Any) -> None:
    """Build the domain-labelled retrieval subsets of XTREME-R from the raw releases.

    \b
    Example:
      webfaq-domains build xtreme-r --task tatoeba=LASER/v1 --task lareqa=xquad-r --out mine
    """
    show(
        build(
            XtremeOptions(
                named_folders(tasks),
                labels=named_folders(labels, "--labels", "FILE"),
                quiet=as_json,
                **values,
            )
        ),
        as_json,
    )
