"""Metrics on hand-worked rankings, and beside pytrec_eval and ir_measures on random ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from webfaq_eval.benchmark.folder import Qrels
from webfaq_eval.scoring.metrics import (
    judge,
    map_at,
    ndcg_at_10,
    per_query,
    recall_at,
    reciprocal_rank,
)


def qrels(*rows: tuple[int, int, int]) -> Qrels:
    query, corpus, grade = (np.asarray(one, np.int64) for one in zip(*rows, strict=True))
    return Qrels(query, corpus, grade)


#: Five candidates. Query 0: right are 1 and 3, found at ranks 2 and 4. Query 1: 4 is right, rank 1.
#: Query 2: 0 is right, not found.
RANKING = np.asarray([[0, 1, 2, 3, 4], [4, 0, 1, 2, 3], [1, 2, 3, 4, -1]])
QRELS = qrels((0, 1, 1), (0, 3, 2), (1, 4, 1), (2, 0, 1))


def test_hand_worked_rankings() -> None:
    judged = judge(RANKING, QRELS, 5)
    assert judged.grades.tolist() == [[0, 1, 0, 2, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert judged.relevant.tolist() == [2, 1, 1]
    assert judged.first.tolist() == [2, 1, 0]
    assert recall_at(judged, 1).tolist() == [0, 1, 0]
    assert recall_at(judged, 3).tolist() == [0.5, 1, 0]
    assert map_at(judged, 20).tolist() == [(1 / 2 + 2 / 4) / 2, 1, 0]
    assert reciprocal_rank(judged.first, 1).tolist() == [0, 1, 0]
    gained = 1 / math.log2(3) + 2 / math.log2(5)
    best = 2 / math.log2(2) + 1 / math.log2(3)
    assert ndcg_at_10(judged).tolist() == pytest.approx([gained / best, 1, 0], abs=1e-12)


def test_lareqa_s_map_divides_by_what_fits_and_trec_s_by_all() -> None:
    ranking = np.asarray([[0, 5, 1]])
    judged = judge(ranking, qrels((0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1)), 6)
    hits = 1 + 2 / 3
    assert map_at(judged, 3)[0] == pytest.approx(hits / 3)
    assert map_at(judged, 3, trec=True)[0] == pytest.approx(hits / 4)
    assert (
        map_at(judge(np.asarray([[0, 1, 2]]), qrels(*((0, i, 1) for i in range(5))), 6), 3)[0] == 1
    )


def test_the_rank_in_the_whole_ranking_counts_for_mrr_alone() -> None:
    found = per_query(judge(RANKING, QRELS, 5), first=np.asarray([2, 1, 250]))
    assert found["mrr"].tolist() == [0.5, 1, 1 / 250]
    assert found["mrr_at_10"].tolist() == [0.5, 1, 0]
    assert found["accuracy"].tolist() == [0, 1, 0]


def random_case(seed: int) -> tuple[Any, Qrels, dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(seed)
    queries, corpus = 40, 300
    ranking = np.stack([rng.permutation(corpus)[:120] for _ in range(queries)])
    rows = [
        (query, int(found), int(rng.integers(1, 4)))
        for query in range(queries)
        for found in rng.choice(corpus, rng.integers(1, 30), replace=False)
    ]
    gold: dict[str, dict[str, int]] = {}
    for query, found, grade in rows:
        gold.setdefault(f"q{query}", {})[f"d{found}"] = grade
    run = {  # scores fall with the rank, so that no tie is left to the tool
        f"q{query}": {f"d{found}": 1000.0 - rank for rank, found in enumerate(ranked.tolist())}
        for query, ranked in enumerate(ranking)
    }
    return ranking, qrels(*rows), gold, run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_pytrec_eval_gives_the_same(seed: int) -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="pytrec-eval-terrier is a dev extra")
    ranking, judgements, gold, run = random_case(seed)
    ours = per_query(judge(ranking, judgements, 300))
    names = {
        "recall_at_1": "recall_1", "recall_at_5": "recall_5", "recall_at_10": "recall_10",
        "recall_at_20": "recall_20", "recall_at_100": "recall_100", "ndcg_at_10": "ndcg_cut_10",
        "mrr": "recip_rank", "trec_map_at_20": "map_cut_20", "trec_map_at_100": "map_cut_100",
    }  # fmt: skip
    measures = {"recall.1,5,10,20,100", "ndcg_cut.10", "recip_rank", "map_cut.20,100"}
    theirs = pytrec_eval.RelevanceEvaluator(gold, measures).evaluate(run)
    for name, trec in names.items():
        expected = [theirs[f"q{query}"][trec] for query in range(len(ranking))]
        assert np.abs(ours[name] - expected).max() < 1e-9, name


def test_ir_measures_gives_the_same() -> None:
    ir = pytest.importorskip("ir_measures", reason="ir_measures is a dev extra")
    ranking, judgements, gold, run = random_case(3)
    ours = per_query(judge(ranking, judgements, 300))
    names = {
        "recall_at_20": ir.R @ 20, "ndcg_at_10": ir.nDCG @ 10, "mrr_at_10": ir.RR @ 10,
        "trec_map_at_20": ir.AP @ 20, "accuracy": ir.Success @ 1,
    }  # fmt: skip
    for one in ir.iter_calc(list(names.values()), gold, run):
        name = next(key for key, measure in names.items() if measure == one.measure)
        assert ours[name][int(one.query_id[1:])] == pytest.approx(one.value, abs=1e-9), name


def test_a_perfect_ranking_scores_one_everywhere() -> None:
    ranking = np.arange(100)[None, :]
    found = per_query(judge(ranking, qrels((0, 0, 1)), 100))
    assert {name: float(values[0]) for name, values in found.items()} == dict.fromkeys(found, 1.0)
