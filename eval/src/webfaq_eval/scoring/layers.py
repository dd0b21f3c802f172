"""Choose a layer on held-out languages, then score the others with it.

A layer chosen on the languages that are tested would be tuned on test; it moves Tatoeba by tens of
points (XTREME's baselines used layer 14 of XLM-R large).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tqdm import tqdm

from webfaq_eval.benchmark.folder import Subset, open_benchmark
from webfaq_eval.errors import EvalError
from webfaq_eval.models.base import open_retriever
from webfaq_eval.models.place import blocks, find_model
from webfaq_eval.scoring.protocols import Question, evaluate
from webfaq_eval.scoring.score import Request, Scored, choose, score


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
    tested = choose(benchmark, request)
    both = sorted({subset.language for subset in tested} & set(names))
    if both:
        raise EvalError(
            f"{', '.join(both)} would be held out and tested: choose test subsets with --subset that "
            "leave these languages out"
        )
    tasks = {subset.task for subset in tested}
    tuned = [
        subset
        for subset in benchmark.select((), request.split)
        if subset.language in names and subset.task in tasks and subset.entry["domain"] is None
    ]
    lacking = sorted(set(names) - {subset.language for subset in tuned})
    if lacking:
        raise EvalError(f"no {request.split} subset of {sorted(tasks)} in {', '.join(lacking)}")
    means = {}
    for number in tqdm(_layers(request), desc="layers", unit="layer", disable=quiet):
        means[number] = _mean(_at(request, number), benchmark.folder.as_posix(), tuned)
    best = min(means, key=lambda number: (-means[number], number))
    sweep = {
        "layer": best,
        "held_out": sorted(names),
        "means": {str(number): mean for number, mean in means.items()},
    }
    chosen = replace(_at(request, best), extra={**request.extra, "layer_sweep": sweep})
    scored = score(chosen, quiet)
    scored.extra["layer_sweep"] = sweep
    return scored


def _at(request: Request, layer: int) -> Request:
    return replace(request, settings=replace(request.settings, layer=layer))


def _layers(request: Request) -> range:
    place = find_model(request.settings.model)
    return range(1, blocks(place.folder) + 1)


def _mean(request: Request, folder: str, subsets: list[Subset]) -> float:
    """Return the mean headline over the held-out subsets."""
    benchmark = open_benchmark(folder)
    retriever = open_retriever(request.settings, request.store, request.index)
    found = [
        evaluate(Question(benchmark, subset, "forward", retriever, request.depth)).main.value
        for subset in subsets
    ]
    return float(np.mean(found))
