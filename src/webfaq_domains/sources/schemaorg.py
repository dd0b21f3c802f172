"""What a page says in schema.org terms, as a small graph, whatever notation it was written in.

A `Graph` holds one `Node` per thing (a FAQPage, a Question, an Answer), a node's values are a
`Text` or a `Ref` to another node. N-Quads, JSON-LD, microdata and RDFa all end up here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

_SCHEMA_ORG = re.compile(r"(?:https?:)?(?://)?(?:www\.)?schema\.org/", re.IGNORECASE)

#: The properties that lead from a question to its answers, the better one first.
ANSWERS = ("acceptedanswer", "suggestedanswer")

#: Every property that is looked at, in lower case.
PROPERTIES = frozenset(
    {*ANSWERS, "mainentity", "itemlistelement", "item", "name", "text", "type"}
    | {"inlanguage", "alternatename"}
)


@lru_cache(maxsize=4096)
def local_name(iri: str) -> str | None:
    """Return the lower-case name of a schema.org term, or None for a term of another vocabulary.

    Lower case, since pages write `mainentity` and `FAQpage` too. Older extractors put the type
    into the property: `http://schema.org/Question/name` is `name`.
    """
    prefix = _SCHEMA_ORG.match(iri)
    if prefix is None:
        return None
    return re.split(r"[/#]", iri[prefix.end() :].rstrip("/#"))[-1].strip().lower()


@dataclass(frozen=True)
class Text:
    """A literal value; `language` is the tag it was written with, if any."""

    value: str
    language: str | None = None


@dataclass(frozen=True)
class Ref:
    """A value that is another node of the page, or is meant to be."""

    id: str


Value = Text | Ref


@dataclass
class Node:
    """One thing on a page: its types and properties, both by lower-case schema.org name."""

    place: str = ""
    types: set[str] = field(default_factory=set)
    properties: dict[str, list[Value]] = field(default_factory=dict)

    def add(self, name: str, value: Value) -> None:
        """Add a property value; the property `type` (a forgotten `@`) adds a type."""
        if name == "type" and isinstance(value, Text):
            self.types.add(local_name(value.value) or value.value.lower())
        self.properties.setdefault(name, []).append(value)

    def get(self, *names: str) -> list[Value]:
        """Return the values of these properties, in order."""
        return [value for name in names for value in self.properties.get(name, ())]

    def texts(self, name: str) -> list[Text]:
        """Return the different texts of a property that are not blank, in order."""
        found = (v for v in self.get(name) if isinstance(v, Text) and v.value.strip())
        return list(dict.fromkeys(found))


@dataclass
class Graph:
    """The nodes of one page by identifier, in the order in which they were met."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def find(self, value: Value) -> Node | None:
        """Return the node a value stands for: pages also write an identifier as a plain text."""
        return self.nodes.get(value.id if isinstance(value, Ref) else value.value)

    def typed(self, name: str) -> list[Node]:
        """Return the nodes of a type, given by its lower-case name, in order."""
        return [node for node in self.nodes.values() if name in node.types]

    def put(self, identifier: str, node: Node) -> str:
        """Add a node and return the identifier under which it is found.

        Nodes with one identifier are one thing whose description is spread over the page, unless
        their name or text differ: then a template gave every question the same identifier, and
        merging them would mix up the answers. Such a node gets an identifier of its own.
        """
        there = self.nodes.setdefault(identifier, node)
        if there is node:
            return identifier
        for name in ("name", "text"):
            if there.texts(name) and node.texts(name) and there.texts(name) != node.texts(name):
                return self.put(f"{identifier} ({len(self.nodes)})", node)
        there.types |= node.types
        for name, values in node.properties.items():
            have = there.properties.setdefault(name, [])
            known = set(have)
            have += [value for value in values if value not in known]
        return identifier

    @cached_property
    def askers(self) -> Counter[int]:
        """How many questions refer to a node as their answer, by the node's `id()`."""
        answered = (self.find(v) for node in self.nodes.values() for v in node.get(*ANSWERS))
        return Counter(id(node) for node in answered if node is not None)
