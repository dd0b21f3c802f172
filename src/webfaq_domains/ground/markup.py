"""The text of HTML as a reader sees it, one line per block element.

Spaces are those of the source: `Break<b>fast</b>` is one word. Scripts, styles, drawings and what
browsers without scripts would show are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: Elements whose presence says "this is markup"; `a < b` and `<App />` in a text on code do not.
_TAGS = (
    "a|abbr|article|b|big|blockquote|br|center|code|dd|div|dl|dt|em|figure|font|h[1-6]|hr|i|iframe|"
    "img|input|ins|label|li|mark|nobr|ol|p|pre|q|s|script|section|small|span|strike|strong|style|"
    "sub|sup|svg|table|tbody|td|th|thead|tr|tt|u|ul|video"
)
#: Possessive repetitions, so that `<a ====…` takes linear time.
MARKUP = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>=]*+=[^<>]*+|\s*+/?)>|<!--", re.IGNORECASE)
ESCAPED_MARKUP = re.compile(rf"&lt;(?:/(?:{_TAGS})|br\s*/?|p|ul|ol|li|div)\b", re.IGNORECASE)

_BLOCKS = {
    "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_INVISIBLE = {"script", "style", "noscript", "template", "svg", "iframe"}


def fragment_text(markup: str) -> str:
    """Return the visible text of an HTML fragment.

    :raises ValueError: if there is nothing to parse (a lone comment), or more levels than lxml keeps.
    """
    from lxml import html

    # Without `huge_tree` the parser drops what is nested more than 255 elements deep.
    parser = html.HTMLParser(huge_tree=True)
    try:
        root = html.fragment_fromstring(markup, create_parent="div", parser=parser)
    except html.etree.ParserError as error:
        raise ValueError(str(error)) from error
    if markup.count("<") > MAX_DEPTH and depth_of(root) > MAX_DEPTH:
        raise ValueError(f"more than {MAX_DEPTH} nested elements")
    return visible_text(root)


#: libxml2 drops what is nested more than 2,048 elements deep.
MAX_DEPTH = 2_000


def depth_of(root: Any, counts: Callable[[Any], bool] = lambda _: True) -> int:
    """Return how deep the elements of a tree are nested in each other, of those that count."""
    from lxml import etree

    depth = deepest = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        if counts(node):
            depth += 1 if event == "start" else -1
            deepest = max(deepest, depth)
    return deepest


def visible_text(root: Any) -> str:
    """Return the visible text of an lxml element, without its tail."""
    from lxml import etree

    parts: list[str] = []
    hidden = 0
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        tag = node.tag if isinstance(node.tag, str) else ""
        if event == "start":
            hidden += tag in _INVISIBLE
            if not hidden:
                parts.append("\n" if tag in _BLOCKS else " " if tag in ("td", "th") else "")
                parts.append(node.text or "")
            continue
        closes_block = event == "end" and tag in _BLOCKS and tag not in ("br", "hr")
        if event == "end":
            hidden -= tag in _INVISIBLE
        if node is not root:
            if closes_block:
                parts.append("\n")
            if not hidden:
                parts.append(node.tail or "")
    return "".join(parts)
