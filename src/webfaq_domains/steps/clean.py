"""Clean the two texts of a pair: plain text, without what pages put around it.

Cleaning comes before the length rules of `wellformed`, so that what is measured is what is kept.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.markup import ESCAPED_MARKUP, MARKUP, fragment_text
from webfaq_domains.ground.text import composed, is_composed
from webfaq_domains.steps.base import Outcome

_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});")
#: An entity that was escaped once more: `&amp;#8217;`.
_ESCAPED_ENTITY = re.compile(
    r"&(?:amp|#0{0,4}38|#[xX]0{0,4}26);(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9xX][0-9a-fA-F]{0,6});"
)

# Zero-width space, word joiner, BOM, soft hyphen and directional marks; the joiners U+200C and
# U+200D stay, Persian and the Indic scripts need them.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufeff\ufff9-\ufffc\ufffe\uffff]"
)
_EMOJI = re.compile(
    "(?:[\U0001f000-\U0001faff\U0001f1e6-\U0001f1ff\u2600-\u27bf\u2b50\u2b55\u231a\u231b\u23e9-\u23f3]"
    "[\ufe0e\ufe0f\u20e3\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*)+|\ufe0f|\u20e3"
)
#: So many times a text is unescaped, though each time showed another escape.
_MOST_ESCAPES = 3
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
    try:
        return fragment_text(_without_controls(text))  # lxml refuses control characters
    except ValueError:  # a lone comment
        return _unescape(MARKUP.sub(" ", text))


def _unescape(text: str) -> str:
    """Replace entities; `&copy` without a semicolon stays, since URLs hold `&copy=2`."""
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text)


def _without_controls(text: str) -> str:
    for sign in _BREAKS:
        text = text.replace(sign, "\n")
    return _INVISIBLE.sub("", text)


def plain_text(text: str) -> str:
    """Undo markup, entities, invisible characters, emoji and odd white space. Lines stay lines."""
    if "&" in text:
        for _ in range(_MOST_ESCAPES):
            if not _ESCAPED_ENTITY.search(text):
                break
            text = _unescape(text)
        if ESCAPED_MARKUP.search(text):
            text = _unescape(text)
    if "<" in text and MARKUP.search(text):
        text = strip_markup(text)
    elif "&" in text:
        text = _unescape(text)
    text = composed(_EMOJI.sub(" ", _without_controls(text)))
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
    untidy[rows] = [not is_composed(text) for text in texts.take(pa.array(rows)).to_pylist()]
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
