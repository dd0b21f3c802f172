"""The best candidates for each query: an exact matrix product in blocks, or a FAISS index.

Ties are broken by row, and rows are sorted by id: the smaller id comes first. Memory is bounded by
the block sizes and queries x depth, so a corpus may lie on disk (`Rows`, `numpy.memmap`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from webfaq_eval.benchmark.subset import Qrels
from webfaq_eval.errors import EvalError, VectorError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
#: Queries and candidates of one product: the fastest of seven shapes tried, 16 MB of scores.
_QUERIES, _CORPUS = 1024, 4096
#: Queries whose candidates are held at once; candidates read from disk at once.
_OUTER, _LOADED = 32_768, 65_536


class Matrix(Protocol):
    """Rows of float32 that can be sliced: an array, a memory map, or `Rows`."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: slice, /) -> Floats: ...


@dataclass(frozen=True)
class Rows:
    """The vectors of a list of texts, read from the store as they are sliced."""

    parts: list[Floats]
    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.places)

    @property
    def dimensions(self) -> int:
        return int(self.parts[0].shape[1])

    def __getitem__(self, rows: slice) -> Floats:
        places = self.places[rows]
        out = np.empty((len(places), self.dimensions), np.float32)
        part = np.searchsorted(self.starts, places, side="right") - 1
        for number in np.unique(part):
            mine = part == number
            out[mine] = self.parts[number][places[mine] - self.starts[number]]
        return out

    def mapped(self, change: Callable[[Floats], Floats]) -> Rows:
        """Return rows whose vectors went through a function; each distinct vector once, in memory."""
        distinct, places = np.unique(self.places, return_inverse=True)
        found = Rows(self.parts, self.starts, distinct)[:]
        return Rows([change(found)], np.zeros(1, np.int64), places.astype(np.int64))


@dataclass(frozen=True)
class Run:
    """Rankings: `rows` (queries, depth) of the corpus, best first, -1 past the end; `scores` alike."""

    rows: Ints
    scores: Floats


