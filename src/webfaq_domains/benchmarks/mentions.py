"""A mention in its context, as Mewsli-X's official code shows it to a model."""

from __future__ import annotations

import re
from typing import Any

from webfaq_domains.benchmarks import lines
from webfaq_domains.errors import SourceError

#: Sentences of context on either side.
WINDOW = 2
_BRACES = re.compile(r"\{(.*?)\}")


def marked(context: dict[str, Any], mention: dict[str, Any], where: str) -> str:
    """Return the mention as `{ mention }` in its sentence and `WINDOW` sentences around it.

    :raises SourceError: if the span does not hold the mention's text.
    """
    text = lines.field(context, "text", str, where)
    span = lines.field(mention, "mention_span", dict, where)
    start, end = (lines.field(span, key, int, where) for key in ("start", "end"))
    if not text:
        raise SourceError(f"{where}: the text was left out; use the files with text")
    if not 0 <= start < end <= len(text) or text[start:end] != span.get("text"):
        raise SourceError(
            f"{where}: characters {start} to {end} are {text[max(start, 0) : end]!r}, not the mention "
            f"{span.get('text')!r}"
        )
    first, last = _window(
        lines.field(context, "sentence_spans", list, where), start, end, len(text)
    )
    parts = (text[first:start], text[start:end], text[end:last])
    before, inside, after = (_BRACES.sub(r"(\1)", part) for part in parts)
    return f"{before}{{ {inside} }}{after}".strip()


def _window(spans: list[Any], start: int, end: int, length: int) -> tuple[int, int]:
    """Return where the sentences around a mention begin and end; all of the text if none holds it.

    Sentences that are missing on one side are taken from the other, as in the official code.
    """
    at = next((n for n, s in enumerate(spans) if s["start"] <= start and end <= s["end"]), None)
    if at is None:
        return 0, length
    left = max(at - WINDOW, 0)
    right = min(at + WINDOW + (WINDOW - (at - left)), len(spans) - 1)
    left = max(left - max(WINDOW - (right - at), 0), 0)
    return spans[left]["start"], spans[right]["end"]
