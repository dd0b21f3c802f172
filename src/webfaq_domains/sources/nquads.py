"""Pairs from N-Quads dumps of FAQ pages, as Web Data Commons publishes them.

The dumps keep the quads of a page together, so a file is read page by page in bounded memory.
Where a page comes in two runs of lines, each run is a page of its own, with the same `source_id`s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from webfaq_domains.errors import SourceError
from webfaq_domains.sources.base import Batch, RawRows, SourceFile, batches
from webfaq_domains.sources.faqpage import Page, add_page
from webfaq_domains.sources.files import list_files
from webfaq_domains.sources.quads import (
    Line,
    excerpt,
    graph_of,
    oxigraph,
    parse,
    read_lines,
    why_unread,
)
from webfaq_domains.sources.schemaorg import PROPERTIES, Graph, Node, Ref, Text, local_name
from webfaq_domains.sources.unpack import open_bytes

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
