"""Which subsets a task is published as (language, domain, membership, pool), and their tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.duplicates import duplicate_pairs, equal_candidates
from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.subsets import Filter, SubsetEntry, SubsetReads, TableRead
from webfaq_domains.retrieval.labels import membership
from webfaq_domains.retrieval.readers.base import Part, Pool, Task


@dataclass(frozen=True)
class Subset:
    """One subset of one split: its counts, and which rows of which tables it reads.

    `domain` is None for a whole language. `filters` are by part of the layout; those of `qrels`
    choose the queries, not the kind.
    """

    name: str
    task: str
    language: str
    domain: str | None
    membership: Literal["exclusive", "multi"]
    pool: Literal["full", "domain"]
    split: str
    queries: int
    corpus: int
    qrels: int
    duplicates: int
    unpaired: int
    filters: dict[str, list[Filter]]

    def entry(self, files: dict[str, list[str]]) -> SubsetEntry:
        """Return the manifest's entry; `files` are the paths by part of the layout."""
        counts = {key: value for key, value in vars(self).items() if key != "filters"}
        read = {
            part: TableRead(tuple(paths), tuple(self.filters.get(part, ())))
            for part, paths in files.items()
        }
        return SubsetEntry(**counts, read=SubsetReads(**read))


@dataclass(frozen=True)
class Members:
    """How many rows of a table have each (domain, membership); what a subset is counted by."""

    counts: Counter[tuple[str, str]]

    @classmethod
    def of(cls, rows: pa.Table) -> Members:
        pairs = zip(rows["domain"].to_pylist(), rows["membership"].to_pylist(), strict=True)
        return cls(Counter(pairs))

    def within(self, domain: str) -> tuple[str, ...]:
        """Return every membership met that holds a domain, sorted; the domain itself if none does."""
        met = sorted({held for _, held in self.counts if domain in held.split("+")})
        return tuple(met) or (domain,)

    def count(self, filters: Sequence[Filter]) -> int:
        return sum(n for pair, n in self.counts.items() if all(_holds(f, pair) for f in filters))


def _holds(condition: Filter, pair: tuple[str, str]) -> bool:
    column, operator, value = condition
    met = pair[0] if column == "domain" else pair[1]
    return met == value if operator == "==" else met in value


@dataclass(frozen=True)
class Counted:
    """The members of every table that a part's subsets read."""

    queries: Members
    official: Members
    duplicates: Members
    corpus: Members
    unpaired: Members

    @classmethod
    def of(cls, part: Tables, corpus: Members) -> Counted:
        import pyarrow.compute as pc

        official = pc.equal(part.qrels["kind"], "official")
        return cls(
            Members.of(part.queries),
            Members.of(part.qrels.filter(official)),
            Members.of(part.qrels.filter(pc.invert(official))),
            corpus,
            Members(Counter()) if part.unpaired is None else Members.of(part.unpaired),
        )


def plan_subsets(
    task: str, part: Tables, counted: Counted, domains: Sequence[str], min_queries: int
) -> Iterator[Subset]:
    """Yield the subsets of one language and split.

    The whole language comes first; then every domain with `min_queries` queries, with the full and
    the domain pool; then its `multi` form, if it has other queries than the exclusive one.
    """
    whole = f"{task}_{part.language}"
    yield _subset(whole, (task, part), counted, {}, (None, "exclusive", "full"))
    for domain in sorted(domains):
        alone: Filter = ("domain", "==", domain)
        several: Filter = ("membership", "in", counted.queries.within(domain))
        forms: dict[Literal["exclusive", "multi"], Filter] = {"exclusive": alone, "multi": several}
        if counted.queries.count([alone]) == counted.queries.count([several]):
            del forms["multi"]
        for form, chosen in forms.items():
            if counted.queries.count([chosen]) < min_queries:
                continue
            name = f"{whole}_{domain}" + ("_multi" if form == "multi" else "")
            filters: dict[str, list[Filter]] = {"queries": [chosen], "qrels": [chosen]}
            yield _subset(name, (task, part), counted, filters, (domain, form, "full"))
            inside: Filter = ("membership", "in", counted.corpus.within(domain))
            held: Filter = ("membership", "in", counted.unpaired.within(domain))
            pooled = {"corpus": [inside], "unpaired": [held], **filters}
            yield _subset(f"{name}_pool", (task, part), counted, pooled, (domain, form, "domain"))


def _subset(
    name: str, of: tuple[str, Tables], counted: Counted, filters: dict[str, list[Filter]],
    what: tuple[str | None, Literal["exclusive", "multi"], Literal["full", "domain"]],
) -> Subset:  # fmt: skip
    asked = filters.get("queries", [])
    return Subset(
        name, of[0], of[1].language, *what, of[1].split,
        queries=counted.queries.count(asked),
        corpus=counted.corpus.count(filters.get("corpus", [])),
        qrels=counted.official.count(asked),
        duplicates=counted.duplicates.count(asked),
        unpaired=counted.unpaired.count(filters.get("unpaired", [])),
        filters=filters,
    )  # fmt: skip


