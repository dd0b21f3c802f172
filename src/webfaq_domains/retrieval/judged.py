"""Labels of a benchmark's fixed items that were decided by reading, not by a labeler.

Tatoeba's sentences and LAReQA's questions never change, so their domains were judged once and ship
with the package (`builders/judged/`; `docs/judged.md` says by whom, by which guide and how well the
readers agree). A user's own label file has the same form, for any benchmark:

| column | meaning |
|---|---|
| `key` | the item's id, or the first 16 hex digits of the SHA-256 of its stripped UTF-8 text |
| `domain` | its main domain |
| `also` | further acceptable domains, joined by `|`; may be empty |
| `doubtful` | 1 where careful readers differ; may be left out |
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import file_sha256

#: Who decided a label that stands in a label file, in the column `labelled_by`.
JUDGED = "judged"
_REQUIRED = ("key", "domain")


@dataclass(frozen=True)
class JudgedLabel:
    """The domains that fit an item, best first, and whether careful readers differ."""

    domains: tuple[str, ...]
    doubtful: bool = False

    @property
    def domain(self) -> str:
        return self.domains[0]


@dataclass(frozen=True)
class JudgedLabels:
    """A label file: its name, the sha256 of its content, and a label by key."""

    name: str
    sha256: str
    labels: Mapping[str, JudgedLabel]

    def of(self, item: str, text: str) -> JudgedLabel | None:
        """Return the label of an item, found by its id or else by its deciding text."""
        return self.labels.get(item) or self.labels.get(text_key(text))


def text_key(text: str) -> str:
    """Return the key of a text that has no id: 64 bits of a hash, so that no text is stored.

    >>> text_key(" Where does it hurt? ") == text_key("Where does it hurt?")
    True
    """
    return hashlib.sha256(text.strip().encode()).hexdigest()[:16]


def shipped_labels(task: str) -> Path | None:
    """Return the label file that the package has for a benchmark, or None."""
    path = Path(str(files("webfaq_domains.builders").joinpath("judged", f"{task}.tsv")))
    return path if path.is_file() else None


def read_labels(path: Path, slugs: frozenset[str]) -> JudgedLabels:
    """Read a label file; `slugs` are the domains that the taxonomy has.

    :raises LabelerError: naming file and line of what is no label: a column that is missing, a
        domain that the taxonomy does not have, an empty key, or a key that stands there twice.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            labels = dict(_labels(path, csv.DictReader(file, delimiter="\t"), slugs))
    except OSError as error:
        raise LabelerError(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelerError(f"{path} is no tab-separated UTF-8 text: {error}") from error
    return JudgedLabels(path.name, file_sha256(path), labels)


def _labels(
    path: Path, rows: csv.DictReader[str], slugs: frozenset[str]
) -> Iterator[tuple[str, JudgedLabel]]:
    lacking = [name for name in _REQUIRED if name not in (rows.fieldnames or ())]
    if lacking:
        raise LabelerError(
            f"{path}:1: no column {lacking[0]!r}; expected key, domain, also, doubtful with tabs between"
        )
    seen: dict[str, int] = {}
    for row in rows:
        place = f"{path}:{rows.line_num}"
        key, domains = row["key"], _domains(row)
        unknown = [slug for slug in domains if slug not in slugs]
        if not key or unknown:
            wrong = f"{unknown[0]!r} is no domain of the taxonomy" if key else "the key is empty"
            raise LabelerError(f"{place}: {wrong}; expected one of {', '.join(sorted(slugs))}")
        if key in seen:
            raise LabelerError(f"{place}: the key {key} stands in line {seen[key]} as well")
        seen[key] = rows.line_num
        yield key, JudgedLabel(domains, row.get("doubtful") == "1")


def _domains(row: dict[str, str]) -> tuple[str, ...]:
    also = [slug for slug in (row.get("also") or "").split("|") if slug]
    return tuple(dict.fromkeys([row["domain"] or "", *also]))
