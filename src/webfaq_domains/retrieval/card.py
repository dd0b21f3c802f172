"""The card of a retrieval repository and its `eval.yaml`: every number from the manifest.

The file lies at the root of the repository and is checked by the Hub when it is pushed. Its keys are
those of the Hub's benchmark format with `evaluation_framework: mteb`; any other is refused.
"""

from __future__ import annotations

import json
from importlib.resources import files
from string import Template

from webfaq_domains.dataset.card import size_category, table
from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.subsets import SubsetEntry
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.retrieval.layout import Config, configs_of


def render_card(manifest: Manifest, taxonomy: Taxonomy) -> str:
    """Return the README.md of a staged retrieval repository."""
    from huggingface_hub import DatasetCardData

    about = manifest.recipe.about
    configs = configs_of(manifest)
    known = [code for s in _whole(manifest) for code in s.language.split("_x_")]
    data = DatasetCardData(
        language=sorted({*known}),
        license=about.license,
        license_name=about.license_name if about.license == "other" else None,
        license_link="README.md" if about.license == "other" else None,
        pretty_name=about.pretty_name,
        size_categories=[size_category(manifest.rows)],
        multilinguality=["multilingual"],
        annotations_creators=["machine-generated"],
        language_creators=["found"],
        source_datasets=["extended"],
        tags=["mteb", "domains", "text"],
        task_categories=["text-retrieval"],
        task_ids=["document-retrieval"],
    )
    listed = "\n".join(config.line() for config in configs)
    prose = files("webfaq_domains.cards").joinpath(f"{manifest.artifact}.md")
    if not prose.is_file():
        raise StagedError(f"there is no card for an artifact named {manifest.artifact!r}")
    template = prose.read_text("utf-8")
    body = Template(template).substitute(_values(manifest, taxonomy, configs))
    return f"---\n{data.to_yaml()}\nconfigs:\n{listed}\n---\n\n{body}"


def _whole(manifest: Manifest) -> list[SubsetEntry]:
    """Return the entries of whole languages."""
    return [s for s in manifest.retrieval.subsets if s.is_whole]


def _values(manifest: Manifest, taxonomy: Taxonomy, configs: list[Config]) -> dict[str, str]:
    about, sizes, rules = manifest.recipe.about, manifest.sizes, manifest.recipe.retrieval
    subsets = manifest.retrieval.subsets
    names = [
        config.name.removesuffix("-queries") for config in configs if "-queries" in config.name
    ]
    return {
        "pretty_name": about.pretty_name,
        "contact": about.contact,
        "version": manifest.version or "not yet published",
        "example": next((name for name in names if name.endswith("_pool")), names[0]),
        "subset_count": f"{len({s.name for s in subsets}):,}",
        "config_count": f"{len(configs):,}",
        "multi": "are configs as well" if rules.configs.multi else
        "are in `manifest.json` only, since every `load_dataset` parses all configs",
        "min_queries": str(rules.subsets.min_queries),
        "tasks": _tasks(manifest),
        "licences": _licences(manifest),
        "domain_tables": _domain_tables(manifest, taxonomy),
        "stability": _stability(manifest),
        "data_bytes": f"{sizes.data:,}",
        "raw_bytes": f"{sizes.raw_text:,}",
        "ratio": f"{sizes.ratio:.2f}",
        "ledger": _ledger(manifest),
        "sources": _sources(manifest),
        "labelers": table(
            ("kind", "name", "sha256 of the model", "taxonomy"),
            [(e.kind, e.name, f"`{e.revision}`", e.taxonomy_version) for e in manifest.labelers],
        ),
        "definitions": table(
            ("domain", "what belongs here"),
            [(domain.slug, domain.definition) for domain in taxonomy.domains],
        ),
        "taxonomy_version": manifest.taxonomy.version,
        "recipe_hash": manifest.recipe_hash,
        "content_digest": manifest.content_digest,
        "code_version": manifest.code_version,
    }  # fmt: skip


def _tasks(manifest: Manifest) -> str:
    rows = []
    for name, about in manifest.retrieval.tasks.items():
        mine = [s for s in _whole(manifest) if s.task == name]
        largest = max(s.corpus for s in mine)
        counts = [
            sum(c) for c in zip(*((s.queries, s.qrels, s.duplicates) for s in mine), strict=True)
        ]
        splits = ", ".join(sorted({s.split for s in mine}))
        rows.append((f"`{name}`", about.title, len({s.language for s in mine}), splits, *counts, largest, about.metric))  # fmt: skip
    header = ("task", "benchmark", "languages", "splits", "queries", "official qrels",
              "duplicate qrels", "largest pool", "metric")  # fmt: skip
    return table(header, rows)


