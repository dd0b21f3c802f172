"""What a manifest says of its recipe and sources: every parameter that can change a byte, and pins."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.records import Count, Record, Share, read_record, to_json


class InputFile(Record, frozen=True):
    """One file of a source; its `sha256` is `git-sha1:…` where the Hub has no other hash."""

    name: str
    bytes: Count
    sha256: str


class SourcePin(Record, frozen=True, omit_defaults=True):
    """What rows came from: `pin` is a revision, or a hash over all files.

    `files` are those of a FAQ source, or path -> sha256 of a benchmark's release.
    """

    name: str
    pin: str
    file_count: Count
    kind: str | None = None
    bytes: Count | None = None
    files: tuple[InputFile, ...] | dict[str, str] | None = None


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipe says for the card."""

    pretty_name: str
    license: str
    contact: str
    license_name: str = ""


class SplitShares(msgspec.Struct, frozen=True, kw_only=True):
    validation: Share
    test: Share


class PairConfigs(msgspec.Struct, frozen=True, kw_only=True):
    """A cell has a config from `min_rows` rows on; at most `most` cells have one."""

    min_rows: Count
    most: Count


class BenchmarkPin(msgspec.Struct, frozen=True, kw_only=True):
    """An index of benchmark texts that were kept out; `withheld` tasks had none to look for."""

    withheld: tuple[str, ...]


class PairRules(msgspec.Struct, frozen=True, kw_only=True):
    """What code asks of the recipe of a data set of pairs."""

    split: SplitShares
    configs: PairConfigs
    benchmarks: tuple[BenchmarkPin, ...] = ()


class SubsetRules(msgspec.Struct, frozen=True, kw_only=True):
    min_queries: Count


class SubsetConfigs(msgspec.Struct, frozen=True, kw_only=True):
    multi: bool


class RetrievalRules(msgspec.Struct, frozen=True, kw_only=True):
    """What code asks of the recipe of a retrieval repository."""

    subsets: SubsetRules
    configs: SubsetConfigs
    partial: bool = False
    with_text: bool = False


class _Common(msgspec.Struct, frozen=True, kw_only=True):
    about: About
    steps: tuple[str, ...] = ()


class Recipe:
    """Every parameter that can change a byte: `values` as they are hashed and written.

    Typed are those that code asks for; the others belong to the steps.
    """

    def __init__(self, values: dict[str, Any], where: str = "recipe") -> None:
        self.values, self._where = values, where
        common = read_record(values, _Common, where)
        self.about, self.steps = common.about, common.steps

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.values == other.values

    @cached_property
    def pairs(self) -> PairRules:
        return read_record(self.values, PairRules, self._where)

    @cached_property
    def retrieval(self) -> RetrievalRules:
        return read_record(self.values, RetrievalRules, self._where)

    def sha256(self, sources: tuple[SourcePin, ...]) -> str:
        """Return the hash of all that a build depends on: the parameters and the sources."""
        return value_sha256({**self.values, "sources": to_json(sources)})

    def with_values(self, **values: Any) -> Recipe:
        return Recipe({**self.values, **values}, self._where)
