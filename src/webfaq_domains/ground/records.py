"""Typed records from JSON and TOML: a file is checked once, where it is read.

`as_record` builds a frozen dataclass from plain values and holds each against the type that the class
states. What does not fit is a `RecordError` that names the field, so that no reader of a file needs
checks of its own, and no file ends in a traceback.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from webfaq_domains.ground.errors import WebFAQError

Record = TypeVar("Record")
_WORDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


class RecordError(WebFAQError):
    """A value that is missing, unknown or of another type than its record states."""


def read_json(path: Path) -> Any:
    """Read a JSON file.

    :raises RecordError: if it is missing, no JSON, or nested too deeply to be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"cannot be read as JSON: {error}") from error


def as_record(kind: type[Record], values: object, place: str = "", *, more: bool = False) -> Record:
    """Return a dataclass from a mapping of its fields' names to plain values.

    Lists become tuples where the class says so, whole numbers count as numbers, and a field with a
    default may be absent. `place` is the name of the whole in messages; `more` passes over names
    that the class does not have, for files that another program writes.

    :raises RecordError: for a name that is missing or unknown, or a value of another type.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Counts:
    ...     queries: int
    >>> as_record(Counts, {"queries": 3})
    Counts(queries=3)
    """
    name = place or kind.__name__.lower()
    if not isinstance(values, Mapping):
        raise RecordError(f"{name} is {_shown(values)}, expected a table of values")
    known = {one.name: one for one in fields(kind) if one.init}  # type: ignore[arg-type]
    needed = {
        key
        for key, one in known.items()
        if one.default is MISSING and one.default_factory is MISSING
    }
    unknown = set() if more else set(values) - set(known)
    if unknown or needed - set(values):
        problems = [f"lacks {sorted(needed - set(values))}"] if needed - set(values) else []
        problems += [f"has the unknown entries {sorted(map(str, unknown))}"] if unknown else []
        raise RecordError(f"{name} {' and '.join(problems)}; expected {sorted(known)}")
    hints = _hints(cast(type, kind))
    given = {
        key: as_value(hints[key], values[key], f"{place}.{key}".lstrip("."))
        for key in known
        if key in values
    }
    return kind(**given)


def as_value(hint: Any, value: object, place: str) -> Any:
    """Return a value as the type that a field states.

    :raises RecordError: if it is of another type, or a number that is not finite.
    """
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return value
    if origin in (Union, types.UnionType):
        return None if value is None and type(None) in inner else _one_of(inner, value, place)
    if is_dataclass(hint):
        return as_record(cast(type[Any], hint), value, place)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(as_value(inner[0], one, f"{place}[{at}]") for at, one in enumerate(value))
    if origin in (dict, Mapping, _ABC_MAPPING) and isinstance(value, Mapping):
        return {str(key): as_value(inner[1], one, f"{place}.{key}") for key, one in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise RecordError(f"{place} is {value}, expected a finite number")
        return value
    wrong = isinstance(value, bool) and hint is not bool  # Python counts True as a whole number
    if hint in _WORDS and isinstance(value, hint) and not wrong:
        return value
    raise RecordError(f"{place} is {_shown(value)}, expected {_word(hint)}")


def _one_of(kinds: tuple[Any, ...], value: object, place: str) -> Any:
    """Return the value as the first kind that it fits; the last kind's problem where it fits none."""
    problem = RecordError(f"{place} is {_shown(value)}")
    for kind in kinds:
        if kind is not type(None):
            try:
                return as_value(kind, value, place)
            except RecordError as error:
                problem = error
    raise problem


def _word(hint: Any) -> str:
    if get_origin(hint) is tuple:
        return "a list"
    return _WORDS.get(hint, "a table of values")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


_ABC_MAPPING = get_origin(Mapping[str, int])
