"""Join the texts of a benchmark that may not be redistributed from the user's own copy of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec.structs import replace

from webfaq_domains.engine.work import Destination
from webfaq_domains.ground.errors import SourceError, StagedError
from webfaq_domains.ground.files import read_parquet
from webfaq_domains.ground.manifest import MANIFEST, TAXONOMY, Manifest
from webfaq_domains.ground.schema import combined
from webfaq_domains.ground.taxonomy import load_taxonomy
from webfaq_domains.retrieval.layout import Place, Written, write_table
from webfaq_domains.retrieval.readers import read_task
from webfaq_domains.retrieval.readers.base import Reading, Task
from webfaq_domains.retrieval.stage import Staged, files_of, sizes_of, write_about


def fill_texts(published: Path, releases: Sequence[tuple[str, Path]], out: Path) -> Staged:
    """Write a copy of a published repository with the texts of `releases` (task, folder) joined by id.

    The result is, byte for byte, what a build with texts gives.

    :raises StagedError: if nothing in `published` waits for a release, or `out` exists.
    :raises BuildError: if the disk is full, or another process makes the same.
    :raises SourceError: if a release is not the one that was published.
    """
    manifest = Manifest.read(published)
    tasks = manifest.retrieval.tasks
    waiting = sorted(name for name, about in tasks.items() if not about.texts)
    if sorted(name for name, _ in releases) != waiting:
        named = ", ".join(name for name, _ in releases) or "none"
        raise StagedError(
            f"{published} waits for the texts of {', '.join(waiting)}; --task names {named}"
            if waiting
            else f"{published} waits for the texts of no task: there is nothing to fill in"
        )
    destination = Destination(out)
    destination.check()
    if not destination.is_free():
        raise StagedError(f"{out} exists; choose another --out")
    texts = {name: _texts(_release(manifest, name, folder)) for name, folder in releases}
    with destination.open(destination.work(manifest.recipe_hash)) as work:
        root = work / "staged"
        shutil.rmtree(root, ignore_errors=True)
        _write(published, manifest, texts, root)
        destination.put_in_place(root)
    return Staged(out)


def _release(manifest: Manifest, name: str, folder: Path) -> Task:
    """Read a release, and refuse one whose files are not those that the manifest pins."""
    reading = Reading(all_languages=True, partial=manifest.recipe.retrieval.partial)
    task = read_task(name, folder, reading)
    for file, sha256 in _pinned_files(manifest, task).items():
        if task.files.get(file) != sha256:
            raise SourceError(
                f"{folder}: {file} is not the file that was published (sha256 {sha256})"
            )
    return task


def _pinned_files(manifest: Manifest, task: Task) -> dict[str, str]:
    for source in manifest.sources:
        if source.name == task.about.title and isinstance(source.files, dict):
            return source.files
    raise StagedError(f"{MANIFEST}: no source {task.about.title!r} with the sha256 of its files")


def _texts(task: Task) -> dict[str, tuple[str, str]]:
    """Return (title, text) of every row of a task by part and id, as `part/id`."""
    found: dict[str, tuple[str, str]] = {}
    for pool in task.pools:
        columns = (pool.candidates[name].to_pylist() for name in ("id", "title", "text"))
        found |= {
            f"corpus/{name}": (title, text) for name, title, text in zip(*columns, strict=True)
        }
    for part in task.parts:
        for kind, rows in (("queries", part.queries), ("unpaired", part.unpaired)):
            if rows is not None:
                pairs = zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True)
                found |= {f"{kind}/{name}": ("", text) for name, text in pairs}
    return found


def _write(
    published: Path, manifest: Manifest, texts: dict[str, dict[str, tuple[str, str]]], root: Path
) -> None:
    written = list(_tables(published, manifest, texts, root))
    recipe = manifest.recipe.with_values(with_text=True)
    tasks = {name: replace(about, texts=True) for name, about in manifest.retrieval.tasks.items()}
    filled = replace(
        manifest,
        recipe=recipe,
        recipe_hash=recipe.sha256(manifest.sources),
        files=files_of(written),
        content_digest=combined(w.digest for w in written),
        extra=replace(
            manifest.extra,
            retrieval=replace(manifest.retrieval, tasks=tasks),
            sizes=sizes_of(written),
        ),
    )
    write_about(root, filled, load_taxonomy(published / TAXONOMY))


def _tables(
    published: Path, manifest: Manifest, texts: dict[str, Any], root: Path
) -> Iterator[Written]:
    """Write every table again, those of the filled tasks with their texts."""
    paths: dict[Place, list[str]] = {}
    for file in manifest.files:
        paths.setdefault(Place.of_path(file.path), []).append(file.path)
    for place, names in sorted(paths.items()):
        rows = pa.concat_tables([read_parquet(published / name) for name in names])
        if place.task in texts and place.part != "qrels":
            rows = _filled(rows, place, texts[place.task])
        yield write_table(root, place, rows)


def _filled(rows: pa.Table, place: Place, texts: dict[str, tuple[str, str]]) -> pa.Table:
    found = [texts.get(f"{place.part}/{name}") for name in rows["id"].to_pylist()]
    if None in found:
        missing = rows["id"][found.index(None)]
        raise SourceError(f"the release has no {place.part} row {missing}")
    for number, column in enumerate(("title", "text")):
        if column in rows.column_names:
            at = rows.schema.get_field_index(column)
            values = pa.array([entry[number] for entry in found if entry], pa.string())
            rows = rows.set_column(at, rows.schema.field(at), pc.cast(values, pa.string()))
    return rows
