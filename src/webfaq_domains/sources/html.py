"""Pairs from saved web pages that mark up their FAQ in schema.org terms.

Read are JSON-LD, microdata and RDFa Lite, each only where the page has it. A page that says the same
in two of them gives each pair twice; removing duplicates is a later step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from webfaq_domains.ground.errors import MissingExtra, SourceError
from webfaq_domains.ground.markup import MAX_DEPTH, depth_of, visible_text
from webfaq_domains.sources.base import Batch, RawRows, SourceFile, batches
from webfaq_domains.sources.faqpage import Page, add_page
from webfaq_domains.sources.files import list_files, open_bytes
from webfaq_domains.sources.jsonld import add_jsonld, read_json
from webfaq_domains.sources.schemaorg import Graph

_ENDINGS = tuple(f".{kind}{gz}" for kind in ("html", "htm", "xhtml") for gz in ("", ".gz"))

#: How files start that hold many pages, or none.
_OTHER_FILES = (b"WARC/", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"BZh", b"%PDF-")

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
        what = "page (.html, .htm or .xhtml, also with .gz)"
        if Path(path).is_file():
            _refuse_archive(Path(path))
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
            if data.startswith(_OTHER_FILES):
                raise _Unread("archive, not a page")
            graph, page = _describe(_decode(data), file.name, rows)
        except _Unread as reason:
            rows.reject(file.name, str(reason), data[:2000].decode("utf-8", "replace"))
            yield
            return
        yield from add_page(rows, graph, page)


def _refuse_archive(path: Path) -> None:
    """Refuse a single file that is no page: its pages would all get the address of the first."""
    file = SourceFile(path.name, str(path), 0, "")
    with open_bytes(file) as stream:
        start = stream.read(8)
    if start.startswith(_OTHER_FILES):
        kind = "WARC file" if start.startswith(b"WARC/") else "packed file"
        raise SourceError(
            f"{path} is a {kind}, not a page: unpack it into a folder with one .html file a page"
        )


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
        if text.count("<") > MAX_DEPTH and depth_of(tree) > MAX_DEPTH:
            raise _Unread("page nested too deeply")
        _add_scripts(graph, tree, name, rows)
        _add_microdata(graph, tree)
        return graph, Page(name, name, _url(tree, text), _language(tree))
    except _Unread:
        raise
    except Exception as error:  # whatever a page makes a parser do, it costs that page only
        raise _Unread(f"page that cannot be read: {type(error).__name__}") from error


def _load(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(module.partition(".")[0], "html") from error


def _decode(data: bytes) -> str:
    """Decode a page: byte order mark, declaration, then UTF-8, then Windows-1252.

    A page that is not what it declares is read as the next of these that fits. Where none does,
    what cannot be decoded becomes U+FFFD, and a later step drops the pairs that hold it.
    """
    known = _load("w3lib.encoding")
    declared = known.read_bom(data)[0] or known.html_body_declared_encoding(data) or _declared(data)
    for encoding in (declared, "utf-8", "cp1252"):
        try:
            text = data.decode(encoding or "utf-8")
        except (UnicodeError, LookupError):
            continue
        return text.removeprefix("\ufeff").replace("\0", "")
    return data.decode("utf-8", "replace").replace("\0", "")


def _declared(data: bytes) -> str | None:
    """Return the encoding that a declaration behind the first bytes names; w3lib looks at 4,096."""
    found = _CHARSET.search(data)
    return _load("w3lib.encoding").resolve_encoding(found[1].decode()) if found else None


_CHARSET = re.compile(rb"<meta\s[^<>]{0,200}?charset=[\"']?([A-Za-z0-9_-]{1,40})", re.IGNORECASE)


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
    if depth_of(tree, _is_item) > _MAX_ITEMS:  # the extractor takes quadratic time, and recurses
        raise _Unread("microdata nested too deeply")
    items = _load("extruct.w3cmicrodata").MicrodataExtractor(strict=True)
    # Its own text has a space wherever an element ends: `Break<b>fast</b>` would be two words.
    items._extract_textContent = lambda element: visible_text(element).strip()
    add_jsonld(graph, [_as_jsonld(item) for item in items.extract_items(tree, None)])


#: So many items and properties may be nested in each other; a FAQPage has about five.
_MAX_ITEMS = 50


def _is_item(element: Any) -> bool:
    return "itemscope" in element.attrib or "itemprop" in element.attrib


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


def _url(tree: Any, text: str) -> str | None:
    """Return the page's own address: its canonical link, else its `og:url`, else where it was saved.

    A link that is not absolute is joined to the page's base address, or where it was saved.
    """
    links = [e.get("href") for e in tree.iter("link") if "canonical" in e.get("rel", "").lower()]
    metas = [e.get("content") for e in tree.iter("meta") if e.get("property") == "og:url"]
    found = [url.strip() for url in (*links, *metas) if url]
    saved = _SAVED.search(text)
    bases = [e.get("href", "").strip() for e in tree.iter("base")] + ([saved[1]] if saved else [])
    base = next((url for url in bases if url.lower().startswith(_WEB)), None)
    if base:
        found = [urljoin(base, url) for url in found] + ([saved[1]] if saved else [])
    return next((url for url in found if url.lower().startswith(_WEB)), None)


_WEB = ("http://", "https://")
#: The mark that browsers leave in a page that they save.
_SAVED = re.compile(r"<!-- saved from url=\(\d{1,6}\)(https?://[^\s<>]{1,2000}) -->")


def _language(tree: Any) -> str | None:
    tag: str | None = tree.get("lang") or tree.get("xml:lang")
    return tag
