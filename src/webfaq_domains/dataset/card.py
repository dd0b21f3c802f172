"""The dataset card: a template of prose, and every number from the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from webfaq_domains.dataset.layout import Cell, Config, shown_config
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.schema import SPLITS
from webfaq_domains.ground.taxonomy import Taxonomy

_SIZES = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip


def size_category(rows: int) -> str:
    """Return the Hub's name for a number of rows."""
    return next((name for limit, name in _SIZES if rows < limit), "n>1B")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; cells are escaped, since some hold text from the data."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_escape(cell) for cell in line) + " |" for line in lines)


def _escape(cell: object) -> str:
    text = f"{cell:,}" if isinstance(cell, int) else str(cell)
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def render_card(manifest: Manifest, configs: list[Config], taxonomy: Taxonomy) -> str:
    """Return the README.md of a staged dataset: YAML for the Hub, then every section of its template."""
    from huggingface_hub import DatasetCardData

    about = manifest.recipe.about
    cells = [(Cell.of_path(file.path), file.rows) for file in manifest.files]
    met = sorted({cell.language for cell, _ in cells})
    data = DatasetCardData(
        language=met,
        license=about.license,
        pretty_name=about.pretty_name,
        size_categories=[size_category(manifest.rows)],
        task_categories=["question-answering", "text-retrieval", "text-classification"],
        task_ids=["document-retrieval", "topic-classification"],
        multilinguality=["multilingual" if len(met) > 1 else "monolingual"],
        annotations_creators=["machine-generated"],
        language_creators=["found"],
        source_datasets=["extended"] if manifest.sources else ["original"],
        tags=["faq", "webfaq", "domains", "text"],
        configs=[config.card_entry() for config in configs],
        # Not for the cells: every load parses this, and the domains' counts cover their rows.
        dataset_info=[config.info_entry() for config in configs if "-" not in config.name],
    )
    template = files("webfaq_domains.cards").joinpath("webfaq-domains.md").read_text("utf-8")
    body = Template(template).substitute(_values(manifest, configs, taxonomy, cells))
    return f"---\n{data.to_yaml()}\n---\n\n{body}"


def _values(
    manifest: Manifest, configs: list[Config], taxonomy: Taxonomy, cells: list[tuple[Cell, int]]
) -> dict[str, str]:
    """Return what the template asks for; each is worked out from the manifest."""
    about = manifest.recipe.about
    rules = manifest.recipe.pairs
    met = {cell.language for cell, _ in cells}
    return {
        "pretty_name": about.pretty_name,
        "license": about.license,
        "contact": about.contact,
        "version": manifest.version or "not yet published",
        "rows": f"{manifest.rows:,}",
        "languages": f"{len(met)}",
        "language_names": ", ".join(f"{_name(code)} ({code})" for code in sorted(met)),
        "domains": f"{len({cell.domain for cell, _ in cells})}",
        "default_config": shown_config(configs).name,
        "config_count": f"{len(configs)}",
        "min_rows": str(rules.configs.min_rows),
        "most": str(rules.configs.most),
        "steps": ", ".join(f"`{step}`" for step in manifest.recipe.steps),
        "taxonomy_version": manifest.taxonomy.version,
        "definitions": table(
            ("domain", "what belongs here"),
            [(domain.slug, domain.definition) for domain in taxonomy.domains],
        ),
        "domain_table": _domain_table(cells),
        "language_table": _language_table(cells),
        "sources": _sources(manifest),
        "labelers": _labelers(manifest),
        "rows_in": f"{manifest.ledger.rows_in:,}",
        "ledger": _ledger(manifest),
        "recipe_hash": manifest.recipe_hash,
        "content_digest": manifest.content_digest,
        "code_version": manifest.code_version,
        "schema_version": manifest.schema_version,
        "validation_share": f"{rules.split.validation:.0%}",
        "test_share": f"{rules.split.test:.0%}",
    }


def _name(code: str) -> str:
    known = languages().get(code)
    return known.name if known else code


def _domain_table(cells: list[tuple[Cell, int]]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    spoken: dict[str, set[str]] = {}
    for cell, rows in cells:
        counts[cell.domain, cell.split] += rows
        spoken.setdefault(cell.domain, set()).add(cell.language)
    body = [
        (domain, len(spoken[domain]), *(counts[domain, split] for split in SPLITS))
        for domain in sorted(spoken)
    ]
    return table(("domain", "languages", *SPLITS), body)


def _language_table(cells: list[tuple[Cell, int]]) -> str:
    counts: Counter[tuple[str, str]] = Counter()
    for cell, rows in cells:
        counts[cell.language, cell.domain] += rows
    domains = sorted({cell.domain for cell, _ in cells})
    codes = sorted({cell.language for cell, _ in cells})
    body = [(code, *(counts[code, domain] for domain in domains)) for code in codes]
    return table(("language", *domains), body)


def _sources(manifest: Manifest) -> str:
    body = [
        (source.name, f"`{source.pin}`", source.file_count, source.bytes)
        for source in manifest.sources
    ]
    return table(("source", "pinned by", "files", "bytes"), body)


def _labelers(manifest: Manifest) -> str:
    body = [
        (entry.kind, entry.name, f"`{entry.revision}`", entry.taxonomy_version)
        for entry in manifest.labelers
    ]
    return table(("kind", "name", "sha256 of the model", "taxonomy"), body)


def _ledger(manifest: Manifest) -> str:
    ledger = manifest.ledger
    body: list[tuple[object, ...]] = [("read", "", ledger.rows_in)]
    body += [("quarantined", reason, n) for reason, n in ledger.quarantined.items()]
    body += manifest.drops
    return table(("step", "reason", "rows"), [*body, ("published", "", ledger.rows_out)])
