"""Clean the two texts of a pair: plain text, without what pages put around it.

Cleaning comes before the length rules of `wellformed`, so that what is measured is what is kept.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.steps.base import Outcome

#: Elements whose presence says "this is markup"; `a < b` and `<App />` in a text on code do not.
_TAGS = (
    "a|abbr|article|b|big|blockquote|br|center|code|dd|div|dl|dt|em|figure|font|h[1-6]|hr|i|iframe|"
    "img|input|ins|label|li|mark|nobr|ol|p|pre|q|s|script|section|small|span|strike|strong|style|"
    "sub|sup|svg|table|tbody|td|th|thead|tr|tt|u|ul|video"
)
_MARKUP = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*=[^<>]*)?\s*/?>|<!--", re.IGNORECASE)
_ESCAPED_MARKUP = re.compile(rf"&lt;(?:/(?:{_TAGS})|br\s*/?|p|ul|ol|li|div)\b", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
_BLOCKS = {
    "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "figure", "h1", "h2", "h3", "h4",
    "h5", "h6", "hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_INVISIBLE_ELEMENTS = {"script", "style", "noscript", "template", "svg", "iframe"}

# Zero-width space, word joiner, BOM, soft hyphen and directional marks; the joiners U+200C and
# U+200D stay, Persian and the Indic scripts need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufeff\ufff9-\uffff]"
)
_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\U0001f1e6-\U0001f1ff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3]"
    "[\ufe0e\ufe0f\u20e3\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)+|\ufe0f|\u20e3"
)
_SPACES = re.compile(r"[^\S\n\x1f]+")
_LINES = re.compile(r" ?\n[ \n]*")
_BREAKS = ("\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029")

# How pages announce a question or an answer. One letter needs `:` and a space (`D:\`, `S:t Eriks`).
_QUESTION_WORDS = (
    "q|question|faq|frage|f|pregunta|p|domanda|d|pergunta|vraag|v|fråga|spørgsmål|spørsmål|kysymys|"
    "pytanie|otázka|întrebare|kérdés|soru|s|вопрос|в|питання|въпрос|питање|pitanje|vprašanje|ερώτηση|"
    "سؤال|س|پرسش|سوال|שאלה|ש|प्रश्न|प्र|প্রশ্ন|கேள்வி|คำถาม|ถาม|câu hỏi|hỏi|pertanyaan|tanya|soalan|"
    "问题|問題|问|問|質問|질문|문|swali"
)
_ANSWER_WORDS = (
    "a|answer|antwort|respuesta|r|réponse|reponse|risposta|resposta|antwoord|svar|vastaus|odpowiedź|"
    "odpověď|odpoveď|răspuns|válasz|cevap|c|ответ|о|відповідь|отговор|одговор|odgovor|απάντηση|"
    "إجابة|جواب|الجواب|ج|پاسخ|תשובה|ת|उत्तर|उ|উত্তর|பதில்|คำตอบ|ตอบ|trả lời|đáp|jawaban|jawab|答案|答|回答|"
    "답변|답|jibu"
)
_Q_PREFIX = re.compile(
    rf"(?![dfpsv]:\S)(?:(?:{_QUESTION_WORDS}) *[#№]? *\d{{0,3}} *[:：]|(?:q|question|frage|pregunta)\s*\d{{1,3}}[.)]|q\.)\s*",
    re.IGNORECASE,
)
# After `A:` comes a space, unless the next letter is of a script that writes none (`答:可以`, not `C:\`).
_A_PREFIX = re.compile(
    rf"(?:(?:{_ANSWER_WORDS}) *\d{{0,3}} *(?::(?![!-~])|：)|a\.(?=\s))\s*", re.IGNORECASE
)
# `1.2.` is a number of a list; `65.535 letters` and `(26. March 2020)` start with a figure.
_NUMBER = re.compile(
    r"(?:(?:\(\d{1,3}\.?\)|\d{1,3}[.)](?:\d{1,3}[.)])*)\s+|\d{1,3} *[、．](?!\d)\s*|[•·●▪►▶➤*–—-]\s+)"
)
_FURTHER_ITEM = re.compile(
    r"(?:^|\s)\(?[2２٢۲२২੨૨୨௨౨೨൨๒໒༢၂២][.)、．]|\n[•·●▪►▶➤*–—-]\s", re.MULTILINE
)
_QUOTES = {
    '"': '"',
    "“": "”",
    "„": "“”",
    "‟": "”",
    "”": "”",
    "‘": "’",
    "«": "»",
    "»": "«",
    "「": "」",
    "『": "』",
}
_ANY_QUOTE = re.compile('["“”„‟‘’«»「」『』]')

# One pass of Arrow's RE2 over both texts decides which rows need the Python path at all.
_UNTIDY = (
    r"[<&\t\r\x{0b}\x{0c}\x{85}\x{2028}\x{2029}\x00-\x{08}\x{0e}-\x{1f}\x7f-\x{9f}\x{ad}\x{a0}"
    r"\x{1680}\x{2000}-\x{200b}\x{200e}\x{200f}\x{2028}-\x{202f}\x{205f}-\x{2064}\x{2066}-\x{2069}"
    r"\x{3000}\x{fe0f}\x{20e3}\x{feff}\x{fff9}-\x{ffff}\x{2600}-\x{27bf}\x{2b50}\x{2b55}\x{231a}\x{231b}"
    r"\x{23e9}-\x{23f3}\x{1f000}-\x{1faff}]|  | \n|\n[ \n]|^[\s\p{Nd}(•·●▪►▶➤*–—\"“”„‟‘«»「『-]|\s$"
    r"|^.{1,18}[:：.)]"
)


def strip_markup(text: str) -> str:
    """Return the visible text of an HTML fragment, one line per block element."""
    from lxml import html as lxml_html

    try:
        legal = _without_controls(text)  # lxml refuses control characters
        root = lxml_html.fragment_fromstring(legal, create_parent="div")
    except (ValueError, lxml_html.etree.ParserError):  # a lone comment
        return _unescape(_MARKUP.sub(" ", text))
    parts: list[str] = []
    _collect(root, parts)
    return "".join(parts)


def _collect(element: object, parts: list[str]) -> None:
    """Append the text of an lxml element and what follows it, in document order."""
    from lxml import etree

    for event, node in etree.iterwalk(element, events=("start", "end", "comment", "pi")):
        hidden = not isinstance(node.tag, str) or _is_hidden(node)
        if event == "start" and not hidden:
            if node.tag in _BLOCKS:
                parts.append("\n")
            elif node.tag in ("td", "th"):
                parts.append(" ")
            parts.append(node.text or "")
        elif event != "start" and node is not element:
            if isinstance(node.tag, str) and node.tag in _BLOCKS and node.tag not in ("br", "hr"):
                parts.append("\n")
            parent = node.getparent()
            if parent is None or not _is_hidden(parent):
                parts.append(node.tail or "")


def _is_hidden(node: object) -> bool:
    tag = getattr(node, "tag", None)
    if isinstance(tag, str) and tag in _INVISIBLE_ELEMENTS:
        return True
    parent = node.getparent()  # type: ignore[attr-defined]
    return parent is not None and _is_hidden(parent)


def _unescape(text: str) -> str:
    """Replace entities; `&copy` without a semicolon stays, since URLs hold `&copy=2`."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _without_controls(text: str) -> str:
    for sign in _BREAKS:
        text = text.replace(sign, "\n")
    return _INVISIBLE.sub("", text)


