"""Labelled pairs: texts whose domain is known from elsewhere, to calibrate on or to measure with."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.errors import LabelerError, SourceError
from webfaq_domains.labeler.annotations import Annotation
from webfaq_domains.labeler.calibration import Truth
from webfaq_domains.taxonomy import Taxonomy

#: Beside the data: for origins that belong to several domains, all that count as right.
ACCEPTABLE_FILE = "acceptable_domains.json"

#: Keys that may hold the label, in order of preference.
_LABEL_KEYS = ("domains", "domain", "source_domain", "category", "topic")

#: Labels of common data sets that are none of the taxonomy's slugs or crosswalks.
FOREIGN = {
    "beauty": "commerce", "food": "other", "business": "finance", "politics": "legal",
    "sports": "entertainment", "religion": "other",
}  # fmt: skip


@dataclass(frozen=True)
class Labelled:
    """A text and the domains that count as right for it; the first is the main one.

    `label` is the source's own label where a crosswalk was named, else ""; `id` is the row's in its
    source; `weight` is how many rows it stands for in a sample whose parts were drawn at different
    rates (`only_judged`).
    """

    text: str
    language: str
    origin: str
    accepted: tuple[str, ...]
    label: str = ""
    id: str = ""
    weight: float = 1.0

    @property
    def main(self) -> str:
        return self.accepted[0]


def from_annotations(rows: Sequence[Annotation]) -> list[Labelled]:
    """Return annotations as labelled rows."""
    return [Labelled(row.text, row.language, row.origin, row.domains) for row in rows]


def truth_table(rows: Sequence[Labelled], domains: tuple[str, ...]) -> Truth:
    """Return which domains are right for each row, shape (len(rows), len(domains))."""
    table = np.zeros((len(rows), len(domains)), np.bool_)
    for number, row in enumerate(rows):
        for slug in row.accepted:
            if slug in domains:
                table[number, domains.index(slug)] = True
    return table


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as lines:
        if path.name.removesuffix(".gz").endswith(".tsv"):
            yield from csv.DictReader(lines, delimiter="\t")
            return
        for number, line in enumerate(lines, start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise SourceError(f"{path}:{number}: not JSON: {error}") from error


def _given(entry: dict[str, Any], where: Path) -> list[str]:
    """Return the labels that an entry has."""
    key = next((key for key in _LABEL_KEYS if entry.get(key)), None)
    if key is None:
        raise SourceError(f"{where}: a row has none of {', '.join(_LABEL_KEYS)}")
    return entry[key] if isinstance(entry[key], list) else [entry[key]]


def _labels(given: list[str], taxonomy: Taxonomy, scheme: str, where: Path) -> tuple[str, ...]:
    """Return an entry's domains: slugs as they are, foreign labels through the crosswalk."""
    labels: list[str] = []
    for label in given:
        if scheme:
            labels += taxonomy.from_foreign(scheme, label)
        elif label in taxonomy.slugs:
            labels.append(label)
        elif label in FOREIGN and FOREIGN[label] in taxonomy.slugs:
            labels.append(FOREIGN[label])
        else:
            known = ", ".join((*taxonomy.slugs, *FOREIGN))
            raise SourceError(
                f"{where}: unknown label {label!r}; known: {known}; or name a crosswalk"
            )
    return tuple(dict.fromkeys(labels))


def _text(entry: dict[str, Any]) -> str:
    parts = ("question", "answer") if entry.get("question") else ("headline", "text")
    return " ".join(entry.get(part) or "" for part in parts).replace("\n", " ").strip()


def _language(path: Path) -> str:
    stem = path.name.split(".")[0]
    return path.parent.name if stem in ("dev", "test", "train") else stem


def _acceptable(folder: Path) -> dict[str, list[str]]:
    path = folder / ACCEPTABLE_FILE
    if not path.is_file():
        return {}
    origins: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))["origins"]
    return origins


def read_labelled(source: Path, taxonomy: Taxonomy, scheme: str = "") -> list[Labelled]:
    """Read labelled pairs: `.jsonl`, `.jsonl.gz` or `.tsv`, one file or a folder with one a language.

    The label is in `domains`, `domain`, `source_domain`, `category` or `topic`; `scheme` says that
    it is a foreign one (`webfaq`, `nvidia`, ...), and rows whose label no domain overlaps are left
    out. An `acceptable_domains.json` beside the files adds what counts as right for an origin.

    :raises SourceError: if nothing is there, a line is not JSON, or a label is unknown.
    """
    folder = source if source.is_dir() else source.parent
    kinds = (".jsonl", ".jsonl.gz", ".tsv")
    files = [source] if source.is_file() else sorted(folder.rglob("*"))
    files = [path for path in files if path.name.endswith(kinds)]
    if not files:
        raise SourceError(
            f"{source}: expected labelled pairs in files that end in {', '.join(kinds)}"
        )
    also = _acceptable(folder)
    rows = []
    for path in files:
        for entry in _entries(path):
            origin = str(entry.get("origin") or "")
            given = _given(entry, path)
            labels = (*_labels(given, taxonomy, scheme, path), *also.get(origin, ()))
            language = str(entry.get("language") or _language(path))
            if labels:
                accepted = tuple(dict.fromkeys(labels))
                label = given[0] if scheme else ""
                key = str(entry.get("id") or "")
                rows.append(Labelled(_text(entry), language, origin, accepted, label, key))
    return rows


def only_judged(rows: Sequence[Labelled], judged: Path | None) -> list[Labelled]:
    """Return the rows that were judged one by one, with the judgement in place of the source's label.

    The file has `rows`, a map of row id to `domains` (the main one first) and `weight`.

    :raises LabelerError: if the file is missing or has another form, or judges a row that is not there.
    """
    if judged is None:
        return list(rows)
    try:
        found = json.loads(judged.read_text(encoding="utf-8"))["rows"]
        told = {key: (tuple(row["domains"]), float(row["weight"])) for key, row in found.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelerError(f"{judged} is no file of judged rows: {error}") from error
    kept = {row.id: row for row in rows if row.id in told}
    if missing := sorted(told.keys() - kept.keys()):
        raise LabelerError(
            f"{judged} judges {len(missing)} rows that the labelled source lacks, {missing[0]} first; "
            "is it another source, or another version?"
        )
    return [replace(row, accepted=told[key][0], weight=told[key][1]) for key, row in kept.items()]
