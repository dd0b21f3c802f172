"""From the graph of a page to its question/answer pairs.

The questions of a page are those that a `FAQPage` on it reaches through `mainEntity`. Each becomes
a pair or a rejected row with its reason, and each has an ordinal, so that `key#3` names the fourth
question of a page for good. Texts stay as they were written: cleaning is a later step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webfaq_domains.ground.addresses import host_of
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.sources.base import RawRows
from webfaq_domains.sources.schemaorg import ANSWERS, Graph, Node, Text, Value

Pairs = list[tuple[Text, Text]]


@dataclass(frozen=True)
class Page:
    """Where a graph is from: `key` starts its `source_id`s, `language` is the page's own claim."""

    key: str
    place: str
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True)
class _Found:
    """A question of the page with its FAQPage, or something that is no question and why."""

    node: Node
    faqpage: tuple[Node, ...] = ()
    fault: str = ""

    def excerpt(self) -> str:
        values = self.node.get("name", "text", "mainentity")
        return " | ".join(v.value if isinstance(v, Text) else v.id for v in values[:3])


def add_page(rows: RawRows, graph: Graph, page: Page) -> Iterator[None]:
    """Add every question of a page to `rows`, as a pair or rejected; yields after each row.

    Whatever a page makes this code do, it costs that page only: the fault is a rejected row.
    """
    try:
        yield from _add_questions(rows, graph, page)
    except Exception as error:
        rows.reject(page.place, f"page that cannot be read: {type(error).__name__}", page.url or "")
        yield


def _add_questions(rows: RawRows, graph: Graph, page: Page) -> Iterator[None]:
    origin = host_of(page.url)
    page_claims = (page.language, _claimed(graph, *graph.typed("webpage")))
    for ordinal, found in enumerate(_questions(graph)):
        pairs = _pairs(graph, found)
        if isinstance(pairs, str):
            place = found.node.place or f"{page.place}#{ordinal}"
            rows.reject(place, pairs, _sound(found.excerpt()))
            yield
            continue
        claims = (_claimed(graph, found.node), _claimed(graph, *found.faqpage))
        for variant, (name, answer) in enumerate(pairs):
            rows.add(
                {
                    "language": _first_known(*claims, name.language, *page_claims),
                    "claimed_by": "page",
                    "question": _sound(name.value),
                    "answer": _sound(answer.value),
                    "origin": origin,
                    "url": page.url,
                    "source_id": f"{page.key}#{ordinal}" + (f".{variant}" if variant else ""),
                }
            )
            yield


def _questions(graph: Graph) -> Iterator[_Found]:
    """Walk from each FAQPage to its questions; then name the questions no FAQPage reaches.

    Those are rejected, as in WebFAQ's own extraction: a page may carry forum threads (`QAPage`)
    or a quiz beside its FAQ, whose questions are of another kind.
    """
    faqpages = graph.typed("faqpage")
    if not faqpages:
        yield _Found(next(iter(graph.nodes.values()), Node()), fault="page without a FAQPage")
        return
    seen: set[int] = set()
    for faqpage in faqpages:
        if not faqpage.get("mainentity"):
            yield _Found(faqpage, fault="FAQPage without questions")
        for value in faqpage.get("mainentity"):
            yield from _reach(graph, value, faqpage, seen)
    for node in graph.typed("question"):
        if id(node) not in seen:
            yield _Found(node, fault="question outside every FAQPage")


def _reach(graph: Graph, value: Value, faqpage: Node, seen: set[int]) -> Iterator[_Found]:
    """Yield the question a `mainEntity` value stands for, or those of a list that it stands for."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        node = graph.find(value)
        if node is None:
            lost = Node(faqpage.place, properties={"mainentity": [value]})
            yield _Found(lost, fault="mainEntity that the page does not describe")
        elif id(node) not in seen:
            seen.add(id(node))
            inner = node.get("itemlistelement", "item")
            if "question" in node.types or node.get(*ANSWERS):
                yield _Found(node, (faqpage,))
            elif inner:
                waiting += reversed(inner)
            else:
                yield _Found(node, fault="mainEntity that is not a Question")


def _pairs(graph: Graph, found: _Found) -> Pairs | str:
    """Return a question's pairs (several if it is written in several languages), or the fault."""
    if found.fault:
        return found.fault
    names = found.node.texts("name")
    if not names:
        return "question without a name"
    if not found.node.get(*ANSWERS):
        return "question without an answer"
    answers = _answers(graph, found.node)
    if not answers:
        return "answer without text"
    texts = list(dict.fromkeys(text for answer in answers for text in answer))
    if len(names) > 1 and len(texts) > 1:
        return _by_language(names, texts)
    answer = _in_language(answers[0], names[0].language)
    if len(answer) > 1 and _answers_several(graph, found.node):
        # A template gave every answer one identifier: which text is whose is lost.
        return "answer with several texts that belongs to several questions"
    # Otherwise several texts are the paragraphs of one answer, each marked up.
    return [(names[0], Text("\n".join(text.value for text in answer)))]


def _answers_several(graph: Graph, question: Node) -> bool:
    answers = [graph.find(value) for value in question.get(*ANSWERS)]
    return any(graph.askers[id(answer)] > 1 for answer in answers)


def _by_language(names: list[Text], texts: list[Text]) -> Pairs | str:
    """Pair names and answer texts by their language tags, if that leaves no choice."""
    tags = [name.language for name in names]
    matching = [[text for text in texts if text.language == tag] for tag in tags]
    if len(set(tags)) < len(tags) or any(len(found) != 1 for found in matching):
        return "question with several names and several answers"
    return [(name, found[0]) for name, found in zip(names, matching, strict=True)]


def _answers(graph: Graph, question: Node) -> list[list[Text]]:
    """Return the texts of each accepted answer that has some, or else of each suggested one."""
    for kind in ANSWERS:
        found = []
        for value in question.get(kind):
            node = graph.find(value)
            # A plain text in place of an Answer is the answer.
            bare = Node(properties={"text": [value]})
            found.append((node or bare).texts("text"))
        if any(found):
            return [texts for texts in found if texts]
    return []


def _in_language(texts: list[Text], tag: str | None) -> list[Text]:
    """Return the texts with this language tag, or if there are none those of the first's."""
    same = [text for text in texts if text.language == tag]
    return same or [text for text in texts if text.language == texts[0].language]


def _claimed(graph: Graph, *nodes: Node) -> str | None:
    """Return the language that the `inLanguage` of these nodes names, if they name just one."""
    codes = set()
    for value in (value for node in nodes for value in node.get("inlanguage")):
        language = graph.find(value) or Node(properties={"name": [value]})
        names = language.texts("alternatename") + language.texts("name")
        codes.add(_first_known(*(name.value for name in names)))
    return codes.pop() if len(codes) == 1 else None


def _first_known(*tags: str | None) -> str | None:
    return next((code for tag in tags if tag and (code := to_iso3(tag))), None)


def _sound(text: str) -> str:
    """Replace half surrogates, which JSON can hold (`\\ud83d`) and a UTF-8 file cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
