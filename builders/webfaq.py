"""Build `webfaq-domains`: FAQ pairs, cleaned, unique, labelled by domain, split by web site.

    webfaq-domains build webfaq --source hub:PaDaS-Lab/webfaq@<sha> --out webfaq-domains

The parameters are in `webfaq.toml`; the steps and their order are in `steps_of`.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import build_options, json_option, show
from webfaq_domains.dataset.build import BuildOptions, Built, build_in, check_place
from webfaq_domains.dataset.stage import stage_dataset
from webfaq_domains.engine.recipe import Sections, enabled, make, read_recipe, recipe_of_build
from webfaq_domains.engine.run import read_sources, run_chain
from webfaq_domains.ground.fasttext_models import language_model, load_fasttext
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.recipe import SourcePin
from webfaq_domains.ground.records import read_record
from webfaq_domains.ground.schema import RAW, SCHEMA_VERSION
from webfaq_domains.ground.taxonomy import load_taxonomy
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.sources import open_source
from webfaq_domains.sources.base import pinned
from webfaq_domains.steps.base import Barrier, Step, check_chain
from webfaq_domains.steps.clean import Clean
from webfaq_domains.steps.contamination.step import Decontaminate, index_files, pinned_indexes
from webfaq_domains.steps.duplicates import DropDuplicates, RankRows
from webfaq_domains.steps.label import LabelDomain
from webfaq_domains.steps.languages import IdentifyLanguage, KeepLanguages, ResolveLanguage
from webfaq_domains.steps.near_duplicates import DropNearDuplicates
from webfaq_domains.steps.partition import AssignId, AssignSplit, TakeQuota
from webfaq_domains.steps.remove import RemoveOnRequest, Requests
from webfaq_domains.steps.wellformed import KeepWellFormed


def steps_of(sections: Sections, options: BuildOptions) -> list[Step | Barrier]:
    """Return the chain. Cheap drops come first; labelling sees only what will be published."""
    model, language = options.language_model, dict(sections["language"])
    chain: list[Step | Barrier] = [
        Clean(),
        make(KeepWellFormed, sections["well_formed"], "well_formed"),
        RankRows(),
        DropDuplicates(),
        IdentifyLanguage(model, language.pop("characters")),
        make(ResolveLanguage, language, "language"),
        KeepLanguages(options.languages),
    ]
    if enabled(sections["near_duplicates"]):
        chain.append(make(DropNearDuplicates, sections["near_duplicates"], "near_duplicates"))
    if options.benchmarks:
        step = make(Decontaminate, sections["decontaminate"], "decontaminate")
        chain.append(replace(step, indexes=index_files(options.benchmarks)))
    chain += [
        LabelDomain(options.labeler, options.cascade),
        AssignId(),
        *([RemoveOnRequest(Requests.read(options.removals))] if options.removals else []),
        make(AssignSplit, sections["split"], "split"),
    ]
    if enabled(sections["quota"]):
        chain.append(make(TakeQuota, sections["quota"], "quota"))
    return chain


def build(options: BuildOptions) -> Built:
    """Build and stage the data set; everything that can be refused is refused before work starts.

    :raises WebFAQError: saying what was met, what was expected and what to do.
    """
    check_place(options)
    default = files("webfaq_domains.builders").joinpath("webfaq.toml").read_text("utf-8")
    sections = read_recipe(options.recipe, default)
    taxonomy = load_taxonomy(options.taxonomy)
    labeler = load_labeler(options.labeler, options.cascade)
    taxonomy.require(labeler.domains, labeler.fallback, options.labeler)
    if options.language_model is not None:
        load_fasttext(options.language_model)
    chain = steps_of(sections, options)
    check_chain([*RAW.names, "source"], chain)
    sources = [open_source(address, frozenset(options.languages)) for address in options.sources]
    asked = Requests.read(options.removals) if options.removals else Requests()
    values: dict[str, Any] = {
        **sections,
        "steps": [type(step).__name__ for step in chain],
        "labeler": asdict(labeler.id),
        "language_model": file_sha256(Path(options.language_model or language_model())),
        "languages": sorted(options.languages),
        "limit": options.limit,
        "schema_version": SCHEMA_VERSION,
        "taxonomy": taxonomy.sha256,
        **({"benchmarks": pinned_indexes(options.benchmarks)} if options.benchmarks else {}),
        **({"removals": asked.sha256} if options.removals else {}),
    }
    recipe = recipe_of_build(values, options.recipe)
    pins = tuple(read_record(pinned(source), SourcePin, source.name) for source in sources)
    with build_in(options, recipe.sha256(pins)) as (run, built):
        if run is not None:
            shards = run_chain(read_sources(sources, run), chain, run)
            staged = stage_dataset(shards, recipe, pins, taxonomy, [labeler.id], run)
            built.finish(staged, shards, run.work, unmet=asked.unmet(shards.met))
    return built


@click.command("webfaq")
@build_options
@json_option
def webfaq(as_json: bool, **values: Any) -> None:
    """Build the domain-partitioned FAQ data set from one or more sources.

    \b
    Example:
      webfaq-domains build webfaq --source faq/ --source nquads:dump.gz --out my-faq
    """
    show(build(BuildOptions.of(values, quiet=as_json)), as_json)
