"""Read JSON and TOML values into typed records, once, and say what is wrong in one sentence.

A record is a frozen `msgspec.Struct` (`read_record`) or a frozen dataclass (`as_record`). Inside, code
asks for its fields and never for keys. msgspec holds each value against the type that the class states.
"""

from __future__ import annotations

import json
import math
import re
import types
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from webfaq_domains.ground.errors import StagedError

Kind = TypeVar("Kind")

#: A number of rows, bytes or files. More than Arrow can count is no number of them.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
#: A part of a whole, 0 to 1.
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Sha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
#: The name of a domain, task, split, subset or config: it becomes part of paths, here and at others.
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}\Z")]
#: The path of a data file in its repository: below it, and the same on every file system.
FilePath = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)*\Z")
]

#: Names of a config or folder that somebody else has taken: `datasets`, and Windows.
RESERVED = frozenset(
    {"default", "con", "prn", "aux", "nul"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)}
)


class RecordError(StagedError):
    """A record that cannot be read: no JSON, or a value that is missing, unknown or of another type."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object with these keys and no others."""


def parse_json(text: str | bytes, where: str) -> Any:
    """Return what a JSON text holds.

    :raises RecordError: naming `where` it is from, if it is no JSON or holds NaN or a doubled key.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair has no UTF-8
        return value
    except UnicodeEncodeError as error:
        raise RecordError(f"{where} cannot be read: it holds half a surrogate pair") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where} cannot be read: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def read_record(value: Any, kind: type[Kind], where: str) -> Kind:
    """Return a JSON value as the record `kind`.

    :raises RecordError: naming `where` it is from, the key, what was expected and what was met.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise RecordError(f"{where}: {_explained(str(error), value)}") from error


def read_json(path: Path) -> Any:
    """Read a JSON file.

    :raises RecordError: if it is missing, no JSON, holds NaN or a doubled key, or is nested too deeply.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"the file cannot be read: {error}") from error
    return parse_json(text, "the file")


def as_record(
    kind: type[Kind], values: object, place: str = "the record", *, more: bool = False
) -> Kind:
    """Return a dataclass from a mapping of its fields' names to plain values.

    A field with a default may be absent. `place` is the name of the whole in messages; `more` passes
    over names that the class does not have, for files that another program writes.

    :raises RecordError: for a name that is missing or unknown, or a value of another type.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Counts:
    ...     queries: int
    >>> as_record(Counts, {"queries": 3})
    Counts(queries=3)
    """
    if not more:
        _refuse_unknown(kind, values, place)
    return read_record(values, kind, place)


def as_value(hint: Any, value: object, place: str) -> Any:
    """Return a value as the type that a field states.

    :raises RecordError: if it is of another type.
    """
    _refuse_unknown(hint, value, place)
    return read_record(value, hint, place)


def _refuse_unknown(hint: Any, value: object, place: str) -> None:
    """Refuse names that a dataclass does not have, and NaN, at any depth: msgspec passes over both."""
    inner = get_args(hint)
    if isinstance(value, float) and not math.isfinite(value):
        raise RecordError(f"{place} is {value}; expected a finite number")
    if get_origin(hint) in (Union, types.UnionType):
        for kind in inner:
            _refuse_unknown(kind, value, place)
    elif is_dataclass(hint) and isinstance(value, Mapping):
        known = {one.name for one in fields(hint) if one.init}
        unknown = sorted(str(name) for name in value if name not in known)
        if unknown:
            raise RecordError(
                f"{place} has the unknown entries {unknown}; expected {sorted(known)}"
            )
        for name in known & value.keys():
            _refuse_unknown(_hints(cast(type, hint))[name], value[name], f"{place}.{name}")
    elif isinstance(value, Mapping):
        for name, one in value.items():
            for kind in inner:
                _refuse_unknown(kind, one, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            for kind in inner:
                _refuse_unknown(kind, one, f"{place}[{number}]")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _explained(message: str, value: Any) -> str:
    """Put a validation error into our words: the place, what was expected, what was met."""
    what, _, place = message.partition(" - at `")
    place = place.rstrip("`").removeprefix("$").removeprefix(".")
    met = _value_at(value, place)
    shown = "" if met is None else f"; met {ascii(met)[:60]}"
    what = what[:1].lower() + what[1:] if what.startswith(("Expected", "Object")) else what
    return printable(f"{place or 'the whole'}: {what[:300]}{shown}")


def printable(text: str) -> str:
    """Return a text with what a terminal would obey or not show as an escape such as `\\x1b`.

    >>> printable("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _value_at(value: Any, place: str) -> Any:
    """Return the text or number at a place such as `files[3].rows`; None if it is none or unknown."""
    for name, number in re.findall(r"(\w[\w-]*)|\[(\d+|\.\.\.)\]", place):
        try:
            value = value[name] if name else value[int(number)]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return value if isinstance(value, (str, int, float)) else None


def to_json(record: Any) -> Any:
    """Return a record as the JSON value that it is written as."""
    return msgspec.to_builtins(record)


def refuse_twins(names: Iterable[str]) -> None:
    """Refuse names that some file system takes for one: they differ in case or in composition.

    :raises StagedError: with the first two.
    """
    met: dict[str, str] = {}
    for name in names:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if key in met:
            raise StagedError(
                f"{met[key]!a} and {name!a} are one file where case or Unicode composition "
                "does not count; rename one of them"
            )
        met[key] = name
