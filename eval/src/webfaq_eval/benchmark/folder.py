"""A staged or published retrieval data set (`docs/retrieval.md`), opened and read subset by subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.ground.records import RecordError, as_record, as_value, read_json
from webfaq_eval.benchmark.subset import Qrels, SubsetData, Texts, with_equal_texts
from webfaq_eval.errors import BenchmarkError
from webfaq_eval.identity import BenchmarkId, SubsetInfo
from webfaq_eval.places import find_folder

__all__ = ["Benchmark", "Qrels", "Subset", "SubsetData", "Texts", "open_benchmark"]

MANIFEST = "manifest.json"
_TEXT = ("id", "text", "language", "domain", "membership", "item")
_REBUILD = "fetch or build the folder again"
#: Which rows of a file are meant: (column, `==` or `in`, value or values), all of them at once.
Filters = tuple[tuple[str | tuple[str, ...], ...], ...]


@dataclass(frozen=True)
class Source:
    """Where a side of a subset is: Parquet files of the folder, and which of their rows."""

    files: tuple[str, ...]
    filters: Filters


@dataclass(frozen=True)
class Subset:
    """One language of one task, whole or one domain, in one split; `read` is where its rows are."""

    folder: Path
    info: SubsetInfo
    read: dict[str, Source]

    def load(self, direction: str = "forward") -> SubsetData:
        """Read and check the subset; `reverse` (Tatoeba) lets the candidates ask for the queries.

        :raises BenchmarkError: if a file is missing or broken, a side is empty, counts differ from
            the manifest's, or judgements name ids that are not there.
        """
        corpus, queries = self._texts("corpus"), self._texts("queries")
        for part, side in (("corpus", corpus), ("queries", queries)):
            self._count(part, len(side))
        unpaired = self._texts("unpaired") if "unpaired" in self.read else None
        rows = self._read("qrels", ("query-id", "corpus-id", "score", "kind"))
        unknown = set(rows["kind"].to_pylist()) - {"official", "duplicate"}
        if unknown:
            raise self._error(f"qrels have kinds {sorted(map(str, unknown))}")
        if self.info.pool == "domain":
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
        pool = self._texts("queries", filters=self.read["corpus"].filters)
        at = {name: row for row, name in enumerate(pool.ids)}
        asked = np.unique(data.official.corpus)
        query = np.searchsorted(asked, data.official.corpus)
        found = np.asarray([at[data.queries.ids[row]] for row in data.official.query], np.int64)
        official = Qrels(query, found, data.official.grade)
        return SubsetData(pool, data.corpus.take(asked), official, with_equal_texts(official, pool))

    def _texts(self, part: str, filters: Filters | None = None) -> Texts:
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
        for column, side, texts in (("query-id", "queries", queries), ("corpus-id", "corpus", corpus)):  # fmt: skip
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
        self, part: str, columns: tuple[str, ...], filters: Filters | None = None
    ) -> pa.Table:
        how = self.read.get(part)
        if how is None:
            raise self._error(f"the manifest does not say how to read its {part}")
        chosen = how.filters if filters is None else filters
        wanted = [tuple(one) for one in chosen] or None
        tables = []
        for name in how.files:
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
        said = getattr(self.info, part)
        if found != said:
            raise self._error(f"{found} {part} found, the manifest says {said}")

    def _error(self, what: str) -> BenchmarkError:
        return BenchmarkError(
            f"{self.folder}, subset {self.info.name} ({self.info.split}): {what}; {_REBUILD}"
        )


@dataclass(frozen=True)
class Benchmark:
    """An opened data set: its folder, what names it, its subsets, and the home page of each task."""

    folder: Path
    id: BenchmarkId
    subsets: tuple[Subset, ...]
    homepages: dict[str, str]

    def select(self, patterns: Sequence[str] = (), split: str = "test") -> list[Subset]:
        """Return the subsets of a split whose name matches one of the globs; none given: all.

        :raises BenchmarkError: if a glob matches nothing; lists near names.
        """
        there = [subset for subset in self.subsets if subset.info.split == split]
        names = [subset.info.name for subset in there]
        if not there:
            splits = sorted({subset.info.split for subset in self.subsets})
            raise BenchmarkError(f"{self.folder} has no subset of split {split!r}; it has {splits}")
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in names):
                raise BenchmarkError(
                    f"no {split} subset of {self.folder} matches {pattern!r}; there are "
                    f"{len(there)}, among them {', '.join(names[:8])}"
                )
        chosen = [not patterns or any(fnmatchcase(n, p) for p in patterns) for n in names]
        return [subset for subset, kept in zip(there, chosen, strict=True) if kept]

    def subset(self, name: str, split: str = "test") -> Subset:
        """Return one subset by its exact name.

        :raises BenchmarkError: if there is none.
        """
        for subset in self.subsets:
            if subset.info.name == name and subset.info.split == split:
                return subset
        raise BenchmarkError(f"{self.folder} has no {split} subset named {name!r}")


def open_benchmark(place: str | Path) -> Benchmark:
    """Open a staged folder, or `org/name@revision` of the Hub (downloaded whole, then read locally).

    The revision of a folder is its manifest's content digest, that of a Hub data set its 40-hex sha.

    :raises BenchmarkError: if there is no such data set or its manifest is not a retrieval manifest.
    """
    folder, sha = find_folder(place, BenchmarkError, revision_needed=True)
    path = folder / MANIFEST
    try:
        manifest = as_value(dict[str, Any], read_json(path), "the manifest")
        named = as_record(BenchmarkId, {
            "name": manifest["artifact"], "version": manifest.get("version"),
            "revision": sha or manifest["content_digest"],
        })  # fmt: skip
        tables = manifest["extra"]["retrieval"]
        tasks = as_value(dict[str, dict[str, Any]], tables["tasks"], "tasks")
        entries = as_value(tuple[dict[str, Any], ...], tables["subsets"], "subsets")
        subsets = tuple(_subset(folder, entry) for entry in entries)
    except (RecordError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{path} is not a retrieval manifest: it lacks or has an odd {error}; name a folder built "
            "by `webfaq-domains build xtreme-r` or `build retrieval`"
        ) from error
    if not subsets:
        raise BenchmarkError(f"{path} lists no subset; {_REBUILD}")
    pages = {task: str(facts.get("homepage") or "") for task, facts in tasks.items()}
    return Benchmark(folder, named, subsets, pages)


def _subset(folder: Path, entry: dict[str, Any]) -> Subset:
    info = as_record(SubsetInfo, {**entry, "direction": "forward"}, "subset", more=True)
    if None in (info.queries, info.corpus, info.qrels, info.duplicates):
        raise RecordError(f"subset {info.name!r} without its counts of rows")
    read = as_value(dict[str, Source], entry["read"], f"{info.name}.read")
    for name in (name for source in read.values() for name in source.files):
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise RecordError(f"file {name!r} of {info.name}: it lies outside the folder")
    return Subset(folder, info, read)
