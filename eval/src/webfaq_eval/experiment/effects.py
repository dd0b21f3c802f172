"""What the experiment asks: does training on a domain help retrieval in that domain?

The domain-match effect is `in-domain:d` minus the equal-size control `random:d`, query by query, on
every test domain: a matrix of train domain by test domain. How it depends on the start (raw, or after
an intermediate task) is the difference of two such effects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from webfaq_eval.errors import ResultError
from webfaq_eval.experiment.records import read_cell
from webfaq_eval.experiment.settings import Cell, Experiment, Folders
from webfaq_eval.pairs.conditions import Condition
from webfaq_eval.results import read_result
from webfaq_eval.statistics.intervals import Floats, two_way_bootstrap
from webfaq_eval.statistics.pairing import Pair, pair_queries, subset_key
from webfaq_eval.statistics.tests import holm, paired_randomisation

#: What in-domain training is compared with: the control that the effect is named after comes first.
CONTROLS = ("random", "none", "out-of-domain", "english", "all")


@dataclass(frozen=True)
class Effect:
    """One figure: `in-domain:train_domain` minus `control` on the queries of `test_domain`.

    `against` is None, or the start whose effect was taken off (an interaction). The interval is over
    items and seeds, `p` over items for these seeds; `p_corrected` is Holm's over the family of rows
    with the same `control` and with or without `against`.
    """

    start: str
    against: str | None
    control: str
    train_domain: str
    test_domain: str
    task: str
    direction: str
    metric: str
    languages: int
    queries: int
    items: int
    seeds: int
    in_domain: float
    controlled: float
    difference: float
    low: float
    high: float
    by_seed: tuple[float, ...]
    p: float
    p_corrected: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class PairedScores:
    """The queries of one test domain of one task, all languages: differences (seeds, n) and items."""

    task: str
    direction: str
    domain: str
    metric: str
    languages: int
    inside: Floats
    control: Floats
    items: list[str]

    @property
    def differences(self) -> Floats:
        return np.asarray(self.inside - self.control)


def find_effects(experiment: Experiment, folders: Folders) -> list[Effect]:
    """Return every effect whose cells are all done, corrected within its family.

    :raises ResultError: if no two cells can be compared, or a result cannot be read.
    """
    rows: list[Effect] = []
    for control in [one for one in CONTROLS if one in experiment.conditions]:
        for domain in experiment.domains:
            by_start = {
                start: list(paired_scores(_names(experiment, start, domain, control), folders))
                for start in experiment.starts
            }
            rows += [
                _effect(group, (start, None), (control, domain))
                for start, found in by_start.items()
                for group in found
            ]
            rows += list(_interactions(by_start, control, domain))
    if not rows:
        raise ResultError(
            f"{folders.out}: no in-domain cell has a control that is done on the same test domain; see "
            "`webfaq-eval experiment status`"
        )
    return _corrected(rows)


def _names(
    experiment: Experiment, start: str, domain: str, control: str
) -> list[tuple[Cell, Cell]]:
    """Return (in-domain, control) of each seed; `none` has no seed and stands beside all of them."""
    of_domain = control in ("random", "out-of-domain", "english")
    other = Condition(control, domain if of_domain else None)
    return [
        (
            Cell(start, Condition("in-domain", domain), seed),
            Cell(start, other, -1 if control == "none" else seed),
        )
        for seed in experiment.seeds
    ]


def paired_scores(pairs: Sequence[tuple[Cell, Cell]], folders: Folders) -> Iterator[PairedScores]:
    """Yield the paired scores by task and test domain, over the seeds whose cells are both done."""
    seeds: list[dict[tuple[str, ...], list[Pair]]] = []
    metrics: dict[tuple[str, ...], str] = {}
    for inside, control in pairs:
        if folders.done(inside).is_file() and folders.done(control).is_file():
            seeds.append(_paired(inside, control, folders, metrics))
    for key in sorted(set.intersection(*map(set, seeds))) if seeds else []:
        members = [found[key] for found in seeds]
        yield PairedScores(
            key[0],
            key[1],
            key[2],
            metrics[key],
            len(members[0]),
            np.stack([np.concatenate([one.other for one in seed]) for seed in members]),
            np.stack([np.concatenate([one.baseline for one in seed]) for seed in members]),
            [item for one in members[0] for item in one.items],
        )


def _paired(
    inside: Cell, control: Cell, folders: Folders, metrics: dict[tuple[str, ...], str]
) -> dict[tuple[str, ...], list[Pair]]:
    """Return the pairs of two cells by (task, direction, domain), languages in order."""
    mine, other = _results(inside, folders), _results(control, folders)
    found: dict[tuple[str, ...], list[Pair]] = {}
    for key in sorted(set(mine) & set(other)):
        result = mine[key][1]
        metric = result.main.metric
        pair = pair_queries(other[key], mine[key], f"official/{metric}")
        if pair is None or result.subset.membership != "exclusive":
            continue
        group = (
            str(result.subset.task),
            str(result.subset.direction),
            str(result.subset.domain or "all"),
        )
        metrics[group] = metric
        found.setdefault(group, []).append(pair)
    return found


def _results(cell: Cell, folders: Folders) -> dict[Any, Any]:
    names = read_cell(folders.done(cell)).results
    paths = [folders.results / name for name in names]
    return {subset_key(result): (path, result) for path in paths for result in [read_result(path)]}


def _effect(group: PairedScores, starts: tuple[str, str | None], names: tuple[str, str]) -> Effect:
    control, train_domain = names
    differences = group.differences
    # F1 is compared by its linearised shares, which may be beyond 1 (`pairing.f1_shares`).
    most = max(1.0, float(np.abs(differences).max())) if group.metric == "f1" else 1.0
    low, high = two_way_bootstrap(differences, group.items, most=most)
    p = paired_randomisation(differences.mean(axis=0), group.items)
    return Effect(
        *starts,
        control,
        train_domain,
        group.domain,
        group.task,
        group.direction,
        group.metric,
        group.languages,
        len(group.items),
        len(set(group.items)),
        len(differences),
        float(group.inside.mean()),
        float(group.control.mean()),
        float(differences.mean()),
        low,
        high,
        tuple(float(one) for one in differences.mean(axis=1)),
        p,
        p,
    )


def _interactions(
    by_start: Mapping[str, list[PairedScores]], control: str, domain: str
) -> Iterator[Effect]:
    """Yield each later start's effect minus the first start's, on the same queries and seeds.

    Left out while one of them lacks a seed; the report names the cells that are missing.
    Half the difference is tested, so that it stays within -1..1, and doubled again for the table.
    """
    first, *others = by_start
    base = {(one.task, one.direction, one.domain): one for one in by_start[first]}
    for start in others:
        for group in by_start[start]:
            other = base.get((group.task, group.direction, group.domain))
            if other is None or other.inside.shape != group.inside.shape:
                continue
            halves = replace(group, inside=group.differences / 2, control=other.differences / 2)
            effect = _effect(halves, (start, first), (control, domain))
            yield replace(
                effect,
                **{
                    name: 2 * getattr(effect, name)
                    for name in ("in_domain", "controlled", "difference", "low", "high")
                },
                by_seed=tuple(2 * one for one in effect.by_seed),
            )


def _corrected(rows: list[Effect]) -> list[Effect]:
    """Correct p values within each control, effects and interactions apart."""
    families: dict[tuple[str, bool], list[int]] = {}
    for place, row in enumerate(rows):
        families.setdefault((row.control, row.against is None), []).append(place)
    out = list(rows)
    for places in families.values():
        for place, p in zip(places, holm([rows[one].p for one in places]), strict=True):
            out[place] = replace(rows[place], p_corrected=p)
    return out
