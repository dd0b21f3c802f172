"""BUCC 2018: mine the translation pairs of two texts, F1 (Zweigenbaum et al. 2018).

As XTREME does it (third_party/utils_retrieve.py, after Artetxe and Schwenk 2019): equal sentences of a
side are one; each sentence's 4 nearest neighbours on the other side, both ways; ratio margin
cos(x, y) / ((mean of x's neighbours + mean of y's neighbours) / 2); the best partner of every sentence
of either side, taken by falling margin while both sentences are free (`retrieval='max'`); pairs
below a threshold are dropped, and pairs with a sentence that occurs twice on its side. The threshold
is the best one on the *validation* part and never sees a test pair.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from webfaq_eval.benchmark.folder import Subset
from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.benchmark.subset import SubsetData, Texts
from webfaq_eval.errors import BenchmarkError, ModelError
from webfaq_eval.models.retrievers import Dense, Retriever
from webfaq_eval.results import Extra, Headline
from webfaq_eval.scoring.protocols import SEED, Floats, Outcome, Question
from webfaq_eval.statistics.intervals import cluster_bootstrap

NEIGHBOURS = 4


@dataclass(frozen=True)
class Mined:
    """Candidate pairs by falling margin; rows of `source` (queries, then unpaired) and of the corpus."""

    source: Texts
    pairs: Ints
    margins: Floats
    gold: set[tuple[int, int]]

    @property
    def right(self) -> Floats:
        return np.asarray([tuple(pair) in self.gold for pair in self.pairs.tolist()], np.float64)


def evaluate(question: Question) -> Outcome:
    """Return F1 at the threshold that is best on the validation part."""
    dev = _validation(question)
    threshold, dev_f1 = best_threshold(mine(dev.load(), question.retriever))
    data = question.data
    mined = mine(data, question.retriever)
    kept = mined.margins >= threshold
    pairs, right = mined.pairs[kept], mined.right[kept] > 0
    columns = _columns(mined, pairs, right)
    correct, predicted, gold = (
        columns[f"official/{name}"] for name in ("correct", "predicted", "gold")
    )
    f1 = float(2 * correct.sum() / (predicted.sum() + gold.sum()))
    found = {
        "f1": f1,
        "precision": float(correct.sum() / predicted.sum()) if predicted.sum() else 0.0,
        "recall": float(correct.sum() / gold.sum()),
    }
    extra = Extra(
        threshold=threshold, threshold_from=f"{dev.info.name} ({dev.info.split})", dev_f1=dev_f1,
        margin="ratio", neighbours=NEIGHBOURS, retrieval="max", mined=len(pairs),
        gold=len(mined.gold),
    )  # fmt: skip
    return Outcome(
        _headline(f1, columns, mined.source.items), mined.source, data.corpus, columns,
        {"official": found}, _run(mined), extra,
    )  # fmt: skip


def _validation(question: Question) -> Subset:
    """Return the validation part of the whole language, from which every domain takes its threshold.

    :raises BenchmarkError: if there is none: a threshold tuned on test would be no test.
    """
    name = f"bucc_{question.subset.language}"
    for subset in question.benchmark.subsets:
        if subset.info.name == name and subset.info.split == "validation":
            return subset
    raise BenchmarkError(
        f"{question.benchmark.folder} has no validation part of {name}: BUCC's threshold may not be "
        "tuned on test; build the data set with BUCC's sample files"
    )


def mine(data: SubsetData, retriever: Retriever) -> Mined:
    """Return all candidate pairs, each sentence at most once, with their ratio margins.

    :raises ModelError: if the retriever has no vectors.
    """
    if not isinstance(retriever, Dense):
        raise ModelError(
            f"{retriever.model.name} has no vectors: BUCC's margin needs a dense model"
        )
    source = _joined(data)
    source_rows, source_once = _unified(source.inputs)
    corpus_rows, corpus_once = _unified(data.corpus.inputs)
    one = [source.inputs[row] for row in source_rows]
    two = [data.corpus.inputs[row] for row in corpus_rows]
    forward = retriever.search(one, two, NEIGHBOURS)
    backward = retriever.search_back(two, one, NEIGHBOURS)
    near, far = forward.scores.astype(np.float64), backward.scores.astype(np.float64)
    mean_one, mean_two = near.mean(axis=1), far.mean(axis=1)
    ahead = near / ((mean_one[:, None] + mean_two[forward.rows]) / 2)
    behind = far / ((mean_two[:, None] + mean_one[backward.rows]) / 2)
    chosen, margins = _greedy(forward.rows, ahead, backward.rows, behind)
    pairs = np.stack([source_rows[chosen[:, 0]], corpus_rows[chosen[:, 1]]], axis=1)
    once = source_once[chosen[:, 0]] & corpus_once[chosen[:, 1]] & (margins > 0)
    gold = set(zip(data.official.query.tolist(), data.official.corpus.tolist(), strict=True))
    return Mined(source, pairs[once], margins[once], gold)


def _joined(data: SubsetData) -> Texts:
    rest = data.unpaired
    if rest is None:
        return data.queries
    names = ("ids", "titles", "texts", "languages", "domains", "memberships", "items")
    return Texts(*(getattr(data.queries, name) + getattr(rest, name) for name in names))


def _unified(texts: list[str]) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Return the first row of each distinct text, and whether the text occurs only once."""
    count: dict[str, int] = {}
    first: dict[str, int] = {}
    for row, text in enumerate(texts):
        count[text] = count.get(text, 0) + 1
        first.setdefault(text, row)
    once = np.asarray([count[text] == 1 for text in first], np.bool_)
    return np.fromiter(first.values(), np.int64, len(first)), once


