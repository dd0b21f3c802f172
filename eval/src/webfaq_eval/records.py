"""Records: JSON objects on disk as frozen dataclasses, checked once where they are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

Record = TypeVar("Record")


def read_record(kind: type[Record], path: Path) -> Record:
    """Return the record of a dataclass that a file holds as a JSON object.

    :raises OSError: if the file cannot be read.
    :raises ValueError: if it is no JSON, or no such record; names the field.
    """
    return parse_record(kind, json.loads(path.read_text(encoding="utf-8")))


def parse_record(kind: type[Record], values: Any, place: str = "the record") -> Record:
    """Return the record that a value read from JSON is.

    :raises ValueError: if a field is missing, unknown, or of another type; names it.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"{place} is {type(values).__name__}; expected an object")
    types = get_type_hints(kind)
    unknown = sorted(set(values) - set(types))
    if unknown:
        raise ValueError(f"{place} has {', '.join(unknown)}; expected {', '.join(types)}")
    checked = {
        name: _checked(types[name], value, f"{place}: {name}") for name, value in values.items()
    }
    try:
        return kind(**checked)
    except TypeError as error:  # a field without a default is not there
        missing = sorted({one.name for one in fields(kind)} - set(values))  # type: ignore[arg-type]
        raise ValueError(f"{place} lacks some of {', '.join(missing)}") from error


def _checked(wanted: Any, value: Any, place: str) -> Any:
    """Return a value as its type wants it; lists and objects are not looked into."""
    if wanted is Any:
        return value
    if get_origin(wanted) is UnionType:
        if value is None and type(None) in get_args(wanted):
            return None
        wanted = next(one for one in get_args(wanted) if one is not type(None))
    if is_dataclass(wanted):
        return parse_record(wanted, value, place)  # type: ignore[arg-type]
    plain = get_origin(wanted) or wanted
    fits = isinstance(value, (int, float) if plain is float else plain)
    if not fits or (isinstance(value, bool) and plain is not bool):
        raise ValueError(f"{place} is {value!r:.60}; expected {getattr(plain, '__name__', plain)}")
    return value
