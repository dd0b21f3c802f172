"""What a score is of: which model, used how, on which subset of which data set."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass

from webfaq_domains.ground.files import value_sha256


@dataclass(frozen=True)
class Model:
    """Which model was scored: `revision` is a 40-hex Hub sha or the sha256 of the folder's files."""

    name: str
    revision: str
    kind: str
    dimensions: int | None = None
    parameters: int | None = None

    @property
    def folder(self) -> str:
        """The name of the model's folder: `org__name@1a2b3c4d5e6f`."""
        name = re.sub(r"[^\w.-]+", "__", self.name.strip("/")).lstrip(".") or "model"
        return f"{name}@{self.revision[:12]}"


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

    def text(self) -> str:
        """Say the protocol in words."""
        layer = "last layer" if self.layer is None else f"layer {self.layer}"
        length = "own length" if self.max_length is None else f"{self.max_length} tokens"
        return (
            f"{self.pooling} pooling, {layer}, {'' if self.normalize else 'not '}normalised, "
            f"{self.similarity}, query prefix {self.query_prefix!r}, passage prefix "
            f"{self.passage_prefix!r}, {length}, {self.dtype}, {self.pool} pool, runs "
            f"{self.depth} deep"
        )


@dataclass(frozen=True)
class BenchmarkId:
    """Which data set: `revision` is a Hub sha or the manifest's content digest."""

    name: str
    version: str | None
    revision: str


@dataclass(frozen=True)
class SubsetInfo:
    """Which subset: the manifest's entry, the direction and, where a task has several, the setting.

    `domain` None is a whole language. `queries`, `corpus`, `qrels` and `duplicates` are the
    manifest's counts of rows.
    """

    name: str
    task: str
    language: str
    domain: str | None
    membership: str
    pool: str
    split: str
    direction: str
    queries: int | None = None
    corpus: int | None = None
    qrels: int | None = None
    duplicates: int | None = None
    setting: str | None = None
