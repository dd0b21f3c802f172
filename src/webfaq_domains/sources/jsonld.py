"""JSON-LD as pages have it: read although it is broken, and turned into a graph.

Browsers ignore what is inside `<script type="application/ld+json">`, so nobody notices a trailing
comma or a quotation mark that ends a text too early; search engines read much of it anyway. Only
what is needed of JSON-LD's contexts is kept: prefixes, aliases, `@vocab` and `@language`. A context
that would have to be fetched is taken for schema.org's.
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from webfaq_domains.sources.schemaorg import Graph, Node, Ref, Text, Value, local_name

_SCHEMA = "http://schema.org/"
_DECODER = json.JSONDecoder(strict=False)
_MAX_REPAIRS = 200

#: What pages have around and between JSON: comments of HTML and JavaScript, CDATA marks, the tags
#: that an editor adds at line ends. A comment mark around everything goes without its content.
_JUNK = re.compile(
    r"<!--(?:[^{\[]*?-->)?|-->|(?://\s*)?<!\[CDATA\[|(?://\s*)?\]\]>|//[^\n]*|/\*.*?\*/"
    r"|</?(?:p|br)\s*/?>",
    re.DOTALL | re.IGNORECASE,
)
#: A key with the start of its value, with or without its first quotation mark.
_MEMBER = re.compile(r'("?)[@\w]+"\s*:\s*["{\[\d]')
_BETWEEN = re.compile(r"(?:[\s\ufeff,;}]|\](?!\]?>))*")


def read_json(text: str) -> list[Any]:
    """Return the JSON values in a script block, repairing what leaves no doubt.

    A fault is repaired where the decoder stops, and the text decoded anew. Tools that repair any
    text make up an end for a block that was cut off; here a cut-off block stays an error.

    :raises json.JSONDecodeError: if the repairs do not lead to JSON.
    """
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
    first: json.JSONDecodeError | None = None
    for _ in range(_MAX_REPAIRS):
        try:
            return _decode(text)
        except json.JSONDecodeError as error:
            first = first or error
            repaired = _repair(text, error.pos)
        if repaired is None:
            break
        text = repaired
    raise first or json.JSONDecodeError("Expecting an object", text, 0)


def _decode(text: str) -> list[Any]:
    """Decode one value after the other: some pages have several in a block."""
    values: list[Any] = []
    at = _skip(text, 0)
    while at < len(text):
        value, end = _DECODER.raw_decode(text, at)
        if not isinstance(value, dict | list):
            # Not a value but the rest of a text that a quotation mark has ended too early.
            raise json.JSONDecodeError("Expecting an object", text, at)
        values.append(value)
        at = _skip(text, end)
    return values


def _skip(text: str, at: int) -> int:
    return _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # matches the empty text


def _repair(text: str, at: int) -> str | None:
    """Return the text with the fault mended at which decoding stopped, or None."""
    junk = _JUNK.match(text, at)
    # `"see "//cats.example" for more"` is a text that goes on, not one with a comment after it.
    if junk and not ('"' in junk[0] and text[:at].rstrip().endswith('"')):
        return text[:at] + text[junk.end() :]
    if text[at : at + 1] == "\\":
        # `\'` and `\$` are escapes of other languages; `\d` and `C:\Windows` mean the backslash.
        escaped = text[at + 1 : at + 2]
        if escaped and not escaped.isalnum():
            return text[:at] + text[at + 1 :]
        return text[:at] + "\\" + text[at:]
    before = text[: at + (text[at : at + 1] == ",")].rstrip()
    if before.endswith(",") and text[len(before) :].lstrip()[:1] in ("}", "]"):
        return before[:-1] + text[len(before) :]
    member = _MEMBER.match(text, at)
    if (member and member[1]) or (before.endswith("}") and text[at : at + 1] == "{"):
        return text[:at] + "," + text[at:]
    # Decoding stops where a text goes on after a quotation mark that should be part of it; but if
    # a key follows, a quotation mark too many or too few is elsewhere, and the text would swallow
    # the fields after it.
    closed = before.removesuffix(",").rstrip()
    if member or not closed.endswith('"'):
        return None
    return closed[:-1] + '\\"' + text[len(closed) :]


@dataclass(frozen=True)
class _Context:
    """What short names on a page stand for."""

    terms: dict[str, str] = field(default_factory=lambda: {"schema": _SCHEMA})
    vocab: str = _SCHEMA
    language: str | None = None

    def extended(self, given: object) -> _Context:
        """Return this context with the `@context` of an object inside it."""
        context = self
        for part in given if isinstance(given, list) else [given]:
            if isinstance(part, dict):
                vocab, language = part.get("@vocab"), part.get("@language")
                context = replace(
                    context,
                    terms={**context.terms, **_terms(part)},
                    vocab=vocab if isinstance(vocab, str) and vocab else context.vocab,
                    language=language if isinstance(language, str) else context.language,
                )
        return context

    def expand(self, name: str, depth: int = 0) -> str:
        """Return the IRI or keyword that a property or type name stands for."""
        if name in self.terms and depth < 5:
            return self.expand(self.terms[name], depth + 1)
        prefix, colon, rest = name.partition(":")
        if name.startswith("@") or rest.startswith("//"):
            return name
        if colon:
            return _base(self.terms.get(prefix, f"{prefix}:")) + rest
        # schema.org's own context has `type` and `id` without the `@`.
        return f"@{name}" if name in ("id", "type") else _base(self.vocab) + name


def _base(iri: str) -> str:
    # `"@vocab": "https://schema.org"` is common and, to the letter, names nothing.
    return iri if iri.endswith(("/", "#", ":")) else iri + "/"


def _terms(context: dict[str, Any]) -> dict[str, str]:
    found = {}
    for term, meaning in context.items():
        iri = meaning.get("@id") if isinstance(meaning, dict) else meaning
        if isinstance(iri, str) and not term.startswith("@"):
            found[term] = iri
    return found


def add_jsonld(graph: Graph, data: object) -> None:
    """Add all that a JSON-LD document says to a graph."""
    for value in data if isinstance(data, list) else [data]:
        _walk(graph, value, _Context())


def _walk(graph: Graph, value: object, context: _Context) -> list[Value]:
    """Add the objects within a value to the graph and return what stands for it there."""
    if isinstance(value, list):
        return [found for part in value for found in _walk(graph, part, context)]
    if isinstance(value, dict):
        return _walk_object(graph, value, context.extended(value.get("@context")))
    if isinstance(value, str):
        return [Text(_unescaped(value), context.language)]
    if isinstance(value, bool) or value is None:
        return []
    return [Text(str(value))]


#: Quotation marks that were escaped twice: `\\"late\\"` in the block.
_ESCAPED_QUOTE = re.compile(r"\\+([\"'])")


def _unescaped(text: str) -> str:
    """Undo a second escape of quotation marks, where backslashes serve nothing else."""
    if "\\" not in text or "\\" in (plain := _ESCAPED_QUOTE.sub(r"\1", text)):
        return text
    return plain


def _walk_object(graph: Graph, given: dict[str, Any], context: _Context) -> list[Value]:
    fields = [(context.expand(name), value) for name, value in given.items() if name != "@context"]
    keywords = {name: value for name, value in fields if name.startswith("@")}
    if "@value" in keywords:
        language = keywords.get("@language")
        inner = replace(context, language=language) if isinstance(language, str) else context
        return _walk(graph, keywords["@value"], inner)
    for name in ("@list", "@set"):
        if name in keywords:
            return _walk(graph, keywords[name], context)
    if "@graph" in keywords:
        _walk(graph, keywords["@graph"], context)
    if fields and keywords.keys() <= {"@id", "@graph"} and len(keywords) == len(fields):
        return [Ref(str(keywords["@id"]))] if "@id" in keywords else []
    # The identifier of a nameless node counts the nodes, those within this one included.
    node = _node(graph, fields, context)
    return [Ref(graph.put(str(keywords.get("@id") or f"_:node{len(graph.nodes)}"), node))]


def _node(graph: Graph, fields: list[tuple[str, Any]], context: _Context) -> Node:
    node = Node()
    for name, value in fields:
        if name == "@type":
            kinds = value if isinstance(value, list) else [value]
            names = [context.expand(kind.strip()) for kind in kinds if isinstance(kind, str)]
            node.types |= {local_name(name) or name for name in names}
        elif not name.startswith("@"):
            # Walked even if the property is of another vocabulary: a FAQPage may be within.
            for found in _walk(graph, value, context):
                if local := local_name(name):
                    node.add(local, found)
    return node
