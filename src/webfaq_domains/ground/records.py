"""Read a JSON record into a typed one, once, and say what is wrong with it in one sentence.

A record is a frozen `msgspec.Struct`. Inside, code asks for its fields and never for keys.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

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


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A JSON object with these keys and no others."""


def parse_json(text: str | bytes, where: str) -> Any:
    """Return what a JSON text holds.

    :raises StagedError: naming `where` it is from, if it is no JSON or holds NaN or a doubled key.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise StagedError(f"{where} cannot be read: {error}") from error


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

    :raises StagedError: naming `where` it is from, the key, what was expected and what was met.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise StagedError(f"{where}: {_explained(str(error), value)}") from error


def _explained(message: str, value: Any) -> str:
    """Put a validation error into our words: the place, what was expected, what was met."""
    what, _, place = message.partition(" - at `")
    place = place.rstrip("`").removeprefix("$").removeprefix(".")
    met = _value_at(value, place)
    shown = "" if met is None else f"; met {ascii(met)[:60]}"
    what = what[:1].lower() + what[1:] if what.startswith(("Expected", "Object")) else what
    return f"{place or 'the whole'}: {what}{shown}"


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