def search(queries: Matrix, corpus: Matrix, depth: int, quiet: bool = True) -> Run:
    """Return the `depth` candidates with the largest inner product, exactly.

    :raises VectorError: if a vector is not finite, or a side is empty.
    """
    if not len(queries) or not len(corpus):
        raise VectorError(
            f"{len(queries)} queries and {len(corpus)} candidates: there is nothing to search"
        )
    parts = []
    steps = -(-len(queries) // _OUTER) * -(-len(corpus) // _LOADED)
    with tqdm(total=steps, desc="search", unit="block", disable=quiet or steps < 4) as progress:
        for start in range(0, len(queries), _OUTER):
            best = _Best(_loaded(queries, start, _OUTER), depth)
            for at in range(0, len(corpus), _LOADED):
                best.offer(_loaded(corpus, at, _LOADED), at)
                progress.update()
            parts.append(best.run())
    return Run(np.concatenate([p.rows for p in parts]), np.concatenate([p.scores for p in parts]))


def _loaded(matrix: Matrix, start: int, rows: int) -> Floats:
    """Return some rows in memory, after a look for NaN: a comparison would drop it in silence."""
    block = np.ascontiguousarray(matrix[start : start + rows], dtype=np.float32)
    if not np.isfinite(block).all():
        row = start + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
        raise VectorError(
            f"vector {row} holds NaN or infinity, first of this kind; the model cannot encode its "
            "text in this precision: try --dtype float32"
        )
    return block


class _Best:
    """The best candidates so far for a block of queries, and the score that a new one must beat.

    A product's scores are compared with each query's worst kept score; few pass, so nothing is
    sorted but what passes. That is what makes the search nearly as fast as its matrix products.
    """

    def __init__(self, queries: Floats, depth: int) -> None:
        self.queries, self.depth = queries, depth
        self.blocks = [
            _Block(queries[start : start + _QUERIES], depth)
            for start in range(0, len(queries), _QUERIES)
        ]
        # Written anew for each product: fresh memory would cost more than the comparison.
        self.scores = np.empty(_QUERIES * _CORPUS, np.float32)
        self.passing = np.empty(_QUERIES * _CORPUS, np.bool_)

    def offer(self, corpus: Floats, offset: int) -> None:
        for start in range(0, len(corpus), _CORPUS):
            turned = corpus[start : start + _CORPUS].T
            for block in self.blocks:
                shape = (len(block.queries), turned.shape[1])
                scores = self.scores[: shape[0] * shape[1]].reshape(shape)
                passing = self.passing[: scores.size].reshape(shape)
                np.matmul(block.queries, turned, out=scores)
                block.offer(scores, passing, offset + start)

    def run(self) -> Run:
        runs = [block.run() for block in self.blocks]
        return Run(np.concatenate([r.rows for r in runs]), np.concatenate([r.scores for r in runs]))


class _Block:
    """Up to 1024 queries: kept candidates, those waiting to be merged, and the score to beat."""

    def __init__(self, queries: Floats, depth: int) -> None:
        self.queries, self.depth = queries, depth
        self.kept = Run(
            np.full((len(queries), depth), -1, np.int64),
            np.full((len(queries), depth), -np.inf, np.float32),
        )
        self.bar = np.full((len(queries), 1), -np.inf, np.float32)
        self.waiting: list[tuple[Ints, Ints, Floats]] = []
        self.count = 0

    def offer(self, scores: Floats, passing: npt.NDArray[np.bool_], offset: int) -> None:
        bar = self.bar
        if self.kept.rows[0, -1] < 0 and scores.shape[1] > self.depth:
            at = scores.shape[1] - self.depth
            bar = np.maximum(bar, np.nextafter(np.partition(scores, at)[:, at : at + 1], -np.inf))
        # Flat places are found eight times as fast as pairs of coordinates.
        flat = np.flatnonzero(np.greater(scores, bar, out=passing))
        query, column = np.divmod(flat, scores.shape[1])
        self.waiting.append((query, column + offset, scores.ravel()[flat]))
        self.count += len(flat)
        if self.count > 2 * self.depth * len(self.queries) or self.kept.rows[0, -1] < 0:
            self._merge()

    def _merge(self) -> None:
        if self.waiting:
            query, rows, scores = (np.concatenate(p) for p in zip(*self.waiting, strict=True))
            self.kept = _merged(self.kept, query, rows, scores)
            self.bar = self.kept.scores[:, -1:].copy()
            self.waiting, self.count = [], 0

    def run(self) -> Run:
        self._merge()
        return self.kept


def _merged(kept: Run, query: Ints, rows: Ints, scores: Floats) -> Run:
    """Return the best of kept and new candidates, by score, ties by row.

    New candidates arrive by rising row for each query, and after the kept ones. So a tie is settled
    by place, and one 64-bit key, query | falling score | place, sorts many times faster than three.
    """
    depth = kept.rows.shape[1]
    there = kept.rows >= 0
    query = np.concatenate([np.nonzero(there)[0], query])
    rows = np.concatenate([kept.rows[there], rows])
    scores = np.concatenate([kept.scores[there], scores])
    places = len(query).bit_length()
    if places + len(kept.rows).bit_length() > 32:
        order = np.lexsort((-scores, query))
    else:
        key = query.astype(np.uint64) << np.uint64(32 + places)
        key |= _falling(scores) << np.uint64(places) | np.arange(len(query), dtype=np.uint64)
        order = (np.sort(key) & np.uint64((1 << places) - 1)).astype(np.int64)
    query, rows, scores = query[order], rows[order], scores[order]
    counts = np.bincount(query, minlength=len(kept.rows))
    rank = np.arange(len(query)) - (np.cumsum(counts) - counts)[query]
    best = rank < depth
    result = Run(np.full_like(kept.rows, -1), np.full_like(kept.scores, -np.inf))
    result.rows[query[best], rank[best]] = rows[best]
    result.scores[query[best], rank[best]] = scores[best]
    return result


def _falling(scores: Floats) -> npt.NDArray[np.uint64]:
    """Return 32-bit numbers that are the smaller, the larger the score (IEEE 754 order)."""
    bits = (scores + np.float32(0)).view(np.uint32)  # -0.0 + 0.0 is 0.0: both are one score
    rising = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (~rising).astype(np.uint64)


def merge(shards: Sequence[tuple[Run, int]]) -> Run:
    """Merge the runs of a corpus' shards, each with the row at which its shard begins."""
    first, _ = shards[0]
    kept = Run(np.full_like(first.rows, -1), np.full_like(first.scores, -np.inf))
    for run, offset in sorted(shards, key=lambda shard: shard[1]):
        kept = _merged(kept, *_by_row(run, offset))
    return kept


def _by_row(run: Run, offset: int = 0) -> tuple[Ints, Ints, Floats]:
    """Return (query, row, score) of all that a run ranks, by query and rising row."""
    query, rank = np.nonzero(run.rows >= 0)
    rows, scores = run.rows[query, rank] + offset, run.scores[query, rank]
    order = np.lexsort((rows, query))
    return query[order], rows[order], scores[order]


def first_ranks(queries: Matrix, corpus: Matrix, qrels: Qrels, group: Ints | None = None) -> Ints:
    """Return the rank from 1 of each query's best right answer in the whole ranking.

    `corpus` has each distinct vector once, and `group` the one of every row of the pool; without it
    the rows of the pool are those of `corpus`. Equal texts so have equal scores, to the last bit.
    Holds the scores of a block of queries against the whole pool, 256 MB at most.
    """
    group = np.arange(len(corpus)) if group is None else group
    ranks = np.zeros(len(queries), np.int64)
    step = max(1, 2**26 // len(group))
    for start in range(0, len(queries), step):
        block = _loaded(queries, start, step)
        scores = np.concatenate([block @ part.T for part in _parts(corpus)], axis=1)[:, group]
        inside = (qrels.query >= start) & (qrels.query < start + len(block))
        query, found = qrels.query[inside] - start, qrels.corpus[inside]
        order = np.lexsort((found, -scores[query, found], query))
        query, at = np.unique(query[order], return_index=True)
        row = found[order][at]
        best = scores[query, row][:, None]
        ahead = (scores[query] > best).sum(axis=1)
        tied = (scores[query] == best) & (np.arange(len(group)) < row[:, None])
        ranks[start + query] = 1 + ahead + tied.sum(axis=1)
    return ranks


def _parts(corpus: Matrix) -> Iterator[Floats]:
    for at in range(0, len(corpus), _LOADED):
        yield _loaded(corpus, at, _LOADED)


def approximate(queries: Matrix, corpus: Matrix, depth: int, factory: str) -> Run:
    """Search with a FAISS index made by a factory string (`IVF256,Flat`, `HNSW32`, …).

    :raises EvalError: if FAISS is not installed or does not know the string.
    """
    try:
        import faiss
    except ImportError as error:
        raise EvalError(
            "an approximate index needs FAISS: pip install 'webfaq-eval[faiss]', or leave --index out"
        ) from error
    whole = np.concatenate(list(_parts(corpus)))
    try:
        index: Any = faiss.index_factory(whole.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        index.train(whole)
    except RuntimeError as error:
        raise EvalError(
            f"FAISS refuses the index {factory!r} for {len(whole)} vectors: {error}"
        ) from error
    index.add(whole)
    scores, rows = index.search(_loaded(queries, 0, len(queries)), depth)
    return merge([(Run(rows.astype(np.int64), scores), 0)])


def recall_loss(exact: Run, found: Run) -> float:
    """Return the mean share of the exact candidates that an approximate run lacks."""
    lost = []
    for right, met in zip(exact.rows, found.rows, strict=True):
        wanted = right[right >= 0]
        lost.append(1 - np.isin(wanted, met).mean())
    return float(np.mean(lost))
