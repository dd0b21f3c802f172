"""Retrieval by vectors: encode each text once, keep the vectors, multiply."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from webfaq_eval.benchmark import search as exact
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import Floats, Ints, Run
from webfaq_eval.models.base import Settings
from webfaq_eval.models.vectors import Rows, VectorStore
from webfaq_eval.results import Model

#: Queries on which an approximate index is held against the exact search.
_CHECKED = 1000


class Encoder(Protocol):
    """Turns texts into vectors, float32 (texts, dimensions); knows how it does so."""

    model: Model
    pooling: str
    layer: int | None
    normalize: bool
    similarity: str
    max_length: int | None
    dtype: Any

    def encode(self, texts: Sequence[str]) -> Floats: ...


class Dense:
    """An encoder, its vector stores (one for each prefix) and an exact or approximate search."""

    def __init__(
        self,
        encoder: Any,
        settings: Settings,
        vectors: Path,
        index: str = "exact",
        quiet: bool = True,
    ) -> None:
        self.encoder: Encoder = encoder
        self.model = self.encoder.model
        self.index, self.quiet = index, quiet
        self.prefixes = {"query": settings.query_prefix, "passage": settings.passage_prefix}
        self.losses: list[float] = []
        self.seconds = {"encode": 0.0, "search": 0.0}
        self.usage = {
            "pooling": encoder.pooling, "layer": encoder.layer, "normalize": encoder.normalize,
            "similarity": encoder.similarity, "query_prefix": settings.query_prefix,
            "passage_prefix": settings.passage_prefix, "max_length": encoder.max_length,
            "dtype": str(encoder.dtype).removeprefix("torch."), "index": index,
        }  # fmt: skip
        self.stores = {
            prefix: VectorStore(vectors, self._key(prefix))
            for prefix in sorted(set(self.prefixes.values()))
        }

    def _key(self, prefix: str) -> dict[str, Any]:
        """Return all that a vector depends on but the text."""
        used = {
            k: v
            for k, v in self.usage.items()
            if k not in ("query_prefix", "passage_prefix", "index")
        }
        body = getattr(self.encoder, "body_revision", self.model.revision)
        raw = {"raw": True} if getattr(self.encoder, "raw", False) else {}
        return {"model": body, "kind": self.model.kind, "prefix": prefix, **used, **raw}

    def vectors(self, texts: Sequence[str], side: str) -> Rows:
        """Return the vectors of texts as `query` or `passage`, encoding what is not stored yet."""
        prefix, start = self.prefixes[side], time.perf_counter()
        encode = getattr(self.encoder, "encode_body", self.encoder.encode)
        rows = self.stores[prefix].rows(
            texts, lambda missing: encode([prefix + text for text in missing])
        )
        if getattr(self.encoder, "head", None) is not None:
            rows = rows.mapped(self.encoder.finish)  # type: ignore[attr-defined]
        self.seconds["encode"] += time.perf_counter() - start
        return rows

    def search(self, queries: Sequence[str], corpus: Sequence[str], depth: int) -> Run:
        return self._search(self.vectors(queries, "query"), self.vectors(corpus, "passage"), depth)

    def search_back(self, corpus: Sequence[str], queries: Sequence[str], depth: int) -> Run:
        """Return the best queries of each candidate, each side with its own prefix still."""
        return self._search(self.vectors(corpus, "passage"), self.vectors(queries, "query"), depth)

    def _search(self, asked: Rows, found: Rows, depth: int) -> Run:
        start = time.perf_counter()
        depth = min(depth, len(found))
        if self.index == "exact":
            run = once_each(asked, found, depth, self.quiet)
        else:
            run = exact.approximate(asked, found, depth, self.index)
            sample = Rows(asked.parts, asked.starts, asked.places[:_CHECKED])
            right = once_each(sample, found, depth, self.quiet)
            self.losses.append(
                exact.recall_loss(right, Run(run.rows[:_CHECKED], run.scores[:_CHECKED]))
            )
        self.seconds["search"] += time.perf_counter() - start
        return run

    def first_ranks(self, queries: Sequence[str], corpus: Sequence[str], qrels: Qrels) -> Ints:
        return exact.first_ranks(
            self.vectors(queries, "query"), self.vectors(corpus, "passage"), qrels
        )


def once_each(queries: Rows, corpus: Rows, depth: int, quiet: bool = True) -> Run:
    """Search with equal texts once: so that they have equal scores, and their ids decide.

    The same product at two places of a matrix may differ in its last bit.
    """
    place, first, group = np.unique(corpus.places, return_index=True, return_inverse=True)
    order = np.argsort(first)  # distinct vectors by the row at which they come first
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    group = rank[group]
    asked, back = np.unique(queries.places, return_inverse=True)
    run = exact.search(
        Rows(queries.parts, queries.starts, asked),
        Rows(corpus.parts, corpus.starts, place[order]),
        min(depth, len(place)),
        quiet,
    )
    if len(place) < len(corpus):
        run = _expanded(run, group, depth)
    return Run(run.rows[back], run.scores[back])


def _expanded(run: Run, group: Ints, depth: int) -> Run:
    """Put every row of a group in its group's place; the best `depth` stay."""
    rows_of = np.argsort(group, kind="stable")
    sizes = np.bincount(group)
    starts = np.cumsum(sizes) - sizes
    query, rank = np.nonzero(run.rows >= 0)
    found = run.rows[query, rank]
    many = sizes[found]
    inside = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
    rows = rows_of[np.repeat(starts[found], many) + inside]
    scores = np.repeat(run.scores[query, rank], many)
    query = np.repeat(query, many)
    order = np.lexsort((rows, -scores, query))
    query, rows, scores = query[order], rows[order], scores[order]
    counts = np.bincount(query, minlength=len(run.rows))
    place = np.arange(len(query)) - (np.cumsum(counts) - counts)[query]
    kept = place < depth
    out = Run(
        np.full((len(run.rows), depth), -1, np.int64),
        np.full((len(run.rows), depth), -np.inf, np.float32),
    )
    out.rows[query[kept], place[kept]] = rows[kept]
    out.scores[query[kept], place[kept]] = scores[kept]
    return out
