"""Results of an invented model on the tiny data set: rankings by chance, scored by the real metrics.

    from tinyresults import write_results
    folder = write_results(tmp_path / "results", bench_folder, "good", skill=2.0)

`skill` is how far a right candidate's score lies above the others', in standard deviations. BUCC's
mined pairs have a writer of their own.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from webfaq_eval.benchmark.folder import SubsetData, open_benchmark
from webfaq_eval.identity import Model, Protocol
from webfaq_eval.results import Counts, Headline, Result, write_result
from webfaq_eval.scoring.metrics import judge, per_query
from webfaq_eval.statistics.intervals import cluster_bootstrap

PROTOCOL = Protocol(
    pooling="mean", layer=None, normalize=True, similarity="cosine", query_prefix="query: ",
    passage_prefix="passage: ", max_length=64, dtype="float32", pool="full", depth=100,
)  # fmt: skip
MAIN = {
    "tatoeba": "accuracy",
    "lareqa": "map_at_20",
    "mewslix": "map_at_20",
    "webfaq": "ndcg_at_10",
}


def ranking(data: SubsetData, skill: float, rng: np.random.Generator) -> tuple[Any, Any]:
    """Return candidate rows and scores (queries, depth), best first, ties to the smaller id."""
    scores = rng.normal(size=(len(data.queries), len(data.corpus)))
    scores[data.official.query, data.official.corpus] += skill
    scores = scores.astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")[:, : PROTOCOL.depth]
    return order, np.take_along_axis(scores, order, axis=1)


def write_results(
    root: Path, bench: Path, name: str, skill: float = 1.5, patterns: tuple[str, ...] = ()
) -> Path:
    """Write results on every subset but BUCC's, Tatoeba in both directions; return the model's folder."""
    opened = open_benchmark(bench)
    model = Model(name, hashlib.sha1(name.encode()).hexdigest(), "random", 16, 1000)
    rng = np.random.default_rng(sum(name.encode()))
    path = root
    for subset in opened.select(patterns):
        if subset.info.task == "bucc":
            continue
        for direction in ("forward", "reverse") if subset.info.task == "tatoeba" else ("forward",):
            data = subset.load(direction)
            order, scores = ranking(data, skill, rng)
            kinds = {"official": data.official}
            if data.has_duplicates:
                kinds["duplicate"] = data.duplicate
            values = {k: per_query(judge(order, q, len(data.corpus))) for k, q in kinds.items()}
            metric = MAIN[subset.info.task]
            ends = cluster_bootstrap(values["official"][metric], data.queries.items, samples=200)
            means = {k: {m: float(v.mean()) for m, v in one.items()} for k, one in values.items()}
            result = Result(
                model,
                PROTOCOL,
                opened.id,
                replace(subset.info, direction=direction),
                Counts(len(data.queries), len(data.corpus), len(set(data.queries.items))),
                Headline(metric, means["official"][metric], *ends),
                means,
                versions={"webfaq_eval": "0.1.0"},
                seconds={"encode": 1.0, "search": 0.5},
            )
            ids = np.asarray(data.corpus.ids)
            table = pa.table(
                {
                    "query-id": data.queries.ids,
                    "item": data.queries.items,
                    **{f"{k}/{m}": v for k, one in values.items() for m, v in one.items()},
                    "run_ids": pa.array(ids[order].tolist(), pa.list_(pa.string())),
                    "run_scores": pa.array(scores.tolist(), pa.list_(pa.float32())),
                }
            )
            path = write_result(root, result, table)
    return path.parents[2]


def write_bucc(root: Path, bench: Path, name: str, hits: int) -> Path:
    """Write a BUCC result as the miner does: some pairs right, two wrong, the rest below the threshold."""
    opened = open_benchmark(bench)
    subset = opened.subset("bucc_deu")
    data = subset.load()
    right = dict(zip(data.official.query.tolist(), data.official.corpus.tolist(), strict=True))
    n = len(data.queries)
    wrong = range(hits, hits + 2)
    found = [(right[row] + (row in wrong)) % n for row in range(n)]
    predicted = (np.arange(n) < hits + 2).astype(np.float64)
    correct = (np.arange(n) < hits).astype(np.float64)
    f1 = float(2 * hits / (predicted.sum() + n))
    result = Result(
        Model(name, hashlib.sha1(name.encode()).hexdigest(), "random", 16, 1000),
        PROTOCOL,
        opened.id,
        subset.info,
        Counts(n, len(data.corpus), n),
        Headline("f1", f1, max(0, f1 - 0.1), min(1, f1 + 0.05)),
        {"official": {"f1": f1, "precision": hits / (hits + 2), "recall": hits / n}},
    )
    columns = {
        "query-id": data.queries.ids,
        "item": data.queries.items,
        "official/correct": correct,
        "official/predicted": predicted,
        "official/gold": np.ones(n),
        "run_ids": pa.array([[data.corpus.ids[row]] for row in found], pa.list_(pa.string())),
        "run_scores": pa.array([[1.0]] * n, pa.list_(pa.float32())),
    }
    return write_result(root, result, pa.table(columns)).parents[2]
