"""Read files of translatable strings: each format gives `{identity of the string: text}`.

The identity is what the same string has in another language's file: the path of keys, the
original text, or the place in a page. Files whose syntax is broken raise `ValueError`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

from webfaq_domains.ground.errors import MissingExtra

Strings = dict[str, str]

_MARKUP = re.compile(r"<[^<>]{1,300}>|!\[[^\]]*\]\([^)]*\)|\{[%{].*?[%}]\}|\]\([^)]*\)")
_HOLE = re.compile(
    r"%\(?\w*\)?[sdif@]|\$?\{[^{}]*\}|%\d?\$?[sd]|&\w{2,6};|[*_`#\[\]|]+|https?://\S+"
)
_SPACE = re.compile(r"\s+")
_HEADING = re.compile(r"^#{1,4}\s+", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def plain(text: str) -> str:
    """Return a string without markup, links' addresses and placeholders, on one line.

    >>> plain("Hi <b>{name}</b>, see [our *FAQ*](http://a.example)!")
    'Hi , see our FAQ !'
    """
    return _SPACE.sub(" ", _HOLE.sub(" ", _MARKUP.sub(" ", text))).strip()


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}/{number}")


def read_json(text: str, language: str) -> Strings:
    """Read the string leaves of a JSON object, nested or flat."""
    found = json.loads(text.removeprefix("\ufeff"))
    return dict(_leaves(_below(found, language)))


def _below(found: Any, language: str) -> Any:
    """Return what stands below a single top key that names the language, as Rails writes it."""
    if isinstance(found, dict) and len(found) == 1:
        key = next(iter(found))
        if str(key).replace("_", "-").lower() == language.replace("_", "-").lower():
            return found[key]
    return found


def read_yaml(text: str, language: str) -> Strings:
    """Read the string leaves of a YAML map; a top key that is the language is left out."""
    import yaml

    try:
        found = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    return dict(_leaves(_below(found, language)))


def read_gettext(text: str, language: str) -> Strings:
    """Read a gettext catalogue: the original is the identity; fuzzy and obsolete entries go."""
    try:
        import polib
    except ImportError as error:
        raise MissingExtra("polib", "teacher") from error
    try:
        catalogue = polib.pofile(text)
    except (OSError, ValueError, UnicodeError) as error:
        raise ValueError(str(error)) from error
    return {
        entry.msgid: entry.msgstr
        for entry in catalogue
        if entry.msgstr and not entry.obsolete and "fuzzy" not in entry.flags
    }


def read_android(text: str, language: str) -> Strings:
    """Read Android's `strings.xml`."""
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    return {
        node.get("name", ""): "".join(node.itertext()).replace("\\'", "'").replace("\\n", " ")
        for node in root.iter("string")
    }


def read_properties(text: str, language: str) -> Strings:
    """Read Java's `.properties`: `key = value`, `\\uXXXX` for other letters."""
    found = {}
    for line in text.replace("\\\n", " ").splitlines():
        key, sign, value = line.partition("=")
        if sign and not key.lstrip().startswith(("#", "!")):
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), value)
            found[key.strip()] = value.replace("\\n", " ").strip()
    return found


def read_markdown(text: str, language: str) -> Strings:
    """Read the sections of a page: heading and text; a page's sections match by their number.

    The number of sections is part of the identity, so that pages of another shape do not match.
    """
    body = _FENCE.sub("", _FRONT_MATTER.sub("", text))
    sections = [part.strip() for part in _HEADING.split(body)]
    return {f"{number} of {len(sections)}": part for number, part in enumerate(sections) if part}


#: Format -> reader of (text of a file, its language tag).
READERS: dict[str, Callable[[str, str], Strings]] = {
    "json": read_json,
    "yaml": read_yaml,
    "gettext": read_gettext,
    "android": read_android,
    "properties": read_properties,
    "markdown": read_markdown,
}
