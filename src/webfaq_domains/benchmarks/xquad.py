"""One language of XQuAD-R: SQuAD 1.1 JSON whose paragraphs also say where their sentences are."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.benchmarks import lines
from webfaq_domains.benchmarks.base import joined_text
from webfaq_domains.errors import SourceError


@dataclass
class Side:
    """One language of the release: candidate rows, question text and answer sentence by item."""

    language: str
    candidates: list[tuple[str, ...]] = field(default_factory=list)
    questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


def read_side(path: Path, language: str) -> Side:
    """Read one language's file.

    :raises SourceError: naming file, article and paragraph of what is wrong.
    """
    side = Side(language)
    for article, entry in enumerate(lines.field(lines.json_file(path), "data", list, str(path))):
        where = f"{path}: article {article}"
        for number, paragraph in enumerate(lines.field(entry, "paragraphs", list, where)):
            place = f"{article:02}-{number}"
            _read_paragraph(side, paragraph, place, f"{where}, paragraph {number}")
    return side


def _read_paragraph(side: Side, paragraph: Any, place: str, where: str) -> None:
    context = lines.field(paragraph, "context", str, where)
    texts, breaks = (
        lines.field(paragraph, k, list, where) for k in ("sentences", "sentence_breaks")
    )
    starts = [start for start, _ in breaks]
    if len(texts) != len(breaks) or not all(0 <= a < b <= len(context) for a, b in breaks):
        raise SourceError(
            f"{where}: {len(texts)} sentences, {len(breaks)} sentence_breaks in {len(context)} "
            "characters; expected one break a sentence, inside the paragraph"
        )
    ids = [f"{side.language}-{place}-{number:02}" for number in range(len(texts))]
    side.candidates += [
        (name, text, context, side.language, place) for name, text in zip(ids, texts, strict=True)
    ]
    side.texts[place] = joined_text(context)
    for number, (item, question, start) in enumerate(_questions(paragraph, where)):
        sentence = bisect_right(starts, start) - 1
        if not 0 <= start < len(context) or sentence < 0 or start >= breaks[sentence][1]:
            raise SourceError(
                f"{where}, question {item}: answer_start {start} is in no sentence of the "
                f"{len(context)} characters"
            )
        if item in side.questions:
            raise SourceError(f"{where}, question {item}: the id is there twice")
        side.questions[item] = (f"{side.language}-{place}-q{number:02}", question)
        side.answers[item] = ids[sentence]
        side.texts[item] = joined_text(question, context)


def _questions(paragraph: Any, where: str) -> Iterator[tuple[str, str, int]]:
    """Yield (id, question, answer_start) of a paragraph."""
    for entry in lines.field(paragraph, "qas", list, where):
        item = lines.field(entry, "id", str, where)
        place = f"{where}, question {item}"
        answers = lines.field(entry, "answers", list, place)
        if len(answers) != 1:
            raise SourceError(f"{place}: {len(answers)} answers; XQuAD has one a question")
        start = lines.field(answers[0], "answer_start", int, place)
        yield item, lines.field(entry, "question", str, place), start