def _licences(manifest: Manifest) -> str:
    rows = [
        (f"`{name}`", about.licence, "yes" if about.texts else "no: ids and labels only",
         about.homepage, about.citation)
        for name, about in manifest.retrieval.tasks.items()
    ]  # fmt: skip
    return table(("task", "licence", "texts in this repository", "release", "cite"), rows)


def _domain_tables(manifest: Manifest, taxonomy: Taxonomy) -> str:
    """Return, for each task and split, queries by language and domain; empty where not published."""
    parts = []
    alone = {
        (s.task, s.split, s.language, s.domain): s.queries
        for s in manifest.retrieval.subsets
        if s.membership == "exclusive" and s.pool == "full"
    }
    for task, split in sorted({(s.task, s.split) for s in _whole(manifest)}):
        spoken = sorted({key[2] for key in alone if key[:2] == (task, split)})
        rows = [
            (_name(code), alone[task, split, code, None],
             *(alone.get((task, split, code, slug), "") for slug in taxonomy.claimable))
            for code in spoken
        ]  # fmt: skip
        head = f"<details><summary>{task}, {split}: queries by language and domain</summary>"
        parts.append(
            f"{head}\n\n{table(('language', 'all', *taxonomy.claimable), rows)}\n\n</details>"
        )
    return "\n\n".join(parts)


def _name(code: str) -> str:
    known = languages()
    parts = code.split("_x_")
    return f"{' to '.join(known[part].name if part in known else part for part in parts)} ({code})"


def _stability(manifest: Manifest) -> str:
    rows = [
        (task, entry.side, entry.items, f"{entry.share:.1%}",
         "" if entry.claimed is None else f"{entry.claimed:.1%}", f"{entry.kappa:.2f}")
        for task, entries in (manifest.extra.stability or {}).items()
        for entry in entries
    ]  # fmt: skip
    if not rows:
        return "Every label is the published one of its pair; nothing was labelled anew."
    header = ("task", "other side", "items", "same domain", "where either has one", "kappa")
    return table(header, rows)


def _ledger(manifest: Manifest) -> str:
    rows: list[tuple[object, ...]] = [("texts read", "", manifest.ledger.rows_in)]
    rows += [(step, reason, n) for step, reason, n in manifest.drops]
    rows.append(("queries, candidates and unpaired texts published", "", manifest.ledger.rows_out))
    return table(("step", "reason", "rows"), rows)


def _sources(manifest: Manifest) -> str:
    rows = [(s.name, s.file_count, f"`{s.pin}`") for s in manifest.sources]
    return table(("source", "files", "sha256 over its files"), rows)


#: The mteb task of each task of ours: its name there must never change, results are filed under it.
TASK_NAMES = {
    "webfaq": "WebFAQDomainsRetrieval",
    "tatoeba": "TatoebaDomainsRetrieval",
    "lareqa": "LAReQADomainsRetrieval",
    "mewslix": "MewsliXDomainsRetrieval",
    "bucc": "BUCCDomainsRetrieval",
}


def _task_name(task: str) -> str:
    if task not in TASK_NAMES:
        raise StagedError(f"{task} has no mteb task here; there are {', '.join(TASK_NAMES)}")
    return TASK_NAMES[task]


#: Each entry is a leaderboard of its own, so no more than these, those with most queries first.
MOST = 100


def eval_yaml(manifest: Manifest, most: int = MOST) -> str:
    """Return the text of `eval.yaml` for a retrieval repository.

    One entry per task for all its subsets, then the largest exclusive subsets of the `test` split
    over the full pool, at most `most` of them.
    """
    found = manifest.retrieval
    names = {task: _task_name(task) for task in found.tasks}
    metrics = ", ".join(f"{names[task]}: {about.metric}" for task, about in found.tasks.items())
    about = (
        f"Retrieval by language and topical domain ({metrics}). An entry without config is the mean "
        "over all subsets."
    )
    lines = [
        f"name: {json.dumps(manifest.recipe.about.pretty_name, ensure_ascii=False)}",
        f"description: {json.dumps(about, ensure_ascii=False)}",
        "evaluation_framework: mteb",
        "tasks:",
        *(f"  - id: {name}" for name in names.values()),
    ]
    wanted = [
        subset
        for subset in found.subsets
        if (subset.membership, subset.pool, subset.split) == ("exclusive", "full", "test")
    ]
    wanted.sort(key=lambda subset: (-subset.queries, subset.name))
    for subset in sorted(wanted[:most], key=lambda subset: subset.name):
        lines.append(f"  - id: {names[subset.task]}_{subset.name}_test")
        lines += [f"    config: {subset.name}", "    split: test"]
    return "\n".join(lines) + "\n"
