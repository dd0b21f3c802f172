"""What differs between two versions of an artifact, and which version number that asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.manifest import TAXONOMY, FileEntry
from webfaq_domains.release.rows import (
    RowChanges,
    listed,
    listed_moves,
    pair_slices,
    retrieval_slices,
    row_lines,
)
from webfaq_domains.release.snapshot import CARD, About, for_readers, open_snapshot, opened_parquet
from webfaq_domains.release.versions import Version, highest


@dataclass
class Difference:
    """What differs from `one` to `other`. Lists hold one line for each thing that differs.

    `values` tells whether columns beside id and domain differ although no row came, went or moved.
    """

    one: About
    other: About
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
            "kind": self.one.kind,
            "rows": {
                "added": listed(rows.added),
                "removed": listed(rows.removed),
                "relabelled": listed_moves(rows.relabelled),
                "moved": listed_moves(rows.moved),
                "changed": listed(rows.changed),
                "other_values": self.values,
            },
            **{name: getattr(self, name) for name in _LISTS},
            "level": self.level,
            "version": str(self.one.version) if self.one.version else None,
            "suggested": str(self.suggested) if self.suggested else None,
        }

    def text(self) -> str:
        lines = [f"{self.one.snapshot.name} -> {self.other.snapshot.name}"]
        lines += row_lines(self.rows)
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
    before, after = (About.of(open_snapshot(address)) for address in (one, other))
    if before.kind != after.kind:
        raise StagedError(
            f"{one} holds {before.kind}, {other} {after.kind}: two kinds of artifacts have no "
            "versions in common"
        )
    found = Difference(before, after)
    _compare_descriptions(found)
    _compare_files(found)
    if before.manifest is not None:
        _compare_data(found, quiet)
    return found


def _compare_descriptions(found: Difference) -> None:
    one, other = found.one, found.other
    found.taxonomy += taxonomy_changes(one, other)
    if one.manifest and other.manifest:
        found.labelers += labeler_changes(one, other)
        names = [
            set(about.manifest.configs.names or ()) for about in (one, other) if about.manifest
        ]
        found.card += _set_lines("config", *names)
    known = {"files", "taxonomy", "labelers", "schema_version", "configs"}
    keys = (one.described.keys() | other.described.keys()) - known
    differing = sorted(key for key in keys if one.described.get(key) != other.described.get(key))
    if differing:
        # A labeler's description is part of the model: thresholds decide labels.
        place = found.files if one.kind == "labeler" else found.card
        place.append(f"description differs: {', '.join(differing)}")
    if one.card() != other.card():
        found.card.append(f"{CARD} differs")


def taxonomy_changes(one: About, other: About) -> list[str]:
    """Return one line per change of the taxonomy."""
    before, after = one.taxonomy, other.taxonomy
    if before.get("sha256") == after.get("sha256") and before.get("slugs") == after.get("slugs"):
        return []
    slugs = _set_lines("domain", set(before.get("slugs", ())), set(after.get("slugs", ())))
    return [f"{before.get('version')} -> {after.get('version')}", *slugs]


def labeler_changes(one: About, other: About) -> list[str]:
    """Return one line per labeler that came or went."""
    both = [
        {f"{entry.kind} {entry.name} {entry.revision[:12]}" for entry in about.manifest.labelers}
        for about in (one, other)
        if about.manifest is not None
    ]
    return _set_lines("", *both)


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


def _compare_data(found: Difference, quiet: bool) -> None:
    one, other = found.one.manifest, found.other.manifest
    assert one is not None and other is not None
    equal = {(file.path, file.sha256) for file in one.files} & {
        (file.path, file.sha256) for file in other.files
    }
    mine, theirs = (
        [file for file in manifest.files if (file.path, file.sha256) not in equal]
        for manifest in (one, other)
    )
    if one.schema_version != other.schema_version:
        found.schema.append(f"{one.schema_version} -> {other.schema_version}")
    found.schema += _column_changes(found, mine, theirs)
    if any(line.endswith(" (key)") for line in found.schema):
        return
    slices = pair_slices if found.one.kind == "pairs" else retrieval_slices
    total = sum(file.rows for file in (*mine, *theirs))
    with tqdm(
        desc="compare rows", total=total, unit=" rows", unit_scale=True, disable=quiet or not total
    ) as bar:
        for before, after, labels in slices(
            (found.one.snapshot, mine), (found.other.snapshot, theirs)
        ):
            found.rows.compare(before, after, labels)
            bar.update(len(before.key) + len(after.key))
    found.values = not found.rows and one.content_digest != other.content_digest
    if (mine or theirs) and not (found.rows or found.values):
        found.card.append(
            f"{len(mine)} data files were written anew as {len(theirs)}: the same rows"
        )


def _column_changes(
    found: Difference, mine: Sequence[FileEntry], theirs: Sequence[FileEntry]
) -> Iterator[str]:
    """Yield what differs in the columns of the first file of each part that both sides have."""
    before, after = _first_files(mine), _first_files(theirs)
    for part in sorted(before.keys() & after.keys()):
        one = _columns(found.one, before[part])
        other = _columns(found.other, after[part])
        for name in dict.fromkeys([*one, *other]):
            if one.get(name) != other.get(name):
                key = " (key)" if name in ("id", "domain", "query-id", "corpus-id") else ""
                yield f"{part}column {name}: {one.get(name, 'none')} -> {other.get(name, 'none')}{key}"


def _first_files(files: Sequence[FileEntry]) -> dict[str, str]:
    """Return the first path of each part; pairs have one part, retrieval data one per kind of rows."""
    found: dict[str, str] = {}
    for file in sorted(files, key=lambda file: file.path):
        part = file.path.split("/")[2]
        known = part in ("corpus", "queries", "qrels", "unpaired")
        found.setdefault(f"{part} " if known else "", file.path)
    return found


def _columns(about: About, path: str) -> dict[str, str]:
    with opened_parquet(about.snapshot, path) as parquet:
        return {field.name: str(field.type) for field in parquet.schema_arrow}
