"""Export the subsets of a staged retrieval folder as TREC files, or as another program's.

    OUT/<subset>/queries.tsv      query id, tab, text (tabs and line ends of the text as spaces)
    OUT/<subset>/docs.jsonl       {"doc_id", "title", "text"} a line
    OUT/<subset>/qrels.txt        query id, 0, document id, relevance: the official pairs
    OUT/<subset>/qrels_dup.txt    those and the duplicates, where there are any

Subsets of another split than `test` are in `OUT/<subset>.<split>/`. Subsets that search the same
pool share one file of documents (a hard link, where the file system has them).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.files import replacing
from webfaq_domains.ground.subsets import SubsetEntry, TableRead
from webfaq_domains.ground.trec import checked_id, qrels_lines, write_lines
from webfaq_domains.retrieval.folder import Exported, read_rows, read_subsets, read_texts
from webfaq_domains.retrieval.xtreme import export_xtreme


@dataclass(frozen=True)
class Wanted:
    """What to write where: TREC files of the subsets that match `subset`, XTREME's, with a `run`."""

    trec: Path | None = None
    subset: str = "*"
    xtreme: Path | None = None
    run: Path | None = None


@dataclass(frozen=True)
class Exports:
    """What was written, by format."""

    formats: dict[str, Exported]

    def to_json(self) -> dict[str, Any]:
        return {name: exported.to_json() for name, exported in self.formats.items()}

    def text(self) -> str:
        return "\n".join(exported.text() for exported in self.formats.values())


def export_folder(folder: Path, wanted: Wanted, quiet: bool = False) -> Exports:
    """Write what is wanted of a staged retrieval folder.

    :raises RecipeError: if nothing is wanted, or a run without the format that takes one.
    """
    if wanted.trec is None and wanted.xtreme is None:
        raise RecipeError("nothing to write: name a folder with --trec, --xtreme or both")
    if wanted.run is not None and wanted.xtreme is None:
        raise RecipeError("--run is written as XTREME's predictions: name a folder with --xtreme")
    formats = {}
    if wanted.trec is not None:
        formats["trec"] = export_trec(folder, wanted.trec, wanted.subset, quiet)
    if wanted.xtreme is not None:
        formats["xtreme"] = export_xtreme(folder, wanted.xtreme, wanted.run)
    return Exports(formats)


def export_trec(folder: Path, out: Path, pattern: str = "*", quiet: bool = False) -> Exported:
    """Write the subsets whose name matches `pattern` to `out`, a folder each.

    :raises StagedError: if nothing matches, or an id has a space, which qrels cannot hold.
    """
    from tqdm import tqdm

    files: list[str] = []
    pools: dict[TableRead, Path] = {}
    for subset in tqdm(read_subsets(folder, pattern), unit="subset", disable=quiet or None):
        split = "" if subset.split == "test" else f".{subset.split}"
        place = out / f"{subset.name}{split}"
        written = [_queries(folder, subset, place), *_qrels(folder, subset, place)]
        written.append(_documents(folder, subset, place, pools))
        files += [path.relative_to(out).as_posix() for path in written]
    return Exported(out, tuple(files))


def _queries(folder: Path, subset: SubsetEntry, place: Path) -> Path:
    rows = read_texts(folder, subset, subset.read.queries)
    pairs = zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True)
    lines = (f"{checked_id(name)}\t{' '.join(text.split())}" for name, text in pairs)
    return write_lines(place / "queries.tsv", lines)


def _qrels(folder: Path, subset: SubsetEntry, place: Path) -> list[Path]:
    rows = read_rows(folder, subset.read.qrels)
    official = rows.filter(pc.equal(rows["kind"], "official"))
    tables = {"qrels.txt": official}
    if len(rows) > len(official):
        tables["qrels_dup.txt"] = rows
    else:
        (place / "qrels_dup.txt").unlink(missing_ok=True)
    return [write_lines(place / name, qrels_lines(_rows(t))) for name, t in tables.items()]


def _rows(qrels: pa.Table) -> Iterable[tuple[str, str, int]]:
    columns = (qrels[name].to_pylist() for name in ("query-id", "corpus-id", "score"))
    return zip(*columns, strict=True)


def _documents(
    folder: Path, subset: SubsetEntry, place: Path, pools: dict[TableRead, Path]
) -> Path:
    """Write the pool of a subset, or link that of an earlier subset which reads the same rows."""
    path, read = place / "docs.jsonl", subset.read.corpus
    if read in pools:
        with replacing(path) as temporary:
            try:
                os.link(pools[read], temporary)
            except OSError:  # no hard links here
                shutil.copyfile(pools[read], temporary)
        return path
    documents = read_texts(folder, subset, read).select(["id", "title", "text"])
    lines = (
        json.dumps({"doc_id": checked_id(row.pop("id")), **row}, ensure_ascii=False)
        for batch in documents.to_batches(max_chunksize=10_000)
        for row in batch.to_pylist()
    )
    pools[read] = write_lines(path, lines)
    return path
