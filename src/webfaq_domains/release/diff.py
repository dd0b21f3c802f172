"""What differs between two versions of an artifact, and which version number that asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.front_matter import CARD
from webfaq_domains.ground.manifest import TAXONOMY, FileEntry
from webfaq_domains.release.artifact import Artifact, for_readers
from webfaq_domains.release.data import DataSet
from webfaq_domains.release.kinds import open_artifact
from webfaq_domains.release.rows import (
    RowChanges,
    counts_by_label,
    moves_by_label,
    table_of_rows,
)
from webfaq_domains.release.semver import Version, highest
from webfaq_domains.release.snapshot import opened_parquet


@dataclass
class Difference:
    """What differs from `one` to `other`. Lists hold one line for each thing that differs.

    `values` tells whether columns beside id and domain differ although no row came, went or moved.
    """

    one: Artifact
    other: Artifact
    rows: RowChanges = field(default_factory=RowChanges)
    values: bool = False
    schema: list[str] = field(default_factory=list)
    taxonomy: list[str] = field(default_factory=list)
    labelers: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    card: list[str] = field(default_factory=list)

    @property
    def level(self) -> str:
        """Return the level of the change by the rule of `docs/versions.md`."""
        levels = ["major"] * bool(self.schema or self.taxonomy)
        levels += ["minor"] * bool(self.rows or self.values or self.files)
        return highest([*levels, *["patch"] * bool(self.card or self.labelers)])

    @property
    def suggested(self) -> Version | None:
        """Return the next version, or None if nothing differs; the first version is 1.0.0."""
        if self.level == "none":
            return None
        base = self.one.version
        return Version(1, 0, 0) if base is None else base.next(self.level)

    def to_json(self) -> dict[str, Any]:
        rows = self.rows
        return {
            "from": self.one.snapshot.name,
            "to": self.other.snapshot.name,
            "kind": self.one.kind.value,
            "rows": {
                "added": counts_by_label(rows.added),
                "removed": counts_by_label(rows.removed),
                "relabelled": moves_by_label(rows.relabelled),
                "moved": moves_by_label(rows.moved),
                "changed": counts_by_label(rows.changed),
                "other_values": self.values,
            },
            **{name: getattr(self, name) for name in _LISTS},
            "level": self.level,
            "version": str(self.one.version) if self.one.version else None,
            "suggested": str(self.suggested) if self.suggested else None,
        }

    def text(self) -> str:
        lines = [f"{self.one.snapshot.name} -> {self.other.snapshot.name}"]
        lines += table_of_rows(self.rows)
        if self.values:
            lines.append("rows      other columns than id and domain differ (content digest)")
        lines += [f"{name:<10}{what}" for name in _LISTS for what in getattr(self, name)]
        if self.level == "none":
            return "\n".join([*lines, "nothing differs: no new version"])
        before = f" after {self.one.version}" if self.one.version else ", the first"
        return "\n".join([*lines, f"a {self.level} change: version {self.suggested}{before}"])


_LISTS = ("schema", "taxonomy", "labelers", "files", "card")


def diff(one: str, other: str, quiet: bool = False) -> Difference:
    """Compare two staged folders or `org/name@revision`, the older one first.

    Of data files that differ, pairs' ids are read and nothing else; equal files are not opened.

    :raises StagedError: if one cannot be read, or they are artifacts of two kinds.
    """
    before, after = open_artifact(one), open_artifact(other)
    if before.kind != after.kind:
        raise StagedError(
            f"{one} holds {before.kind.value}, {other} {after.kind.value}: two kinds of artifacts have "
            "no versions in common"
        )
    found = Difference(before, after)
    _compare_descriptions(found)
    _compare_files(found)
    if isinstance(before, DataSet) and isinstance(after, DataSet):
        _compare_data(found, before, after, quiet)
    return found


def _compare_descriptions(found: Difference) -> None:
    one, other = found.one, found.other
    found.taxonomy += taxonomy_changes(one, other)
    if isinstance(one, DataSet) and isinstance(other, DataSet):
        found.labelers += labeler_changes(one, other)
        found.card += _set_lines("config", one.config_names, other.config_names)
    before, after = one.description, other.description
    # Publishing writes the version; the others are compared by themselves.
    elsewhere = {"version", "files", "taxonomy", "labelers", "schema_version", "configs"}
    keys = (before.keys() | after.keys()) - elsewhere
    differing = sorted(key for key in keys if before.get(key) != after.get(key))
    if differing:
        lines = found.files if one.description_is_content else found.card
        lines.append(f"description differs: {', '.join(differing)}")
    if one.card() != other.card():
        found.card.append(f"{CARD} differs")


def taxonomy_changes(one: Artifact, other: Artifact) -> list[str]:
    """Return one line per change of the taxonomy."""
    before, after = one.taxonomy, other.taxonomy
    if before.get("sha256") == after.get("sha256") and before.get("slugs") == after.get("slugs"):
        return []
    slugs = _set_lines("domain", set(before.get("slugs", ())), set(after.get("slugs", ())))
    return [f"{before.get('version')} -> {after.get('version')}", *slugs]


def labeler_changes(one: DataSet, other: DataSet) -> list[str]:
    """Return one line per labeler that came or went."""
    return _set_lines("", one.labelers, other.labelers)


def _set_lines(what: str, before: set[str], after: set[str]) -> list[str]:
    gone = [f"- {what} {name}" for name in sorted(before - after)]
    lines = gone + [f"+ {what} {name}" for name in sorted(after - before)]
    return [line.replace("  ", " ") for line in lines]


def _compare_files(found: Difference) -> None:
    """Compare the files that are no data by their hashes."""
    one, other = found.one, found.other
    before, after = one.other_paths(), other.other_paths()
    for path in sorted((before | after) - {TAXONOMY}):
        if path in before and path in after:
            if one.snapshot.sha256(path) == other.snapshot.sha256(path):
                continue
            line = f"{path} differs"
        else:
            line = f"{'+' if path in after else '-'} {path}"
        (found.card if for_readers(path) else found.files).append(line)


def _compare_data(found: Difference, before: DataSet, after: DataSet, quiet: bool) -> None:
    one, other = before.manifest, after.manifest
    equal = set(one.files) & set(other.files)
    mine, theirs = (
        [file for file in manifest.files if file not in equal] for manifest in (one, other)
    )
    if one.schema_version != other.schema_version:
        found.schema.append(f"{one.schema_version} -> {other.schema_version}")
    found.schema += _column_changes((before, mine), (after, theirs))
    if any(line.endswith(" (key)") for line in found.schema):
        return
    total = sum(file.rows for file in (*mine, *theirs))
    with tqdm(
        desc="compare rows", total=total, unit=" rows", unit_scale=True, disable=quiet or not total
    ) as bar:
        for rows in before.compare_rows(mine, after.snapshot, theirs):
            found.rows.compare(*rows)
            bar.update(len(rows[0].key) + len(rows[1].key))
    found.values = not found.rows and one.content_digest != other.content_digest
    if (mine or theirs) and not (found.rows or found.values):
        found.card.append(
            f"{len(mine)} data files were written anew as {len(theirs)}: the same rows"
        )


Side = tuple[DataSet, list[FileEntry]]


def _column_changes(one: Side, other: Side) -> Iterator[str]:
    """Yield what differs in the columns of the first file of each part that both sides have."""
    before, after = _columns_by_part(*one), _columns_by_part(*other)
    for part in sorted(before.keys() & after.keys()):
        for name in dict.fromkeys([*before[part], *after[part]]):
            types = [columns[part].get(name, "none") for columns in (before, after)]
            if types[0] != types[1]:
                key = " (key)" if name in ("id", "domain", "query-id", "corpus-id") else ""
                yield f"{part} column {name}: {' -> '.join(types)}{key}".lstrip()


def _columns_by_part(data: DataSet, files: list[FileEntry]) -> dict[str, dict[str, str]]:
    """Return name and type of the columns of the first file of each part."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(files, key=lambda file: file.path):
        part = data.part(file.path)
        if part not in found:
            with opened_parquet(data.snapshot, file.path) as parquet:
                found[part] = {field.name: str(field.type) for field in parquet.schema_arrow}
    return found
