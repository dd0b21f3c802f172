"""The record of one score (`docs/eval.md`): written whole, and checked in full when it is read.

A score that is missing, not finite or not readable is an error, never 0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.ground.files import replacing, value_sha256, write_json
from webfaq_eval.errors import ResultError

RESULT_VERSION = 1
KINDS = ("sentence-transformers", "transformers", "bm25", "random")
RUN_COLUMNS = {"run_ids": pa.list_(pa.string()), "run_scores": pa.list_(pa.float32())}
_SUBSET = ("name", "task", "language", "domain", "membership", "pool", "split", "direction")
Record = TypeVar("Record")


@dataclass(frozen=True)
class Model:
    """Which model was scored: `revision` is a 40-hex Hub sha or the sha256 of the folder's files."""

    name: str
    revision: str
    kind: str
    dimensions: int | None = None
    parameters: int | None = None


@dataclass(frozen=True)
class Protocol:
    """Everything about the scoring that can change a figure. An empty prefix is no prefix."""

    pooling: str
    layer: int | None
    normalize: bool
    similarity: str
    query_prefix: str
    passage_prefix: str
    max_length: int | None
    dtype: str
    pool: str
    depth: int
    index: str = "exact"

    @property
    def hash(self) -> str:
        """Return the sha256 of the protocol as canonical JSON."""
        return value_sha256(asdict(self))


@dataclass(frozen=True)
class BenchmarkId:
    """Which data set: `revision` is a Hub sha or the manifest's content digest."""

    name: str
    version: str | None
    revision: str


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
class Result:
    """One model on one subset under one protocol.

    `subset` is the manifest's entry without `read`, plus `direction` and, where a task has several,
    `setting`. `scores` maps `official` and, where they differ, `duplicate` to metric -> 0..1.
    """

    model: Model
    protocol: Protocol
    benchmark: BenchmarkId
    subset: dict[str, Any]
    n: Counts
    main: Headline
    scores: dict[str, dict[str, float]]
    extra: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "result_version": RESULT_VERSION,
            **asdict(self),
            "protocol_hash": self.protocol.hash,
        }

    def path(self, root: Path) -> Path:
        """Return where the JSON file of this result belongs under a results folder."""
        return result_path(root, (self.model, self.benchmark, self.protocol), self.subset)


def result_path(
    root: Path, run: tuple[Model, BenchmarkId, Protocol], subset: dict[str, Any]
) -> Path:
    """Return the JSON path of a result: `<model>@<sha>/<benchmark>/<protocol>/<subset>.<split>…`."""
    model, benchmark, protocol = run
    name = re.sub(r"[^\w.-]+", "__", model.name.strip("/")).lstrip(".") or "model"
    parts = [subset["name"], subset["split"]]
    if subset["direction"] != "forward":
        parts.append(subset["direction"])
    folder = root / f"{name}@{model.revision[:12]}" / benchmark.revision[:12] / protocol.hash[:12]
    return folder / (".".join(parts) + ".json")


def write_result(root: Path, result: Result, queries: pa.Table) -> Path:
    """Write a result and its per-query table; the JSON comes last. Returns the JSON's path.

    :raises ResultError: if the record would not be accepted on reading; nothing is written then.
    """
    path = result.path(root)
    check_result(result, str(path))
    check_queries(result, queries, str(path))
    with replacing(path.with_suffix(".parquet")) as temporary:
        pq.write_table(queries, temporary, compression="zstd")
    write_json(path, result.to_json())
    return path


