"""`manifest.json`: what a staged folder holds, where it came from, and where every input row went.

It is read and checked once, by `Manifest.read`; code then asks typed fields. Unknown keys are refused,
but for the parameters of steps in `recipe`: steps come and go, and the recipe's hash covers them.
"""

from __future__ import annotations

from importlib.metadata import version as _version
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.files import write_json
from webfaq_domains.ground.ledger import LedgerRecord
from webfaq_domains.ground.recipe import Recipe, SourcePin
from webfaq_domains.ground.records import (
    RESERVED,
    Count,
    FilePath,
    Name,
    Record,
    Sha256,
    parse_json,
    read_record,
    refuse_twins,
)
from webfaq_domains.ground.subsets import Extra, Retrieval, Sizes, SubsetEntry, subset_tables

MANIFEST = "manifest.json"
TAXONOMY = "taxonomy.toml"
MANIFEST_VERSION: Final = 1
#: Which leaderboards the Hub may keep for a retrieval repository.
EVAL_YAML = "eval.yaml"
#: The file that makes a folder a labeler folder; it names the kind and pins the model.
LABELER_FILE = "labeler.json"


def code_version() -> str:
    """Return the version of this package."""
    return _version("webfaq-domains")


class FileEntry(Record, frozen=True):
    """One data file: path in the repository, rows, bytes, sha256 of its content."""

    path: FilePath
    rows: Count
    bytes: Count
    sha256: Sha256


class TaxonomyPin(Record, frozen=True):
    """Which taxonomy the labels are of; `sha256` is that of its file."""

    version: str
    sha256: Sha256
    slugs: tuple[Name, ...]


class LabelerPin(Record, frozen=True):
    """Which labeler decided: `revision` is the sha256 of its model."""

    kind: str
    name: str
    revision: str
    taxonomy_version: str


class Configs(Record, frozen=True, omit_defaults=True):
    """The configs on the card: their names (of pairs) or their number (of retrieval subsets).

    Beside them stands what the recipe asks of them.
    """

    names: tuple[str, ...] | None = None
    min_rows: Count | None = None
    most: Count | None = None
    count: Count | None = None
    multi: bool | None = None


class Writer(Record, frozen=True):
    """What wrote the data files."""

    pyarrow: str


