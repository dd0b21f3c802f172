"""The columns of a pair, declared once.

`RAW` is what every source yields, `PUBLISHED` what a staged dataset holds: the same columns in
every file, null where unknown.
"""

from __future__ import annotations

import pyarrow as pa

from webfaq_domains.errors import SchemaError

SCHEMA_VERSION = "1.0.0"

#: What a source yields. `language` is the source's own claim (ISO 639-3) or null; `question` and
#: `answer` are never null; `source_id` is the row's id in its source.
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
