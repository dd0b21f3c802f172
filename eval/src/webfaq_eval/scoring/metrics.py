"""Ranking metrics per query, from the grades met going down the ranking. Pure numpy.

Recall, nDCG, MRR and `trec_map` are those of trec_eval, without its way of breaking ties: a ranking
arrives here with its ties already broken (`search.py`: the smaller id first).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from webfaq_eval.benchmark.subset import Qrels

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
RECALL_CUTS = (1, 5, 10, 20, 100)
#: The rankings must be at least this deep for every metric to be what its name says.
MIN_DEPTH = max(RECALL_CUTS)


@dataclass(frozen=True)
class Judged:
    """Rankings in the eyes of the judgements.

    `grades` (queries, depth): the grade at each rank, 0 where wrong or past the ranking's end.
    `relevant` (queries,): how many right answers there are at all, each at least 1.
    `ideal` (queries, 10): the best grades there are, descending.
    """

    grades: Ints
    relevant: Ints
    ideal: Ints

    @property
    def first(self) -> Ints:
        """Return the rank of the first right answer, from 1; 0 where the ranking has none."""
        hits = self.grades > 0
        return np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, 0)


def judge(ranking: Ints, qrels: Qrels, corpus: int) -> Judged:
    """Look each ranked candidate up in the judgements.

    `ranking` (queries, depth) holds rows of the corpus, -1 past its end; `corpus` is its size.
    """
    order = np.lexsort((-qrels.grade, qrels.query))
    query, grade = qrels.query[order], qrels.grade[order]
    relevant = np.bincount(query, minlength=len(ranking))
    starts = np.cumsum(relevant) - relevant
    rank = np.arange(len(query)) - starts[query]
    ideal = np.zeros((len(ranking), 10), np.int64)
    ideal[query[rank < 10], rank[rank < 10]] = grade[rank < 10]
    keys = qrels.query * corpus + qrels.corpus
    by_key = np.argsort(keys)
    keys, known = keys[by_key], qrels.grade[by_key]
    asked = np.where(ranking < 0, -1, np.arange(len(ranking))[:, None] * corpus + ranking)
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return Judged(np.where(keys[at] == asked, known[at], 0), relevant, ideal)


def hit_at_one(judged: Judged) -> Floats:
    """Return 1 where the best ranked candidate is right: the mean is Tatoeba's accuracy."""
    return (judged.grades[:, 0] > 0).astype(np.float64)


def recall_at(judged: Judged, k: int) -> Floats:
    """Return the share of the right answers among the first k."""
    return np.asarray((judged.grades[:, :k] > 0).sum(axis=1) / judged.relevant)


def ndcg_at_10(judged: Judged) -> Floats:
    """Return nDCG@10 with the grade as gain and log2(rank + 1) as discount (trec_eval)."""
    discount = 1 / np.log2(np.arange(2, 12))
    found = judged.grades[:, :10]
    return np.asarray(
        (found * discount[: found.shape[1]]).sum(axis=1) / (judged.ideal * discount).sum(axis=1)
    )


def reciprocal_rank(first: Ints, k: int | None = None) -> Floats:
    """Return 1/rank of the first right answer; 0 where it is not found, or not among the first k."""
    found = (first > 0) & (first <= k if k else True)
    return np.where(found, 1 / np.maximum(first, 1), 0.0)


def map_at(judged: Judged, k: int, *, trec: bool = False) -> Floats:
    """Return the average precision of the first k ranks.

    Divided by min(right answers, k), so that a perfect ranking scores 1: LAReQA's and Mewsli-X's
    mAP@20. With `trec`, divided by all right answers: trec_eval's `map_cut`, mteb's `map_at_k`.
    """
    hits = judged.grades[:, :k] > 0
    precision = hits.cumsum(axis=1) / np.arange(1, hits.shape[1] + 1)
    most = judged.relevant if trec else np.minimum(judged.relevant, k)
    return np.asarray((precision * hits).sum(axis=1) / most)


def per_query(judged: Judged, first: Ints | None = None) -> dict[str, Floats]:
    """Return every metric, each (queries,).

    `first` is the rank of the first right answer in the whole ranking, where `judged` is cut at a
    depth: `mrr` needs it.
    """
    first = judged.first if first is None else first
    recalls = {f"recall_at_{k}": recall_at(judged, k) for k in RECALL_CUTS}
    return {
        "accuracy": hit_at_one(judged),
        **recalls,
        "ndcg_at_10": ndcg_at_10(judged),
        "mrr_at_10": reciprocal_rank(first, 10),
        "mrr": reciprocal_rank(first),
        "map_at_20": map_at(judged, 20),
        "trec_map_at_20": map_at(judged, 20, trec=True),
        "trec_map_at_100": map_at(judged, 100, trec=True),
    }
