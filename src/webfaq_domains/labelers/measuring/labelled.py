"""Labelled pairs whose domain is known from elsewhere, and the web sites frozen for final figures.

The rule is a hash, so nobody picks the sites: in each domain of the labelled data, the sites with
the lowest sha256 of their name, `SHARE` of them and at least one. A site that is frozen in one
domain is frozen whole.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from webfaq_domains.ground.errors import LabelerError, SourceError
from webfaq_domains.ground.taxonomy import Taxonomy
from webfaq_domains.labelers.calibration import Truth

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


#: A third of the sites: a quarter was asked for, and with 3 to 5 sites a domain it is one or two.
SHARE = Fraction(1, 3)


@dataclass(frozen=True)
class HeldOutSites:
    """The rule and what it gives: `sites` are frozen; `same_site` maps a host's suffix to its site."""

    rule: str
    share: str
    same_site: dict[str, str]
    sites: dict[str, list[str]]

    def site(self, origin: str) -> str:
        """Return the site an origin belongs to (translations of one site are one site)."""
        for suffix, site in self.same_site.items():
            if origin.endswith(suffix):
                return site
        return origin

    def holds(self, origin: str) -> bool:
        """Say whether a row of this origin must stay out of training, choice and calibration."""
        return any(self.site(origin) in sites for sites in self.sites.values())

    def write(self, path: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> HeldOutSites:
        """Read the file that `freeze` and `write` made.

        :raises LabelerError: if it is missing or has another form.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise LabelerError(f"{path} is not a file of frozen origins: {error}") from error


def choose_held_out(
    origins: Iterable[tuple[str, str]], same_site: Mapping[str, str], share: Fraction = SHARE
) -> HeldOutSites:
    """Choose the frozen sites from (domain, origin) pairs of labelled rows."""
    named = HeldOutSites("", "", dict(same_site), {})
    sites: dict[str, set[str]] = {}
    for domain, origin in origins:
        sites.setdefault(domain, set()).add(named.site(origin))
    chosen = {
        domain: sorted(found, key=lambda site: hashlib.sha256(site.encode()).hexdigest())
        for domain, found in sorted(sites.items())
    }
    rule = (
        "per domain of the labelled data, the sites with the lowest sha256 of their name: "
        f"ceil({share} of the sites); a site frozen in one domain is frozen in all"
    )
    return HeldOutSites(
        rule,
        str(share),
        dict(same_site),
        {domain: found[: math.ceil(len(found) * share)] for domain, found in chosen.items()},
    )


def only_held_out(rows: list[Labelled], path: Path | None) -> list[Labelled]:
    """Return the rows of frozen sites, or all rows where no file is given."""
    if path is None:
        return rows
    frozen = HeldOutSites.read(path)
    return [row for row in rows if frozen.holds(row.origin)]
