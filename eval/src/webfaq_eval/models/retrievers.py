"""What ranks candidates for queries: BM25, or vectors, each text encoded once, kept and multiplied."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from webfaq_eval.benchmark import search as exact
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import Ints, Rows, Run
from webfaq_eval.identity import Model
from webfaq_eval.models.encoder import Encoder, Settings, find_model, own_prefixes
from webfaq_eval.models.vectors import VectorStore

#: Queries on which an approximate index is held against the exact search.
_CHECKED = 1000


def open_retriever(
    settings: Settings, vectors: Path, index: str = "exact", quiet: bool = True
) -> Retriever:
    """Open `bm25`, `random`, or a model folder or Hub id; vectors are kept under `vectors`.

    :raises ModelError: if there is no such model or it cannot be used as stated.
    """
    if settings.model == "bm25":
        from webfaq_eval.models.baselines import Lexical

        return Lexical(settings)
    return Dense(_open_encoder(settings, quiet), settings, vectors, index, quiet)


def _open_encoder(settings: Settings, quiet: bool) -> Encoder:
    if settings.model == "random":
        from webfaq_eval.models.baselines import RandomEncoder

        return RandomEncoder(settings)
    place = find_model(settings.model)
    if place.is_sentence_transformer and not settings.pooling and settings.layer is None:
        from webfaq_eval.models.sentence import SentenceEncoder

        return SentenceEncoder(place, settings, quiet)
    from webfaq_eval.models.transformer import TransformerEncoder

    return TransformerEncoder(place, settings, quiet)


class Retriever(Protocol):
    """Ranks candidates for queries. `usage` is its part of the recorded protocol.

    `seconds` counts the time spent on `encode` and `search`; `losses` has, of an approximate index,
    the share of the exact candidates that each search missed.
    """

    model: Model
    usage: dict[str, Any]
    seconds: dict[str, float]
    losses: list[float]

    def search(self, queries: Sequence[str], corpus: Sequence[str], depth: int) -> Run:
        """Return the best candidates of each query, ties broken by row."""
        ...

    def first_ranks(self, queries: Sequence[str], corpus: Sequence[str], qrels: Qrels) -> Ints:
        """Return the rank of each query's best right answer in the whole ranking."""
        ...


class Dense:
    """An encoder, its vector stores (one for each prefix) and an exact or approximate search."""

    def __init__(
        self,
        encoder: Encoder,
        settings: Settings,
        vectors: Path,
        index: str = "exact",
        quiet: bool = True,
    ) -> None:
        self.encoder = encoder
        self.model = encoder.model
        self.index, self.quiet = index, quiet
        stated = (settings.query_prefix, settings.passage_prefix)
        query, passage = own_prefixes(encoder.prompts, stated, encoder.model.name)
        self.prefixes = {"query": query, "passage": passage}
        self.losses: list[float] = []
        self.seconds = {"encode": 0.0, "search": 0.0}
        self.usage: dict[str, Any] = {
            "pooling": encoder.pooling, "layer": encoder.layer, "normalize": encoder.normalize,
            "similarity": encoder.similarity, "query_prefix": query,
            "passage_prefix": passage, "max_length": encoder.max_length,
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
        key = {"model": self.encoder.body_revision, "kind": self.model.kind, "prefix": prefix}
        return {**key, **used, **self.encoder.key}

    def vectors(self, texts: Sequence[str], side: str) -> Rows:
        """Return the vectors of texts as `query` or `passage`, encoding what is not stored yet."""
        prefix, start = self.prefixes[side], time.perf_counter()
        rows = self.stores[prefix].rows(
            texts, lambda missing: self.encoder.encode_body([prefix + text for text in missing])
        )
        if self.encoder.finishes:
            rows = rows.mapped(self.encoder.finish)
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
        asked, found = self.vectors(queries, "query"), self.vectors(corpus, "passage")
        distinct, group = _distinct(found)
        return exact.first_ranks(asked, distinct, qrels, group)


def once_each(queries: Rows, corpus: Rows, depth: int, quiet: bool = True) -> Run:
    """Search with equal texts once: so that they have equal scores, and their ids decide.

    The same product at two places of a matrix may differ in its last bit.
    """
    distinct, group = _distinct(corpus)
    asked, back = np.unique(queries.places, return_inverse=True)
    run = exact.search(
        Rows(queries.parts, queries.starts, asked),
        distinct,
        min(depth, len(distinct)),
        quiet,
    )
    if len(distinct) < len(corpus):
        run = _expanded(run, group, depth)
    return Run(run.rows[back], run.scores[back])


def _distinct(rows: Rows) -> tuple[Rows, Ints]:
    """Return each distinct vector once, in the order of its first row, and the place of each row's."""
    place, first, group = np.unique(rows.places, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return Rows(rows.parts, rows.starts, place[order]), rank[group]


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
