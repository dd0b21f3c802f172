"""Choose a layer on held-out languages, then score the others with it.

A layer chosen on the languages that are tested would be tuned on test; it moves Tatoeba by tens of
points (XTREME's baselines used layer 14 of XLM-R large).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from webfaq_eval.benchmark.folder import Benchmark, Subset, open_benchmark
from webfaq_eval.errors import EvalError
from webfaq_eval.models.encoder import find_model
from webfaq_eval.models.retrievers import open_retriever
from webfaq_eval.models.transformer import blocks
from webfaq_eval.results import LayerSweep
from webfaq_eval.scoring.protocols import Question, evaluate
from webfaq_eval.scoring.score import Request, Scored, choose_subsets, score


def score_swept(
    request: Request, held_out: str, layer: int | str | None, quiet: bool = False
) -> Scored:
    """Try every layer on the held-out languages and score with the best one (the lower on a tie).

    :raises EvalError: if no language is held out, one of them is also tested, or it has no subset.
    """
    names = [name.strip() for name in held_out.split(",") if name.strip()]
    if layer != "sweep" or not names:
        raise EvalError(
            "--layer sweep and --held-out LANG,LANG belong together: a layer may only be chosen on "
            "languages that are not tested"
        )
    benchmark = open_benchmark(request.benchmark)
    tested = choose_subsets(benchmark, request)
    both = sorted({subset.info.language for subset in tested} & set(names))
    if both:
        raise EvalError(
            f"{', '.join(both)} would be held out and tested: choose test subsets with --subset that "
            "leave these languages out"
        )
    tasks = {subset.info.task for subset in tested}
    tuned = [
        subset
        for subset in benchmark.select((), request.split)
        if subset.info.language in names
        and subset.info.task in tasks
        and subset.info.domain is None
    ]
    lacking = sorted(set(names) - {subset.info.language for subset in tuned})
    if lacking:
        raise EvalError(f"no {request.split} subset of {sorted(tasks)} in {', '.join(lacking)}")
    means = {}
    layers = range(1, blocks(find_model(request.settings.model)) + 1)
    for number in tqdm(layers, desc="layers", unit="layer", disable=quiet):
        means[number] = _mean(_at(request, number), benchmark, tuned)
    best = min(means, key=lambda number: (-means[number], number))
    by_layer = {str(number): mean for number, mean in means.items()}
    sweep = LayerSweep(best, tuple(sorted(names)), by_layer)
    return score(replace(_at(request, best), layer_sweep=sweep), quiet)


def _at(request: Request, layer: int) -> Request:
    return replace(request, settings=replace(request.settings, layer=layer))


def _mean(request: Request, benchmark: Benchmark, subsets: list[Subset]) -> float:
    """Return the mean headline over the held-out subsets."""
    retriever = open_retriever(request.settings, request.store, request.index)
    found = [
        evaluate(Question(benchmark, one.info, one.load(), retriever, request.depth)).main.value
        for one in subsets
    ]
    return float(np.mean(found))
