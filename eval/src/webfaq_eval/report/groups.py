"""Results that belong in one table: one model, protocol, benchmark revision, task and pool."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from webfaq_eval.described import protocol_text
from webfaq_eval.results import Result

#: The column of whole languages.
ALL = "all"


@dataclass(frozen=True)
class Group:
    """The results of one table, by (language, domain); `domain` is `all` for whole languages."""

    cells: dict[tuple[str, str], Result]

    @property
    def first(self) -> Result:
        return next(iter(self.cells.values()))

    @property
    def model(self) -> str:
        return f"{self.first.model.name}@{self.first.model.revision[:12]}"

    @property
    def task(self) -> str:
        """The task with what tells its variants apart: `tatoeba reverse, domain pool`."""
        return variant(self.first)

    @property
    def metric(self) -> str:
        return self.first.main.metric

    @property
    def languages(self) -> list[str]:
        return sorted({language for language, _ in self.cells})

    @property
    def domains(self) -> list[str]:
        """All first, `other` last."""
        names = {domain for _, domain in self.cells}
        return sorted(names, key=lambda name: (name != ALL, name == "other", name))

    @cached_property
    def absent(self) -> int:
        """How many cells of the rectangle have no result."""
        return len(self.languages) * len(self.domains) - len(self.cells)

    def column(self, domain: str) -> list[Result]:
        """Return the results of a domain, by language."""
        return [self.cells[key] for key in sorted(self.cells) if key[1] == domain]

    @property
    def origin(self) -> str:
        """Model, protocol and revisions in full: what a reader needs to make the figures again."""
        one = self.first
        return (
            f"Model {one.model.name} at {one.model.revision}; {protocol_text(one.protocol)} (protocol "
            f"{one.protocol.hash[:12]}); benchmark {one.benchmark.name} "
            f"{one.benchmark.version or 'without version'} at {one.benchmark.revision}."
        )


def variant(result: Result) -> str:
    """Return the task with setting, direction, membership, pool and split where they are not the usual."""
    subset = result.subset
    parts = [str(subset["task"])]
    if subset.get("setting"):
        parts.append(str(subset["setting"]))
    for name, usual in (("direction", "forward"), ("membership", "exclusive"), ("split", "test")):
        if subset[name] != usual:
            parts.append(str(subset[name]))
    if subset["pool"] != "full":
        parts.append(f"{subset['pool']} pool")
    return " ".join(parts)


def group_results(results: Iterable[Result]) -> list[Group]:
    """Gather results into tables, sorted by task, then model."""
    found: dict[tuple[str, ...], dict[tuple[str, str], Result]] = {}
    for result in results:
        key = (
            variant(result),
            result.model.name,
            result.model.revision,
            result.protocol.hash,
            result.benchmark.name,
            result.benchmark.revision,
        )
        place = (str(result.subset["language"]), str(result.subset["domain"] or ALL))
        found.setdefault(key, {})[place] = result
    return [Group(found[key]) for key in sorted(found)]
