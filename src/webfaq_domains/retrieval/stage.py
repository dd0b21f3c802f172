"""Stage a retrieval repository: tables, manifest and card, moved into place in one rename."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.dataset.build import is_done
from webfaq_domains.dataset.stage import code_version
from webfaq_domains.engine.run import locked
from webfaq_domains.ground.errors import BuildError, StagedError
from webfaq_domains.ground.files import value_sha256, write_text
from webfaq_domains.ground.manifest import EVAL_YAML, TAXONOMY, FileEntry, Ledger, Manifest
from webfaq_domains.ground.schema import SCHEMA_VERSION, combined
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.base import LabelerId
from webfaq_domains.retrieval.card import eval_yaml, render_card
from webfaq_domains.retrieval.labels import Agreement
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
from webfaq_domains.steps.contamination.index import write_index


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
    """What a repository is: its name, recipe (with `about`, `subsets`, `sources`), labels' makers."""

    artifact: str
    recipe: dict[str, Any]
    taxonomy: Taxonomy
    labelers: Sequence[LabelerId]


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
        return {**about, "sizes": manifest.extra["sizes"], "configs": manifest.configs["count"]}

    def text(self) -> str:
        manifest = self.manifest
        sizes, counts = manifest.extra["sizes"], manifest.configs
        subsets = len(manifest.extra["retrieval"]["subsets"])
        done = "was already built by this recipe; nothing was done\n" if self.already_there else ""
        return (
            f"{done}{subsets:,} subsets, {counts['count']:,} configs, {len(manifest.files):,} files\n"
            f"{sizes['data']:,} bytes of data, {sizes['ratio']:.2f} x the texts alone "
            f"({sizes['raw_text']:,} bytes); card {(self.out / 'README.md').stat().st_size:,} bytes\n"
            f"staged: {self.out}; `build webfaq --benchmarks {self.out}` keeps its texts out"
        )


def stage_retrieval(
    repository: Repository, ready: Sequence[Ready], ledger: Ledger, out: Path
) -> Staged:
    """Write the repository beside `out` and move it into place; an `out` of this recipe is kept.

    :raises StagedError: if `out` holds something else.
    :raises BuildError: if another build is writing it, or nothing is to be published.
    """
    if is_done(out, repository.recipe):
        return Staged(out, already_there=True)
    work = out.with_name(f"{out.name}.work")
    try:
        with locked(work):
            root = work / "staged"
            shutil.rmtree(root, ignore_errors=True)
            _write(repository, ready, ledger, root)
            if out.exists():
                out.rmdir()
            os.replace(root, out)
            write_index(out, {one.about.task: one.addresses for one in ready})
    except OSError as error:
        raise BuildError(
            f"{error.strerror or error} ({error.filename or work}); free space or mend it and run "
            "the same command again"
        ) from error
    shutil.rmtree(work, ignore_errors=True)
    return Staged(out)


def refuse_other(out: Path, recipe: dict[str, Any]) -> Staged | None:
    """Return the finished result if `out` is of this recipe, before any work starts.

    :raises StagedError: if `out` holds something else, or names no folder.
    """
    if out.name in ("", ".."):
        raise StagedError(f"--out {out}: name a folder to be made, such as ./xtreme-r-domains")
    return Staged(out, already_there=True) if is_done(out, recipe) else None


@dataclass
class _Contents:
    """What has been written of the tasks, and what the manifest says of them."""

    written: list[Written] = field(default_factory=list)
    subsets: list[dict[str, Any]] = field(default_factory=list)
    tasks: dict[str, Any] = field(default_factory=dict)
    stability: dict[str, Any] = field(default_factory=dict)
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
    about = {key: value for key, value in asdict(one.about).items() if key != "task"}
    contents.tasks[name] = {**about, "texts": goes_out}
    contents.stability[name] = [asdict(agreement) for agreement in one.agreements]
    contents.texts += sum(len(rows) for part, _, _, rows in shown if part != "qrels")


def _manifest(repository: Repository, contents: _Contents, ledger: Ledger) -> Manifest:
    recipe, taxonomy, written = repository.recipe, repository.taxonomy, contents.written
    configs = plan_configs(contents.subsets, recipe["configs"]["multi"])
    known = {"version": taxonomy.version, "sha256": taxonomy.sha256, "slugs": list(taxonomy.slugs)}
    return Manifest(
        artifact=repository.artifact,
        code_version=code_version(),
        schema_version=SCHEMA_VERSION,
        taxonomy=known,
        labelers=[vars(labeler) for labeler in repository.labelers],
        sources=recipe["sources"],
        recipe={key: value for key, value in recipe.items() if key != "sources"},
        recipe_hash=value_sha256(recipe),
        files=files_of(written),
        content_digest=combined(w.digest for w in written),
        ledger=ledger.to_json(),
        configs={**recipe["configs"], "count": len(configs)},
        writer={"pyarrow": pa.__version__},
        extra={
            "retrieval": {"tasks": contents.tasks, "subsets": contents.subsets},
            "stability": contents.stability,
            "sizes": sizes_of(written),
        },
    )


def write_about(root: Path, manifest: Manifest, taxonomy: Taxonomy) -> None:
    """Write what stands beside the data files, all of it worked out from the manifest."""
    manifest.write(root)
    write_text(root / TAXONOMY, taxonomy.text)
    write_text(root / EVAL_YAML, eval_yaml(manifest))
    write_text(root / "README.md", render_card(manifest, taxonomy))


def files_of(written: Sequence[Written]) -> list[FileEntry]:
    return sorted((file for w in written for file in w.files), key=lambda file: file.path)


def sizes_of(written: Sequence[Written]) -> dict[str, Any]:
    """Return the bytes of the data files, of their distinct texts alone, and the ratio."""
    data = sum(file.bytes for w in written for file in w.files)
    raw = sum(w.raw_bytes for w in written)
    return {"data": data, "raw_text": raw, "ratio": round(data / raw, 4) if raw else 0.0}


def _goes_out(about: About, recipe: dict[str, Any]) -> bool:
    return about.redistributable or bool(recipe.get("with_text"))


def _bare(tables: Assembled) -> Iterable[tuple[str, str, str, pa.Table]]:
    """Yield the tables of a task without its texts: ids and labels only."""
    for part, name, split, rows in tables.files():
        for column in ("title", "text"):
            if column in rows.column_names:
                at = rows.schema.get_field_index(column)
                empty = pa.array([""] * len(rows), pa.string())
                rows = rows.set_column(at, rows.schema.field(at), empty)
        yield part, name, split, rows


def _subsets(
    one: Ready, written: list[Written], repository: Repository
) -> Iterable[dict[str, Any]]:
    """Yield the manifest's entries of a task's subsets."""
    paths = {w.place: w.paths for w in written}
    pools = {key: Members.of(rows) for key, rows in one.tables.pools.items()}
    task, least = one.about.task, repository.recipe["subsets"]["min_queries"]
    for part in one.tables.parts:
        counted = Counted.of(part, pools[part.pool])
        for subset in plan_subsets(task, part, counted, repository.taxonomy.claimable, least):
            yield _entry(subset, part, paths)


def _entry(subset: Subset, part: Tables, paths: dict[Place, list[str]]) -> dict[str, Any]:
    places = {
        "corpus": Place(subset.task, "corpus", *part.pool),
        "queries": Place(subset.task, "queries", part.language, part.split),
        "qrels": Place(subset.task, "qrels", part.language, part.split),
    }
    if part.unpaired is not None:
        places["unpaired"] = Place(subset.task, "unpaired", part.language, part.split)
    return subset.entry({name: paths[place] for name, place in places.items()})
