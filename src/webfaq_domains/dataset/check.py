"""Check a staged dataset: is it what its manifest and its card say, and does it load everywhere?"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm import tqdm

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.layout import Cell, Config, configs_of
from webfaq_domains.ground.addresses import sites_of
from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.files import file_sha256, local_notes
from webfaq_domains.ground.hub import links_to_blob
from webfaq_domains.ground.manifest import EVAL_YAML, MANIFEST, TAXONOMY, Configs, Manifest
from webfaq_domains.ground.schema import PUBLISHED, combined, rows_digest
from webfaq_domains.ground.taxonomy import read_taxonomy
from webfaq_domains.ground.text import content_id, unit_hash

_EXTRA_FILES = {MANIFEST, "README.md", ".gitattributes", TAXONOMY, EVAL_YAML}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was met, and how to mend it."""

    place: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}\n    mend: {self.mend}"


@dataclass
class Checked:
    """The result of a check."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    files: int = 0
    rows: int = 0
    configs_loaded: int = 0

    @property
    def fine(self) -> bool:
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "fine": self.fine,
            "files": self.files,
            "rows": self.rows,
            "configs_loaded": self.configs_loaded,
            "problems": [vars(problem) for problem in self.problems],
        }

    def text(self) -> str:
        what = f"{self.files:,} files"
        if self.rows:
            what += f", {self.rows:,} rows, {self.configs_loaded} configs loaded"
        if self.fine:
            return f"{self.folder}: fine ({what})"
        listed = "\n".join(map(str, self.problems))
        return f"{listed}\n{self.folder}: {len(self.problems)} problems ({what})"


_REBUILD = "build the folder again; nothing in it may be edited by hand"


def check_dataset(folder: Path, load: bool = True, quiet: bool = False) -> Checked:
    """Check a staged dataset folder; with `load`, load every config with `datasets` as well.

    :raises StagedError: if the folder has no readable manifest.
    """
    manifest = Manifest.read(folder)
    result = Checked(folder)
    result.problems += check_files(folder, manifest)
    seen = Rows()
    for file in tqdm(manifest.files, desc="check files", unit=" files", disable=quiet):
        path = folder / file.path
        if path.is_file():
            result.problems += check_rows(file.path, path, file.rows, seen)
            result.files += 1
    result.rows = seen.count
    result.problems += seen.problems()
    result.problems += check_manifest(manifest, seen)
    result.problems += check_card(folder, manifest)
    if load and not result.problems:
        configs = configs_of(manifest)
        for config in tqdm(configs, desc="load configs", unit=" configs", disable=quiet):
            result.problems += load_config(folder, config)
            result.configs_loaded += 1
    return result


def check_files(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Hold the files that are there against those that the manifest lists."""
    listed = {file.path: file for file in manifest.files}
    found = {
        name: path
        for path in folder.rglob("*")
        if (not path.is_dir() or path.is_symlink())
        and not local_notes(name := path.relative_to(folder).as_posix())
    }
    links = {
        name
        for name, path in found.items()
        if path.is_symlink() and not links_to_blob(folder, path)
    }
    for name in sorted(found):
        if name in links:
            yield Problem(name, "a symbolic link", "replace it by the file, or build again")
        elif name not in listed and name not in _EXTRA_FILES:
            yield Problem(name, "not in the manifest", "remove the file, or build again")
    for name, file in listed.items():
        if name not in found:
            yield Problem(name, "listed in the manifest but not there", _REBUILD)
        elif name in links:
            continue
        elif found[name].stat().st_size != file.bytes:
            size = found[name].stat().st_size
            yield Problem(name, f"{size} bytes, the manifest says {file.bytes}", _REBUILD)
        elif file_sha256(found[name]) != file.sha256:
            yield Problem(name, "content differs from the manifest's sha256", _REBUILD)


class Rows:
    """What has to be remembered of all rows: 8 bytes of each id, sites by split, the digest."""

    def __init__(self) -> None:
        self.count = 0
        self.digests: list[int] = []
        self._names: list[str] = []
        self._ids: list[Any] = []
        self._sites: dict[str, set[int]] = {}

    def add(self, name: str, cell: Cell, rows: pa.Table) -> None:
        self.count += len(rows)
        self.digests.append(rows_digest(rows))
        self._names.append(name)
        self._ids.append(unit_hash(rows["id"]))
        site = pc.coalesce(sites_of(rows), rows["id"])
        self._sites.setdefault(cell.split, set()).update(unit_hash(pc.unique(site)).tolist())

    def problems(self) -> Iterator[Problem]:
        import numpy as np

        ids = np.concatenate(self._ids) if self._ids else np.zeros(0, np.uint64)
        order = np.argsort(ids, kind="stable")
        again = order[1:][ids[order[1:]] == ids[order[:-1]]]
        if len(again):
            ends = np.cumsum([len(part) for part in self._ids])
            name = self._names[int(np.searchsorted(ends, again.min(), side="right"))]
            what = f"{len(again)} ids occur more than once, first seen again in this file"
            yield Problem(name, what, _REBUILD)
        names = sorted(self._sites)
        for number, one in enumerate(names):
            for other in names[number + 1 :]:
                shared = len(self._sites[one] & self._sites[other])
                if shared:
                    what = f"{shared} origins are in both {one} and {other}"
                    yield Problem("data/", what, _REBUILD)