class Manifest(Record, frozen=True, kw_only=True):
    """The record of a build. Holds no time and no path, so equal builds have equal manifests.

    `recipe_hash` is `recipe.sha256(sources)`; `content_digest` is `schema.combined` over all rows.
    """

    artifact: Name
    code_version: str
    schema_version: str
    taxonomy: TaxonomyPin
    labelers: tuple[LabelerPin, ...]
    sources: tuple[SourcePin, ...]
    recipe: Recipe
    recipe_hash: Sha256
    files: tuple[FileEntry, ...]
    content_digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
    ledger: LedgerRecord
    configs: Configs
    writer: Writer
    version: str | None = None
    manifest_version: Literal[1] = MANIFEST_VERSION
    extra: Extra = Extra()

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def is_retrieval(self) -> bool:
        """Whether the folder holds retrieval subsets; else it holds pairs."""
        return self.extra.retrieval is not None

    @property
    def retrieval(self) -> Retrieval:
        """Return tasks and subsets.

        :raises StagedError: if the folder holds pairs.
        """
        if self.extra.retrieval is None:
            raise StagedError(
                f"{self.artifact} is no retrieval data set; build one with `webfaq-domains build "
                "xtreme-r` or `build retrieval`"
            )
        return self.extra.retrieval

    @property
    def sizes(self) -> Sizes:
        return self.extra.sizes or Sizes(data=0, raw_text=0, ratio=0.0)

    @property
    def drops(self) -> list[tuple[str, str, int]]:
        """Return (step, reason, rows) in the order of the steps."""
        dropped, order = self.ledger.dropped, self.recipe.steps
        return [
            (step, reason, rows)
            for step in sorted(dropped, key=lambda s: order.index(s) if s in order else len(order))
            for reason, rows in dropped[step].items()
        ]

    def write(self, folder: Path) -> None:
        write_json(folder / MANIFEST, self.to_json())

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = msgspec.to_builtins(self, enc_hook=lambda recipe: recipe.values)
        return value

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a folder's manifest and check it, but for what the data files say.

        :raises StagedError: if there is none, or it is not one that this version reads; names the
            key, what was expected and what was met.
        """
        path = folder / MANIFEST
        try:
            text = path.read_bytes()
        except FileNotFoundError as error:
            raise StagedError(f"{folder} has no {MANIFEST}: {_instead(folder)}") from error
        except OSError as error:
            raise StagedError(f"{path} cannot be read: {error.strerror}") from error
        return cls.of_json(parse_json(text, str(path)), str(path))

    @classmethod
    def of_json(cls, value: Any, where: str) -> Manifest:
        """Return a manifest from its JSON value.

        :raises StagedError: see `read`.
        """
        found = value.get("manifest_version") if isinstance(value, dict) else None
        if type(found) is not int or found != MANIFEST_VERSION:
            raise StagedError(
                f"{where}: manifest_version is {found!r}; this version reads {MANIFEST_VERSION}"
            )
        recipe = read_record(value, _HasRecipe, where).recipe
        manifest = read_record({**value, "recipe": Recipe(recipe, f"{where}: recipe")}, cls, where)
        try:
            _check_whole(manifest)
        except StagedError as error:
            raise StagedError(f"{where}: {error}") from error
        return manifest


class _HasRecipe(msgspec.Struct):
    recipe: dict[str, Any]


def _check_whole(manifest: Manifest) -> None:
    """Check what one field says of another.

    :raises StagedError: naming the key.
    """
    paths = [file.path for file in manifest.files]
    refuse_twins(paths)
    taken = sorted(RESERVED & set(manifest.taxonomy.slugs))
    if taken:
        raise StagedError(f"taxonomy.slugs: {taken[0]!r} is a name that others have reserved")
    if not manifest.is_retrieval:
        if manifest.extra != Extra():
            raise StagedError("extra: stability and sizes stand beside retrieval only")
        _ = manifest.recipe.pairs
        return
    if manifest.extra.sizes is None or manifest.extra.stability is None:
        raise StagedError("extra: beside retrieval stand sizes and stability")
    _ = manifest.recipe.retrieval
    whole = {(s.task, s.split, s.language) for s in manifest.retrieval.subsets if s.is_whole}
    for number, subset in enumerate(manifest.retrieval.subsets):
        where = f"extra.retrieval.subsets[{number}]"
        if subset.task not in manifest.retrieval.tasks:
            raise StagedError(f"{where}.task: {subset.task!r} is not among the tasks")
        if (subset.task, subset.split, subset.language) not in whole:
            raise StagedError(f"{where}: no subset is the whole of its language")
        if subset.name.lower() in RESERVED:
            raise StagedError(f"{where}.name: {subset.name!r} is a name that others have reserved")
        _check_reads(subset, set(paths), where)


def _check_reads(subset: SubsetEntry, paths: set[str], where: str) -> None:
    for part, read in subset_tables(subset):
        outside = [name for name in read.files if name not in paths]
        if outside:
            raise StagedError(f"{where}.read.{part}: {outside[0]!r} is not among the files")


def _instead(folder: Path) -> str:
    """Return what a folder without a manifest is, or where one is, as far as can be seen."""
    if (folder / LABELER_FILE).is_file():
        return "it is a labeler, and a staged data set was expected"
    for name in (MANIFEST, LABELER_FILE):
        inside = sorted(path.parent for path in folder.glob(f"*/{name}"))
        if inside:
            return f"name the folder of one artifact, such as {inside[0]}"
    return (
        "it is not a staged folder; make one with `webfaq-domains build` (`webfaq-domains build "
        "--help` lists what can be built)"
    )
