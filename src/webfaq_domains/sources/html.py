"""Pairs from saved web pages that mark up their FAQ in schema.org terms.

Read are JSON-LD, microdata and RDFa Lite, each only where the page has it. A page that says the same
in two of them gives each pair twice; removing duplicates is a later step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import MissingExtra, SourceError
from webfaq_domains.sources.base import Batch, RawRows, SourceFile, batches
from webfaq_domains.sources.faqpage import Page, add_page
from webfaq_domains.sources.files import list_files, open_bytes
from webfaq_domains.sources.jsonld import add_jsonld, read_json
from webfaq_domains.sources.schemaorg import Graph

_ENDINGS = (".html", ".htm", ".html.gz", ".htm.gz")

#: A JSON-LD block without any of these words says nothing of an FAQ and is not decoded.
_WORDS = ("faqpage", "question", "answer")


@dataclass(frozen=True)
class HtmlSource:
    """Saved pages: the address is `html:PATH`, a file or a folder with subfolders.

    A page of more than `page_bytes` bytes (unpacked) is rejected as a whole.
    """

    files: tuple[SourceFile, ...]
    page_bytes: int = 32 << 20
    name: str = "html"

    @classmethod
    def open(cls, path: str) -> HtmlSource:
        """Find the pages (.html, .htm, both also .gz).

        :raises SourceError: if there are none.
        :raises MissingExtra: if a parser is not installed.
        """
        for module in ("lxml.html", "extruct", "w3lib.encoding"):
            _load(module)
        if not path:
            raise SourceError("html: names no file or folder; expected html:PATH")
        what = "page (.html or .htm, also with .gz)"
        return cls(list_files(Path(path), lambda name: name.lower().endswith(_ENDINGS), what))

    def read(self, file: SourceFile) -> Iterator[Batch]:
        """Yield the pairs of one page."""
        rows = RawRows()
        return batches(rows, self._events(file, rows))

    def _events(self, file: SourceFile, rows: RawRows) -> Iterator[None]:
        with open_bytes(file) as stream:
            data = stream.read(self.page_bytes + 1)
        try:
            if len(data) > self.page_bytes:
                raise _Unread("page larger than the bound")
            graph, page = _describe(_decode(data), file.name, rows)
        except _Unread as reason:
            rows.reject(file.name, str(reason), data[:2000].decode("utf-8", "replace"))
            yield
            return
        yield from add_page(rows, graph, page)


class _Unread(Exception):
    """A page from which nothing is read; the text says why."""


def _describe(text: str, name: str, rows: RawRows) -> tuple[Graph, Page]:
    """Return what a page says in schema.org terms; blocks that cannot be read are rejected."""
    # Parsing is what costs time, and in a crawl few pages have an FAQ.
    if "faqpage" not in text.lower():
        raise _Unread("page without a FAQPage")
    graph = Graph()
    try:
        tree = _tree(text)
        _add_scripts(graph, tree, name, rows)
        _add_microdata(graph, tree)
    except (RecursionError, _load("lxml.etree").ParserError) as error:
        raise _Unread(f"page that cannot be read: {type(error).__name__}") from error
    return graph, Page(name, name, _url(tree), _language(tree))


def _load(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(module.partition(".")[0], "html") from error


def _decode(data: bytes) -> str:
    """Decode a page as browsers do: byte order mark, declaration, then UTF-8, then Windows-1252."""
    decode = _load("w3lib.encoding").html_to_unicode
    text: str = decode(None, data, auto_detect_fun=_guess_encoding)[1]
    return text.replace("\0", "")


def _guess_encoding(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _tree(text: str) -> Any:
    lxml = _load("lxml.html")
    parser = lxml.HTMLParser(encoding="utf-8", huge_tree=True)
    return lxml.document_fromstring(text.encode("utf-8", "replace"), parser=parser)


def _add_scripts(graph: Graph, tree: Any, name: str, rows: RawRows) -> None:
    blocks = [s for s in tree.iter("script") if "ld+json" in s.get("type", "").lower()]
    for number, block in enumerate(blocks):
        text = block.text_content()
        if not any(word in text.lower() for word in _WORDS):
            continue
        try:
            add_jsonld(graph, read_json(text))
        except (ValueError, RecursionError) as error:
            # Without the place in the block, so that one kind of fault is one reason.
            why = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            start = max(0, error.pos - 250) if isinstance(error, json.JSONDecodeError) else 0
            reason = f"JSON-LD that cannot be read: {why}"
            rows.reject(f"{name}#script-{number}", reason, text[start:])


def _add_microdata(graph: Graph, tree: Any) -> None:
    if _names_faqpage(tree, "typeof"):
        _rewrite_rdfa(tree)
    if not _names_faqpage(tree, "itemtype"):
        return
    # To the letter the value of a link is its address, but a name or a text never is one:
    # accordions wrap the question in a link.
    for element in tree.xpath("//*[self::a or self::area][@itemprop]"):
        if {p.rpartition(":")[2] for p in element.get("itemprop").split()} & {"name", "text"}:
            element.tag = "span"
    items = _load("extruct.w3cmicrodata").MicrodataExtractor(strict=True)
    add_jsonld(graph, [_as_jsonld(item) for item in items.extract_items(tree, None)])


def _names_faqpage(tree: Any, attribute: str) -> bool:
    return any("faqpage" in types.lower() for types in tree.xpath(f"//@{attribute}"))


def _rewrite_rdfa(tree: Any) -> None:
    """Write RDFa Lite, which says the same with other attributes, as microdata.

    An RDFa processor would give a set of triples, from which the order of the questions, and with
    it their `source_id`, cannot be told.
    """
    for element in tree.xpath("//*[@typeof][not(@itemscope)]"):
        element.set("itemscope", "")
        element.set("itemtype", element.get("typeof"))
        element.set("itemid", element.get("resource") or element.get("about") or "")
    for element in tree.xpath("//*[@property][not(@itemprop)]"):
        element.set("itemprop", element.get("property"))


def _as_jsonld(item: Any) -> Any:
    """Turn an item of microdata, which holds the items that are its properties, into JSON-LD."""
    if isinstance(item, list):
        return [_as_jsonld(value) for value in item]
    if not isinstance(item, dict):
        return item
    properties = {name: _as_jsonld(value) for name, value in item.get("properties", {}).items()}
    identity = {"@id": item["id"]} if item.get("id") else {}
    return {**properties, "@type": item.get("type", []), **identity}


def _url(tree: Any) -> str | None:
    """Return the page's own address: its canonical link, else its `og:url`, if absolute."""
    links = [e.get("href") for e in tree.iter("link") if "canonical" in e.get("rel", "").lower()]
    metas = [e.get("content") for e in tree.iter("meta") if e.get("property") == "og:url"]
    found = [url.strip() for url in (*links, *metas) if url]
    return next((url for url in found if url.lower().startswith(("http://", "https://"))), None)


def _language(tree: Any) -> str | None:
    tag: str | None = tree.get("lang") or tree.get("xml:lang")
    return tag
