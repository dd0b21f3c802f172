"""The list of a condition's pairs: chosen, written and hashed before anything is trained.

pairs.parquet     id, language, domain of every pair, sorted by id
condition.json    the condition, seed, limits, held-out languages, counts, sha256 of the list
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.files import replacing, write_json
from webfaq_domains.ground.records import RecordError, as_record, read_json
from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.pairs.conditions import (
    Condition,
    Selection,
    control_warnings,
    parse_condition,
    select,
)
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.pairs import (
    Ids,
    PairFolder,
    PairIndex,
    format_ids,
    parse_ids,
    read_for_conditions,
)
from webfaq_eval.pairs.settings import Draw

log = logging.getLogger(__name__)
PAIRS, CONDITION = "pairs.parquet", "condition.json"


@dataclass(frozen=True)
class PairListRecord:
    """What `condition.json` says of a list: how it was chosen, what it holds, and its sha256.

    `data` is the digest of the pairs that it was chosen from; the dictionaries count pairs.
    """

    condition: str
    pairs: int
    sha256: str
    languages: dict[str, int]
    domains: dict[str, int]
    seed: int
    pairs_per_language: int | None
    held_out: tuple[str, ...]
    held_out_checked: str | None
    held_out_dropped: dict[str, int]
    data: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class PairList:
    """A written list: the ids sorted, and its record as it stands on disk."""

    ids: Ids
    record: PairListRecord


@dataclass(frozen=True)
class ListedPairs:
    """The pairs that a run trains on, and what they were chosen from."""

    pairs: PairFolder
    chosen: PairList
    held_out: HeldOut


def list_pairs(
    where: str, condition: str, draw: Draw, held_out: frozenset[str], folder: Path,
    when_written: Callable[[], None] | None = None,
) -> ListedPairs:  # fmt: skip
    """Choose the pairs of a condition and write their list into a folder.

    With `when_written` this process waits for another one to write the list, and reads it then.

    :raises TrainingError: if the condition has no pair to train on, or `folder` holds another list.
    """
    wanted = parse_condition(condition)
    pairs, index, check = read_for_conditions(where, held_out)
    chosen = select(index, wanted, draw)
    if wanted.kind == "random":
        like = select(index, Condition("in-domain", wanted.domain), draw)
        chosen.warnings.extend(control_warnings(index, like, chosen))
    for warning in chosen.warnings:
        log.warning(warning)
    if not len(chosen) and wanted.kind != "none":
        raise TrainingError(f"{wanted} has no pair in {where}; {_offered(index)}")
    if when_written:
        when_written()
    return ListedPairs(pairs, write_pair_list(folder, pairs, index, chosen, (draw, check)), check)


def _offered(index: PairIndex) -> str:
    return (
        f"its train split has {len(index):,} pairs in {len(index.languages)} languages, "
        f"{int(index.excluded.sum()):,} of them held out, domains {', '.join(sorted(index.domains))}"
    )


def list_sha256(ids: Ids) -> str:
    """Return the sha256 of sorted ids as text, one a line: what `cut -f1 | sha256sum` would give."""
    digest = hashlib.sha256()
    for start in range(0, len(ids), 100_000):
        digest.update("".join(f"{i}\n" for i in format_ids(ids[start : start + 100_000])).encode())
    return digest.hexdigest()


def write_pair_list(
    folder: Path, pairs: PairFolder, index: PairIndex, chosen: Selection, how: tuple[Draw, HeldOut]
) -> PairList:
    """Write the list of a selection; the record comes last.

    :raises TrainingError: if the folder holds the list of other pairs.
    """
    draw, held_out = how
    ids = index.ids[chosen.rows]
    record = PairListRecord(
        condition=str(chosen.condition),
        pairs=len(chosen),
        sha256=list_sha256(ids),
        languages=chosen.languages,
        domains=_counts(index.domain[chosen.rows], index.domains),
        seed=draw.seed,
        pairs_per_language=draw.pairs_per_language,
        held_out=tuple(sorted(held_out.languages)),
        held_out_checked=held_out.checked if held_out.languages else None,
        held_out_dropped=dict(sorted(held_out.found.items())),
        data=pairs.digest,
        warnings=tuple(chosen.warnings),
    )
    if (folder / CONDITION).exists():
        before = read_pair_list(folder)
        if before.record.sha256 != record.sha256:
            raise TrainingError(
                f"{folder} holds the pairs of {before.record.condition} (list {before.record.sha256[:12]}), "
                f"asked is {record.condition} (list {record.sha256[:12]}); give another --out"
            )
        return before
    columns = (
        (index.language[chosen.rows], index.languages),
        (index.domain[chosen.rows], index.domains),
    )
    language, domain = (
        pa.array(np.array([*names, ""])[codes].tolist()) for codes, names in columns
    )
    table = pa.table(
        {"id": pa.array(format_ids(ids), pa.string()), "language": language.cast(pa.string()),
         "domain": domain.cast(pa.string())}
    )  # fmt: skip
    with replacing(folder / PAIRS) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    write_json(folder / CONDITION, asdict(record))
    return PairList(ids, record)


def _counts(codes: Any, names: tuple[str, ...]) -> dict[str, int]:
    numbers, counts = np.unique(codes, return_counts=True)
    found = zip(numbers.tolist(), counts.tolist(), strict=True)
    return dict(sorted((names[number], count) for number, count in found))


def read_pair_list(folder: Path) -> PairList:
    """Read a list of pairs and check it against its hash.

    :raises TrainingError: if it is missing, broken or was changed.
    """
    try:
        record = as_record(PairListRecord, read_json(folder / CONDITION), CONDITION)
        ids = parse_ids(pq.read_table(folder / PAIRS, columns=["id"])["id"])
    except (OSError, RecordError, TaskDataError, pa.ArrowException) as error:
        raise TrainingError(f"{folder} holds no list of pairs: {error}") from error
    if list_sha256(ids) != record.sha256:
        raise TrainingError(f"{folder / PAIRS} was changed after it was written; remove the folder")
    return PairList(ids, record)
