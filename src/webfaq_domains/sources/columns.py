"""The columns of a source under the names they have, brought to `schema.RAW`.

v1 of WebFAQ says `scheme_host` where v2 says `origin`; a table may hold rows of both, so a row has
the first of the names that has a value. `topic` and `question_type` exist in 49 languages only, with
ten question words in v1 and eight classes in v2, and are kept as they are.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.errors import SchemaError
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.ground.schema import RAW
from webfaq_domains.sources.base import Batch, Rejected
from webfaq_domains.sources.paths import PathClaim

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
SCORE = "semantic_similarity_score"

#: Tags that say that nothing is claimed.
_NO_CLAIM = frozenset({"", "und", "unknown", "none", "null", "n/a"})

#: Which columns of a source feed each column of `RAW`.
Mapped = Mapping[str, tuple[str, ...]]


def map_columns(met: Iterable[str], where: str) -> dict[str, tuple[str, ...]]:
    """Return which columns of a source feed each column of `RAW`, the preferred one first.

    :raises SchemaError: if question or answer is missing, or a column that is read is there twice;
        it names `where` and the columns met.
    """
    present = list(met)
    found = {
        ours: here
        for ours, names in NAMES.items()
        if (here := tuple(name for name in names if name in present))
    }
    missing = [name for name in ("question", "answer") if name not in found]
    if missing:
        raise SchemaError(
            f"{where}: needs the columns question and answer; missing: {', '.join(missing)}; "
            f"met: {', '.join(present) or 'none'}"
        )
    counts = Counter(present)
    for name in (name for names in found.values() for name in names):
        if counts[name] > 1:
            raise SchemaError(
                f"{where}: {counts[name]} columns are named {name!r}; rename all but one"
            )
    return found


def check_types(schema: pa.Schema, mapped: Mapped, where: str) -> None:
    """Refuse columns whose type cannot be brought to `RAW`.

    :raises SchemaError: naming `where`, the column and its type.
    """
    classes = class_names(schema)
    for ours, names in mapped.items():
        for name in names:
            met = schema.field(name).type
            of = met.value_type if pa.types.is_dictionary(met) else met
            if not _fits(of, ours, name in classes):
                expected = "a number" if ours == SCORE else "text"
                hint = "; it lacks the names of its classes" if pa.types.is_integer(of) else ""
                raise SchemaError(f"{where}: the column {name!r} is {met}, not {expected}{hint}")


def _fits(met: pa.DataType, ours: str, has_names: bool) -> bool:
    if ours == SCORE:
        return any(
            is_(met) for is_ in (pa.types.is_floating, pa.types.is_integer, pa.types.is_null)
        )
    if any(
        is_(met) for is_ in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    ):
        return True
    if ours in ("question", "answer"):
        return False
    return pa.types.is_null(met) or (
        pa.types.is_integer(met) and (has_names or ours == "source_id")
    )


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Return the names of the classes of each integer column that `datasets` has written as such."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about["info"]["features"]
        return {
            name: list(map(str, feature["names"]))
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def raw_batch(
    table: pa.Table, mapped: Mapped, file: str, rows: list[int], claim: PathClaim | None = None
) -> Batch:
    """Bring a table to `RAW`; rows without a text, or with a language that is not known, are rejected.

    `rows` are the rows' numbers in the file; `file:number` is the place of a row, and its
    `source_id` where it has none. An empty text in a column beside question and answer is null: CSV
    has no other way to write it.
    """
    classes = class_names(table.schema)
    columns: dict[str, Any] = {
        field.name: pc.coalesce(
            *(_typed(table, name, field, classes) for name in mapped[field.name])
        )
        if field.name in mapped
        else pa.nulls(len(table), field.type)
        for field in RAW
    }
    places = pa.array([f"{file}:{row}" for row in rows], pa.string())
    columns["source_id"] = pc.coalesce(columns["source_id"], places)
    if pc.any(pc.match_substring(columns["origin"], "://")).as_py():
        columns["origin"] = pc.replace_substring_regex(columns["origin"], r"(?i)^[a-z]+://", "")
    columns["language"], unknown = _languages(columns["language"])
    if claim:
        by_path = pc.and_(pc.is_null(columns["language"]), not claim.sure)
        columns["claimed_by"] = pc.if_else(by_path, "page", pa.scalar(None, pa.string()))
        columns["language"] = pc.fill_null(columns["language"], claim.language)
    pairs = pa.table(columns, schema=RAW)
    missing = pc.or_(pc.is_null(pairs["question"]), pc.is_null(pairs["answer"]))
    wrong = {"question_or_answer_missing": missing, "language_unknown": unknown}
    return _kept_apart(pairs, wrong, places, table)


def _kept_apart(pairs: pa.Table, wrong: dict[str, Any], places: pa.Array, table: pa.Table) -> Batch:
    """Reject the rows that a mask marks, under the first reason that does."""
    gone = pc.or_(*wrong.values())
    if not pc.any(gone).as_py():
        return Batch(pairs)
    rejected = [
        Rejected(
            places[row].as_py(),
            next(reason for reason, mask in wrong.items() if mask[row].as_py()),
            str(table.slice(row, 1).to_pylist()[0])[:500],
        )
        for row in np.flatnonzero(gone.to_numpy(zero_copy_only=False)).tolist()
    ]
    return Batch(pairs.filter(pc.invert(gone)), rejected)


def _typed(table: pa.Table, name: str, field: pa.Field, classes: dict[str, list[str]]) -> Any:
    """Return a column as its type in `RAW`: classes by name, an empty text as null."""
    column = table[name]
    if name in classes and pa.types.is_integer(column.type):
        known = pa.array(classes[name], pa.string())
        inside = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(known)))
        numbers = pc.if_else(inside, column, pa.scalar(None, column.type))
        column = known.take(numbers.combine_chunks())
    column = column.cast(field.type)
    if field.name in ("question", "answer") or not pa.types.is_string(field.type):
        return column
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def _languages(column: Any) -> tuple[Any, Any]:
    """Map language tags to the project's codes; also say which rows have a tag that is not known."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    tags = column.dictionary_encode()
    words = [
        tag if tag and tag.strip().lower() not in _NO_CLAIM else None
        for tag in tags.dictionary.to_pylist()
    ]
    codes = pa.array([to_iso3(word) if word else None for word in words], pa.string())
    claimed = pa.array([bool(word) for word in words], pa.bool_()).take(tags.indices)
    mapped = codes.take(tags.indices)
    return mapped, pc.and_(pc.fill_null(claimed, False), pc.is_null(mapped))
