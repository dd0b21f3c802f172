"""Keep the pairs that are one question and one answer, by rules that are the same in every script.

A question mark is `text.QUESTION_MARK`; a length counts East Asian wide characters twice (Unicode
Annex 11), since a Chinese question says in six characters what an English one says in twenty.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.text import QUESTION_MARK
from webfaq_domains.steps.base import Outcome


def shown_width(text: str) -> int:
    """Return the width of a text in columns: East Asian wide characters count 2."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _narrower(texts: pa.ChunkedArray, width: int) -> pa.Array:
    """Mark the texts whose shown width is under `width`."""
    short = pc.less(pc.utf8_length(texts), width).to_numpy(zero_copy_only=False).copy()
    for row in short.nonzero()[0].tolist():
        short[row] = shown_width(texts[row].as_py()) < width
    return pa.array(short)


def has_question_mark(text: str) -> bool:
    """Tell whether a text asks: a question mark of any script, outside URLs."""
    return QUESTION_MARK.search(text) is not None


def _asking(texts: pa.ChunkedArray) -> pa.Array:
    candidates = pc.match_substring_regex(texts, r"[?？؟՞፧⸮︖;\x{37e};]")
    marked = candidates.to_numpy(zero_copy_only=False).copy()
    for row in marked.nonzero()[0].tolist():
        marked[row] = has_question_mark(texts[row].as_py())
    return pa.array(marked)


@dataclass(frozen=True)
class KeepWellFormed:
    """Keep pairs with one question and one answer of usable length.

    Widths are in columns (`shown_width`), maxima in characters. An answer that asks is mostly
    several pairs run together, which is why WebFAQ drops it; so do we, in every script.
    """

    min_question: int = 10
    min_answer: int = 30
    max_question: int = 1_000
    max_answer: int = 20_000
    max_answer_lines: int = 40
    drop_asking_answers: bool = True
    requires = ("question", "answer")
    adds = ()

    def __call__(self, pairs: pa.Table) -> Outcome:
        question, answer = pairs["question"], pairs["answer"]
        reasons = {
            "empty": pc.or_(pc.equal(question, ""), pc.equal(answer, "")),
            "undecodable": pc.or_(
                *(pc.match_substring(text, "\ufffd") for text in (question, answer))
            ),
            "no_letters": pc.invert(
                pc.and_(
                    pc.match_substring_regex(question, r"\p{L}"),
                    pc.match_substring_regex(answer, r"\p{L}"),
                )
            ),
            "question_too_short": _narrower(question, self.min_question),
            "answer_too_short": _narrower(answer, self.min_answer),
            "question_too_long": pc.greater(pc.utf8_length(question), self.max_question),
            "answer_too_long": pc.greater(pc.utf8_length(answer), self.max_answer),
            "answer_too_many_lines": pc.greater_equal(
                pc.count_substring(answer, "\n"), self.max_answer_lines
            ),
        }
        if self.drop_asking_answers:
            reasons["answer_asks"] = _asking(answer)
        return Outcome.drop_if(pairs, **reasons)