def _greedy(ahead: Ints, forward: Floats, behind: Ints, backward: Floats) -> tuple[Ints, Floats]:
    """Take the best partner of each sentence by falling margin, while both are free."""
    one, two = np.arange(len(ahead)), np.arange(len(behind))
    best, other = ahead[one, forward.argmax(axis=1)], behind[two, backward.argmax(axis=1)]
    pairs = np.stack([np.concatenate([one, other]), np.concatenate([best, two])], axis=1)
    margins = np.concatenate([forward.max(axis=1), backward.max(axis=1)])
    taken_one, taken_two, kept = set[int](), set[int](), []
    for row in np.lexsort((pairs[:, 1], pairs[:, 0], -margins)).tolist():
        source, target = pairs[row].tolist()
        if source not in taken_one and target not in taken_two:
            taken_one.add(source)
            taken_two.add(target)
            kept.append(row)
    return pairs[kept], margins[kept]


def best_threshold(mined: Mined) -> tuple[float, float]:
    """Return the threshold of the highest F1 and that F1.

    It lies midway between the last margin that is kept and the next. Where no mined pair is right it
    is 0, as in XTREME's code: every pair is kept.
    """
    correct = mined.right.cumsum()
    f1 = 2 * correct / (np.arange(1, len(correct) + 1) + len(mined.gold))
    if not len(f1) or f1.max() == 0:
        return 0.0, 0.0
    at = int(f1.argmax())
    following = mined.margins[min(at + 1, len(f1) - 1)]
    return float((mined.margins[at] + following) / 2), float(f1[at])


def _columns(
    mined: Mined, pairs: Ints, right: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> dict[str, Floats]:
    columns = {
        f"official/{n}": np.zeros(len(mined.source)) for n in ("correct", "predicted", "gold")
    }
    columns["official/predicted"][pairs[:, 0]] = 1
    columns["official/correct"][pairs[right, 0]] = 1
    np.add.at(columns["official/gold"], [source for source, _ in mined.gold], 1)
    return columns


def _headline(f1: float, columns: dict[str, Floats], items: list[str]) -> Headline:
    """Return F1 with its interval. F1 is a mean: over predictions and gold pairs, of being right."""
    correct = columns["official/correct"]
    claims = (columns["official/predicted"] + columns["official/gold"]).astype(np.int64)
    names = np.repeat(np.asarray(items, dtype=object), claims)
    low, high = cluster_bootstrap(np.repeat(correct, claims), names, seed=SEED)
    return Headline("f1", f1, min(float(low), f1), max(float(high), f1))


def _run(mined: Mined) -> Run:
    """Return the mined partner of each source sentence before the threshold, at most one."""
    run = Run(
        np.full((len(mined.source), 1), -1, np.int64),
        np.full((len(mined.source), 1), -np.inf, np.float32),
    )
    run.rows[mined.pairs[:, 0], 0] = mined.pairs[:, 1]
    run.scores[mined.pairs[:, 0], 0] = mined.margins
    return run
