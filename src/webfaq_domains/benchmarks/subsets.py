"""Which subsets a task is published as: by language, domain, kind of membership and pool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from webfaq_domains.benchmarks.assemble import Tables

#: A filter of `pyarrow.parquet.read_table` and of the Parquet reader of `datasets`.
Filter = list[Any]


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
    membership: str
    pool: str
    split: str
    queries: int
    corpus: int
    qrels: int
    duplicates: int
    unpaired: int
    filters: dict[str, list[Filter]]

    def entry(self, files: dict[str, list[str]]) -> dict[str, Any]:
        """Return the manifest's entry; `files` are the paths by part of the layout."""
        entry = {key: value for key, value in vars(self).items() if key != "filters"}
        read = {
            part: {"files": paths, "filters": self.filters.get(part, [])}
            for part, paths in files.items()
        }
        return {**entry, "read": read}


@dataclass(frozen=True)
class Members:
    """How many rows of a table have each (domain, membership); what a subset is counted by."""

    counts: Counter[tuple[str, str]]

    @classmethod
    def of(cls, rows: pa.Table) -> Members:
        pairs = zip(rows["domain"].to_pylist(), rows["membership"].to_pylist(), strict=True)
        return cls(Counter(pairs))

    def within(self, domain: str) -> list[str]:
        """Return every membership met that holds a domain, sorted; the domain itself if none does."""
        met = sorted({held for _, held in self.counts if domain in held.split("+")})
        return met or [domain]

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
        alone: Filter = ["domain", "==", domain]
        several: Filter = ["membership", "in", counted.queries.within(domain)]
        forms = {"exclusive": alone, "multi": several}
        if counted.queries.count([alone]) == counted.queries.count([several]):
            del forms["multi"]
        for form, chosen in forms.items():
            if counted.queries.count([chosen]) < min_queries:
                continue
            name = f"{whole}_{domain}" + ("_multi" if form == "multi" else "")
            filters: dict[str, list[Filter]] = {"queries": [chosen], "qrels": [chosen]}
            yield _subset(name, (task, part), counted, filters, (domain, form, "full"))
            inside: Filter = ["membership", "in", counted.corpus.within(domain)]
            held: Filter = ["membership", "in", counted.unpaired.within(domain)]
            pooled = {"corpus": [inside], "unpaired": [held], **filters}
            yield _subset(f"{name}_pool", (task, part), counted, pooled, (domain, form, "domain"))


def _subset(
    name: str, of: tuple[str, Tables], counted: Counted, filters: dict[str, list[Filter]],
    what: tuple[str | None, str, str],
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
