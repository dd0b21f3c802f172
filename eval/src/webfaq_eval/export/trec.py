"""TREC runs: `query Q0 candidate rank score tag`, one file a subset, and judgements beside them."""

from __future__ import annotations

from collections.abc import Iterator

from webfaq_domains.ground.trec import qrels_lines, run_lines, write_lines
from webfaq_eval.benchmark.folder import Benchmark
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
        target = folder / f"{path.stem}.run"
        write_lines(target, run_lines(run_of(path), tag))
        done.files.append(target)
        if request.benchmark is not None:
            benchmark = benchmark or benchmark_of(request, result, "judgements are the data set's")
            write_lines(target.with_suffix(".qrels"), judgements(benchmark, result))
            done.files.append(target.with_suffix(".qrels"))
    turned = sum(result.subset.direction != "forward" for _, result in results)
    if turned and request.benchmark is None:
        done.left_out.append(
            f"the judgements of {turned} reverse runs: those of the data set have queries and "
            "candidates the other way round; name it with --benchmark to have them written turned"
        )
    return done


def judgements(benchmark: Benchmark, result: Result) -> Iterator[str]:
    """Return the lines of the official judgements of a result's subset and direction."""
    subset = result.subset
    data = benchmark.subset(subset.name, subset.split).load(subset.direction)
    qrels = data.official
    rows = zip(qrels.query, qrels.corpus, qrels.grade, strict=True)
    queries, candidates = data.queries.ids, data.corpus.ids
    return qrels_lines((queries[query], candidates[found], grade) for query, found, grade in rows)
