"""The common part of all protocols: rank, judge, average, with an interval over items."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from webfaq_eval.benchmark.folder import Benchmark
from webfaq_eval.benchmark.search import Ints, Run
from webfaq_eval.benchmark.subset import Qrels, SubsetData, Texts
from webfaq_eval.errors import BenchmarkError
from webfaq_eval.identity import SubsetInfo
from webfaq_eval.models.retrievers import Retriever
from webfaq_eval.results import Extra, Headline
from webfaq_eval.scoring.metrics import MIN_DEPTH, judge, per_query
from webfaq_eval.statistics.intervals import cluster_bootstrap

Floats = npt.NDArray[np.float64]
#: The intervals are the same on every run and machine.
SEED = 0


@dataclass(frozen=True)
class Question:
    """One thing to score: a subset's data in one direction, by one retriever.

    `benchmark` is the whole data set: BUCC takes its threshold from the validation part.
    """

    benchmark: Benchmark
    subset: SubsetInfo
    data: SubsetData
    retriever: Retriever
    depth: int = MIN_DEPTH


@dataclass(frozen=True)
class Outcome:
    """What a protocol found: `asked` are the rows of the per-query table, `columns` its metrics."""

    main: Headline
    asked: Texts
    corpus: Texts
    columns: dict[str, Floats]
    scores: dict[str, dict[str, float]]
    run: Run
    extra: Extra = field(default_factory=Extra)


Evaluate = Callable[[Question], Outcome]


class Task(NamedTuple):
    """How a task is scored; `module` has an `evaluate` of its own where ranking is not all."""

    metric: str
    directions: tuple[str, ...] = ("forward",)
    module: str | None = None


#: Every task. One that ranks and averages is one line here:
#:
#: * Tatoeba: is the translation the nearest sentence of the other language? `forward` is X to
#:   English, as LASER and mteb report it and as XTREME words it; `reverse` is English to X, the
#:   direction of XTREME's code (third_party/utils_retrieve.py: the index holds the foreign side).
#: * Mewsli-X: a mention in a news article, entities of all languages in one pool. One entity is
#:   right for a mention, so mAP@20 is MRR@20 (Ruder et al. 2021, XTREME-R).
#: * WebFAQ: a question, the answers of its language in one pool (Dinzinger et al. 2025).
TASKS = {
    "tatoeba": Task("accuracy", ("forward", "reverse")),
    "lareqa": Task("map_at_20", module="webfaq_eval.scoring.lareqa"),
    "mewslix": Task("map_at_20"),
    "bucc": Task("f1", module="webfaq_eval.scoring.bucc"),
    "webfaq": Task("ndcg_at_10"),
}


def find_task(name: str) -> Task:
    """Return how a task is scored.

    :raises BenchmarkError: if the task is not known.
    """
    if name not in TASKS:
        raise BenchmarkError(f"task {name!r} has no protocol; known are {', '.join(TASKS)}")
    return TASKS[name]


def evaluate(question: Question) -> Outcome:
    """Score one question by its task's protocol."""
    task = find_task(question.subset.task)
    if task.module is None:
        return retrieve(question, task.metric)
    found: Evaluate = import_module(task.module).evaluate
    return found(question)


def retrieve(question: Question, metric: str) -> Outcome:
    """Rank every candidate for every query; score against official and duplicate judgements."""
    data, retriever = question.data, question.retriever
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
            deeper = retriever.first_ranks([asked[i] for i in lost], pool, _only(qrels, lost))
            # The run says that it is not among the first; a second product may differ in its last bit.
            first[lost] = np.maximum(deeper, run.rows.shape[1] + 1)
        columns |= {f"{kind}/{name}": found for name, found in per_query(judged, first).items()}
    main = headline(metric, columns[f"official/{metric}"], data.queries.items)
    return Outcome(main, data.queries, data.corpus, columns, means(columns), run)


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
