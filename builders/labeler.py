"""Build the domain labelers: SetFit teacher, fastText student, their cascade, and the builtin copy.

    webfaq-domains build labeler --out made                      # the builtin student only: a minute
    webfaq-domains build labeler --encoder intfloat/multilingual-e5-small --revision <sha> \\
        --unlabelled faq/ --clones clones/ --out made            # everything: an hour on two cores

The parameters are in `labeler.toml`, the texts in `annotations/`, `lexicon/` and `silver/`.
`translations.toml` names projects whose translated texts teach the student; `--clones` is a folder
of their clones.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import click

from webfaq_domains.cli.labeler import builder_data, read_candidates
from webfaq_domains.cli.options import json_option, show
from webfaq_domains.engine.recipe import make, read_recipe
from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import load_taxonomy
from webfaq_domains.labelers.encoder import local_encoder
from webfaq_domains.labelers.measuring.labelled import (
    HeldOutSites,
    only_held_out,
    read_labelled,
)
from webfaq_domains.labelers.training.build import (
    Inputs,
    MadeLabelers,
    build_builtin,
    build_labelers,
    texts_used,
)
from webfaq_domains.labelers.training.lexicon import DomainWords
from webfaq_domains.labelers.training.recipe import LabelerRecipe, read_material
from webfaq_domains.labelers.training.translations import Translated, read_all, read_sources


@dataclass(frozen=True)
class LabelerOptions:
    """What a build of the labelers is asked for; `None` is what the builders ship."""

    out: Path
    annotations: Path | None = None
    lexicon: Path | None = None
    words: Path | None = None
    encoder: str | None = None
    revision: str = ""
    teacher: Path | None = None
    unlabelled: tuple[str, ...] = ()
    clones: Path | None = None
    translations: Path | None = None
    labelled: Path | None = None
    frozen: Path | None = None
    taxonomy: Path | None = None
    recipe: Path | None = None
    limit: int = 100_000


def recipe_of(path: Path | None) -> LabelerRecipe:
    """Read a recipe file over the default one."""
    default = builder_data("labeler.toml").read_text("utf-8")
    sections = read_recipe(path, default)
    tables = [field for field in fields(LabelerRecipe) if field.name in sections]
    parts: dict[str, Any] = {
        field.name: make(cast(type, field.default_factory), sections[field.name], field.name)
        for field in tables
        if field.name != "choices"
    }
    return LabelerRecipe(**parts, choices=tuple(sections["choices"]["student"]))


def _translated(options: LabelerOptions) -> list[Translated]:
    """Read the translated texts of the listed projects, where there are clones of them."""
    if options.clones is None:
        return []
    listed = options.translations or builder_data("translations.toml")
    return read_all(read_sources(listed), options.clones)


def _check_options(options: LabelerOptions) -> None:
    """Refuse what would be ignored."""
    if options.encoder and options.teacher:
        raise LabelerError("give --encoder, to make a teacher, or --teacher, to use one; not both")
    if (options.clones or options.unlabelled) and not (options.encoder or options.teacher):
        raise LabelerError(
            "--clones and --unlabelled need a teacher's labels; give --encoder or --teacher"
        )
    if options.translations and not options.clones:
        raise LabelerError("--translations names projects whose clones are missing; give --clones")


def build(options: LabelerOptions) -> MadeLabelers:
    """Build the labelers under `options.out`; without encoder or teacher only the builtin student."""
    if options.out.exists() and any(options.out.iterdir()):
        raise LabelerError(f"{options.out} exists and is not empty; choose another --out")
    _check_options(options)
    taxonomy, recipe = load_taxonomy(options.taxonomy), recipe_of(options.recipe)
    annotations = options.annotations or builder_data("annotations")
    lexicon = options.lexicon or builder_data("lexicon")
    silver = options.words or (None if options.encoder else builder_data("silver/words.json"))
    frozen = HeldOutSites.read(options.frozen or builder_data("frozen_origins.json"))
    rows = read_labelled(options.labelled, taxonomy) if options.labelled else []
    pairs = read_candidates(options.unlabelled, options.limit)
    inputs = Inputs(
        taxonomy=taxonomy,
        material=read_material(annotations, lexicon, taxonomy, recipe.split),
        sources=(
            texts_used(annotations, "annotations", "Apache-2.0"),
            texts_used(lexicon, "lexicon", "Apache-2.0"),
        ),
        words=DomainWords.read(silver) if silver else None,
        encoder=local_encoder(options.encoder, options.revision) if options.encoder else None,
        teacher=options.teacher,
        unlabelled=[pair for pair in pairs if not frozen.holds(pair.origin)],
        translated=_translated(options),
        measured={
            "frozen origins": only_held_out(
                rows, options.frozen or builder_data("frozen_origins.json")
            )
        },
    )
    whole = inputs.encoder or inputs.teacher
    return (build_labelers if whole else build_builtin)(inputs, options.out, recipe)


_PATH = click.Path(path_type=Path)


@click.command("labeler")
@click.option("--out", type=_PATH, required=True, help="The folder to make.")
@click.option("--annotations", type=_PATH, help="Folder of <language>.jsonl [default: ours]")
@click.option("--lexicon", type=_PATH, help="Folder of <language>.json [default: ours]")
@click.option("--words", type=_PATH, help="Silver words [default: ours, or the encoder's]")
@click.option("--encoder", help="A sentence-transformers folder, or a Hub model with --revision.")
@click.option("--revision", default="", help="The encoder's 40-hex commit.")
@click.option("--teacher", type=_PATH, help="A teacher made before; only the rest is made anew.")
@click.option("--unlabelled", multiple=True, metavar="SRC", help="Pairs for silver labels.")
@click.option("--clones", type=_PATH, help="Clones of projects whose translations teach.")
@click.option("--translations", type=_PATH, help="The list of these projects [default: ours]")
@click.option("--labelled", type=_PATH, help="Labelled pairs; measured on frozen origins only.")
@click.option("--frozen", type=_PATH, help="Origins to measure on, never to train on.")
@click.option("--taxonomy", type=_PATH, help="A taxonomy of your own.")
@click.option("--recipe", type=_PATH, help="TOML with the parameters that differ.")
@click.option("--limit", type=click.IntRange(1), default=100_000, show_default=True)
@json_option
def labeler_command(as_json: bool, **values: Any) -> None:
    """Build teacher, student and builtin copy of the domain labeler.

    \b
    Example:
      webfaq-domains build labeler --encoder e5/ --unlabelled faq/ --out made
    """
    show(build(LabelerOptions(**values)), as_json)
