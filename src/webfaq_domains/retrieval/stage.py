"""Stage a retrieval repository: tables, manifest and card, moved into place in one rename."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.dataset.stage import taxonomy_pin
from webfaq_domains.engine.work import Destination
from webfaq_domains.ground.errors import BuildError
from webfaq_domains.ground.files import write_text
from webfaq_domains.ground.ledger import Ledger
from webfaq_domains.ground.manifest import (
    EVAL_YAML,
    TAXONOMY,
    Configs,
    FileEntry,
    LabelerPin,
    Manifest,
    Writer,
    code_version,
)
from webfaq_domains.ground.recipe import Recipe, SourcePin
from webfaq_domains.ground.records import to_json
from webfaq_domains.ground.schema import SCHEMA_VERSION, combined
from webfaq_domains.ground.subsets import (
    Agreement,
    Extra,
    Retrieval,
    Sizes,
    SubsetEntry,
    TaskEntry,
)
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.retrieval.card import eval_yaml, render_card
from webfaq_domains.retrieval.layout import Place, Written, plan_configs, write_tables
from webfaq_domains.retrieval.readers.base import About
from webfaq_domains.retrieval.subsets import (
    Assembled,
    Counted,
    Members,
    Subset,
    Tables,
    plan_subsets,
)
from webfaq_domains.steps.contamination.index import index_path, is_index, write_index


@dataclass(frozen=True)
class Ready:
    """A task that can be staged: what it is, its tables, and how stable its labels are.

    `addresses` are the web pages and sites that its texts are from, for the index.
    """

    about: About
    tables: Assembled
    agreements: Sequence[Agreement]
    addresses: Sequence[str] = ()


@dataclass(frozen=True)
class Repository:
    """What a repository is: its name, recipe, sources, taxonomy and who made the labels."""

    artifact: str
    recipe: Recipe
    sources: tuple[SourcePin, ...]
    taxonomy: Taxonomy
    labelers: Sequence[LabelerPin]

    @property
    def recipe_hash(self) -> str:
        return self.recipe.sha256(self.sources)


@dataclass(frozen=True)
class Staged:
    """The result: the folder, and whether it was there already."""

    out: Path
    already_there: bool = False

    @property
    def manifest(self) -> Manifest:
        return Manifest.read(self.out)

    def to_json(self) -> dict[str, Any]:
        manifest = self.manifest
        about = {"out": str(self.out), "already_there": self.already_there}
        return {**about, "sizes": to_json(manifest.sizes), "configs": manifest.configs.count}

    def text(self) -> str:
        manifest = self.manifest
        sizes, subsets = manifest.sizes, len(manifest.retrieval.subsets)
        done = "was already built by this recipe; nothing was done\n" if self.already_there else ""
        return (
            f"{done}{subsets:,} subsets, {manifest.configs.count:,} configs, {len(manifest.files):,} files\n"
            f"{sizes.data:,} bytes of data, {sizes.ratio:.2f} x the texts alone "
            f"({sizes.raw_text:,} bytes); card {(self.out / 'README.md').stat().st_size:,} bytes\n"
            f"staged: {self.out}; `build webfaq --benchmarks {self.out}` keeps its texts out"
        )


def stage_retrieval(
    repository: Repository, ready: Sequence[Ready], ledger: Ledger, out: Path
) -> Staged:
    """Write the repository beside `out` and move it into place; an `out` of this recipe is kept.

    :raises StagedError: if `out` holds something else.
    :raises BuildError: if another build is writing it, or nothing is to be published.
    """
    destination = destination_of(out)
    if destination.is_done(repository.recipe_hash):
        return Staged(out, already_there=True)
    with destination.open(destination.work(repository.recipe_hash)) as work:
        root = work / "staged"
        shutil.rmtree(root, ignore_errors=True)
        _write(repository, ready, ledger, root)
        destination.put_in_place(root)
        write_index(out, {one.about.task: one.addresses for one in ready})
    return Staged(out)


def destination_of(out: Path) -> Destination:
    """Return where a retrieval repository goes; the index of its texts stands beside it."""
    return Destination(out, {index_path(out): is_index})


def refuse_other(out: Path, recipe_hash: str) -> Staged | None:
    """Return the finished result if `out` is of this recipe, before any work starts.

    :raises StagedError: if `out` holds something else, or names no folder.
    """
    return Staged(out, already_there=True) if destination_of(out).is_done(recipe_hash) else None


@dataclass
class _Contents:
    """What has been written of the tasks, and what the manifest says of them."""

    written: list[Written] = field(default_factory=list)
    subsets: list[SubsetEntry] = field(default_factory=list)
    tasks: dict[str, TaskEntry] = field(default_factory=dict)
    stability: dict[str, tuple[Agreement, ...]] = field(default_factory=dict)
    texts: int = 0


def _write(repository: Repository, ready: Sequence[Ready], ledger: Ledger, root: Path) -> None:
    contents = _Contents()
    for one in ready:
        _add(contents, one, repository, root)
    if not contents.subsets:
        raise BuildError("no subset has enough queries to be published; lower --min-queries")
    ledger.rows_out = contents.texts
    ledger.close()
    write_about(root, _manifest(repository, contents, ledger), repository.taxonomy)


def _add(contents: _Contents, one: Ready, repository: Repository, root: Path) -> None:
    """Write the tables of one task and note what they hold."""
    name, goes_out = one.about.task, _goes_out(one.about, repository.recipe)
    shown = list(one.tables.files() if goes_out else _bare(one.tables))
    written = list(write_tables(root, name, shown))
    contents.written += written
    contents.subsets += _subsets(one, written, repository)
    about = {key: value for key, value in vars(one.about).items() if key != "task"}
    contents.tasks[name] = TaskEntry(**about, texts=goes_out)
    contents.stability[name] = tuple(one.agreements)
    contents.texts += sum(len(rows) for part, _, _, rows in shown if part != "qrels")


def _manifest(repository: Repository, contents: _Contents, ledger: Ledger) -> Manifest:
    recipe, written = repository.recipe, contents.written
    multi = recipe.retrieval.configs.multi
    return Manifest(
        artifact=repository.artifact,
        code_version=code_version(),
        schema_version=SCHEMA_VERSION,
        taxonomy=taxonomy_pin(repository.taxonomy),
        labelers=tuple(repository.labelers),
        sources=repository.sources,
        recipe=recipe,
        recipe_hash=repository.recipe_hash,
        files=files_of(written),
        content_digest=combined(w.digest for w in written),
        ledger=ledger.record(),
        configs=Configs(count=len(plan_configs(contents.subsets, multi)), multi=multi),
        writer=Writer(pa.__version__),
        extra=Extra(
            Retrieval(contents.tasks, tuple(contents.subsets)),
            contents.stability,
            sizes_of(written),
        ),
    )


def write_about(root: Path, manifest: Manifest, taxonomy: Taxonomy) -> None:
    """Write what stands beside the data files, all of it worked out from the manifest."""
    manifest.write(root)
    write_text(root / TAXONOMY, taxonomy.text)
    write_text(root / EVAL_YAML, eval_yaml(manifest))
    write_text(root / "README.md", render_card(manifest, taxonomy))


def files_of(written: Sequence[Written]) -> tuple[FileEntry, ...]:
    return tuple(sorted((file for w in written for file in w.files), key=lambda file: file.path))


def sizes_of(written: Sequence[Written]) -> Sizes:
    """Return the bytes of the data files, of their distinct texts alone, and the ratio."""
    data = sum(file.bytes for w in written for file in w.files)
    raw = sum(w.raw_bytes for w in written)
    return Sizes(data, raw, round(data / raw, 4) if raw else 0.0)


def _goes_out(about: About, recipe: Recipe) -> bool:
    return about.redistributable or recipe.retrieval.with_text


def _bare(tables: Assembled) -> Iterable[tuple[str, str, str, pa.Table]]:
    """Yield the tables of a task without its texts: ids and labels only."""
    for part, name, split, rows in tables.files():
        for column in ("title", "text"):
            if column in rows.column_names:
                at = rows.schema.get_field_index(column)
                empty = pa.array([""] * len(rows), pa.string())
                rows = rows.set_column(at, rows.schema.field(at), empty)
        yield part, name, split, rows


def _subsets(one: Ready, written: list[Written], repository: Repository) -> Iterable[SubsetEntry]:
    """Yield the manifest's entries of a task's subsets."""
    paths = {w.place: w.paths for w in written}
    pools = {key: Members.of(rows) for key, rows in one.tables.pools.items()}
    task, least = one.about.task, repository.recipe.retrieval.subsets.min_queries
    for part in one.tables.parts:
        counted = Counted.of(part, pools[part.pool])
        for subset in plan_subsets(task, part, counted, repository.taxonomy.claimable, least):
            yield _entry(subset, part, paths)


def _entry(subset: Subset, part: Tables, paths: dict[Place, list[str]]) -> SubsetEntry:
    places = {
        "corpus": Place(subset.task, "corpus", *part.pool),
        "queries": Place(subset.task, "queries", part.language, part.split),
        "qrels": Place(subset.task, "qrels", part.language, part.split),
    }
    if part.unpaired is not None:
        places["unpaired"] = Place(subset.task, "unpaired", part.language, part.split)
    return subset.entry({name: paths[place] for name, place in places.items()})
