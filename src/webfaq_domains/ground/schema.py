"""The columns of a pair, declared once, and a digest of rows that no order, file or writer changes.

`RAW` is what every source yields, `PUBLISHED` what a staged dataset holds: the same columns in
every file, null where unknown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import SchemaError
from webfaq_domains.ground.text import joined

SCHEMA_VERSION = "1.0.0"

#: What a source yields. `language` is the source's own claim (ISO 639-3) or null; `question` and
#: `answer` are never null; `source_id` is the row's id in its source. `claimed_by` is `page` where
#: the claim is that of a web page (often a template's), else null: a data set's own.
RAW = pa.schema(
    [
        pa.field("language", pa.string()),
        pa.field("question", pa.string()),
        pa.field("answer", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("url", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("topic", pa.string()),
        pa.field("question_type", pa.string()),
        pa.field("semantic_similarity_score", pa.float32()),
        pa.field("claimed_by", pa.string()),
    ]
)

#: What a published Parquet file holds.
PUBLISHED = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("language", pa.string()),
        pa.field("question", pa.string()),
        pa.field("answer", pa.string()),
        pa.field("origin", pa.string()),
        pa.field("url", pa.string()),
        pa.field("source", pa.string()),
        pa.field("source_id", pa.string()),
        pa.field("domain", pa.string()),
        pa.field("domain_score", pa.float32()),
        pa.field("domains", pa.list_(pa.string())),
        pa.field("labeler", pa.string()),
        pa.field("topic", pa.string()),
        pa.field("question_type", pa.string()),
        pa.field("semantic_similarity_score", pa.float32()),
    ]
)

SPLITS = ("train", "validation", "test")


def require(columns: list[str], needed: tuple[str, ...], who: str) -> None:
    """Refuse a set of columns that lacks one of `needed`.

    :raises SchemaError: naming `who` asked, what is missing and what was met.
    """
    missing = [name for name in needed if name not in columns]
    if missing:
        raise SchemaError(
            f"{who} needs the columns {', '.join(needed)}; "
            f"missing: {', '.join(missing)}; met: {', '.join(columns) or 'none'}"
        )


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
