"""The common part of all protocols: rank, judge, average, with an interval over items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_eval.benchmark.folder import Benchmark, Qrels, Subset, SubsetData, Texts
from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.errors import BenchmarkError
from webfaq_eval.models.base import Retriever
from webfaq_eval.results import Headline
from webfaq_eval.scoring.metrics import MIN_DEPTH, judge, per_query
from webfaq_eval.statistics.intervals import cluster_bootstrap

Floats = npt.NDArray[np.float64]
#: The intervals are the same on every run and machine.
SEED = 0


@dataclass(frozen=True)
class Question:
    """One thing to score: a subset of a data set in one direction, by one retriever."""

    benchmark: Benchmark
    subset: Subset
    direction: str
    retriever: Retriever
    depth: int = MIN_DEPTH

    def load(self) -> SubsetData:
        return self.subset.load(self.direction)


@dataclass(frozen=True)
class Outcome:
    """What a protocol found: `asked` are the rows of the per-query table, `columns` its metrics."""

    main: Headline
    asked: Texts
    corpus: Texts
    columns: dict[str, Floats]
    scores: dict[str, dict[str, float]]
    run: Run
    extra: dict[str, Any] = field(default_factory=dict)


Evaluate = Callable[[Question], Outcome]
#: Task -> (headline metric, directions, module of its own protocol if it has one).
#: A task that ranks and averages is one line here:
#:
#: * Tatoeba: is the translation the nearest sentence of the other language? `forward` is X to
#:   English, as LASER and mteb report it and as XTREME words it; `reverse` is English to X, the
#:   direction of XTREME's code (third_party/utils_retrieve.py: the index holds the foreign side).
#: * Mewsli-X: a mention in a news article, entities of all languages in one pool. One entity is
#:   right for a mention, so mAP@20 is MRR@20 (Ruder et al. 2021, XTREME-R).
#: * WebFAQ: a question, the answers of its language in one pool (Dinzinger et al. 2025).
PROTOCOLS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "tatoeba": ("accuracy", ("forward", "reverse"), None),
    "lareqa": ("map_at_20", ("forward",), "webfaq_eval.scoring.lareqa"),
    "mewslix": ("map_at_20", ("forward",), None),
    "bucc": ("f1", ("forward",), "webfaq_eval.scoring.bucc"),
    "webfaq": ("ndcg_at_10", ("forward",), None),
}


def directions(task: str) -> tuple[str, ...]:
    """Return the directions in which a task is scored.

    :raises BenchmarkError: if the task is not known.
    """
    if task not in PROTOCOLS:
        raise BenchmarkError(f"task {task!r} has no protocol; known are {', '.join(PROTOCOLS)}")
    return PROTOCOLS[task][1]


def evaluate(question: Question) -> Outcome:
    """Score one question by its task's protocol."""
    directions(question.subset.task)
    metric, _, module = PROTOCOLS[question.subset.task]
    if module is None:
        return retrieve(question, metric)[0]
    found: Evaluate = import_module(module).evaluate
    return found(question)


def retrieve(question: Question, metric: str) -> tuple[Outcome, SubsetData]:
    """Rank every candidate for every query; score against official and duplicate judgements."""
    data, retriever = question.load(), question.retriever
    asked, pool = data.queries.inputs, data.corpus.inputs
    run = retriever.search(asked, pool, question.depth)
    kinds = {"official": data.official}
    if data.has_duplicates:
        kinds["duplicate"] = data.duplicate
    columns: dict[str, Floats] = {}
    for kind, qrels in kinds.items():
        judged = judge(run.rows, qrels, len(data.corpus))
        first = judged.first
        lost = np.flatnonzero(first == 0)
        if len(lost):
            first = first.copy()
            first[lost] = retriever.first_ranks([asked[i] for i in lost], pool, _only(qrels, lost))
        columns |= {f"{kind}/{name}": found for name, found in per_query(judged, first).items()}
    main = headline(metric, columns[f"official/{metric}"], data.queries.items)
    return Outcome(main, data.queries, data.corpus, columns, means(columns), run), data


def means(columns: dict[str, Floats]) -> dict[str, dict[str, float]]:
    """Return kind -> metric -> mean over queries."""
    scores: dict[str, dict[str, float]] = {}
    for name, values in columns.items():
        kind, _, metric = name.partition("/")
        scores.setdefault(kind, {})[metric] = float(values.mean())
    return scores


def headline(metric: str, values: Floats, items: list[str]) -> Headline:
    """Return the mean with its 95 % interval; queries of one item are resampled together."""
    low, high = cluster_bootstrap(values, items, seed=SEED)
    return Headline(metric, float(values.mean()), float(low), float(high))


def _only(qrels: Qrels, queries: Ints) -> Qrels:
    """Return the judgements of some queries, numbered anew in their order."""
    kept = qrels.where(np.isin(qrels.query, queries))
    return Qrels(np.searchsorted(queries, kept.query), kept.corpus, kept.grade)
