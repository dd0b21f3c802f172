"""Protocols on hand-made vectors, where each figure can be worked out on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from webfaq_eval.benchmark.folder import Benchmark, Subset, open_benchmark
from webfaq_eval.benchmark.subset import Qrels, SubsetData, Texts
from webfaq_eval.errors import BenchmarkError, ModelError
from webfaq_eval.identity import Model
from webfaq_eval.models.encoder import Encoder, Settings
from webfaq_eval.models.retrievers import Dense, open_retriever
from webfaq_eval.scoring.bucc import Mined, best_threshold, mine
from webfaq_eval.scoring.lareqa import same_language_bias
from webfaq_eval.scoring.protocols import TASKS, Question, evaluate, find_task


class Fixed(Encoder):
    """Gives each text the vector that a table has for it."""

    pooling, layer, normalize, similarity, max_length, dtype = (
        "none",
        None,
        False,
        "dot",
        None,
        "float32",
    )
    model = Model("fixed", "0" * 40, "random")

    def __init__(self, table: dict[str, Sequence[float]]) -> None:
        self.table = table

    def encode_body(self, texts: Sequence[str]) -> Any:
        return np.asarray([self.table[text] for text in texts], np.float32)


def fixed(table: dict[str, Sequence[float]], place: Path) -> Dense:
    return Dense(Fixed(table), Settings("fixed"), place)


def texts(rows: Sequence[tuple[str, str]], language: str = "deu") -> Texts:
    ids, words = zip(*rows, strict=True)
    size = len(rows)
    return Texts(
        list(ids),
        [""] * size,
        list(words),
        [language] * size,
        ["other"] * size,
        ["other"] * size,
        list(ids),
    )


def pairs(*rows: tuple[int, int]) -> Qrels:
    array = np.asarray(rows, np.int64)
    return Qrels(array[:, 0], array[:, 1], np.ones(len(array), np.int64))


def question(
    benchmark: Benchmark, subset: Subset, direction: str, retriever: Any, depth: int = 100
) -> Question:
    info = replace(subset.info, direction=direction)
    return Question(benchmark, info, subset.load(direction), retriever, depth)


@pytest.fixture
def chance(tmp_path: Path) -> Any:
    return open_retriever(Settings("random"), tmp_path)


def test_every_task_has_a_protocol_with_its_paper_s_metric() -> None:
    assert {task: entry.metric for task, entry in TASKS.items()} == {
        "tatoeba": "accuracy", "lareqa": "map_at_20", "mewslix": "map_at_20", "bucc": "f1",
        "webfaq": "ndcg_at_10",
    }  # fmt: skip
    assert find_task("tatoeba").directions == ("forward", "reverse")
    with pytest.raises(BenchmarkError, match="no protocol"):
        find_task("squad")


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_tatoeba_is_the_share_of_nearest_translations(
    bench_folder: Path, tmp_path: Path, direction: str
) -> None:
    """English 7 and 8 are one text: asking for 8 finds 7, whose id is smaller; the rest is right."""
    benchmark = open_benchmark(bench_folder)
    subset = benchmark.subset("tatoeba_deu")
    data = subset.load()
    eye = np.eye(24).tolist()
    table = dict(zip(data.queries.inputs, eye, strict=True))
    table |= {text: eye[7 if row == 8 else row] for row, text in enumerate(data.corpus.inputs)}
    table[data.queries.inputs[8]] = eye[7]
    outcome = evaluate(question(benchmark, subset, direction, fixed(table, tmp_path)))
    assert outcome.main.metric == "accuracy" and outcome.main.value == 23 / 24
    assert outcome.main.low < 23 / 24 < outcome.main.high
    if direction == "forward":
        assert outcome.scores["duplicate"]["accuracy"] == 1
    assert outcome.columns["official/accuracy"][8] == 0


def test_mrr_counts_ranks_below_the_depth(bench_folder: Path, chance: Any) -> None:
    benchmark = open_benchmark(bench_folder)
    subset = benchmark.subset("webfaq_deu")
    deep = evaluate(question(benchmark, subset, "forward", chance, 100)).scores["official"]
    cut = evaluate(question(benchmark, subset, "forward", chance, 3)).scores["official"]
    assert cut["mrr"] == pytest.approx(deep["mrr"], abs=1e-12)
    assert cut["recall_at_20"] < deep["recall_at_20"]


def test_lareqa_s_settings_are_narrower_views(bench_folder: Path, tmp_path: Path) -> None:
    """Two dimensions for the item, one for the language: own-language answers come first.

    With a language part of 10, a German question ranks the 24 German candidates above all others.
    """
    benchmark = open_benchmark(bench_folder)
    subset = benchmark.subset("lareqa_deu")
    data = subset.load()
    table = {}
    for side in (data.queries, data.corpus):
        for text, language, item in zip(side.inputs, side.languages, side.items, strict=True):
            angle = 2 * np.pi * int(item[-3:]) / 24
            part = [10.0 * (language == name) for name in ("deu", "eng", "swa")]
            table.setdefault(text, [np.cos(angle), np.sin(angle), *part])
    outcome = evaluate(question(benchmark, subset, "forward", fixed(table, tmp_path)))
    assert outcome.extra.settings is not None
    settings = asdict(outcome.extra.settings)
    assert settings["x_x_mono"] == settings["x_x"] == 1
    assert settings["x_y"] == 0  # the other languages' answers are below rank 20
    assert settings["by_language"] == {"deu": 1, "eng": 0, "swa": 0}
    assert outcome.main.value == pytest.approx(1 / 3)  # one of three right answers, at rank 1
    # All 19 wrong candidates of the first 20 are German; so are 23 of the pool's 69 wrong ones.
    assert outcome.extra.same_language_bias == pytest.approx(1 - 23 / 69)
    assert settings["en_en"] is None


def test_x_y_takes_other_right_answers_out_of_the_ranking(
    bench_folder: Path, tmp_path: Path
) -> None:
    benchmark = open_benchmark(bench_folder)
    subset = benchmark.subset("lareqa_eng")
    data = subset.load()
    eye = np.eye(24)
    weight = {"eng": 3.0, "deu": 2.0, "swa": 1.0}
    table = {
        text: eye[int(item[-3:])].tolist()
        for text, item in zip(data.queries.inputs, data.queries.items, strict=True)
    }
    for text, language, item in zip(
        data.corpus.inputs, data.corpus.languages, data.corpus.items, strict=True
    ):
        table.setdefault(text, (weight[language] * eye[int(item[-3:])]).tolist())
    outcome = evaluate(question(benchmark, subset, "forward", fixed(table, tmp_path)))
    # Each right answer is at rank 1 to 3, the others of them gone it is first in its language, but
    # for English: items 7 and 8 share their text, and the question of 8 has the vector of one of them.
    assert outcome.extra.settings.by_language["deu"] > 0.95
    assert outcome.extra.settings.en_en == outcome.extra.settings.x_x_mono


def test_the_bias_of_a_language_agnostic_ranking_is_zero() -> None:
    own = np.asarray([True, False] * 20)
    official = pairs((0, 0), (0, 1))
    assert same_language_bias(np.arange(22)[None, :], official, own) == pytest.approx(0)
    only_right = np.asarray([[0, 1]])
    assert same_language_bias(only_right, official, own) is None


def bucc_case() -> tuple[SubsetData, dict[str, Sequence[float]]]:
    """Three sources, three targets; s0-t0 and s1-t1 are gold, s2 (unpaired) is near t2."""
    table = {
        "s0": [1, 0, 0], "t0": [1, 0, 0], "s1": [0, 1, 0], "t1": [0, 0.8, 0.6],
        "s2": [0, 0, 1], "t2": [0.6, 0, 0.8],
    }  # fmt: skip
    data = SubsetData(
        corpus=texts([("t0", "t0"), ("t1", "t1"), ("t2", "t2")], "eng"),
        queries=texts([("s0", "s0"), ("s1", "s1")]),
        official=pairs((0, 0), (1, 1)),
        duplicate=pairs((0, 0), (1, 1)),
        unpaired=texts([("s2", "s2")]),
    )
    return data, table


def test_mining_by_ratio_margin_worked_by_hand(tmp_path: Path) -> None:
    """Cosines: s0: 1, 0, .6; s1: 0, .8, 0; s2: 0, .6, .8. Of three neighbours all count in a mean.

    Means of the sources: 1.6/3, .8/3, 1.4/3; of the targets: 1/3, 1.4/3, 1.4/3.
    Margins: s0-t0 1/(2.6/6), s1-t1 .8/(2.2/6), s2-t2 .8/(2.8/6).
    """
    data, table = bucc_case()
    mined = mine(data, fixed(table, tmp_path))
    assert mined.pairs.tolist() == [[0, 0], [1, 1], [2, 2]]
    assert mined.margins.tolist() == pytest.approx([6 / 2.6, 4.8 / 2.2, 4.8 / 2.8], rel=1e-6)
    threshold, f1 = best_threshold(mined)
    assert f1 == 1 and threshold == pytest.approx((4.8 / 2.2 + 4.8 / 2.8) / 2, rel=1e-6)


def test_sentences_that_occur_twice_are_not_predicted(tmp_path: Path) -> None:
    data, table = bucc_case()
    twice = SubsetData(
        data.corpus, texts([("s0", "s0"), ("s1", "s1"), ("x", "s0")]), data.official, data.official
    )
    assert mine(twice, fixed(table, tmp_path)).pairs.tolist() == [[1, 1]]


def test_a_sentence_is_mined_once() -> None:
    mined = Mined(
        texts([("a", "a"), ("b", "b")]),
        np.asarray([[0, 1], [1, 0]]),
        np.asarray([2.0, 1.0]),
        {(1, 0)},
    )
    threshold, f1 = best_threshold(mined)
    assert threshold == 1.0 and f1 == pytest.approx(2 / 3)
    nothing = Mined(mined.source, mined.pairs, mined.margins, {(5, 5)})
    assert best_threshold(nothing) == (0.0, 0.0)


def test_bucc_takes_its_threshold_from_validation_and_is_refused_without(
    bench_folder: Path, chance: Any, tmp_path: Path
) -> None:
    benchmark = open_benchmark(bench_folder)
    subset = benchmark.subset("bucc_deu_health")
    outcome = evaluate(question(benchmark, subset, "forward", chance))
    assert outcome.extra.threshold_from == "bucc_deu (validation)"
    assert outcome.main.low <= outcome.main.value <= outcome.main.high
    tests = tuple(one for one in benchmark.subsets if one.info.split == "test")
    benchmark = replace(benchmark, subsets=tests)
    with pytest.raises(BenchmarkError, match="may not be tuned on test"):
        evaluate(question(benchmark, subset, "forward", chance))


def test_f1_is_the_mean_over_predictions_and_gold_pairs(
    bench_folder: Path, sentence_model: Path, tmp_path: Path
) -> None:
    benchmark = open_benchmark(bench_folder)
    retriever = open_retriever(Settings(str(sentence_model), dtype="float32"), tmp_path)
    outcome = evaluate(question(benchmark, benchmark.subset("bucc_deu"), "forward", retriever))
    correct, predicted, gold = (
        outcome.columns[f"official/{n}"].sum() for n in ("correct", "predicted", "gold")
    )
    precision, recall = correct / predicted, correct / gold
    assert gold == 16
    assert outcome.main.value == pytest.approx(2 * precision * recall / (precision + recall))
    assert outcome.scores["official"]["recall"] == recall


@pytest.mark.needs("bm25")
def test_bm25_cannot_mine(bench_folder: Path, tmp_path: Path) -> None:
    benchmark = open_benchmark(bench_folder)
    bm25 = open_retriever(Settings("bm25"), tmp_path)
    with pytest.raises(ModelError, match="needs a dense model"):
        evaluate(question(benchmark, benchmark.subset("bucc_deu"), "forward", bm25))
