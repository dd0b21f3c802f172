"""The YAML on top of a card, `README.md`, as the Hub reads it."""

from __future__ import annotations

import re
from typing import Any

CARD = "README.md"

_BLOCK = re.compile(r"\A\s*---[\r\n]+(?P<yaml>.*?)[\r\n]+---(?:\r?\n|\Z)", re.DOTALL)


def read_front_matter(text: str) -> dict[str, Any]:
    """Return the YAML on top of a card, empty where it has none.

    :raises ValueError: naming the line that cannot be read.
    """
    import yaml

    if text.startswith("\ufeff"):
        raise ValueError(
            f"{CARD} line 1 starts with a byte order mark, so the Hub sees no YAML: save the file as "
            "UTF-8 without one"
        )
    block = _BLOCK.match(text)
    if block is None:
        return {}
    above = text.count("\n", 0, block.start("yaml"))
    try:
        found = yaml.safe_load(block["yaml"])
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = above + (mark.line if mark else 0) + 1
        raise ValueError(f"{CARD} line {line}: its YAML cannot be read: {what}") from error
    if not isinstance(found, dict):
        raise ValueError(
            f"{CARD} line {above + 1}: its YAML is a {type(found).__name__}, and `key: value` lines "
            "were expected"
        )
    return found
