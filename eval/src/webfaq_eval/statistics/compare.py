"""Paired comparison of models: differences by domain and language, intervals, corrected p values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from webfaq_eval.errors import ResultError
from webfaq_eval.statistics.intervals import difference_bootstrap
from webfaq_eval.statistics.pairing import Pair, Side, pair_queries, pooled, read_side, shared_keys
from webfaq_eval.statistics.tests import (
    holm,
    paired_effect,
    paired_randomisation,
    smallest_difference,
)


@dataclass(frozen=True)
class Difference:
    """One row: `other` minus `baseline` on one subset, or on all languages of a domain together.

    `language` is None in pooled rows, `languages` says how many are in it. `n` counts queries,
    `items` clusters. `low` and `high` are the 95 % cluster bootstrap. `p_corrected` is Holm's over
    the row's family. `smallest` is the difference that so many items show in 80 % of studies, before
    correction.
    """

    baseline: str
    other: str
    task: str
    language: str | None
    languages: int
    domain: str | None
    membership: str
    pool: str
    split: str
    direction: str
    setting: str | None
    metric: str
    n: int
    items: int
    baseline_value: float
    other_value: float
    difference: float
    low: float
    high: float
    standardised: float | None
    p: float
    p_corrected: float
    smallest: float


@dataclass(frozen=True)
class Comparison:
    """All differences of one call. Cells and pooled rows are two families of the correction."""

    baseline: str
    others: list[str]
    judgements: str
    cells: list[Difference]
    pooled: list[Difference]
    left_out: list[str] = field(default_factory=list)
    benchmarks: list[str] = field(default_factory=list)
    protocols: dict[str, list[str]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "families": {"cells": len(self.cells), "pooled": len(self.pooled)}}


@dataclass(frozen=True)
class Settings:
    """What to compare: `metric` None is each task's own; `judgements` official or duplicate."""

    metric: str | None = None
    judgements: str = "official"
    samples: int = 1000
    exchanges: int = 10_000
    seed: int = 0


def compare(
    folders: Sequence[Path], settings: Settings | None = None, *, quiet: bool = False
) -> Comparison:
    """Compare the first folder's results with each of the others', query by query.

    >>> found = compare([results, other_results], Settings(samples=100), quiet=True)
    >>> [(row.task, row.language, row.n) for row in found.cells]
    [('webfaq', 'deu', 24)]

    :raises ResultError: for fewer than two folders, unreadable results, no subset in common,
        benchmark revisions or candidates that differ, or other queries.
    """
    if len(folders) < 2:
        raise ResultError(
            f"{len(folders)} folder to compare; name a baseline and at least one more"
        )
    settings = settings or Settings()
    baseline, *others = _told_apart([read_side(folder) for folder in folders])
    cells: list[Difference] = []
    together: list[Difference] = []
    left_out: list[str] = []
    for other in others:
        pairs = _pairs((baseline, other), settings, left_out, quiet)
        names = (baseline.name, other.name)
        cells += [_difference(names, (metric, 1), pair, settings) for metric, pair in pairs]
        for metric in sorted({metric for metric, _ in pairs}):
            same = [pair for own, pair in pairs if own == metric]
            together += [
                _difference(names, (metric, len(members)), joined, settings)
                for members, joined in pooled(same)
            ]
    if not cells:
        raise ResultError("no subset has the metric per query: " + "; ".join(left_out[:3]))
    revisions = {
        r.benchmark.name + "@" + r.benchmark.revision for _, r in baseline.results.values()
    }
    return Comparison(
        baseline.name,
        [other.name for other in others],
        settings.judgements,
        _corrected(cells),
        _corrected(together),
        left_out,
        sorted(revisions),
        {side.name: _protocols(side) for side in (baseline, *others)},
    )


def _protocols(side: Side) -> list[str]:
    """Return the protocols of a side in words, with the model's whole revision."""
    found = {
        f"{result.model.name} at {result.model.revision}, {result.protocol.text()} (protocol "
        f"{result.protocol.hash[:12]})"
        for _, result in side.results.values()
    }
    return sorted(found)


def _told_apart(sides: list[Side]) -> list[Side]:
    """Add the protocol to the names of sides of one model, such as two layers of it."""
    names = [side.name for side in sides]
    told = [
        replace(side, name=f"{side.name}/{side.protocol[:12]}")
        if names.count(side.name) > 1
        else side
        for side in sides
    ]
    twice = {side.name for side in told if [one.name for one in told].count(side.name) > 1}
    if twice:
        raise ResultError(
            f"{', '.join(sorted(twice))} is named more than once; compare two results"
        )
    return told


def _pairs(
    sides: tuple[Side, Side], settings: Settings, left_out: list[str], quiet: bool
) -> list[tuple[str, Pair]]:
    baseline, other = sides
    keys, alone = shared_keys(baseline, other)
    left_out += alone
    pairs = []
    for key in tqdm(keys, desc="compare", unit="subset", disable=quiet):
        result = baseline.results[key][1]
        metric = settings.metric or result.main.metric
        # Where no text repeats, both kinds of judgements are the same and only one is stored.
        judged = settings.judgements if settings.judgements in result.scores else "official"
        pair = pair_queries(baseline.results[key], other.results[key], f"{judged}/{metric}")
        if pair is None:
            left_out.append(
                f"{result.subset.name}: {metric} is not kept per query; choose another --metric"
            )
        else:
            pairs.append((metric, pair))
    return pairs


def _difference(
    names: tuple[str, str], measured: tuple[str, int], pair: Pair, settings: Settings
) -> Difference:
    differences, seed = pair.differences, settings.seed
    # Linearised shares of F1 may differ by more than 1 (pairing.f1_shares).
    most = max(1.0, float(np.abs(differences).max())) if measured[0] == "f1" else 1.0
    interval = difference_bootstrap(
        differences, pair.items, samples=settings.samples, seed=seed, most=most
    )
    effect = paired_effect(differences, pair.items)
    p = paired_randomisation(differences, pair.items, samples=settings.exchanges, seed=seed)
    where = ("task", "domain", "membership", "pool", "split", "direction")
    return Difference(
        *names,
        **{name: getattr(pair.subset, name) for name in where},
        language=pair.subset.language or None,
        setting=pair.subset.setting,
        languages=measured[1],
        metric=measured[0],
        n=len(differences),
        items=len(set(pair.items)),
        baseline_value=float(pair.baseline.mean()),
        other_value=float(pair.other.mean()),
        difference=effect.difference,
        low=interval.low,
        high=interval.high,
        standardised=effect.standardised,
        p=p,
        p_corrected=p,
        smallest=smallest_difference(differences, pair.items, most=most),
    )


def _corrected(rows: list[Difference]) -> list[Difference]:
    adjusted = holm([row.p for row in rows])
    return [replace(row, p_corrected=p) for row, p in zip(rows, adjusted, strict=True)]
