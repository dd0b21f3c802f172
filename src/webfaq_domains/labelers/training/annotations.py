"""Annotations: pairs whose domain a person judged, and the rules a file of them must keep.

`<folder>/<language>.jsonl`, one JSON object a line; `builders/annotations/HANDBOOK.md` defines the
keys and how to decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.ground.text import match_hash, unit_hash, unit_threshold
from webfaq_domains.labelers.measuring.labelled import Labelled

#: A person mends a file faster when the first refusals stand together.
SHOWN_PROBLEMS = 10


@dataclass(frozen=True)
class Annotation:
    """One judged pair: `domains` has the main domain first; `origin` is the site, where known."""

    language: str
    domains: tuple[str, ...]
    question: str
    answer: str
    note: str = ""
    origin: str = ""

    @property
    def text(self) -> str:
        """The text a labeler reads: question and answer on one line."""
        return f"{self.question} {self.answer}".replace("\n", " ")


def _problem(entry: Any, language: str, taxonomy: Taxonomy) -> str | None:
    """Return what is wrong with one line's object, or None."""
    if not isinstance(entry, dict):
        return "expected a JSON object"
    domains = entry.get("domains")
    for key in ("question", "answer"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            return f"{key!r} is empty or missing; an annotation needs both texts"
    if entry.get("language") != language:
        return f"language is {entry.get('language')!r}; the file name says {language!r}"
    if not isinstance(domains, list) or not domains:
        return "'domains' must be a list with at least one slug"
    unknown = [slug for slug in domains if slug not in taxonomy.slugs]
    if unknown:
        return f"unknown domain {unknown[0]!r}; known: {', '.join(taxonomy.slugs)}"
    if len(set(domains)) != len(domains):
        return f"a domain is named twice: {', '.join(domains)}"
    if taxonomy.fallback in domains and len(domains) > 1:
        return f"{taxonomy.fallback!r} stands alone; met {', '.join(domains)}"
    return None


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield line numbers and parsed lines; a line that is not JSON is yielded as an exception."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelerError(f"cannot read the annotations {path}: {error}") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                yield number, error


def _key(entry: dict[str, Any]) -> int:
    text = f"{entry['language']} {entry['question']} {entry['answer']}"
    return int(match_hash(pa.array([text]))[0])


@dataclass
class _Reading:
    """What was met so far: rows by comparable text (with their place), and the problems."""

    taxonomy: Taxonomy
    rows: dict[int, tuple[Annotation, str]]
    problems: list[str]

    def add(self, entry: Any, language: str, where: str) -> None:
        if isinstance(entry, ValueError):
            self.problems.append(f"{where}: not JSON: {entry}")
            return
        problem = _problem(entry, language, self.taxonomy)
        if problem:
            self.problems.append(f"{where}: {problem}")
            return
        row = Annotation(
            language,
            tuple(entry["domains"]),
            entry["question"].strip(),
            entry["answer"].strip(),
            str(entry.get("note") or ""),
            str(entry.get("origin") or ""),
        )
        first, place = self.rows.setdefault(_key(entry), (row, where))
        if first.domains != row.domains:
            self.problems.append(
                f"{where}: the same text as {place}, there {', '.join(first.domains)}, here "
                f"{', '.join(row.domains)}; keep one of the two"
            )


def read_annotations(folder: Path, taxonomy: Taxonomy) -> list[Annotation]:
    """Read every `<language>.jsonl` of a folder, in order of language; exact repeats count once.

    :raises LabelerError: naming file and line of every row that breaks a rule of the handbook:
        not JSON, empty text, unknown domain, fallback beside a domain, language other than the
        file's name, equal texts with different domains.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise LabelerError(f"{folder} holds no annotations; expected files named <language>.jsonl")
    reading = _Reading(taxonomy, {}, [])
    for path in files:
        for number, entry in _lines(path):
            reading.add(entry, path.stem, f"{path}:{number}")
    if reading.problems:
        more = len(reading.problems) - SHOWN_PROBLEMS
        shown = "\n".join(reading.problems[:SHOWN_PROBLEMS])
        tail = f"\n... and {more} more" if more > 0 else ""
        raise LabelerError(f"annotations that cannot be used:\n{shown}{tail}")
    return [row for row, _ in reading.rows.values()]


def hold_out(
    rows: list[Annotation], share: float, salt: str
) -> tuple[list[Annotation], list[Annotation]]:
    """Split rows into (training, held out) by a hash of the origin, or of the text without one.

    A row keeps its side when others come or go.
    """
    keys = pa.array([row.origin or f"{row.language} {row.text}" for row in rows], pa.string())
    held = unit_hash(keys, salt) < unit_threshold(share)
    return (
        [row for row, out in zip(rows, held, strict=True) if not out],
        [row for row, out in zip(rows, held, strict=True) if out],
    )


def from_annotations(rows: Sequence[Annotation]) -> list[Labelled]:
    """Return annotations as labelled rows."""
    return [Labelled(row.text, row.language, row.origin, row.domains) for row in rows]
