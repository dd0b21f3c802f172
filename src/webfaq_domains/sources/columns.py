"""WebFAQ's columns under the names they have had, brought to `schema.RAW`.

v1 says `scheme_host` where v2 says `origin`; `topic` and `question_type` exist in 49 languages only,
with ten question words in v1 and eight classes in v2, and are kept as they are. Where no column
says the language, the file's name or its folder does (`deu.parquet`, `deu/default-00000.parquet`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import SchemaError
from webfaq_domains.ground.languages import languages, to_iso3
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected

#: Which names each column of `RAW` may have in a source, the preferred one first.
NAMES = {
    "language": ("language", "lang"),
    "question": ("question",),
    "answer": ("answer",),
    "origin": ("origin", "scheme_host", "host"),
    "url": ("url",),
    "source_id": ("id", "_id", "source_id"),
    "topic": ("topic",),
    "question_type": ("question_type",),
    "semantic_similarity_score": ("semantic_similarity_score",),
}


def map_columns(met: Iterable[str], where: str) -> dict[str, str]:
    """Return which column of a source feeds each column of `RAW`.

    :raises SchemaError: if question or answer is missing, naming `where` and the columns met.
    """
    present = list(met)
    found = {
        ours: next(name for name in names if name in present)
        for ours, names in NAMES.items()
        if any(name in present for name in names)
    }
    missing = [name for name in ("question", "answer") if name not in found]
    if missing:
        raise SchemaError(
            f"{where}: needs the columns question and answer; missing: {', '.join(missing)}; "
            f"met: {', '.join(present) or 'none'}"
        )
    return found


def check_types(schema: pa.Schema, mapping: dict[str, str], where: str) -> None:
    """Refuse columns whose type cannot be brought to `RAW`.

    :raises SchemaError: naming `where`, the column and its type.
    """
    for ours, theirs in mapping.items():
        met = schema.field(theirs).type
        of = met.value_type if pa.types.is_dictionary(met) else met
        text = pa.types.is_string(of) or pa.types.is_large_string(of) or pa.types.is_string_view(of)
        if ours in ("question", "answer"):
            fits = text
        elif pa.types.is_floating(RAW.field(ours).type):
            fits = pa.types.is_floating(of) or pa.types.is_integer(of) or pa.types.is_null(of)
        else:
            fits = text or pa.types.is_integer(of) or pa.types.is_null(of)
        if not fits:
            expected = "text" if pa.types.is_string(RAW.field(ours).type) else "a number"
            raise SchemaError(f"{where}: the column {theirs!r} is {met}, not {expected}")


_LANGUAGE_NAME = re.compile(
    r"([a-z]{3})(?:[-_](?:train|valid|validation|dev|test|default|of|[A-Z][a-z]{3}|\d+))*"
)


def language_of_path(name: str) -> str | None:
    """Return the language that a file's name or one of its folders is, or None.

    `deu.parquet`, `deu-train.csv`, `deu/default-00000.parquet`, `deu_Latn/0.parquet` say `deu`;
    `new-pairs.jsonl` says nothing.
    """
    path = PurePosixPath(name)
    for part in (path.name.split(".")[0], *reversed(path.parts[:-1])):
        word = _LANGUAGE_NAME.fullmatch(part)
        if word and word[1] in languages():
            return word[1]
    return None


def raw_batch(table: pa.Table, mapping: dict[str, str], file: str, first_row: int) -> Batch:
    """Bring a table to `RAW`; rows whose question or answer is null are rejected.

    An empty text in another column is null: CSV has no other way to write it. `first_row` is the number of the table's first row in the file, from 0; it also makes the
    `source_id` where the source has none.
    """
    rows = len(table)
    columns: dict[str, Any] = {
        field.name: table[mapping[field.name]].cast(field.type)
        if field.name in mapping
        else pa.nulls(rows, field.type)
        for field in RAW
    }
    for name in ("origin", "url", "source_id", "topic", "question_type"):
        empty = pc.equal(columns[name], "")
        if pc.any(empty).as_py():
            columns[name] = pc.if_else(empty, pa.scalar(None, pa.string()), columns[name])
    columns["language"], unknown = _languages(columns["language"], language_of_path(file))
    if "source_id" not in mapping:
        columns["source_id"] = pa.array([f"{file}:{first_row + row + 1}" for row in range(rows)])
    if pc.any(pc.match_substring(columns["origin"], "://")).as_py():
        columns["origin"] = pc.replace_substring_regex(columns["origin"], r"(?i)^[a-z]+://", "")
    pairs = pa.table(columns, schema=RAW)
    missing = pc.or_(pc.is_null(pairs["question"]), pc.is_null(pairs["answer"]))
    reasons = {"question_or_answer_missing": missing, "language_unknown": unknown}
    wrong = pc.or_(missing, unknown)
    if not pc.any(wrong).as_py():
        return Batch(pairs)
    rejected = [
        Rejected(
            f"{file}:{first_row + row + 1}",
            next(reason for reason, mask in reasons.items() if mask[row].as_py()),
            str(table.slice(row, 1).to_pylist()[0])[:500],
        )
        for row in np.flatnonzero(wrong.to_numpy(zero_copy_only=False)).tolist()
    ]
    return Batch(pairs.filter(pc.invert(wrong)), rejected)


#: Tags that say that nothing is claimed.
_NO_CLAIM = frozenset({"", "und", "unknown", "none", "null", "n/a"})


def _languages(column: Any, of_path: str | None) -> tuple[Any, Any]:
    """Map language tags to the project's codes; also say which rows have a tag that is not known."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    tags = column.dictionary_encode()
    words = [
        tag if tag and tag.strip().lower() not in _NO_CLAIM else None
        for tag in tags.dictionary.to_pylist()
    ]
    codes = pa.array([to_iso3(word) if word else None for word in words], pa.string())
    claimed = pc.fill_null(
        pa.array([bool(word) for word in words], pa.bool_()).take(tags.indices), False
    )
    mapped = codes.take(tags.indices)
    unknown = pc.and_(claimed, pc.is_null(mapped))
    return (pc.fill_null(mapped, of_path) if of_path else mapped), unknown
