"""Check a retrieval repository: do files, manifest, card and configs say the same, and load?"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from webfaq_domains.dataset.check import Checked, Problem, check_files
from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.manifest import EVAL_YAML, MANIFEST, TAXONOMY, Manifest
from webfaq_domains.ground.schema import combined
from webfaq_domains.ground.subsets import SubsetEntry, TableRead, subset_tables
from webfaq_domains.ground.taxonomy import read_taxonomy
from webfaq_domains.retrieval.card import eval_yaml, render_card
from webfaq_domains.retrieval.folder import read_rows
from webfaq_domains.retrieval.layout import Config, Place, configs_of, table_digest
from webfaq_domains.retrieval.subsets import SCHEMAS

_REBUILD = "build the folder again; nothing in it may be edited by hand"


def check_retrieval(folder: Path, load: bool = True, quiet: bool = False) -> Checked:
    """Check a staged retrieval repository; with `load`, load its configs with `datasets` as well.

    :raises StagedError: if the folder has no readable manifest.
    """
    manifest = Manifest.read(folder)
    result = Checked(folder)
    result.problems += check_files(folder, manifest)
    if result.problems:
        return result
    try:
        result.problems += _check_tables(folder, manifest, result)
        pools = Pools(folder)
        for subset in tqdm(
            manifest.retrieval.subsets, desc="check subsets", unit=" subsets", disable=quiet
        ):
            result.problems += _check_subset(folder, subset, pools)
        result.problems += _check_manifest(manifest)
        result.problems += _check_card(folder, manifest)
        result.problems += check_eval_yaml(folder, manifest)
        if load and not result.problems:
            result.problems += _load_configs(folder, manifest, result, quiet)
    except (StagedError, KeyError, ValueError, OSError, pa.ArrowException) as error:
        result.problems.append(Problem(MANIFEST, f"does not fit the files: {error}", _REBUILD))
    return result


def check_eval_yaml(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Check that `eval.yaml` is the one which the manifest gives."""
    path = folder / EVAL_YAML
    if not path.is_file() or path.read_text("utf-8", errors="replace") != eval_yaml(manifest):
        yield Problem(EVAL_YAML, "is not what the manifest gives", _REBUILD)


def _check_tables(folder: Path, manifest: Manifest, result: Checked) -> Iterator[Problem]:
    """Check every table: columns, rows, order, and the digest of all."""
    digests: dict[Place, int] = {}
    for file in manifest.files:
        place, rows = Place.of_path(file.path), pq.read_table(folder / file.path)
        result.files, result.rows = result.files + 1, result.rows + len(rows)
        digests[place] = digests.get(place, 0) + table_digest(place, rows)
        if not rows.schema.equals(SCHEMAS[place.part]):
            yield Problem(file.path, f"columns are {rows.schema.names} or of other types", _REBUILD)
            continue
        if len(rows) != file.rows:
            yield Problem(file.path, f"{len(rows)} rows, the manifest says {file.rows}", _REBUILD)
        ids = rows.column(0).to_pylist()
        if ids != sorted(ids):
            yield Problem(file.path, f"rows are not sorted by {rows.column_names[0]}", _REBUILD)
        if place.part != "qrels" and len(set(ids)) != len(ids):
            yield Problem(file.path, "an id is there twice", _REBUILD)
    if combined(digests.values()) != manifest.content_digest:
        yield Problem(MANIFEST, "content_digest is not that of the rows", _REBUILD)


