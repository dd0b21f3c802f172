"""Keep benchmark text out of training data: a model that saw it cannot be tested on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.addresses import Strings, pages, sites_of
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.steps.base import Outcome, Verdicts
from webfaq_domains.steps.contamination.anchors import GRAM
from webfaq_domains.steps.contamination.index import BenchmarkIndex, index_file
from webfaq_domains.steps.contamination.matching import KINDS, Matcher, Rules

_ALL_KINDS = (*KINDS, "page", "site")


@dataclass(frozen=True)
class Benchmarks:
    """What some index files hold, ready to be looked for.

    `pages` and `sites` say which task an address belongs to.
    """

    matcher: Matcher
    text_task: tuple[str, ...]
    tasks: tuple[str, ...]
    pages: dict[str, str]
    sites: dict[str, str]

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(f"{task}:{kind}" for task in self.tasks for kind in _ALL_KINDS)

    def code(self, task: str, kind: str) -> int:
        return 1 + self.tasks.index(task) * len(_ALL_KINDS) + _ALL_KINDS.index(kind)


@cache
def benchmarks(paths: tuple[str, ...], rules: Rules) -> Benchmarks:
    """Load index files, once per worker.

    A text that several tasks have counts for the first of them.
    """
    indexes = [BenchmarkIndex.load(Path(path)) for path in paths]
    texts, pages, sites = (
        dict(sorted((row for index in indexes for row in index.listed(kind)), reverse=True))
        for kind in ("text", "page", "site")
    )
    tasks = tuple(sorted({*texts.values(), *pages.values(), *sites.values()}))
    listed = sorted(texts)
    named = tuple(texts[text] for text in listed)
    return Benchmarks(Matcher(listed, rules), named, tasks, pages, sites)


@dataclass(frozen=True)
class Decontaminate:
    """Drop the pairs whose question, answer or page is a benchmark's; see `benchmarks.matching`.

    `indexes` are index files. A reason is `task:kind`, such as `tatoeba:exact`; a pair that has
    several counts under the first kind of its question, else of its answer, else of its address.
    """

    indexes: tuple[str, ...] = ()
    min_contained: int = Rules.min_contained
    min_within: int = Rules.min_within
    min_near: int = Rules.min_near
    near_share: float = Rules.near_share
    min_spread: int = Rules.min_spread
    spread_share: float = Rules.spread_share
    requires = ("question", "answer", "origin", "url")
    adds = ()

    def __post_init__(self) -> None:
        if self.min_contained < GRAM or self.min_within < GRAM or self.min_near < 2:
            raise RecipeError(
                f"min_contained {self.min_contained}, min_within {self.min_within}, min_near "
                f"{self.min_near}: expected at least {GRAM}, {GRAM} and 2 units"
            )
        if not (0 < self.near_share <= 1 and 0 < self.spread_share <= 1):
            raise RecipeError(
                f"near_share {self.near_share}, spread_share {self.spread_share}: expected shares "
                "above 0 and up to 1"
            )

    def rules(self) -> Rules:
        return Rules(
            self.min_contained, self.min_within, self.min_near, self.near_share, self.min_spread,
            self.spread_share,
        )  # fmt: skip

    def __call__(self, pairs: pa.Table) -> Outcome:
        known = benchmarks(self.indexes, self.rules())
        verdict = np.zeros(len(pairs), np.uint8)
        for found in (
            _by_text(known, pairs["question"]),
            _by_text(known, pairs["answer"]),
            _by_address(known, known.pages, "page", lambda: pages(pairs["url"])),
            _by_address(known, known.sites, "site", lambda: sites_of(pairs)),
        ):
            verdict = np.where(verdict, verdict, found)
        return Outcome.by_verdict(pairs, verdict, known.reasons)


def index_files(folders: Iterable[Path]) -> tuple[str, ...]:
    """Return the index files of staged retrieval folders; those that have none get one, cached."""
    return tuple(str(index_file(folder)) for folder in folders)


def pinned_indexes(folders: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what a recipe says of the indexes: tasks, those without texts, sha256; sorted.

    :raises RecipeError: if an index has nothing to look for.
    """
    indexes = [BenchmarkIndex.load(Path(path)) for path in index_files(folders)]
    for folder, index in zip(folders, indexes, strict=True):
        if not index.tasks:
            raise RecipeError(
                f"--benchmarks {folder}: {', '.join(index.withheld)} is staged without texts, so "
                "nothing can be looked for; stage it from your own copy with --with-text"
            )
    told = [
        {"tasks": list(index.tasks), "withheld": list(index.withheld), "sha256": index.sha256}
        for index in indexes
    ]
    return sorted(told, key=lambda index: str(index["sha256"]))


def _by_text(known: Benchmarks, texts: Strings) -> Verdicts:
    found = known.matcher.find(texts.to_pylist())
    verdict = np.zeros(len(found), np.uint8)
    for row in np.flatnonzero(found).tolist():
        text, kind = divmod(int(found[row]) - 1, len(KINDS))
        verdict[row] = known.code(known.text_task[text], KINDS[kind])
    return verdict


def _by_address(
    known: Benchmarks, listed: dict[str, str], kind: str, addresses: Callable[[], Strings]
) -> Verdicts | np.uint8:
    """Mark the rows whose address is listed; addresses are read only where some are listed."""
    if not listed:
        return np.uint8(0)
    keys = addresses()
    verdict = np.zeros(len(keys), np.uint8)
    met = pc.is_in(keys, pa.array(listed, pa.string())).to_numpy(zero_copy_only=False)
    for row in np.flatnonzero(met).tolist():
        verdict[row] = known.code(listed[keys[row].as_py()], kind)
    return verdict