def read_result(path: Path) -> Result:
    """Read one result JSON.

    :raises ResultError: if it is missing, broken, of another version, or a score is not a number.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{path} cannot be read as a result: {error}; score it again") from error
    version = data.get("result_version") if isinstance(data, dict) else None
    if version != RESULT_VERSION:
        raise ResultError(
            f"{path}: result_version is {version!r}; this version reads {RESULT_VERSION}"
        )
    said = data.pop("protocol_hash", None)
    del data["result_version"]
    try:
        parts: dict[str, Any] = {
            "model": _record(Model, data.pop("model")),
            "protocol": _record(Protocol, data.pop("protocol")),
            "benchmark": _record(BenchmarkId, data.pop("benchmark")),
            "n": _record(Counts, data.pop("n")),
            "main": _record(Headline, data.pop("main")),
        }
        result = Result(**parts, **data)
    except (KeyError, TypeError) as error:
        raise ResultError(
            f"{path} lacks or has unknown entries: {error}; score it again"
        ) from error
    if result.protocol.hash != said:
        raise ResultError(f"{path}: protocol_hash is not the hash of its protocol; score it again")
    check_result(result, str(path))
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
    check_queries(read_result(path), table, str(beside))
    return table


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


def read_results(root: Path) -> Iterator[tuple[Path, Result]]:
    """Read every result under a folder; one broken file is an error, not a gap."""
    for path in find_results(root):
        yield path, read_result(path)


def check_result(result: Result, place: str) -> None:
    """Refuse a record whose parts are missing, of the wrong type or out of range.

    :raises ResultError: with the place and what is wrong.
    """
    for problem in _problems(result):
        raise ResultError(f"{place}: {problem}; score it again")


def check_queries(result: Result, table: pa.Table, place: str) -> None:
    """Refuse a per-query table that does not fit its result.

    :raises ResultError: with the place and what is wrong.
    """
    names = table.column_names
    lacking = [name for name in ("query-id", "item", *RUN_COLUMNS) if name not in names]
    lacking += [f"official/{result.main.metric}"] * (
        result.subset["task"] != "bucc" and f"official/{result.main.metric}" not in names
    )
    if lacking:
        raise ResultError(
            f"{place}: the per-query table lacks the columns {lacking}; score it again"
        )
    if len(table) != result.n.queries:
        raise ResultError(
            f"{place}: {len(table)} rows, the result counts {result.n.queries} queries; score it again"
        )
    for name in names:
        if "/" in name and not pc.all(pc.fill_null(pc.is_finite(table[name]), False)).as_py():
            raise ResultError(f"{place}: {name} has a value that is missing or not finite")


def _problems(result: Result) -> Iterator[str]:
    lacking = [key for key in _SUBSET if key not in result.subset]
    if lacking:
        yield f"subset lacks {lacking}"
    if result.model.kind not in KINDS:
        yield f"model kind is {result.model.kind!r}, expected one of {KINDS}"
    if not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", result.model.revision):
        yield f"model revision is {result.model.revision!r}, expected 40 or 64 hex digits"
    if min(result.n.queries, result.n.corpus, result.n.items) < 1:
        yield f"n is {asdict(result.n)}: nothing was scored"
    if "official" not in result.scores or not result.scores["official"]:
        yield "there are no official scores"
    for kind, scores in result.scores.items():
        if kind not in ("official", "duplicate"):
            yield f"scores are of kind {kind!r}"
        for metric, value in scores.items():
            if not _is_share(value):
                yield f"{kind} {metric} is {value!r}, expected a number from 0 to 1"
    for name in ("value", "low", "high"):
        if not _is_share(getattr(result.main, name)):
            yield f"main {name} is {getattr(result.main, name)!r}, expected a number from 0 to 1"
    if result.scores.get("official", {}).get(result.main.metric) != result.main.value:
        yield f"main {result.main.metric} is not the official score of that name"
    if not result.main.low <= result.main.high:
        yield f"the interval ends before it begins ({result.main.low} to {result.main.high})"


def _is_share(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # A sum of float64 shares may pass 1 by rounding; more than that is an error.
    return number and math.isfinite(value) and -1e-12 <= value <= 1 + 1e-12  # type: ignore[arg-type,operator]


def _record(kind: type[Record], values: Any) -> Record:
    wanted = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    if not isinstance(values, dict) or set(values) != wanted:
        met = sorted(values) if isinstance(values, dict) else values
        raise TypeError(f"{kind.__name__.lower()} has {met}, expected {sorted(wanted)}")
    return kind(**values)


def protocol_text(protocol: Protocol) -> str:
    """Say a protocol in words."""
    layer = "last layer" if protocol.layer is None else f"layer {protocol.layer}"
    length = "own length" if protocol.max_length is None else f"{protocol.max_length} tokens"
    return (
        f"{protocol.pooling} pooling, {layer}, {'' if protocol.normalize else 'not '}normalised, "
        f"{protocol.similarity}, query prefix {protocol.query_prefix!r}, passage prefix "
        f"{protocol.passage_prefix!r}, {length}, {protocol.dtype}, {protocol.pool} pool, runs "
        f"{protocol.depth} deep"
    )
