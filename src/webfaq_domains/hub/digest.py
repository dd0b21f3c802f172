"""A digest of rows that depends on neither order, files nor the Parquet writer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.schema import PUBLISHED
from webfaq_domains.text import joined

_MODULUS = 1 << 128


def rows_digest(pairs: pa.Table) -> int:
    """Return the sum, modulo 2**128, of a BLAKE2b hash per row over all published columns.

    `id` stands for language, question and answer, whose hash it is (`text.content_id`).
    """
    columns = []
    for field in PUBLISHED:
        if field.name in ("language", "question", "answer"):
            continue
        values = pairs[field.name]
        columns.append(pc.binary_join(values, ",") if pa.types.is_list(field.type) else values)
    total = 0
    for row in joined(*columns).to_pylist():
        total += int.from_bytes(hashlib.blake2b(row.encode(), digest_size=16).digest(), "little")
    return total % _MODULUS


def combined(digests: Iterable[int]) -> str:
    """Return the digest of the union of disjoint sets of rows, as 32 hex digits."""
    return f"{sum(digests) % _MODULUS:032x}"


def without(digest: str, gone: Iterable[int]) -> str:
    """Return the digest of the rows that are left when some go, whose digests are given."""
    return f"{(int(digest, 16) - sum(gone)) % _MODULUS:032x}"
