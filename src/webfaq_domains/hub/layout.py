"""How a staged dataset is laid out and how its Parquet files are written: the rules, in one place.

`data/<domain>/<language>/<split>-NNNNN-of-NNNNN.parquet`, rows sorted by id. The settings are those
of `datasets.Dataset.to_parquet` (content-defined chunking, page index), which let the Hub store
only what changed between two versions and its viewer read a page at a time; zstd instead of snappy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.files import replacing
from webfaq_domains.schema import PUBLISHED, SCHEMA_VERSION

#: Bytes of question and answer text per file; a cell with more is cut into several, by id.
FILE_TEXT_BYTES = 64 << 20
ROW_GROUP_ROWS = 50_000
_CHUNKING = {"min_chunk_size": 256 << 10, "max_chunk_size": 1 << 20, "norm_level": 0}


@dataclass(frozen=True, order=True)
class Cell:
    """The rows of one domain, language and split."""

    domain: str
    language: str
    split: str

    def path(self, number: int, count: int) -> str:
        """Return the path of file `number` of `count`, relative to the repository."""
        name = f"{self.split}-{number:05}-of-{count:05}.parquet"
        return f"data/{self.domain}/{self.language}/{name}"

    @classmethod
    def of_path(cls, path: str) -> Cell:
        """Return the cell that a data file's path names.

        :raises ValueError: if the path is not of the layout.
        """
        _, domain, language, name = path.split("/")
        return cls(domain, language, name.split("-")[0])


@cache
def published_schema() -> pa.Schema:
    """Return `PUBLISHED` with the metadata that `datasets` and our own tools read."""
    from datasets import Features

    features = Features.from_arrow_schema(PUBLISHED).to_dict()
    return PUBLISHED.with_metadata(
        {
            "huggingface": json.dumps({"info": {"features": features}}),
            "webfaq_domains": json.dumps({"schema_version": SCHEMA_VERSION}),
        }
    )


def write_parquet(path: Path, pairs: pa.Table, schema: pa.Schema) -> None:
    """Write one data file whole, or not at all."""
    with replacing(path) as temporary, pq.ParquetWriter(
        temporary,
        schema,
        compression="zstd",
        use_content_defined_chunking=_CHUNKING,
        write_page_index=True,
        use_dictionary=[
            "language", "origin", "source", "domain", "labeler", "topic", "question_type",
            "domains.list.element",
        ],
    ) as writer:  # fmt: skip
        writer.write_table(pairs.cast(schema), row_group_size=ROW_GROUP_ROWS)
