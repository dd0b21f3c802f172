"""Stage a dataset: write the folder that is the Hub repository."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

from webfaq_domains.engine.run import Run, Shards
from webfaq_domains.errors import BuildError
from webfaq_domains.files import write_text
from webfaq_domains.hashing import value_sha256
from webfaq_domains.hub.card import render_card
from webfaq_domains.hub.cells import write_cells
from webfaq_domains.hub.configs import plan_configs
from webfaq_domains.hub.digest import combined
from webfaq_domains.hub.manifest import TAXONOMY, FileEntry, Manifest
from webfaq_domains.labeler.base import LabelerId
from webfaq_domains.schema import SCHEMA_VERSION
from webfaq_domains.taxonomy import Taxonomy


def code_version() -> str:
    return version("webfaq-domains")


def stage_dataset(
    shards: Shards,
    recipe: dict[str, Any],
    taxonomy: Taxonomy,
    labelers: list[LabelerId],
    run: Run,
) -> Path:
    """Write data files, manifest and card under the run's work folder; return the staged folder.

    `recipe` holds all that can change a byte, with `sources`, `about`, `configs` and `split` among
    its keys.

    :raises BuildError: if nothing is left to publish, or the ledger does not close.
    """
    root = run.work / "staged"
    reports = write_cells(shards, root, run)
    files = [
        FileEntry(*(report[key] for key in ("path", "rows", "bytes", "sha256")))
        for report in reports
    ]
    shards.ledger.rows_out = sum(file.rows for file in files)
    shards.ledger.close()
    if not files:
        raise BuildError(
            f"no row is left to publish; the ledger says why: {shards.ledger.to_json()}"
        )
    configs = plan_configs(files, recipe["configs"]["min_rows"], recipe["configs"]["most"])
    import pyarrow as pa

    manifest = Manifest(
        artifact="webfaq-domains",
        code_version=code_version(),
        schema_version=SCHEMA_VERSION,
        taxonomy={
            "version": taxonomy.version,
            "sha256": taxonomy.sha256,
            "slugs": list(taxonomy.slugs),
        },
        labelers=[vars(labeler) for labeler in labelers],
        sources=recipe["sources"],
        recipe={key: value for key, value in recipe.items() if key != "sources"},
        recipe_hash=value_sha256(recipe),
        files=files,
        content_digest=combined(report["digest"] for report in reports),
        ledger=shards.ledger.to_json(),
        configs={**recipe["configs"], "names": [config.name for config in configs]},
        writer={"pyarrow": pa.__version__},
    )
    manifest.write(root)
    write_text(root / TAXONOMY, taxonomy.text)
    write_text(root / "README.md", render_card(manifest, configs, taxonomy))
    return root
