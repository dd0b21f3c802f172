"""TREC runs: `query Q0 candidate rank score tag`, one file a subset, and judgements beside them."""

from __future__ import annotations

import numpy as np

from webfaq_domains.ground.files import write_text
from webfaq_eval.benchmark.folder import Benchmark
from webfaq_eval.errors import ResultError
from webfaq_eval.export.base import Exported, Found, Request, benchmark_of, run_of
from webfaq_eval.results import Result


def write(request: Request, results: list[Found]) -> Exported:
    """Write a run for each result, under model, benchmark and protocol as the results are.

    Where the data set is named, its judgements lie beside each run as `.qrels`. Those of a reverse
    direction are not the data set's own files: an evaluator that is given these finds nothing right.
    """
    done = Exported()
    benchmark: Benchmark | None = None
    for path, result in results:
        tag = result.model.folder
        folder = request.out / tag / result.benchmark.revision[:12] / result.protocol.hash[:12]
        lines = []
        for query, candidates, scores in run_of(path):
            for rank, (found, score) in enumerate(
                zip(candidates, falling(scores), strict=True), start=1
            ):
                lines.append(f"{_plain(query)} Q0 {_plain(found)} {rank} {score!s} {tag}\n")
        target = folder / f"{path.stem}.run"
        write_text(target, "".join(lines))
        done.files.append(target)
        if request.benchmark is not None:
            benchmark = benchmark or benchmark_of(request, result, "judgements are the data set's")
            write_text(target.with_suffix(".qrels"), judgements(benchmark, result))
            done.files.append(target.with_suffix(".qrels"))
    turned = sum(result.subset.direction != "forward" for _, result in results)
    if turned and request.benchmark is None:
        done.left_out.append(
            f"the judgements of {turned} reverse runs: those of the data set have queries and "
            "candidates the other way round; name it with --benchmark to have them written turned"
        )
    return done


def judgements(benchmark: Benchmark, result: Result) -> str:
    """Return the official judgements of a result's subset and direction, `query 0 candidate grade`."""
    subset = result.subset
    data = benchmark.subset(subset.name, subset.split).load(subset.direction)
    qrels = data.official
    return "".join(
        f"{_plain(data.queries.ids[query])} 0 {_plain(data.corpus.ids[found])} {grade}\n"
        for query, found, grade in zip(qrels.query, qrels.corpus, qrels.grade, strict=True)
    )


def falling(scores: list[float]) -> list[np.float32]:
    """Return the scores, each at least one float32 step below the one before.

    trec_eval orders by score, and equal scores by the larger id, where we take the smaller. Lowering a
    score by the smallest step keeps our order; it changes the seventh digit of ties alone.
    """
    lowered: list[np.float32] = []
    for score in np.asarray(scores, dtype=np.float32):
        if lowered and score >= lowered[-1]:
            score = np.nextafter(lowered[-1], np.float32(-np.inf))
        lowered.append(score)
    return lowered


def _plain(name: str) -> str:
    if not name or any(letter.isspace() for letter in name):
        raise ResultError(f"the id {name!r} is empty or has a space, which a TREC run cannot hold")
    return name