def check_rows(name: str, path: Path, expected: int, seen: Rows) -> Iterator[Problem]:
    """Check one data file: schema, count, cell, order, ids."""
    try:
        cell = Cell.of_path(name)
        schema = pq.read_schema(path)
        if not schema.equals(PUBLISHED, check_metadata=False):
            yield Problem(name, f"columns are {schema.names} or of other types", _REBUILD)
            return
        rows = pq.read_table(path)
        seen.add(name, cell, rows)
        if len(rows) != expected:
            yield Problem(name, f"{len(rows)} rows, the manifest says {expected}", _REBUILD)
        yield from _check_values(name, cell, rows)
    except (StagedError, TypeError, ValueError, OSError, pa.ArrowException) as error:
        yield Problem(name, f"cannot be read as a data file of the layout: {error}", _REBUILD)


def _check_values(name: str, cell: Cell, rows: pa.Table) -> Iterator[Problem]:
    for column in ("domain", "language"):
        outside = pc.unique(rows[column]).to_pylist()
        if outside != [getattr(cell, column)]:
            yield Problem(name, f"{column} holds {outside[:5]}: rows outside their cell", _REBUILD)
    ids = rows["id"].to_pylist()
    if ids != sorted(ids):
        yield Problem(name, "rows are not sorted by id", _REBUILD)
    if content_id(rows["language"], rows["question"], rows["answer"]).to_pylist() != ids:
        yield Problem(name, "an id is not the hash of its row's text", _REBUILD)
    first = pc.list_element(rows["domains"], 0)
    if not pc.all(pc.fill_null(pc.equal(first, rows["domain"]), False)).as_py():
        yield Problem(name, "`domain` is not the first of `domains`", _REBUILD)


def check_manifest(manifest: Manifest, seen: Rows) -> Iterator[Problem]:
    """Check what the manifest says of itself: ledger, recipe hash, content digest."""
    ledger, rules = manifest.ledger, manifest.recipe.pairs.configs
    if ledger.rows_in != ledger.rows_accounted or ledger.rows_out != manifest.rows:
        what = (
            f"the ledger does not close: {ledger.rows_in} in, {ledger.rows_accounted} accounted for, "
            f"{manifest.rows} rows in the files"
        )
        yield Problem(MANIFEST, what, _REBUILD)
    if manifest.recipe.sha256(manifest.sources) != manifest.recipe_hash:
        yield Problem(MANIFEST, "recipe_hash is not the hash of the recipe", _REBUILD)
    names = tuple(config.name for config in configs_of(manifest))
    if manifest.configs != Configs(names=names, min_rows=rules.min_rows, most=rules.most):
        yield Problem(MANIFEST, "configs are not what recipe and files give", _REBUILD)
    if combined(seen.digests) != manifest.content_digest:
        yield Problem(MANIFEST, "content_digest is not that of the rows", _REBUILD)


def check_card(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Check that the card is the one which manifest and taxonomy give, YAML and numbers included."""
    path = folder / "README.md"
    if not path.is_file():
        yield Problem("README.md", "there is no card", _REBUILD)
        return
    try:
        taxonomy = read_taxonomy((folder / TAXONOMY).read_text("utf-8"), TAXONOMY)
    except (OSError, ValueError, RecipeError) as error:
        yield Problem(TAXONOMY, f"cannot be read: {error}", _REBUILD)
        return
    if taxonomy.sha256 != manifest.taxonomy.sha256:
        yield Problem(TAXONOMY, "is not the taxonomy that the manifest names", _REBUILD)
        return
    written = path.read_text("utf-8", errors="replace")
    expected = render_card(manifest, configs_of(manifest), taxonomy)
    if written != expected:
        line = next(_differing_lines(written, expected), "the end")
        yield Problem("README.md", f"differs from what the manifest gives, at {line}", _REBUILD)


def _differing_lines(one: str, other: str) -> Iterator[str]:
    pairs = zip(one.splitlines(), other.splitlines(), strict=False)
    return (f"line {number}: {a[:60]!r}" for number, (a, b) in enumerate(pairs, 1) if a != b)


def load_config(folder: Path, config: Config) -> Iterator[Problem]:
    """Load one config as a user would, whole and streaming, and count what arrives."""
    from datasets import DownloadMode, Features, load_dataset, utils

    utils.logging.disable_progress_bar()
    place = f"config {config.name}"
    expected = {split: config.rows[split] for split in config.paths}
    path = os.fspath(folder.resolve())  # a relative `csv` would name a builder of datasets
    try:
        with tempfile.TemporaryDirectory() as cache:
            whole = load_dataset(
                path, config.name, cache_dir=cache,
                download_mode=DownloadMode.FORCE_REDOWNLOAD,
            )  # fmt: skip
            counts = {split: len(rows) for split, rows in whole.items()}
            features = next(iter(whole.values())).features
            del whole
        streamed = load_dataset(path, config.name, streaming=True)
        flowing = Counter[str]()
        for split, rows in streamed.items():
            for batch in rows.with_format("arrow").iter(batch_size=10_000):
                flowing[split] += len(batch)
    except Exception as error:
        # Whatever a stock client raises is what a user would meet.
        what = f"load_dataset fails: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        yield Problem(place, what, _REBUILD)
        return
    if counts != expected or dict(flowing) != expected:
        what = f"loads {counts}, streams {dict(flowing)}, the manifest says {expected}"
        yield Problem(place, what, _REBUILD)
    if features != Features.from_arrow_schema(PUBLISHED):
        yield Problem(place, f"loads with other features: {features}", _REBUILD)
