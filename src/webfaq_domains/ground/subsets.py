"""What a manifest says of retrieval subsets: tasks, subsets, how they are read, how stable labels are."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from webfaq_domains.ground.records import Count, FilePath, Name, Record, Share

#: A condition on rows: column, operator, value; as `pyarrow.parquet.read_table` takes it.
Filter = tuple[Literal["domain", "membership"], Literal["==", "in"], str | tuple[str, ...]]


class TableRead(Record, frozen=True):
    """Which rows of which files a subset reads."""

    files: Annotated[tuple[FilePath, ...], msgspec.Meta(min_length=1)]
    filters: tuple[Filter, ...] = ()


class SubsetReads(Record, frozen=True, omit_defaults=True):
    """How the tables of a subset are read; `unpaired` is there for tasks that are mined."""

    corpus: TableRead
    queries: TableRead
    qrels: TableRead
    unpaired: TableRead | None = None


class SubsetEntry(Record, frozen=True):
    """One subset of one split: what it is, its counts and how it is read.

    `domain` is None for a whole language. `qrels` counts the official pairs, `duplicates` the others.
    """

    name: Name
    task: Name
    language: Name
    domain: Name | None
    membership: Literal["exclusive", "multi"]
    pool: Literal["full", "domain"]
    split: Name
    queries: Count
    corpus: Count
    qrels: Count
    duplicates: Count
    unpaired: Count
    read: SubsetReads

    @property
    def is_whole(self) -> bool:
        """Whether it is a language as it is: no domain, and every candidate."""
        how = (self.domain, self.membership, self.pool)
        return how == (None, "exclusive", "full")


class TaskEntry(Record, frozen=True):
    """What is said of a benchmark; `texts` tells whether its texts are in the repository."""

    title: str
    metric: str
    licence: str
    redistributable: bool
    homepage: str
    citation: str
    texts: bool


class Retrieval(Record, frozen=True):
    """The tasks of a retrieval repository, and its subsets in the order of the card."""

    tasks: dict[Name, TaskEntry]
    subsets: Annotated[tuple[SubsetEntry, ...], msgspec.Meta(min_length=1)]


class Agreement(Record, frozen=True):
    """How far labelling one side agrees with labelling the deciding side of the same items.

    `share` is over all, `claimed` over those to which either side gives a domain (the fallback is
    easy to agree on), `kappa` is Cohen's (1960).
    """

    side: str
    items: Count
    share: Share
    claimed: Share | None
    kappa: float


class Sizes(Record, frozen=True):
    """Bytes of the data files, of their distinct texts alone, and the first over the second."""

    data: Count
    raw_text: Count
    ratio: float


class Extra(Record, frozen=True, omit_defaults=True):
    """What only retrieval repositories have; empty for pairs."""

    retrieval: Retrieval | None = None
    stability: dict[Name, tuple[Agreement, ...]] | None = None
    sizes: Sizes | None = None


def subset_tables(subset: SubsetEntry) -> list[tuple[str, TableRead]]:
    """Return the tables that a subset reads, by part of the layout."""
    read = subset.read
    tables = {"corpus": read.corpus, "queries": read.queries, "qrels": read.qrels}
    return [*tables.items(), *([("unpaired", read.unpaired)] if read.unpaired else [])]
