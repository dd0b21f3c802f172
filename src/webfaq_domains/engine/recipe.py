"""A recipe file: which parameters a build's steps have. What is not said has its default.

A recipe is TOML with one table per step, named in the builder's list; `enabled = false` leaves a
step out. Everything in it is hashed into the manifest.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import RecipeError, StagedError, WebFAQError
from webfaq_domains.ground.recipe import Recipe

#: Above all that a parameter can mean, and below what columns and hashes can hold.
_MOST = 10**15

Sections = dict[str, dict[str, Any]]


def read_recipe(path: Path | None, default: str) -> Sections:
    """Return the tables of the default recipe with those of `path` laid over them, key by key.

    :raises RecipeError: if the file cannot be read or is not TOML, names an unknown table or key, or
        gives a value of another type than the default's.
    """
    sections: Sections = tomllib.loads(default)
    if path is None:
        return sections
    try:
        mine: Sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from error
    for name, table in mine.items():
        if name not in sections or not isinstance(table, dict):
            raise RecipeError(f"{path}: unknown table [{name}]; {_nearest(name, sections)}")
        for key in table:
            if key not in sections[name]:
                raise RecipeError(
                    f"{path}: [{name}] has no key {key!r}; {_nearest(key, sections[name])}"
                )
            _check_type(table[key], sections[name][key], f"{path}: [{name}] {key}")
        sections[name] = {**sections[name], **table}
    return sections


def _nearest(word: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(known)}"


def make(kind: type, table: Mapping[str, Any], where: str) -> Any:
    """Make a step from its table; numbers and texts must have the type of the field's default.

    :raises RecipeError: naming the table, the key, and the type that was expected.
    """
    assert is_dataclass(kind)
    known = {field.name: field for field in fields(kind)}
    values = {key: value for key, value in table.items() if key != "enabled"}
    for key, value in values.items():
        if key not in known:
            raise RecipeError(f"[{where}] has no key {key!r}; {_nearest(key, known)}")
        _check_type(value, known[key].default, f"[{where}] {key}")
    try:
        return kind(**values)
    except WebFAQError as error:
        raise RecipeError(f"[{where}] {error}") from error


def _check_type(value: object, default: object, where: str) -> None:
    """Refuse a value of another type than its default's; a whole number will do for a fraction."""
    expected = type(default)
    whole = expected is float and type(value) is int
    if expected in (int, float, bool, str) and type(value) is not expected and not whole:
        raise RecipeError(
            f"{where} = {value!r}: expected {expected.__name__}, like the default {default!r}"
        )
    if isinstance(value, (int, float)) and not 0 <= value <= _MOST:
        raise RecipeError(f"{where} = {value!r}: expected a number from 0 to {_MOST:.0e}")


def recipe_of_build(values: dict[str, Any], path: Path | None) -> Recipe:
    """Return what a build depends on, with what its staging asks checked before any work.

    :raises RecipeError: naming the table and key.
    """
    try:
        recipe = Recipe(values, str(path or "the recipe"))
        _ = recipe.retrieval if "subsets" in values else recipe.pairs
    except StagedError as error:
        raise RecipeError(str(error)) from error
    return recipe


def enabled(table: Mapping[str, Any]) -> bool:
    return bool(table.get("enabled", True))