CORPUS = pa.schema(
    [pa.field(name, pa.string()) for name in ("id", "title", "text", "language", "domain", "membership", "item")]
)  # fmt: skip
QUERIES = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("id", "text", "language", "domain")),
        pa.field("domain_score", pa.float32()),
        *(pa.field(name, pa.string()) for name in ("membership", "item")),
    ]
)
QRELS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("query-id", "corpus-id")),
        pa.field("score", pa.int32()),
        *(pa.field(name, pa.string()) for name in ("kind", "domain", "membership")),
    ]
)
#: Part of the layout -> its columns.
SCHEMAS = {"corpus": CORPUS, "queries": QUERIES, "unpaired": QUERIES, "qrels": QRELS}


@dataclass(frozen=True)
class Tables:
    """One language and split of a task, ready to publish, and the key of the pool it is searched in."""

    language: str
    split: str
    pool: tuple[str, str]
    queries: pa.Table
    qrels: pa.Table
    unpaired: pa.Table | None


@dataclass(frozen=True)
class Assembled:
    """All tables of a task: pools by (name, split), and its parts."""

    pools: dict[tuple[str, str], pa.Table]
    parts: list[Tables]

    def files(self) -> Iterator[tuple[str, str, str, pa.Table]]:
        """Yield (part of the layout, pool or language, split, rows)."""
        for (name, split), rows in self.pools.items():
            yield "corpus", name, split, rows
        for part in self.parts:
            yield "queries", part.language, part.split, part.queries
            yield "qrels", part.language, part.split, part.qrels
            if part.unpaired is not None:
                yield "unpaired", part.language, part.split, part.unpaired


def assemble(task: Task, labels: pa.Table, fallback: str) -> Assembled:
    """Join a task with the labels of its items (`labels.LABELS`); `fallback` is the taxonomy's.

    :raises SourceError: if a right pair names a query or candidate that is not there.
    """
    pools = {(pool.name, pool.split): pool for pool in task.pools}
    equal = {key: equal_candidates(pool.candidates) for key, pool in pools.items()}
    parts = []
    for part in task.parts:
        pool = _pool(pools, part)
        parts.append(_tables(part, pool, equal[pool.name, pool.split], labels))
    tables = {}
    for key, pool in pools.items():
        asked = [part for part in parts if part.pool == key]
        tables[key] = _corpus(_labelled(pool.candidates, labels, CORPUS), asked, fallback)
    return Assembled(tables, parts)


def _pool(pools: dict[tuple[str, str], Pool], part: Part) -> Pool:
    """Return a part's pool: that of its split, or the one that serves every split."""
    return pools.get((part.pool, part.split)) or pools[part.pool, "test"]


def _labelled(rows: pa.Table, labels: pa.Table, schema: pa.Schema) -> pa.Table:
    """Append the labels of each row's item, sort by id."""
    place = pc.index_in(rows["item"], labels["item"].combine_chunks())
    if place.null_count:
        missing = rows["item"].filter(pc.is_null(place))[0]
        raise SourceError(f"the item {missing} has no text to be labelled on")
    for name in ("domain", "domain_score", "membership"):
        rows = rows.append_column(name, labels[name].take(place))
    return rows.sort_by("id").select(schema.names).cast(schema)


def _tables(part: Part, pool: Pool, equal: pa.Table, labels: pa.Table) -> Tables:
    queries = _labelled(part.queries, labels, QUERIES)
    official = part.right.append_column("kind", _constant("official", part.right))
    alike = duplicate_pairs(equal, part.right)
    alike = alike.append_column("kind", _constant("duplicate", alike))
    pairs = pa.concat_tables([official, alike.select(official.column_names)])
    place = pc.index_in(pairs["query-id"], queries["id"].combine_chunks())
    known = pc.is_in(pairs["corpus-id"], pool.candidates["id"].combine_chunks())
    if place.null_count or not pc.all(known).as_py():
        raise SourceError(f"a right pair of {part.language} names an unknown query or candidate")
    for name in ("domain", "membership"):
        pairs = pairs.append_column(name, queries[name].take(place))
    pairs = pairs.append_column("score", pa.array([1] * len(pairs), pa.int32()))
    order = [("query-id", "ascending"), ("kind", "descending"), ("corpus-id", "ascending")]
    qrels = pairs.sort_by(order).select(QRELS.names).cast(QRELS)
    unpaired = None if part.unpaired is None else _labelled(part.unpaired, labels, QUERIES)
    return Tables(part.language, part.split, (pool.name, pool.split), queries, qrels, unpaired)


def _constant(value: str, rows: pa.Table) -> pa.Array:
    return pa.array([value] * len(rows), pa.string())


def _corpus(rows: pa.Table, parts: list[Tables], fallback: str) -> pa.Table:
    """Make every candidate also a member of what the queries are that it answers."""
    own = rows["membership"].to_pylist()
    place = {name: row for row, name in enumerate(rows["id"].to_pylist())} if parts else {}
    for part in parts:
        names, asked = part.qrels["corpus-id"].to_pylist(), part.qrels["membership"].to_pylist()
        for name, needed in zip(names, asked, strict=True):
            row = place[name]
            if own[row] != needed:
                own[row] = union(own[row], needed, fallback)
    at = CORPUS.get_field_index("membership")
    return rows.set_column(at, CORPUS.field(at), pa.array(own, pa.string()))


def union(one: str, other: str, fallback: str) -> str:
    """Return both memberships as one; the fallback says nothing beside a domain.

    >>> union("finance+legal", "health", "other"), union("other", "health", "other")
    ('finance+health+legal', 'health')
    """
    both = {*one.split("+"), *other.split("+")}
    return membership(list(both - {fallback} or both))
