"""Data sets: question-answer pairs by domain, and subsets for retrieval. `manifest.json` lists files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from webfaq_domains.dataset.card import render_card
from webfaq_domains.dataset.check import Checked, check_dataset
from webfaq_domains.dataset.layout import configs_of
from webfaq_domains.ground.kinds import Kind
from webfaq_domains.ground.manifest import MANIFEST, TAXONOMY, FileEntry, Manifest
from webfaq_domains.ground.taxonomy import read_taxonomy
from webfaq_domains.release.artifact import Artifact
from webfaq_domains.release.rows import Slice, pair_slices, retrieval_slices
from webfaq_domains.release.snapshot import Snapshot
from webfaq_domains.retrieval.check import check_retrieval
from webfaq_domains.retrieval.layout import Place

#: The artifact whose card is rendered from its manifest alone, and from which rows are removed.
PAIRS_ARTIFACT = "webfaq-domains"


class DataSet(Artifact):
    """An artifact whose manifest lists data files of rows."""

    repo_type = "dataset"

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest, read once.

        :raises StagedError: if it is not one that this version reads.
        """
        return Manifest.read(self.snapshot.local(MANIFEST).parent)

    @cached_property
    def description(self) -> dict[str, Any]:
        """The entries of the manifest, once `manifest` took them for one."""
        _ = self.manifest
        return super().description

    @property
    def taxonomy(self) -> dict[str, Any]:
        return dict(self.description["taxonomy"])

    @property
    def rows(self) -> int:
        return self.manifest.rows

    @property
    def pinned_files(self) -> dict[str, str]:
        return {file.path: file.sha256 for file in self.manifest.files}

    @property
    def labelers(self) -> set[str]:
        """Return kind, name and revision of each labeler that decided."""
        return {
            f"{entry['kind']} {entry['name']} {entry['revision'][:12]}"
            for entry in self.description["labelers"]
        }

    @property
    def config_names(self) -> set[str]:
        return set(self.description["configs"].get("names") or ())

    def other_paths(self) -> set[str]:
        return super().other_paths() - self.pinned_files.keys()

    def part(self, path: str) -> str:
        """Return which kind of rows a data file holds; "" where all hold the same."""
        return ""

    @abstractmethod
    def compare_rows(
        self, mine: list[FileEntry], other: Snapshot, theirs: list[FileEntry]
    ) -> Iterator[Slice]:
        """Yield the rows of some files of this one and of another version, slice by slice."""


class Pairs(DataSet):
    """Question-answer pairs by domain and language."""

    kind = Kind.PAIRS

    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        return check_dataset(self.snapshot.folder(), load, quiet)

    def compare_rows(
        self, mine: list[FileEntry], other: Snapshot, theirs: list[FileEntry]
    ) -> Iterator[Slice]:
        return pair_slices((self.snapshot, mine), (other, theirs))

    def _versioned_card(self, version: str) -> bytes:
        """Return the card that the manifest gives once it has the version."""
        if self.manifest.artifact != PAIRS_ARTIFACT:
            return super()._versioned_card(version)
        manifest = replace(self.manifest, version=version)
        taxonomy = read_taxonomy(self.snapshot.local(TAXONOMY).read_text("utf-8"), TAXONOMY)
        return render_card(manifest, configs_of(manifest), taxonomy).encode()


class Retrieval(DataSet):
    """Corpora, queries and judgements in subsets."""

    kind = Kind.RETRIEVAL

    def check(self, load: bool = True, quiet: bool = False) -> Checked:
        return check_retrieval(self.snapshot.folder(), load, quiet)

    def part(self, path: str) -> str:
        return Place.of_path(path).part

    def compare_rows(
        self, mine: list[FileEntry], other: Snapshot, theirs: list[FileEntry]
    ) -> Iterator[Slice]:
        return retrieval_slices((self.snapshot, mine), (other, theirs))
