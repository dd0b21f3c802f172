"""The frozen list of a condition's pairs: written and hashed before anything is trained.

pairs.parquet     id, language, domain of every pair, sorted by id
condition.json    the condition, seed, limits, held-out languages, counts, sha256 of the list
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.ground.files import replacing, write_json
from webfaq_eval.errors import TrainingError
from webfaq_eval.pairs.conditions import (
    Draw,
    Selection,
)
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.pairs import Ids, PairFolder, PairIndex, format_ids, parse_ids

PAIRS, CONDITION = "pairs.parquet", "condition.json"


@dataclass(frozen=True)
class Frozen:
    """A written list: the ids sorted, and `condition.json` as it stands on disk."""

    ids: Ids
    record: dict[str, Any]

    @property
    def sha256(self) -> str:
        return str(self.record["sha256"])

    @property
    def condition(self) -> str:
        return str(self.record["condition"])


def list_sha256(ids: Ids) -> str:
    """Return the sha256 of sorted ids as text, one a line: what `cut -f1 | sha256sum` would give."""
    digest = hashlib.sha256()
    for start in range(0, len(ids), 100_000):
        digest.update("".join(f"{i}\n" for i in format_ids(ids[start : start + 100_000])).encode())
    return digest.hexdigest()


def freeze(
    folder: Path, pairs: PairFolder, index: PairIndex, chosen: Selection, how: tuple[Draw, HeldOut]
) -> Frozen:
    """Write the list of a selection; the record comes last.

    :raises TrainingError: if the folder holds the list of other pairs.
    """
    draw, held_out = how
    ids = index.ids[chosen.rows]
    record: dict[str, Any] = {
        "condition": str(chosen.condition),
        "pairs": len(chosen),
        "sha256": list_sha256(ids),
        "languages": chosen.languages,
        "domains": _counts(index.domain[chosen.rows], index.domains),
        "seed": draw.seed,
        "pairs_per_language": draw.pairs_per_language,
        "held_out": sorted(held_out.languages),
        "held_out_checked": held_out.checked if held_out.languages else None,
        "held_out_dropped": dict(sorted(held_out.found.items())),
        "data": pairs.digest,
        "warnings": chosen.warnings,
    }
    if (folder / CONDITION).exists():
        before = read_frozen(folder)
        if before.sha256 != record["sha256"]:
            raise TrainingError(
                f"{folder} holds the pairs of {before.condition} (list {before.sha256[:12]}), asked is "
                f"{record['condition']} (list {record['sha256'][:12]}); give another --out"
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
    write_json(folder / CONDITION, record)
    return Frozen(ids, record)


def _counts(codes: Any, names: tuple[str, ...]) -> dict[str, int]:
    numbers, counts = np.unique(codes, return_counts=True)
    found = zip(numbers.tolist(), counts.tolist(), strict=True)
    return dict(sorted((names[number], count) for number, count in found))


def read_frozen(folder: Path) -> Frozen:
    """Read a frozen list and check it against its hash.

    :raises TrainingError: if it is missing, broken or was changed.
    """
    try:
        record = json.loads((folder / CONDITION).read_text(encoding="utf-8"))
        ids = parse_ids(pq.read_table(folder / PAIRS, columns=["id"])["id"])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise TrainingError(f"{folder} holds no frozen list of pairs: {error}") from error
    if list_sha256(ids) != record.get("sha256"):
        raise TrainingError(f"{folder / PAIRS} was changed after it was frozen; remove the folder")
    return Frozen(ids, record)
