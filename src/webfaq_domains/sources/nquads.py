"""Pairs from N-Quads dumps of FAQ pages, as Web Data Commons publishes them.

The dumps keep the quads of a page together, so a file is read page by page in bounded memory.
Where a page comes in two runs of lines, each run is a page of its own, with the same `source_id`s.

Dumps of the web hold lines that no parser takes. Each line is judged alone, so that one of them
costs one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from webfaq_domains.ground.errors import MissingExtra, SourceError
from webfaq_domains.sources.base import Batch, RawRows, SourceFile, batches
from webfaq_domains.sources.faqpage import Page, add_page
from webfaq_domains.sources.files import list_files, open_bytes
from webfaq_domains.sources.schemaorg import PROPERTIES, Graph, Node, Ref, Text, local_name

_RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_ENDINGS = (".nq", ".txt", ".gz")


@dataclass(frozen=True)
class NQuadsSource:
    """FAQPage dumps in N-Quads: the address is `nquads:PATH`, a file or a folder.

    A page with more than `page_quads` quads or `page_bytes` bytes is read up to there.
    """

    files: tuple[SourceFile, ...]
    page_quads: int = 100_000
    page_bytes: int = 64 << 20
    name: str = "nquads"

    @classmethod
    def open(cls, path: str) -> NQuadsSource:
        """Find the files (.nq, .txt, .gz) and look at the first lines of each.

        :raises SourceError: if there are none, or one does not start with N-Quads.
        :raises MissingExtra: if the parser is not installed.
        """
        oxigraph()
        if not path:
            raise SourceError("nquads: names no file or folder; expected nquads:PATH")
        what = "N-Quads file (.nq, .txt or .gz)"
        files = list_files(Path(path), lambda name: name.lower().endswith(_ENDINGS), what)
        for file in files:
            _check_start(file)
        return cls(files)

    def read(self, file: SourceFile) -> Iterator[Batch]:
        """Yield the pairs of one file, page by page.

        :raises SourceError: if the file is cut off or cannot be read.
        """
        rows = RawRows()
        return batches(rows, self._events(file, rows))

    def _events(self, file: SourceFile, rows: RawRows) -> Iterator[None]:
        run = _Run(file.name)
        with open_bytes(file) as stream:
            for number, line in read_lines(stream):
                graph = graph_of(line)
                if not graph:
                    rows.reject(f"{file.name}:{number}", why_unread(line), excerpt(line))
                    yield
                    continue
                if graph != run.graph:
                    yield from run.rows(rows)
                    run = _Run(file.name, graph)
                if len(run.lines) < self.page_quads and run.bytes < self.page_bytes:
                    run.lines.append((number, line))
                    run.bytes += len(line)
                else:
                    run.first_unread = run.first_unread or number
            yield from run.rows(rows)


@dataclass
class _Run:
    """The lines of one page; `first_unread` is the number of the first beyond the bound, or 0."""

    file: str
    graph: bytes = b""
    lines: list[Line] = field(default_factory=list)
    bytes: int = 0
    first_unread: int = 0

    def rows(self, rows: RawRows) -> Iterator[None]:
        """Add the page's questions and its unusable lines to `rows`; yields after each."""
        graph, url = Graph(), None
        for (number, line), quad in parse(self.lines):
            if quad is None:
                rows.reject(f"{self.file}:{number}", why_unread(line), excerpt(line))
                yield
                continue
            url = url or quad.graph_name.value
            _add_quad(graph, quad, self.file, number)
        if self.first_unread:
            reason = "page beyond the bound: its quads from here on are not read"
            rows.reject(f"{self.file}:{self.first_unread}", reason, url or "")
            yield
        if url:
            yield from add_page(rows, graph, Page(url, f"{self.file}:{self.lines[0][0]}", url))


def _add_quad(graph: Graph, quad: Any, file: str, number: int) -> None:
    predicate, term = quad.predicate.value, quad.object
    name = "type" if predicate == _RDF_TYPE else local_name(predicate)
    if name not in PROPERTIES:
        return
    subject = str(quad.subject)
    node = graph.nodes.get(subject)
    if node is None:
        node = graph.nodes[subject] = Node(f"{file}:{number}")
    if hasattr(term, "datatype"):
        node.add(name, Text(term.value, term.language))
    elif name == "type":
        node.types.add(local_name(term.value) or term.value)
    else:
        node.add(name, Ref(str(term)))


def _check_start(file: SourceFile) -> None:
    with open_bytes(file) as stream:
        start = list(islice(read_lines(stream), 50))
    if start and not any(quad for _, quad in parse(start)):
        raise SourceError(
            f"{file.name} does not hold N-Quads; its first line is {excerpt(start[0][1])[:80]!r}, "
            "expected '<subject> <predicate> <object> <page URL> .'"
        )


MAX_LINE = 4 << 20

#: A language tag taken over from a page as it was (`@en_US`, `@en class=`). The regular expression
#: of WebFAQ's own extraction makes room for these: the dumps have them.
_ODD_TAG = re.compile(rb'"@([A-Za-z]*+)[^"<>]*(\s<[^<>]*>\s*+\.\s*)$')

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
    for number, line in enumerate(_split(stream), 1):
        if line.strip() and not line.startswith(b"#"):
            yield number, line


def _split(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines that end in a line feed, a carriage return or both, cut at `MAX_LINE` bytes."""
    rest = b""
    while piece := stream.readline(MAX_LINE):
        if rest or b"\r" in piece[:-2] or (b"\r" in piece and not piece.endswith(b"\n")):
            *lines, rest = _by_returns(rest + piece)
            yield from lines
            if len(rest) < MAX_LINE:
                continue
            piece, rest = rest[:MAX_LINE], b""
        yield piece
        while len(piece) == MAX_LINE and not piece.endswith(b"\n"):
            piece = stream.readline(MAX_LINE)
    if rest:
        yield rest


def _by_returns(piece: bytes) -> list[bytes]:
    """Return the lines of a piece; last what has no end yet, which may be nothing."""
    lines = piece.splitlines(keepends=True)
    return lines if not lines[-1].endswith((b"\n", b"\r")) else [*lines, b""]


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
        # A default graph has no value, nor has a quoted triple.
        named = quad is not None and all(
            hasattr(term, "value") for term in (quad.subject, quad.object, quad.graph_name)
        )
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
        quads = _quads(line)
    except SyntaxError as error:
        # Without the column, so that one kind of fault is one reason.
        return "malformed N-Quads line: " + re.sub(r"^Parser error at .*?: ", "", str(error.msg))
    if quads and not hasattr(quads[0].object, "value"):
        return "N-Quads line with a quoted triple"
    return "N-Quads line that does not end in a page URL"


def excerpt(line: bytes) -> str:
    """Return the start of a line as text, for a report."""
    return line[:2000].decode("utf-8", "replace").strip()
