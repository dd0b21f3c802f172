"""The two records of an experiment's folder: what all its cells share, and what one cell made."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

from webfaq_domains.ground.files import write_json
from webfaq_domains.ground.records import RecordError, as_record, read_json
from webfaq_eval.errors import ResultError

Record = TypeVar("Record")


@dataclass(frozen=True)
class Claim:
    """What all cells of a folder share: hashes of settings, pairs, benchmark and of each start."""

    experiment: str
    settings: str
    pairs: str
    benchmark: str
    starts: dict[str, str]


@dataclass(frozen=True)
class CellRecord:
    """A cell that is trained and scored: on how many pairs, by which run, and its result files."""

    cell: str
    start: str
    condition: str
    seed: int
    pairs: int
    run: str
    results: tuple[str, ...]


def write_record(path: Path, record: Claim | CellRecord) -> None:
    """Write a record whole."""
    write_json(path, asdict(record))


def read_claim(path: Path) -> Claim:
    """Read what a folder's cells share.

    :raises ResultError: if the file is missing, broken, or lacks something.
    """
    return _read(Claim, path, "remove the folder, or use another --out")


def read_cell(path: Path) -> CellRecord:
    """Read a cell's record.

    :raises ResultError: if the file is missing or broken, or names results outside the folder.
    """
    mend = "remove the file and run the experiment again: the cell is then scored anew"
    found = _read(CellRecord, path, mend)
    outside = [n for n in found.results if PurePosixPath(n).is_absolute() or ".." in n.split("/")]
    if outside:
        raise ResultError(f"{path} names the result {outside[0]!r}, which lies outside; {mend}")
    return found


def _read(kind: type[Record], path: Path, mend: str) -> Record:
    try:
        return as_record(kind, read_json(path), "the record")
    except RecordError as error:
        raise ResultError(f"{path}: {error}; {mend}") from error
