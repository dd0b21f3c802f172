"""`manifest.json`: what a staged folder holds, where it came from, and where every input row went."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import BuildError, StagedError
from webfaq_domains.ground.files import write_json

MANIFEST = "manifest.json"
TAXONOMY = "taxonomy.toml"
MANIFEST_VERSION = 1
#: Which leaderboards the Hub may keep for a retrieval repository.
EVAL_YAML = "eval.yaml"
#: The file that makes a folder a labeler folder; it names the kind and pins the model.
LABELER_FILE = "labeler.json"


@dataclass(frozen=True)
class FileEntry:
    """One data file: path in the repository, rows, bytes, sha256 of its content."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The record of a build. Holds no time and no path, so equal builds have equal manifests.

    `recipe` is every parameter that can change a byte, `recipe_hash` its sha256; `sources` are
    pinned by revision or sha256; `content_digest` is `digest.combined` over all rows.
    """

    artifact: str
    code_version: str
    schema_version: str
    taxonomy: dict[str, Any]
    labelers: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    recipe: dict[str, Any]
    recipe_hash: str
    files: list[FileEntry]
    content_digest: str
    ledger: dict[str, Any]
    configs: dict[str, Any]
    writer: dict[str, str]
    version: str | None = None
    manifest_version: int = MANIFEST_VERSION
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def drops(self) -> list[tuple[str, str, int]]:
        """Return (step, reason, rows) in the order of the steps."""
        dropped, order = self.ledger["dropped"], list(self.recipe.get("steps", ()))
        return [
            (step, reason, rows)
            for step in sorted(dropped, key=lambda s: order.index(s) if s in order else len(order))
            for reason, rows in dropped[step].items()
        ]

    def write(self, folder: Path) -> None:
        write_json(folder / MANIFEST, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a folder's manifest.

        :raises StagedError: if there is none, or it is not one that this version reads.
        """
        path = folder / MANIFEST
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise StagedError(f"{folder} has no {MANIFEST}: {_instead(folder)}") from error
        except (OSError, ValueError) as error:
            raise StagedError(f"{path} cannot be read: {error}") from error
        found = data.get("manifest_version") if isinstance(data, dict) else None
        if found != MANIFEST_VERSION:
            raise StagedError(
                f"{path}: manifest_version is {found!r}; this version reads {MANIFEST_VERSION}"
            )
        try:
            return cls(**{**data, "files": [FileEntry(**file) for file in data["files"]]})
        except (TypeError, KeyError) as error:
            raise StagedError(f"{path} lacks or has unknown entries: {error}") from error


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


@dataclass
class Ledger:
    """Rows in, rows out, rows dropped by step and reason, rows quarantined by reason."""

    rows_in: int = 0
    rows_out: int = 0
    dropped: dict[str, Counter[str]] = field(default_factory=dict)
    quarantined: Counter[str] = field(default_factory=Counter)

    def drop(self, step: str, reasons: dict[str, int]) -> None:
        if reasons:
            self.dropped.setdefault(step, Counter()).update(reasons)

    @property
    def rows_dropped(self) -> int:
        return sum(counts.total() for counts in self.dropped.values())

    def close(self) -> None:
        """Check that no row is unaccounted for.

        :raises BuildError: with the figures, if rows in differ from rows out, dropped and quarantined.
        """
        accounted = self.rows_out + self.rows_dropped + self.quarantined.total()
        if self.rows_in != accounted:
            raise BuildError(
                f"the ledger does not close: {self.rows_in} rows in, but {self.rows_out} out + "
                f"{self.rows_dropped} dropped + {self.quarantined.total()} quarantined = {accounted}; "
                "this is a bug in a step, nothing was published"
            )

    def to_json(self) -> dict[str, Any]:
        return {
            "rows_in": self.rows_in,
            "rows_out": self.rows_out,
            "dropped": {step: dict(sorted(c.items())) for step, c in self.dropped.items()},
            "quarantined": dict(sorted(self.quarantined.items())),
        }
