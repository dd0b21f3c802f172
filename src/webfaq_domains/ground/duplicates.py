"""Candidates that say the same: what equals a right answer is right as well.

Two texts are the same when their letters, digits and marks are (`codepoints.folded`, as everywhere in
this project): in Tatoeba `Wait for me!` and `Wait for me.` are two sentences with two translations,
either of which translates both. Where nothing of a text counts, the text itself is compared.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from webfaq_domains.ground.codepoints import folded

if TYPE_CHECKING:
    import pyarrow as pa


def plain(text: str) -> str:
    """Return a text in NFC with runs of white space as one space: what a reader sees."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def same_keys(texts: Sequence[str]) -> list[bytes]:
    """Return a key per text that is equal for texts which say the same."""
    keys = zip(folded(list(texts)), texts, strict=True)
    return [key or plain(text).encode() for key, text in keys]


def equal_candidates(candidates: pa.Table) -> pa.Table:
    """Return (`corpus-id`, `key`) of the candidates that equal another; equal ones share a key.

    Two candidates are equal when title and text say the same.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = (same_keys(candidates[name].to_pylist()) for name in ("title", "text"))
    keys = pa.array([b"\xff".join(parts) for parts in zip(*columns, strict=True)], pa.binary())
    codes = keys.dictionary_encode().indices
    counted = pc.value_counts(codes)
    several = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    rows = pc.is_in(codes, several)
    return pa.table({"corpus-id": candidates["id"].filter(rows), "key": codes.filter(rows)})


def duplicate_pairs(equal: pa.Table, right: pa.Table) -> pa.Table:
    """Return (`query-id`, `corpus-id`) of every candidate equal to a right one that is not named.

    `equal` is what `equal_candidates` returns for the pool, `right` the official pairs.
    """
    named = right.join(equal, "corpus-id", join_type="inner").select(["query-id", "key"])
    pairs = named.join(equal, "key", join_type="inner").select(right.column_names)
    unique = pairs.group_by(right.column_names).aggregate([])
    return unique.join(right, right.column_names, join_type="left anti")
