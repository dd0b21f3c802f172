"""Score a model on the subsets of a data set: result files, each with its per-query table."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from tqdm import tqdm

from webfaq_eval.benchmark.folder import Benchmark, Subset, open_benchmark
from webfaq_eval.errors import EvalError, ResultError
from webfaq_eval.identity import Protocol
from webfaq_eval.models.encoder import Settings
from webfaq_eval.models.retrievers import Retriever, open_retriever
from webfaq_eval.results import (
    Counts,
    IndexLoss,
    LayerSweep,
    Result,
    Setup,
    read_queries,
    read_result,
    subset_json,
    write_result,
)
from webfaq_eval.scoring.metrics import MIN_DEPTH
from webfaq_eval.scoring.protocols import Outcome, Question, evaluate, find_task

#: Packages whose version can change a score.
_PACKAGES = (
    "webfaq-eval",
    "numpy",
    "torch",
    "transformers",
    "sentence-transformers",
    "bm25s",
    "faiss-cpu",
)


@dataclass(frozen=True)
class Request:
    """What to score and where to put it. `patterns`: globs over subset names, none for all.

    `layer_sweep` goes into each result: how the layer was chosen.
    """

    settings: Settings
    benchmark: str
    out: Path
    patterns: tuple[str, ...] = ()
    pool: str = "full"
    split: str = "test"
    depth: int = MIN_DEPTH
    index: str = "exact"
    vectors: Path | None = None
    layer_sweep: LayerSweep | None = None

    @property
    def store(self) -> Path:
        return self.vectors or self.out.with_name(self.out.name + ".vectors")


@dataclass
class Scored:
    """The results of a request, as files; `kept` were there before with the same hashes."""

    out: Path
    results: list[tuple[Path, Result]] = field(default_factory=list)
    kept: int = 0
    layer_sweep: LayerSweep | None = None

    def to_json(self) -> dict[str, Any]:
        listed = [
            {
                "path": str(path),
                "subset": subset_json(result.subset),
                "n": asdict(result.n),
                "main": asdict(result.main),
            }
            for path, result in self.results
        ]
        sweep = {"layer_sweep": asdict(self.layer_sweep)} if self.layer_sweep else {}
        return {"out": str(self.out), "kept": self.kept, "results": listed, **sweep}

    def text(self) -> str:
        lines = [f"{'subset':<36} {'metric':<12} {'score':>7}  95 % interval   queries"]
        for _, result in self.results:
            name, main = result.subset.name, result.main
            if result.subset.direction != "forward":
                name += " " + result.subset.direction
            lines.append(
                f"{name:<36} {main.metric:<12} {100 * main.value:7.2f}  "
                f"{100 * main.low:5.1f} to {100 * main.high:5.1f}  {result.n.queries:>7,}"
            )
        lines.append(f"{len(self.results)} results in {self.out} ({self.kept} were there already)")
        return "\n".join(lines)


def score(request: Request, quiet: bool = False, retriever: Retriever | None = None) -> Scored:
    """Score every chosen subset; a result that is there with the same hashes is not made again.

    A `retriever` that is open already must be the one of the settings.

    >>> request = Request(Settings("random"), benchmark, Path("scores"), patterns=("webfaq_deu",))
    >>> print(score(request, quiet=True).text())  # doctest: +ELLIPSIS
    subset                               metric         score  95 % interval   queries
    webfaq_deu                           ndcg_at_10 ...
    1 results in scores (0 were there already)

    :raises EvalError: if the data set, the model or a text cannot be used; results already written
        stay, and nothing is half-written.
    """
    if request.depth < MIN_DEPTH:
        raise EvalError(f"--depth {request.depth}: recall@{MIN_DEPTH} needs {MIN_DEPTH} or more")
    benchmark = open_benchmark(request.benchmark)
    wanted = [
        (subset, replace(subset.info, direction=direction))
        for subset in choose_subsets(benchmark, request)
        for direction in find_task(subset.info.task).directions
    ]
    if retriever is None:
        retriever = open_retriever(request.settings, request.store, request.index, quiet)
    protocol = Protocol(**retriever.usage, pool=request.pool, depth=request.depth)
    setup = Setup(retriever.model, benchmark.id, protocol)
    scored = Scored(request.out, layer_sweep=request.layer_sweep)
    for subset, info in tqdm(wanted, desc="score", unit="subset", disable=quiet):
        path = setup.path(request.out, info)
        there = _read(path)
        if there is None:
            data = subset.load(info.direction)
            there = _make(request, setup, Question(benchmark, info, data, retriever, request.depth))
        else:
            scored.kept += 1
        scored.results.append((path, there))
    return scored


def choose_subsets(benchmark: Benchmark, request: Request) -> list[Subset]:
    """Return the subsets that match the globs and the pool.

    :raises EvalError: if none is left.
    """
    found = benchmark.select(request.patterns, request.split)
    found = [subset for subset in found if subset.info.pool == request.pool]
    if not found:
        raise EvalError(
            f"no {request.split} subset of {benchmark.folder} with the {request.pool} pool matches "
            f"{list(request.patterns) or 'anything'}; try the other --pool"
        )
    return found


def _read(path: Path) -> Result | None:
    """Return the result that is there; None if there is none or it is broken, which is said."""
    if not path.exists():
        return None
    try:
        read_queries(path)
        return read_result(path)
    except ResultError as error:
        tqdm.write(f"made again: {error}")
        return None


def _make(request: Request, setup: Setup, question: Question) -> Result:
    """Score one question and write its files."""
    retriever, info = question.retriever, question.subset
    before = dict(retriever.seconds)
    outcome = evaluate(question)
    extra = replace(outcome.extra, layer_sweep=request.layer_sweep)
    if request.index != "exact":
        extra = replace(extra, index=IndexLoss(request.index, retriever.losses[-1]))
    result = Result(
        model=setup.model,
        protocol=setup.protocol,
        benchmark=setup.benchmark,
        subset=info,
        n=Counts(len(outcome.asked), len(outcome.corpus), len(set(outcome.asked.items))),
        main=outcome.main,
        scores=outcome.scores,
        extra=extra,
        versions=_versions(),
        seconds={name: round(now - before[name], 3) for name, now in retriever.seconds.items()},
    )
    write_result(request.out, result, _table(outcome))
    return result


def _table(outcome: Outcome) -> pa.Table:
    """Return a row for each query: its id, item, metrics, and its run as ids and scores."""
    names = np.asarray(outcome.corpus.ids, dtype=object)
    ids, scores = [], []
    for rows, values in zip(outcome.run.rows, outcome.run.scores, strict=True):
        there = rows >= 0
        ids.append(names[rows[there]].tolist())
        scores.append(values[there].tolist())
    columns: dict[str, Any] = {"query-id": outcome.asked.ids, "item": outcome.asked.items}
    columns |= {name: pa.array(values, pa.float64()) for name, values in outcome.columns.items()}
    columns["run_ids"] = pa.array(ids, pa.list_(pa.string()))
    columns["run_scores"] = pa.array(scores, pa.list_(pa.float32()))
    return pa.table(columns)


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
