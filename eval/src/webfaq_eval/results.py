"""The record of one score (`docs/eval.md`): written whole, and checked in full when it is read.

A score that is missing, not finite or not readable is an error, never 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.ground.files import replacing, write_json
from webfaq_domains.ground.records import RecordError, as_record, read_json
from webfaq_eval.errors import ResultError
from webfaq_eval.identity import BenchmarkId, Model, Protocol, SubsetInfo

RESULT_VERSION = 1
KINDS = ("sentence-transformers", "transformers", "bm25", "random")


@dataclass(frozen=True)
class Headline:
    """The task's own metric with its 95 % cluster-bootstrap interval over items."""

    metric: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Counts:
    """How much was scored; an item is one cluster of the bootstrap."""

    queries: int
    corpus: int
    items: int


@dataclass(frozen=True)
class LareqaViews:
    """LAReQA's mAP@20 under narrower views (`scoring/lareqa.py` defines them)."""

    by_language: dict[str, float]
    x_y: float | None = None
    x_x: float | None = None
    x_x_mono: float | None = None
    en_en: float | None = None


@dataclass(frozen=True)
class IndexLoss:
    """An approximate index and the mean share of the exact candidates that it misses."""

    factory: str
    recall_loss: float


@dataclass(frozen=True)
class LayerSweep:
    """The layer that was best on the held-out languages; `means` has every layer's headline there."""

    layer: int
    held_out: tuple[str, ...]
    means: dict[str, float]


@dataclass(frozen=True)
class Extra:
    """What only some results have; None where it was not measured.

    LAReQA has `metric`, `settings` and `same_language_bias`; BUCC what its pairs were mined with, from
    `threshold` on, and how many pairs were `mined` and are `gold`.
    """

    metric: str | None = None
    settings: LareqaViews | None = None
    same_language_bias: float | None = None
    threshold: float | None = None
    threshold_from: str | None = None
    dev_f1: float | None = None
    margin: str | None = None
    neighbours: int | None = None
    retrieval: str | None = None
    mined: int | None = None
    gold: int | None = None
    index: IndexLoss | None = None
    layer_sweep: LayerSweep | None = None


@dataclass(frozen=True)
class Setup:
    """What one run of scoring shares: results of the same setup lie in one folder."""

    model: Model
    benchmark: BenchmarkId
    protocol: Protocol

    def path(self, root: Path, subset: SubsetInfo) -> Path:
        """Return the JSON path of a result: `<model>@<sha>/<benchmark>/<protocol>/<subset>.<split>…`."""
        parts = [subset.name, subset.split]
        if subset.direction != "forward":
            parts.append(subset.direction)
        folder = root / self.model.folder / self.benchmark.revision[:12] / self.protocol.hash[:12]
        return folder / (".".join(parts) + ".json")


@dataclass(frozen=True)
class Result:
    """One model on one subset under one protocol.

    `scores` maps `official` and, where they differ, `duplicate` to metric -> 0..1.
    """

    model: Model
    protocol: Protocol
    benchmark: BenchmarkId
    subset: SubsetInfo
    n: Counts
    main: Headline
    scores: dict[str, dict[str, float]]
    extra: Extra = field(default_factory=Extra)
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "result_version": RESULT_VERSION,
            **asdict(self),
            "subset": subset_json(self.subset),
            "extra": _without_none(asdict(self.extra)),
            "protocol_hash": self.protocol.hash,
        }

    def path(self, root: Path) -> Path:
        """Return where the JSON file of this result belongs under a results folder."""
        return Setup(self.model, self.benchmark, self.protocol).path(root, self.subset)


def subset_json(subset: SubsetInfo) -> dict[str, Any]:
    """Return a subset as it stands in files: counts and setting only where there are some."""
    return {"domain": None, **_without_none(asdict(subset))}


def write_result(root: Path, result: Result, queries: pa.Table) -> Path:
    """Write a result and its per-query table; the JSON comes last. Returns the JSON's path.

    :raises ResultError: if the record would not be accepted on reading; nothing is written then.
    """
    path = result.path(root)
    _parse(result.to_json(), path)
    _check_queries(result, queries, path)
    with replacing(path.with_suffix(".parquet")) as temporary:
        pq.write_table(queries, temporary, compression="zstd")
    write_json(path, result.to_json())
    return path


def read_result(path: Path) -> Result:
    """Read one result JSON.

    :raises ResultError: if it is missing, broken, of another version, or a score is not a number.
    """
    try:
        data = read_json(path)
    except RecordError as error:
        raise ResultError(f"{path} {error}; score it again") from error
    return _parse(data, path)


