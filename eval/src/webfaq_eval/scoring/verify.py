"""Hold our scores against published ones (`expected.toml`): OK or FAIL for each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from webfaq_eval.benchmark.folder import Benchmark, open_benchmark
from webfaq_eval.errors import EvalError
from webfaq_eval.scoring.score import Request, score

TABLE = Path(__file__).with_name("expected.toml")


@dataclass(frozen=True)
class Entry:
    """A published score: of a subset, in a direction, within `within` of `value` (both 0..1)."""

    subset: str
    direction: str
    metric: str
    value: float
    within: float
    source: str

    @property
    def name(self) -> str:
        return self.subset if self.direction == "forward" else f"{self.subset} {self.direction}"


@dataclass(frozen=True)
class Line:
    """One comparison; `met` is None where the data set lacks the subset."""

    entry: Entry
    met: float | None
    n: int = 0

    @property
    def word(self) -> str:
        if self.met is None:
            return "MISSING"
        return "OK" if abs(self.met - self.entry.value) <= self.entry.within else "FAIL"


@dataclass
class Verified:
    """All comparisons. `fine`: at least one was made and none failed or is missing."""

    lines: list[Line] = field(default_factory=list)
    note: str = ""

    @property
    def fine(self) -> bool:
        return bool(self.lines) and all(line.word == "OK" for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        listed = [
            {**vars(line.entry), "met": line.met, "n": line.n, "word": line.word}
            for line in self.lines
        ]
        return {"fine": self.fine, "note": self.note, "entries": listed}

    def text(self) -> str:
        rows = []
        for line in self.lines:
            entry = line.entry
            met = "      -" if line.met is None else f"{100 * line.met:7.2f}"
            rows.append(
                f"{line.word:<8}{entry.name:<28} {entry.metric:<10} {met}  expected "
                f"{100 * entry.value:6.2f} within {100 * entry.within:.1f}  n {line.n}"
            )
        counts = {
            word: sum(line.word == word for line in self.lines)
            for word in ("OK", "FAIL", "MISSING")
        }
        summary = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return "\n".join([*rows, summary, *([self.note] if self.note else [])])


def read_expected(path: Path = TABLE) -> tuple[list[Entry], str]:
    """Read a table of published scores and its note.

    :raises EvalError: if it cannot be read or an entry lacks something.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [
            Entry(
                name,
                one.get("direction", "forward"),
                one["metric"],
                score,
                one["within"],
                one["source"],
            )
            for one in table["scores"]
            for name, score in one["values"].items()
        ]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise EvalError(
            f"{path} cannot be read as a table of expected scores: {error!r}"
        ) from error
    if not entries:
        raise EvalError(f"{path} expects nothing")
    return entries, str(table.get("note", ""))


def verify(request: Request, table: Path | None = None, quiet: bool = False) -> Verified:
    """Score the subsets that the table names and compare; a subset that is not there is MISSING.

    :raises EvalError: if the data set has none of the subsets.
    """
    entries, note = read_expected(table or TABLE)
    benchmark = open_benchmark(request.benchmark)
    names = _present(benchmark, entries)
    if not names:
        raise EvalError(f"{benchmark.folder} has none of the subsets that the table names")
    scored = score(replace(request, patterns=tuple(names)), quiet)
    met = {(result.subset.name, result.subset.direction): result for _, result in scored.results}
    lines = []
    for entry in entries:
        result = met.get((entry.subset, entry.direction))
        value = None if result is None else result.scores["official"][entry.metric]
        lines.append(Line(entry, value, 0 if result is None else result.n.queries))
    return Verified(lines, note)


def _present(benchmark: Benchmark, entries: list[Entry]) -> list[str]:
    there = {one.info.name for one in benchmark.subsets if one.info.split == "test"}
    return sorted({entry.subset for entry in entries} & there)
