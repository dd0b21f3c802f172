"""The exact search finds what a full sort finds, whatever the blocks; ties go to the smaller row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from webfaq_eval.benchmark import search as module
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.benchmark.search import Run, approximate, first_ranks, merge, recall_loss, search
from webfaq_eval.errors import EvalError, VectorError


def whole_numbers(seed: int, rows: int, size: int = 8) -> Any:
    """Vectors of small whole numbers: their products are exact, and ties are many."""
    return np.random.default_rng(seed).integers(-2, 3, (rows, size)).astype(np.float32)


def by_sorting(queries: Any, corpus: Any, depth: int) -> Run:
    scores = queries @ corpus.T
    rows = np.stack([np.lexsort((np.arange(len(corpus)), -line))[:depth] for line in scores])
    return Run(rows, np.take_along_axis(scores, rows, axis=1))


def same(one: Run, other: Run) -> bool:
    return bool((one.rows == other.rows).all() and (one.scores == other.scores).all())


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_QUERIES": 7, "_CORPUS": 13, "_OUTER": 16, "_LOADED": 40}.items():
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("depth", [1, 5, 12, 13, 14, 50])
def test_ties_go_to_the_smaller_row_in_any_blocks(depth: int, small_blocks: None) -> None:
    queries, corpus = whole_numbers(0, 33), whole_numbers(1, 211)
    assert same(search(queries, corpus, depth), by_sorting(queries, corpus, depth))


def test_all_equal_candidates_come_in_their_order(small_blocks: None) -> None:
    corpus = np.ones((100, 4), np.float32)
    assert search(corpus[:3], corpus, 20).rows.tolist() == [list(range(20))] * 3


def test_negative_zero_is_zero() -> None:
    corpus = np.asarray([[-0.0], [0.0], [1.0], [0.0]], np.float32)
    assert search(np.ones((1, 1), np.float32), corpus, 4).rows.tolist() == [[2, 0, 1, 3]]


def test_default_blocks_agree_with_a_full_sort() -> None:
    queries, corpus = whole_numbers(2, 50), whole_numbers(3, 9000)
    assert same(search(queries, corpus, 100), by_sorting(queries, corpus, 100))


def test_a_pool_smaller_than_the_depth_ends_early() -> None:
    run = search(whole_numbers(4, 2), whole_numbers(5, 3), 5)
    assert (run.rows[:, 3:] == -1).all() and (run.rows[:, :3] >= 0).all()


def test_shards_merge_to_the_same_run() -> None:
    queries, corpus = whole_numbers(6, 20), whole_numbers(7, 500)
    cuts = [(0, 100), (100, 101), (101, 400), (400, 500)]
    shards = [(search(queries, corpus[a:b], 30), a) for a, b in reversed(cuts)]
    assert same(merge(shards), by_sorting(queries, corpus, 30))


def test_vectors_may_lie_on_disk(tmp_path: Any, small_blocks: None) -> None:
    corpus = whole_numbers(8, 300)
    np.save(tmp_path / "corpus.npy", corpus)
    on_disk = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    assert same(search(corpus[:9], on_disk, 10), by_sorting(corpus[:9], corpus, 10))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_are_refused(value: float) -> None:
    corpus = whole_numbers(9, 50)
    corpus[17, 3] = value
    with pytest.raises(VectorError, match="vector 17 holds NaN or infinity"):
        search(whole_numbers(10, 2), corpus, 5)
    with pytest.raises(VectorError, match="nothing to search"):
        search(whole_numbers(10, 2), corpus[:0], 5)


def test_the_first_right_rank_is_that_of_a_full_sort() -> None:
    queries, corpus = whole_numbers(11, 30), whole_numbers(12, 400)
    rng = np.random.default_rng(13)
    query = np.repeat(np.arange(30), 2)
    found = np.concatenate([rng.choice(400, 2, replace=False) for _ in range(30)])
    ranks = first_ranks(queries, corpus, Qrels(query, found, np.ones(60, np.int64)))
    full = by_sorting(queries, corpus, 400).rows
    for row, line in enumerate(full.tolist()):
        assert ranks[row] == 1 + min(line.index(one) for one in found[query == row])


@pytest.mark.needs("faiss")
def test_an_approximate_index_states_what_it_loses() -> None:
    corpus = np.random.default_rng(14).standard_normal((2000, 16)).astype(np.float32)
    queries, exact = corpus[:40], search(corpus[:40], corpus, 20)
    assert recall_loss(exact, approximate(queries, corpus, 20, "Flat")) == 0
    lost = recall_loss(exact, approximate(queries, corpus, 20, "IVF32,Flat"))
    assert 0 < lost < 1
    with pytest.raises(EvalError, match="FAISS refuses"):
        approximate(queries, corpus, 20, "Nonsense")