def _parse(data: Any, path: Path) -> Result:
    """Build a result from JSON, with every part checked."""
    version = data.get("result_version") if isinstance(data, dict) else None
    if version != RESULT_VERSION:
        raise ResultError(
            f"{path}: result_version is {version!r}; this version reads {RESULT_VERSION}"
        )
    values = {k: v for k, v in data.items() if k not in ("result_version", "protocol_hash")}
    try:
        result = as_record(Result, values)
        _check(result, data.get("protocol_hash"))
    except RecordError as error:
        raise ResultError(f"{path}: {error}; score it again") from error
    return result


def read_queries(path: Path) -> pa.Table:
    """Read the per-query table that belongs to a result's JSON path.

    :raises ResultError: if it is missing, broken or not that of the result.
    """
    beside = path.with_suffix(".parquet")
    try:
        table = pq.read_table(beside)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ResultError(f"{beside} cannot be read: {error}; score it again") from error
    _check_queries(read_result(path), table, beside)
    return table


def read_results(root: Path) -> Iterator[tuple[Path, Result]]:
    """Read every result under a folder, sorted by path; one broken file is an error, not a gap.

    :raises ResultError: if there is none, or one cannot be read.
    """
    for path in find_results(root):
        yield path, read_result(path)


def find_results(root: Path) -> list[Path]:
    """Return the JSON paths of all results under a folder, sorted.

    :raises ResultError: if there is none.
    """
    paths = [root] if root.is_file() else sorted(root.glob("**/*@*/*/*/*.json"))
    if not paths and root.is_dir():
        paths = sorted(root.rglob("*.json"))
    if not paths:
        raise ResultError(
            f"{root} holds no results; make some with `webfaq-eval score --out {root}`"
        )
    return paths


def _check(result: Result, said_hash: object) -> None:
    """Refuse values that fit their types and still cannot be right.

    :raises RecordError: with the first problem.
    """
    if result.protocol.hash != said_hash:
        raise RecordError("protocol_hash is not the hash of its protocol")
    if result.model.kind not in KINDS:
        raise RecordError(f"model kind is {result.model.kind!r}, expected one of {KINDS}")
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", result.model.revision):
        raise RecordError(f"model revision is {result.model.revision!r}, expected 40 or 64 hex")
    if min(asdict(result.n).values()) < 1:
        raise RecordError(f"n is {asdict(result.n)}: nothing was scored")
    if not result.scores.get("official") or set(result.scores) - {"official", "duplicate"}:
        raise RecordError(f"there are no official scores, or others: {sorted(result.scores)}")
    main = result.main
    shares = {f"main {name}": getattr(main, name) for name in ("value", "low", "high")}
    for kind, scores in result.scores.items():
        shares |= {f"{kind} {metric}": value for metric, value in scores.items()}
    for name, value in shares.items():
        # A sum of float64 shares may pass 1 by rounding; more than that is an error.
        if not -1e-12 <= value <= 1 + 1e-12:
            raise RecordError(f"{name} is {value!r}, expected a number from 0 to 1")
    if result.scores["official"].get(main.metric) != main.value:
        raise RecordError(f"main {main.metric} is not the official score of that name")
    if not main.low <= main.high:
        raise RecordError(f"the interval ends before it begins ({main.low} to {main.high})")


def _check_queries(result: Result, table: pa.Table, path: Path) -> None:
    """Refuse a per-query table that does not fit its result.

    :raises ResultError: with the place and what is wrong.
    """
    wanted = {"query-id": pa.string(), "item": pa.string(), "run_ids": pa.list_(pa.string()), "run_scores": pa.list_(pa.float32())}  # fmt: skip
    if result.subset.task != "bucc":
        wanted[f"official/{result.main.metric}"] = pa.float64()
    wanted |= {name: pa.float64() for name in table.column_names if "/" in name}
    odd = [n for n, kind in wanted.items() if n not in table.column_names or table.schema.field(n).type != kind]  # fmt: skip
    if odd or len(set(table.column_names)) < len(table.column_names):
        raise ResultError(
            f"{path}: the per-query table lacks the columns {odd}, or has them twice or of another "
            "type; score it again"
        )
    if len(table) != result.n.queries:
        raise ResultError(
            f"{path}: {len(table)} rows, the result counts {result.n.queries} queries; score it again"
        )
    for name, kind in wanted.items():
        fine = pc.is_finite(table[name]) if kind == pa.float64() else pc.is_valid(table[name])
        if not pc.all(pc.fill_null(fine, False)).as_py():
            raise ResultError(f"{path}: {name} has a value that is missing or not finite")


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return a table of values without those that are None, at every depth."""
    found = {k: _without_none(v) if isinstance(v, dict) else v for k, v in values.items()}
    return {key: value for key, value in found.items() if value is not None}
