"""Export a staged retrieval folder to other programs' files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.benchmarks.trec import Exported, export_trec
from webfaq_domains.benchmarks.xtreme_files import export_xtreme
from webfaq_domains.errors import RecipeError


@dataclass(frozen=True)
class Wanted:
    """What to write where: TREC files of the subsets that match `subset`, XTREME's, with a `run`."""

    trec: Path | None = None
    subset: str = "*"
    xtreme: Path | None = None
    run: Path | None = None


@dataclass(frozen=True)
class Exports:
    """What was written, by format."""

    formats: dict[str, Exported]

    def to_json(self) -> dict[str, Any]:
        return {name: exported.to_json() for name, exported in self.formats.items()}

    def text(self) -> str:
        return "\n".join(exported.text() for exported in self.formats.values())


def export_folder(folder: Path, wanted: Wanted, quiet: bool = False) -> Exports:
    """Write what is wanted of a staged retrieval folder.

    :raises RecipeError: if nothing is wanted, or a run without the format that takes one.
    """
    if wanted.trec is None and wanted.xtreme is None:
        raise RecipeError("nothing to write: name a folder with --trec, --xtreme or both")
    if wanted.run is not None and wanted.xtreme is None:
        raise RecipeError("--run is written as XTREME's predictions: name a folder with --xtreme")
    formats = {}
    if wanted.trec is not None:
        formats["trec"] = export_trec(folder, wanted.trec, wanted.subset, quiet)
    if wanted.xtreme is not None:
        formats["xtreme"] = export_xtreme(folder, wanted.xtreme, wanted.run)
    return Exports(formats)
