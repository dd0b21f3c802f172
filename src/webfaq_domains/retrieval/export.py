"""Export the subsets of a staged retrieval folder as TREC files, or as another program's.

    OUT/<subset>/queries.tsv      query id, tab, text (tabs and line ends of the text as spaces)
    OUT/<subset>/docs.jsonl       {"doc_id", "title", "text"} a line
    OUT/<subset>/qrels.txt        query id, 0, document id, relevance: the official pairs
    OUT/<subset>/qrels_dup.txt    those and the duplicates, where there are any

Subsets of another split than `test` are in `OUT/<subset>.<split>/`. Subsets that search the same
pool share one file of documents (a hard link, where the file system has them).
"""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.files import read_parquet, replacing
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


Subset = dict[str, Any]


def read_subsets(folder: Path, pattern: str = "*") -> list[Subset]:
    """Return the manifest's entries whose name matches a glob pattern, as docs/retrieval.md has them.

    :raises StagedError: if the folder is not a staged retrieval folder, or nothing matches.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        subsets: list[Subset] = manifest["extra"]["retrieval"]["subsets"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StagedError(
            f"{folder} is not a staged retrieval folder; build one with `webfaq-domains build "
            "xtreme-r` or `build retrieval`"
        ) from error
    found = [subset for subset in subsets if fnmatch.fnmatchcase(subset["name"], pattern)]
    if not found:
        names = sorted({subset["name"] for subset in subsets})
        raise StagedError(
            f"no subset of {folder} matches {pattern!r}; it has {', '.join(names[:8])}"
            + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        )
    return found


def whole_languages(folder: Path, task: str) -> list[Subset]:
    """Return the test subsets of a task that are a language with its full pool; may be none."""
    return [
        subset
        for subset in read_subsets(folder)
        if subset["task"] == task
        and subset["split"] == "test"
        and subset["domain"] is None
        and subset["pool"] == "full"
    ]


def read_part(folder: Path, subset: Subset, part: str) -> pa.Table:
    """Return the rows of one part of a subset: `corpus`, `queries`, `unpaired`, `qrels` (every kind)."""
    read = subset["read"][part]
    filters = [tuple(condition) for condition in read["filters"]] or None
    return pa.concat_tables(read_parquet(folder / name, filters=filters) for name in read["files"])


def read_texts(folder: Path, subset: Subset, part: str) -> pa.Table:
    """Return the rows of a part whose texts are needed.

    :raises StagedError: if they were left out, since they may not be redistributed.
    """
    rows = read_part(folder, subset, part)
    if len(rows) and not any(rows["text"].to_pylist()):
        raise StagedError(
            f"{subset['name']}: {folder} holds no texts of {subset['task']}, which may not be "
            "redistributed; build it from your own copy with --with-text, or export others"
        )
    return rows


#: Query id -> document ids, best first.
Run = dict[str, list[str]]


@dataclass(frozen=True)
class Exported:
    """What was written: the folder, and the files under it; `left_out` has tasks without files."""

    out: Path
    files: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        about = {"out": str(self.out), "files": list(self.files)}
        return {**about, "left_out": list(self.left_out)} if self.left_out else about

    def text(self) -> str:
        shown = [*self.files[:12], *(["…"] if len(self.files) > 12 else [])]
        shown += [
            f"left out, for this format has no files for it: {task}" for task in self.left_out
        ]
        return "\n".join([*shown, f"{len(self.files):,} files: {self.out}"])


def export_trec(folder: Path, out: Path, pattern: str = "*", quiet: bool = False) -> Exported:
    """Write the subsets whose name matches `pattern` to `out`, a folder each.

    :raises StagedError: if nothing matches, or an id has a space, which qrels cannot hold.
    """
    from tqdm import tqdm

    files: list[str] = []
    pools: dict[str, Path] = {}
    for subset in tqdm(read_subsets(folder, pattern), unit="subset", disable=quiet or None):
        split = "" if subset["split"] == "test" else f".{subset['split']}"
        place = out / f"{subset['name']}{split}"
        written = [_queries(folder, subset, place), *_qrels(folder, subset, place)]
        written.append(_documents(folder, subset, place, pools))
        files += [path.relative_to(out).as_posix() for path in written]
    return Exported(out, tuple(files))


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """Write a text file, whole or not at all; returns its path."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    return path


def read_run(path: Path) -> Run:
    """Read a run in TREC format: the documents of each query, by score, then by rank.

    :raises StagedError: naming the first line that is not one.
    """
    found: dict[str, list[tuple[float, int, str]]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                query, _, document, rank, score, _ = line.split()
                found.setdefault(query, []).append((-float(score), int(rank), document))
            except ValueError as error:
                raise StagedError(
                    f"{path}:{number}: expected `query Q0 document rank score tag`; "
                    f"met {line.strip()[:60]!r}"
                ) from error
    return {query: [document for *_, document in sorted(rows)] for query, rows in found.items()}


def _queries(folder: Path, subset: Subset, place: Path) -> Path:
    rows = read_texts(folder, subset, "queries")
    _check_ids(rows["id"], subset)
    pairs = zip(rows["id"].to_pylist(), rows["text"].to_pylist(), strict=True)
    return write_lines(place / "queries.tsv", (f"{key}\t{' '.join(t.split())}" for key, t in pairs))


def _qrels(folder: Path, subset: Subset, place: Path) -> list[Path]:
    rows = read_part(folder, subset, "qrels")
    official = rows.filter(pc.equal(rows["kind"], "official"))
    tables = {"qrels.txt": official}
    if len(rows) > len(official):
        tables["qrels_dup.txt"] = rows
    else:
        (place / "qrels_dup.txt").unlink(missing_ok=True)
    return [write_lines(place / name, map(_judgement, t.to_pylist())) for name, t in tables.items()]


def _judgement(row: dict[str, Any]) -> str:
    return f"{row['query-id']} 0 {row['corpus-id']} {row['score']}"


def _documents(folder: Path, subset: Subset, place: Path, pools: dict[str, Path]) -> Path:
    """Write the pool of a subset, or link that of an earlier subset which reads the same rows."""
    path, key = place / "docs.jsonl", json.dumps(subset["read"]["corpus"])
    if key in pools:
        with replacing(path) as temporary:
            try:
                os.link(pools[key], temporary)
            except OSError:  # no hard links here
                shutil.copyfile(pools[key], temporary)
        return path
    rows = read_texts(folder, subset, "corpus").select(["id", "title", "text"])
    _check_ids(rows["id"], subset)
    documents = rows.rename_columns(["doc_id", "title", "text"])
    lines = (
        json.dumps(row, ensure_ascii=False)
        for batch in documents.to_batches(max_chunksize=10_000)
        for row in batch.to_pylist()
    )
    pools[key] = write_lines(path, lines)
    return path


def _check_ids(ids: pa.ChunkedArray, subset: Subset) -> None:
    spaced = ids.filter(pc.match_substring_regex(ids, r"\s"))
    if len(spaced):
        raise StagedError(
            f"{subset['name']}: the id {spaced[0].as_py()!r} has white space, which separates the "
            "columns of qrels; name the rows otherwise"
        )
