"""Two results side by side, query by query: what may be compared, and what is left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from webfaq_eval.errors import ResultError
from webfaq_eval.identity import SubsetInfo
from webfaq_eval.results import Result, read_queries, read_results
from webfaq_eval.statistics.intervals import Floats

#: Two results are of the same thing where these agree; the rest of a protocol may differ, since it
#: belongs to the encoder (pooling, layer, prefixes, lengths).
_SUBSET = (
    "task",
    "name",
    "language",
    "domain",
    "membership",
    "pool",
    "split",
    "direction",
    "setting",
)
_PROTOCOL = ("pool", "depth")
Key = tuple[str, ...]


@dataclass(frozen=True)
class Side:
    """The results of one model under one protocol, by what was scored."""

    name: str
    results: dict[Key, tuple[Path, Result]]

    @property
    def protocol(self) -> str:
        """The hash of the first result's protocol."""
        return next(iter(self.results.values()))[1].protocol.hash


@dataclass(frozen=True)
class Pair:
    """The scores of both sides on the same queries: three arrays of shape (queries,).

    `subset` has no name and no language where several languages are joined.
    """

    subset: SubsetInfo
    baseline: Floats
    other: Floats
    items: list[str]

    @property
    def differences(self) -> Floats:
        return np.asarray(self.other - self.baseline)


def subset_key(result: Result) -> Key:
    """Return what a result is of: benchmark and subset, without model and protocol."""
    parts = [str(getattr(result.subset, name) or "") for name in _SUBSET]
    return (result.benchmark.name, *parts)


def read_side(folder: Path) -> Side:
    """Read the results of one side.

    :raises ResultError: if there is none, or the folder holds several models or protocols of one
        subset: which of them is meant is then not said.
    """
    found: dict[Key, tuple[Path, Result]] = {}
    for path, result in read_results(folder):
        key = subset_key(result)
        if key in found:
            raise ResultError(
                f"{folder} holds {result.subset.name} twice ({found[key][0]} and {path}): name the "
                "folder of one model, benchmark revision and protocol"
            )
        found[key] = (path, result)
    names = sorted({f"{one.model.name}@{one.model.revision[:12]}" for _, one in found.values()})
    if len(names) > 1:
        raise ResultError(
            f"{folder} holds {len(names)} models ({', '.join(names)}); name one folder"
        )
    return Side(names[0], found)


def shared_keys(baseline: Side, other: Side) -> tuple[list[Key], list[str]]:
    """Return the keys that both sides have, and a line about each that only one has.

    :raises ResultError: if nothing is shared, or a shared subset is of two benchmark revisions or of
        protocols that rank other candidates.
    """
    both = sorted(set(baseline.results) & set(other.results))
    if not both:
        raise ResultError(
            f"{baseline.name} and {other.name} have no subset in common; score both on one benchmark"
        )
    for key in both:
        _check_comparable(baseline.results[key], other.results[key])
    alone = [
        f"{side.results[key][1].subset.name}: only {side.name} has it"
        for side, lacking in ((baseline, other), (other, baseline))
        for key in sorted(set(side.results) - set(lacking.results))
    ]
    return both, alone


def _check_comparable(one: tuple[Path, Result], two: tuple[Path, Result]) -> None:
    first, second = one[1], two[1]
    if first.benchmark.revision != second.benchmark.revision:
        raise ResultError(
            f"{one[0]} and {two[0]} are of two revisions of {first.benchmark.name}: "
            f"{first.benchmark.revision[:12]} and {second.benchmark.revision[:12]}; score both on one"
        )
    for name in _PROTOCOL:
        if getattr(first.protocol, name) != getattr(second.protocol, name):
            raise ResultError(
                f"{one[0]} and {two[0]} differ in the protocol's {name}: "
                f"{getattr(first.protocol, name)!r} and {getattr(second.protocol, name)!r}; "
                "score both alike"
            )


def pair_queries(one: tuple[Path, Result], two: tuple[Path, Result], column: str) -> Pair | None:
    """Return both sides' values of a per-query column such as `official/accuracy`.

    None where neither table has the column, since the metric is not one of single queries.

    :raises ResultError: if only one table has it, or the tables are not of the same queries.
    """
    first, second = (_with_f1(read_queries(path), column) for path in (one[0], two[0]))
    having = [column in table.column_names for table in (first, second)]
    if not any(having):
        return None
    if not all(having):
        raise ResultError(f"{(two if having[0] else one)[0]} lacks {column}; score it again")
    rows = [_by_id(table.column("query-id").to_pylist()) for table in (first, second)]
    ids = [[table.column("query-id")[row].as_py() for row in order] for table, order in zip((first, second), rows, strict=True)]  # fmt: skip
    if ids[0] != ids[1]:
        odd = sorted(set(ids[0]) ^ set(ids[1]))[:3]
        raise ResultError(f"{one[0]} and {two[0]} are not of the same queries: {odd} in one only")
    values = [
        np.asarray(table.column(column).to_pylist(), dtype=np.float64)[order]
        for table, order in zip((first, second), rows, strict=True)
    ]
    items = first.column("item").to_pylist()
    return Pair(one[1].subset, values[0], values[1], [items[row] for row in rows[0]])


def _with_f1(table: pa.Table, column: str) -> pa.Table:
    """Add each sentence's share of F1, if that is asked for and the table is one of mined pairs."""
    parts = [f"official/{name}" for name in ("correct", "predicted", "gold")]
    if column != "official/f1" or not set(parts) <= set(table.column_names):
        return table
    correct, predicted, gold = (
        np.asarray(table.column(name).to_pylist(), np.float64) for name in parts
    )
    return table.append_column(column, pa.array(f1_shares(2 * correct, predicted + gold)))


def f1_shares(parts: Floats, wholes: Floats) -> Floats:
    """Return one number a sentence whose mean is `F1 = sum(parts) / sum(wholes)`.

    F1 is no mean over sentences. These are its linearised values: to first order, F1 with some
    sentences counted more is their mean counted so. They may lie outside 0..1.
    """
    f1 = parts.sum() / wholes.sum()
    return np.asarray(f1 + len(parts) * (parts - f1 * wholes) / wholes.sum())


def _by_id(ids: list[str]) -> list[int]:
    return sorted(range(len(ids)), key=ids.__getitem__)


def pooled(pairs: list[Pair]) -> Iterator[tuple[list[Pair], Pair]]:
    """Yield the languages of a task's domain together with their queries as one pair.

    Parallel items of several languages keep their name and so become one cluster. Groups of one
    language are not yielded: they would repeat a cell.
    """
    groups: dict[tuple[str, ...], list[Pair]] = {}
    for pair in pairs:
        names = ("task", "domain", "membership", "pool", "split", "direction", "setting")
        key = tuple(str(getattr(pair.subset, name) or "") for name in names)
        groups.setdefault(key, []).append(pair)
    for key in sorted(groups):
        members = groups[key]
        if len(members) > 1:
            yield members, _joined(members)


def _joined(members: list[Pair]) -> Pair:
    return Pair(
        replace(members[0].subset, language="", name=""),
        np.concatenate([one.baseline for one in members]),
        np.concatenate([one.other for one in members]),
        [item for one in members for item in one.items],
    )