def plain_text(text: str) -> str:
    """Undo markup, entities, invisible characters, emoji and odd white space. Lines stay lines."""
    if "&" in text and _ESCAPED_MARKUP.search(text):
        text = _unescape(text)
    if "<" in text and _MARKUP.search(text):
        text = strip_markup(text)
    elif "&" in text:
        text = _unescape(text)
    text = unicodedata.normalize("NFC", _EMOJI.sub(" ", _without_controls(text)))
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def _unquote(text: str) -> str:
    """Drop one pair of quotation marks that embraces the whole text."""
    if len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES[text[0]]:
        inner = text[1:-1]
        # A typographic apostrophe is no quote: “It’s here”.
        if not _ANY_QUOTE.search(inner if text[0] == "‘" else inner.replace("’", "")):
            return inner.strip()
    return text


def clean_question(text: str) -> str:
    """Return a question without markup, list number, `Q:` prefix and embracing quotes."""
    text = plain_text(text).replace("\n", " ")
    return _peel(text, (_Q_PREFIX, _NUMBER))


def clean_answer(text: str) -> str:
    """Return an answer without markup, `A:` prefix and quotes; a list keeps numbers and bullets."""
    text = _peel(plain_text(text), (_A_PREFIX,))
    if not _NUMBER.match(text) or _FURTHER_ITEM.search(text):
        return text
    return _peel(text, (_A_PREFIX, _NUMBER))


def _peel(text: str, prefixes: tuple[re.Pattern[str], ...]) -> str:
    """Strip prefixes and quotes until nothing changes: `"1. Q: Why?"` has three layers."""
    for _ in range(4):
        before = text
        for prefix in prefixes:
            match = prefix.match(text)
            if match and match.end() < len(text):
                text = text[match.end() :].lstrip()
        text = _unquote(text)
        if text == before:
            break
    return text


def _tidy(texts: pa.ChunkedArray, clean: Callable[[str], str], untidy_if: str) -> pa.ChunkedArray:
    """Apply a cleaning function to the rows that may need it; the others are what it returns."""
    untidy = pc.match_substring_regex(texts, untidy_if).to_numpy(zero_copy_only=False).copy()
    foreign = pc.invert(pc.string_is_ascii(texts)).to_numpy(zero_copy_only=False) & ~untidy
    rows = np.flatnonzero(foreign)
    untidy[rows] = [
        not unicodedata.is_normalized("NFC", text)
        for text in texts.take(pa.array(rows)).to_pylist()
    ]
    mask = pa.array(untidy)
    cleaned = [clean(text) for text in texts.filter(mask).to_pylist()]
    return pc.replace_with_mask(texts, mask, pa.array(cleaned, pa.string()))


@dataclass(frozen=True)
class Clean:
    """Rewrite question and answer as plain text; drops nothing."""

    requires = ("question", "answer")
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        rules = (("question", clean_question, _UNTIDY + r"|\n"), ("answer", clean_answer, _UNTIDY))
        for name, clean, untidy_if in rules:
            column = pairs.column_names.index(name)
            pairs = pairs.set_column(column, name, _tidy(pairs[name], clean, untidy_if))
        return Outcome.keep_all(pairs)
