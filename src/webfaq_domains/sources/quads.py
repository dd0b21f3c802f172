"""N-Quads, line by line: `<subject> <predicate> <object> <graph> .`, where the graph is the page.

Dumps of the web hold lines that no parser takes. Each line is judged alone, so that one of them
costs one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, BinaryIO

from webfaq_domains.errors import MissingExtra

MAX_LINE = 4 << 20

#: A language tag taken over from a page as it was (`@en_US`, `@en class=`). The regular expression
#: of WebFAQ's own extraction makes room for these: the dumps have them.
_ODD_TAG = re.compile(rb'"@([A-Za-z]*)[^"<>]*(\s<[^<>]*>\s*\.\s*)$')

#: A line's number, from 1, and the line.
Line = tuple[int, bytes]


def oxigraph() -> ModuleType:
    """Return the N-Quads parser.

    :raises MissingExtra: if it is not installed.
    """
    # Measured on dumps: rdflib's parser reads 3,000 lines a second, Oxigraph's 200,000 to 500,000;
    # rdflib also takes two IRIs for one where the first is relative, and lets bad escapes pass.
    try:
        import pyoxigraph
    except ImportError as error:
        raise MissingExtra("pyoxigraph", "nquads") from error
    return pyoxigraph


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """Number the lines of a dump; blank ones and comments are left out, endless ones cut."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        rest = line
        while len(rest) == MAX_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE)
        if line.strip() and not line.startswith(b"#"):
            yield number, line


def graph_of(line: bytes) -> bytes:
    """Return the last IRI of a line, which names its page; empty if the line does not end so."""
    body = line.rstrip()
    if not body.endswith(b".") or len(line) >= MAX_LINE:
        return b""
    body = body[:-1].rstrip()
    return body[body.rfind(b"<") :] if body.endswith(b">") else b""


def parse(lines: list[Line]) -> Iterator[tuple[Line, Any | None]]:
    """Yield each line with its quad, or with None if it is not a quad of a named page."""
    try:
        # One call for a page is three times as fast as one call for each line.
        quads = _quads(b"".join(line for _, line in lines))
    except SyntaxError:
        quads = []
    if len(quads) != len(lines):
        quads = [_parse_line(line) for _, line in lines]
    for line, quad in zip(lines, quads, strict=True):
        named = quad is not None and hasattr(quad.graph_name, "value")
        yield line, quad if named else None


def _quads(data: bytes) -> list[Any]:
    # Lenient: the IRIs of real pages hold spaces, braces and pipes, which the grammar forbids.
    ox = oxigraph()
    return list(ox.parse(data, format=ox.RdfFormat.N_QUADS, lenient=True))


def _parse_line(line: bytes) -> Any | None:
    tagged = _ODD_TAG.sub(lambda m: (b'"@' + m[1] if m[1] else b'"') + m[2], line)
    for candidate in (line, tagged):
        try:
            return next(iter(_quads(candidate)), None)
        except SyntaxError:
            continue
    return None


def why_unread(line: bytes) -> str:
    """Say what is wrong with a line that is not a quad of a named page."""
    if len(line) >= MAX_LINE:
        return f"line of {MAX_LINE} bytes or more"
    try:
        _quads(line)
    except SyntaxError as error:
        # Without the column, so that one kind of fault is one reason.
        return "malformed N-Quads line: " + re.sub(r"^Parser error at .*?: ", "", str(error.msg))
    return "N-Quads line that does not end in a page URL"


def excerpt(line: bytes) -> str:
    """Return the start of a line as text, for a report."""
    return line[:2000].decode("utf-8", "replace").strip()
