"""A staged or published retrieval data set (`docs/retrieval.md`), opened and read subset by subset."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_eval.benchmark.subset import Qrels, SubsetData, Texts, with_equal_texts
from webfaq_eval.errors import BenchmarkError

__all__ = ["Benchmark", "Qrels", "Subset", "SubsetData", "Texts", "open_benchmark"]

MANIFEST = "manifest.json"
_TEXT = ("id", "text", "language", "domain", "membership", "item")
_ENTRY = (
    "name", "task", "language", "domain", "membership", "pool", "split", "queries", "corpus",
    "qrels", "duplicates", "read",
)  # fmt: skip
_REBUILD = "fetch or build the folder again"


@dataclass(frozen=True)
class Subset:
    """One entry of the manifest: one language of one task, whole or one domain, in one split."""

    folder: Path
    entry: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def task(self) -> str:
        return str(self.entry["task"])

    @property
    def language(self) -> str:
        return str(self.entry["language"])

    @property
    def split(self) -> str:
        return str(self.entry["split"])

    def load(self, direction: str = "forward") -> SubsetData:
        """Read and check the subset; `reverse` (Tatoeba) lets the candidates ask for the queries.

        :raises BenchmarkError: if a file is missing or broken, a side is empty, counts differ from
            the manifest's, or judgements name ids that are not there.
        """
        corpus, queries = self._texts("corpus"), self._texts("queries")
        for part, side in (("corpus", corpus), ("queries", queries)):
            self._count(part, len(side))
        unpaired = self._texts("unpaired") if "unpaired" in self.entry["read"] else None
        rows = self._read("qrels", ("query-id", "corpus-id", "score", "kind"))
        unknown = set(rows["kind"].to_pylist()) - {"official", "duplicate"}
        if unknown:
            raise self._error(f"qrels have kinds {sorted(map(str, unknown))}")
        if self.entry["pool"] == "domain":
            # A twin of a right candidate may belong to another domain, and so lie outside this pool.
            inside = pc.is_in(rows["corpus-id"], pa.array(corpus.ids, pa.string()))
            rows = rows.filter(pc.or_(inside, pc.equal(rows["kind"], "official")))
        both = self._judgements(rows, queries, corpus)
        kinds = np.asarray(rows["kind"].to_pylist(), dtype=object)
        official = both.where(kinds == "official")
        alone = set(range(len(queries))) - set(official.query.tolist())
        if alone:
            names = ", ".join(queries.ids[row] for row in sorted(alone)[:3])
            raise self._error(f"{len(alone)} queries have no official right answer ({names})")
        self._count("qrels", len(official))
        self._count("duplicates", len(both) - len(official))
        data = SubsetData(corpus, queries, official, both, unpaired)
        return data if direction == "forward" else self._reversed(data)

    def _reversed(self, data: SubsetData) -> SubsetData:
        """Turn the direction: right candidates ask, the pool is every row on the queries' side.

        The pool is cut as the forward one is: by the corpus' filter. Duplicates are then the rows of
        the new pool whose text equals a right one's.
        """
        pool = self._texts("queries", filters=self.entry["read"]["corpus"]["filters"])
        at = {name: row for row, name in enumerate(pool.ids)}
        asked = np.unique(data.official.corpus)
        query = np.searchsorted(asked, data.official.corpus)
        found = np.asarray([at[data.queries.ids[row]] for row in data.official.query], np.int64)
        official = Qrels(query, found, data.official.grade)
        return SubsetData(pool, data.corpus.take(asked), official, with_equal_texts(official, pool))

    def _texts(self, part: str, filters: list[Any] | None = None) -> Texts:
        titled = part == "corpus"
        rows = self._read(part, (*_TEXT, "title") if titled else _TEXT, filters)
        values = {name: rows[name].to_pylist() for name in rows.column_names}
        values.setdefault("title", [""] * len(rows))
        for name, column in values.items():
            if None in column:
                raise self._error(f"{part} has a null in {name}")
        if len(set(values["id"])) != len(rows):
            raise self._error(f"{part} has an id more than once")
        if part != "unpaired" and not len(rows):
            raise self._error(f"{part} is empty: there is nothing to score")
        if len(rows) and not any(values["text"]):
            raise self._error(
                f"{part} has no texts: the task may not be redistributed; rebuild it from your own "
                "copy with `webfaq-domains build xtreme-r`"
            )
        order = sorted(range(len(rows)), key=values["id"].__getitem__)
        columns = ("id", "title", *_TEXT[1:])
        return Texts(*([values[name][row] for row in order] for name in columns))

    def _judgements(self, rows: pa.Table, queries: Texts, corpus: Texts) -> Qrels:
        places = []
        for column, side, texts in (
            ("query-id", "queries", queries),
            ("corpus-id", "corpus", corpus),
        ):
            at = {name: row for row, name in enumerate(texts.ids)}
            named = rows[column].to_pylist()
            lacking = [name for name in named if name not in at]
            if lacking:
                raise self._error(
                    f"qrels name {len(lacking)} ids that the {side} lack, first {lacking[0]!r}"
                )
            places.append(np.fromiter((at[name] for name in named), np.int64, len(named)))
        grades = np.asarray(rows["score"].to_pylist(), dtype=np.int64)
        if len(grades) and grades.min() < 1:
            raise self._error(f"qrels hold the score {grades.min()}; right answers have 1 or more")
        pairs = places[0] * len(corpus) + places[1]
        if len(np.unique(pairs)) != len(pairs):
            raise self._error("qrels judge a pair of query and candidate more than once")
        return Qrels(places[0], places[1], grades)

    def _read(
        self, part: str, columns: tuple[str, ...], filters: list[Any] | None = None
    ) -> pa.Table:
        how = self.entry["read"].get(part)
        if how is None:
            raise self._error(f"the manifest does not say how to read its {part}")
        chosen = how["filters"] if filters is None else filters
        wanted = [tuple(one) for one in chosen] or None
        tables = []
        for name in how["files"]:
            path = self.folder / name
            try:
                tables.append(pq.read_table(path, columns=list(columns), filters=wanted))
            except (OSError, ValueError, pa.ArrowException) as error:
                raise self._error(f"{name} cannot be read: {error}") from error
            lacking = set(columns) - set(tables[-1].column_names)
            if lacking:
                raise self._error(f"{name} lacks the columns {sorted(lacking)}")
        if not tables:
            raise self._error(f"the manifest names no file for its {part}")
        return pa.concat_tables(tables)

    def _count(self, part: str, found: int) -> None:
        said = self.entry[part]
        if found != said:
            raise self._error(f"{found} {part} found, the manifest says {said}")

    def _error(self, what: str) -> BenchmarkError:
        return BenchmarkError(
            f"{self.folder}, subset {self.name} ({self.split}): {what}; {_REBUILD}"
        )


@dataclass(frozen=True)
class Benchmark:
    """An opened data set: its name, version, revision and the subsets that its manifest lists."""

    folder: Path
    name: str
    version: str | None
    revision: str
    manifest: dict[str, Any]

    @cached_property
    def subsets(self) -> list[Subset]:
        entries = self.manifest["extra"]["retrieval"]["subsets"]
        return [Subset(self.folder, entry) for entry in entries]

    def select(self, patterns: Sequence[str] = (), split: str = "test") -> list[Subset]:
        """Return the subsets of a split whose name matches one of the globs; none given: all.

        :raises BenchmarkError: if a glob matches nothing; lists near names.
        """
        there = [subset for subset in self.subsets if subset.split == split]
        if not there:
            splits = sorted({subset.split for subset in self.subsets})
            raise BenchmarkError(f"{self.folder} has no subset of split {split!r}; it has {splits}")
        for pattern in patterns:
            if not any(fnmatchcase(subset.name, pattern) for subset in there):
                names = ", ".join(subset.name for subset in there[:8])
                raise BenchmarkError(
                    f"no {split} subset of {self.folder} matches {pattern!r}; there are "
                    f"{len(there)}, among them {names}"
                )
        return [s for s in there if not patterns or any(fnmatchcase(s.name, p) for p in patterns)]

    def subset(self, name: str, split: str = "test") -> Subset:
        """Return one subset by its exact name.

        :raises BenchmarkError: if there is none.
        """
        for subset in self.subsets:
            if subset.name == name and subset.split == split:
                return subset
        raise BenchmarkError(f"{self.folder} has no {split} subset named {name!r}")


def open_benchmark(place: str | Path) -> Benchmark:
    """Open a staged folder, or `org/name@revision` of the Hub (downloaded whole, then read locally).

    The revision of a folder is its manifest's content digest, that of a Hub data set its 40-hex sha.

    :raises BenchmarkError: if there is no such data set or its manifest is not a retrieval manifest.
    """
    folder = Path(place)
    if folder.is_dir():
        manifest = _read_manifest(folder)
        return _benchmark(folder, manifest, str(manifest["content_digest"]))
    folder, sha = _download(str(place))
    return _benchmark(folder, _read_manifest(folder), sha)


def _benchmark(folder: Path, manifest: dict[str, Any], revision: str) -> Benchmark:
    return Benchmark(folder, manifest["artifact"], manifest.get("version"), revision, manifest)


def _download(place: str) -> tuple[Path, str]:
    from huggingface_hub import HfApi, snapshot_download

    name, _, revision = place.partition("@")
    if name.count("/") != 1 or not revision or name.startswith((".", "/")):
        raise BenchmarkError(
            f"{place!r} is neither a folder that exists nor <org>/<name>@<revision>: "
            "name a folder, or state the revision"
        )
    try:
        # A full sha needs no question to the Hub, so that a data set in the cache loads offline.
        pinned = re.fullmatch(r"[0-9a-f]{40}", revision)
        sha = revision if pinned else str(HfApi().dataset_info(name, revision=revision).sha)
        return Path(snapshot_download(name, repo_type="dataset", revision=sha)), sha
    except (
        Exception
    ) as error:  # the Hub's, the network's and the cache's errors have no common base
        raise BenchmarkError(f"{place} cannot be fetched from the Hub: {error}") from error


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchmarkError(
            f"{path} cannot be read: {error}; name a folder built by `webfaq-domains build xtreme-r` "
            "or `build retrieval`"
        ) from error
    try:
        entries = manifest["extra"]["retrieval"]["subsets"]
        lacking = [key for key in ("artifact", "content_digest") if not manifest[key]]
        lacking += [key for entry in entries for key in _ENTRY if key not in entry]
    except (KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{path} is not a retrieval manifest: it lacks {error}; see docs/retrieval.md"
        ) from error
    if lacking or not entries:
        raise BenchmarkError(
            f"{path} lists {len(entries)} subsets and lacks {sorted(set(lacking))}; {_REBUILD}"
        )
    return dict(manifest)