class Pools:
    """The ids of pools as subsets read them; many subsets read the same, so each is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._read = folder, dict[TableRead, pa.Array]()

    def ids(self, read: TableRead) -> pa.Array:
        if read not in self._read:
            self._read[read] = read_rows(self._folder, read, ["id"])["id"].combine_chunks()
        return self._read[read]


def _check_subset(folder: Path, subset: SubsetEntry, pools: Pools) -> Iterator[Problem]:
    """Check one subset: what its filters give, and that queries, qrels and corpus belong together."""
    place, read = f"{subset.name} ({subset.split})", subset.read
    corpus = pools.ids(read.corpus)
    queries = read_rows(folder, read.queries, ["id"])["id"].combine_chunks()
    qrels = read_rows(folder, read.qrels, ["query-id", "corpus-id", "kind"])
    official = pc.sum(pc.equal(qrels["kind"], "official")).as_py() or 0
    met = {
        "corpus": len(corpus),
        "queries": len(queries),
        "qrels": official,
        "duplicates": len(qrels) - official,
    }
    expected = {key: getattr(subset, key) for key in met}
    if met != expected:
        yield Problem(place, f"reads {met}, the manifest says {expected}", _REBUILD)
    asked = pc.is_in(queries, qrels["query-id"].combine_chunks())
    if not pc.all(asked).as_py():
        yield Problem(place, "a query has no qrels", _REBUILD)
    if not pc.all(pc.is_in(qrels["query-id"], queries)).as_py():
        yield Problem(place, "qrels name a query that is not among the queries", _REBUILD)
    if not pc.all(pc.is_in(qrels["corpus-id"], corpus)).as_py():
        yield Problem(place, "a right candidate is not in the pool", _REBUILD)


def _check_manifest(manifest: Manifest) -> Iterator[Problem]:
    subsets = manifest.retrieval.subsets
    if manifest.ledger.rows_in != manifest.ledger.rows_accounted:
        yield Problem(MANIFEST, "the ledger does not close", _REBUILD)
    if manifest.recipe.sha256(manifest.sources) != manifest.recipe_hash:
        yield Problem(MANIFEST, "recipe_hash is not the hash of the recipe", _REBUILD)
    used = {path for s in subsets for _, read in subset_tables(s) for path in read.files}
    for path in sorted({file.path for file in manifest.files} - used):
        yield Problem(path, "no subset reads it", _REBUILD)
    least = manifest.recipe.retrieval.subsets.min_queries
    for subset in subsets:
        if subset.domain and subset.queries < least:
            yield Problem(subset.name, f"has fewer than {least} queries", _REBUILD)


def _check_card(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    try:
        taxonomy = read_taxonomy((folder / TAXONOMY).read_text("utf-8"), TAXONOMY)
        written = (folder / "README.md").read_text("utf-8")
    except (OSError, ValueError, RecipeError) as error:
        yield Problem("README.md", f"card or taxonomy cannot be read: {error}", _REBUILD)
        return
    if taxonomy.sha256 != manifest.taxonomy.sha256:
        yield Problem(TAXONOMY, "is not the taxonomy that the manifest names", _REBUILD)
    elif written != render_card(manifest, taxonomy):
        yield Problem("README.md", "differs from what the manifest gives", _REBUILD)


def _load_configs(
    folder: Path, manifest: Manifest, result: Checked, quiet: bool
) -> Iterator[Problem]:
    """Stream every config by the code that `load_dataset` runs, the card parsed once for all.

    Configs that read the same files by the same filters are read once.
    """
    from datasets import utils
    from datasets.load import dataset_module_factory, get_dataset_builder_class

    utils.logging.disable_progress_bar()
    module = dataset_module_factory(os.fspath(folder.resolve()))
    kind = get_dataset_builder_class(module)
    listed = {config.name for config in module.builder_configs_parameters.builder_configs}
    shared = {k: v for k, v in module.builder_kwargs.items() if k != "config_name"}
    configs = configs_of(manifest)
    if listed != {config.name for config in configs}:
        yield Problem("README.md", "its configs are not those of the manifest's subsets", _REBUILD)
        return
    counted: dict[str, dict[str, int]] = {}
    for config in tqdm(configs, desc="load configs", unit=" configs", disable=quiet):
        key = value_sha256([config.paths, config.filters])
        try:
            builder = kind(config_name=config.name, **shared)
            if key not in counted:
                counted[key] = _streamed(builder)
        except Exception as error:
            # Whatever a stock client raises is what a user would meet.
            what = f"load_dataset fails: {type(error).__name__}: {error}"
            yield Problem(f"config {config.name}", what, _REBUILD)
            continue
        result.configs_loaded += 1
        yield from _counts(config, counted[key])


def _streamed(builder: Any) -> dict[str, int]:
    counts = {}
    for split, rows in builder.as_streaming_dataset().items():
        batches = rows.with_format("arrow").iter(batch_size=10_000)
        counts[split] = sum(len(batch) for batch in batches)
    return counts


def _counts(config: Config, met: dict[str, int]) -> Iterator[Problem]:
    if met != config.rows:
        what = f"loads {met}, the manifest says {config.rows}"
        yield Problem(f"config {config.name}", what, _REBUILD)
