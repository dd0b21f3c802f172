"""Measure scoring beside mteb, and the search beside the machine's matrix product.

    python perf/score.py MODEL BENCHMARK [SUBSET …] [--repeats 3] [--candidates 200000] [--queries 1024]

MODEL is a sentence-transformers folder, BENCHMARK a staged folder. Both sides read the same texts
without prefix, from nothing: no stored vectors, no results. mteb runs its own evaluator over
`webfaq_eval.export.mteb_tasks` with its defaults (sentence-transformers, batches of 32). Times are CPU
seconds of the process, so that other work on the machine counts little; runs alternate and the best
of each side counts. Set OMP_NUM_THREADS and OPENBLAS_NUM_THREADS alike.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from webfaq_eval.benchmark.search import _CORPUS, _QUERIES, search
from webfaq_eval.export.mteb_tasks import retrieval_tasks
from webfaq_eval.models.encoder import Settings
from webfaq_eval.scoring.score import Request, score

PAIRS = {"ndcg_at_10": "ndcg_at_10", "recall_at_10": "recall_at_10", "trec_map_at_20": "map_at_20"}


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def run_ours(arguments, dtype: str) -> tuple[float, dict]:
    """Score once with nothing stored; return CPU seconds and (subset, direction) -> scores."""
    with tempfile.TemporaryDirectory() as place:
        request = Request(
            Settings(arguments.model, dtype=dtype), arguments.benchmark, Path(place) / "results",
            tuple(arguments.subset),
        )  # fmt: skip
        start = time.process_time()
        done = score(request, quiet=True)
        spent = time.process_time() - start
    found = {(r.subset.name, r.subset.direction): r.scores["official"] for _, r in done.results}
    return spent, found


def run_mteb(arguments) -> tuple[float, float, dict]:
    """Let mteb score once; return its CPU seconds, those of encoding alone, and its scores."""
    import mteb
    from sentence_transformers import SentenceTransformer

    start = time.process_time()
    model = SentenceTransformer(arguments.model, device="cpu", local_files_only=True)
    encoding, encode = 0.0, model.encode

    def timed(*args, **kwargs):
        nonlocal encoding
        begun = time.process_time()
        vectors = encode(*args, **kwargs)
        encoding += time.process_time() - begun
        return vectors

    model.encode = timed
    tasks = []
    for task in retrieval_tasks(arguments.benchmark):
        names = [name for name in arguments.subset if name in task.metadata.eval_langs]
        if names:
            tasks.append(task().filter_languages(None, hf_subsets=names))
    done = mteb.evaluate(model, tasks, cache=None, show_progress_bar=False)
    spent = time.process_time() - start
    found = {}
    for one in done.task_results:
        direction = "reverse" if one.task_name.endswith("Reverse") else "forward"
        found |= {(entry["hf_subset"], direction): entry for entry in one.scores["test"]}
    return spent, encoding, found


def beside_mteb(arguments) -> None:
    times: dict[str, list[float]] = {}
    scores = {}
    for _ in range(arguments.repeats):
        for dtype in ("float32", "auto"):
            spent, scores[dtype] = run_ours(arguments, dtype)
            times.setdefault(dtype, []).append(spent)
        spent, encoding, theirs = run_mteb(arguments)
        times.setdefault("mteb", []).append(spent)
        times.setdefault("mteb encode", []).append(encoding)
    print(
        "CPU seconds, best of",
        arguments.repeats,
        {name: round(min(t), 1) for name, t in times.items()},
    )
    for dtype in ("float32", "auto"):
        gaps = [
            abs(scores[dtype][key][ours] - theirs[key][name])
            for key in theirs
            for ours, name in PAIRS.items()
        ]
        whole, encode = (min(times[name]) / min(times[dtype]) for name in ("mteb", "mteb encode"))
        print(
            f"{dtype}: {whole:.2f} x mteb, {encode:.2f} x its encoding alone; "
            f"largest difference of a score {max(gaps):.2e}"
        )


def beside_the_product(arguments) -> None:
    rng = np.random.default_rng(0)
    corpus = rng.standard_normal((arguments.candidates, 384), dtype=np.float32)
    corpus /= np.linalg.norm(corpus, axis=1, keepdims=True)
    queries = rng.standard_normal((arguments.queries, 384), dtype=np.float32)
    out = np.empty((_QUERIES, _CORPUS), np.float32)

    def products() -> None:
        for at in range(0, len(queries), _QUERIES):
            block = queries[at : at + _QUERIES]
            for start in range(0, len(corpus), _CORPUS):
                part = corpus[start : start + _CORPUS]
                np.matmul(block, part.T, out=out[: len(block), : len(part)])

    import faiss

    index = faiss.IndexFlatIP(384)
    index.add(corpus)
    contenders = {
        "products alone": products,
        "search": lambda: search(queries, corpus, 100),
        "FAISS flat": lambda: index.search(queries, 100),
    }
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(arguments.repeats):
        for name, work in contenders.items():
            best[name] = min(best[name], cpu_seconds(work))
    for name, spent in best.items():
        rate = 2 * len(queries) * len(corpus) * 384 / spent / 1e9
        print(
            f"{name}: {rate:.1f} GFLOP/s, {best['products alone'] / spent:.2f} of the products alone"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("benchmark")
    parser.add_argument("subset", nargs="*", default=["tatoeba_deu"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--candidates", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=1024)
    arguments = parser.parse_args()
    beside_the_product(arguments)
    beside_mteb(arguments)


if __name__ == "__main__":
    main()
