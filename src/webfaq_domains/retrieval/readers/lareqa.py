"""LAReQA, XQuAD-R: find the sentences that answer a question, in eleven languages (Roy et al. 2020).

The release is `xquad-r/<xx>.json`: XQuAD in SQuAD 1.1 form, whose paragraphs also have `sentences`
and `sentence_breaks`. Every sentence of every paragraph of every language is a candidate (`title`
the sentence, `text` its paragraph, as the official model reads them); the right ones are, in each
of the eleven languages, the sentence that holds the start of the answer.

There are 13,014 candidates and 13,090 right pairs a query language (1,190 questions, 11 answers
each): several questions share an answer sentence, and 4,495 sentences answer none. One sentence
stands twice in a Chinese paragraph; it is two candidates and, where right, a duplicate.

Row `deu-07-1-q03` is question 3 of paragraph 1 of article 7 (all from 0), `deu-07-1-02` a sentence.
Items are questions, named by their SQuAD id and labelled on the English question and paragraph. A candidate belongs to its
paragraph, which is labelled on its English text, and to the questions it answers.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.retrieval.readers import base, lines
from webfaq_domains.retrieval.readers.base import (
    About,
    Part,
    Pool,
    Reading,
    Task,
    joined_text,
    strings,
)

ABOUT = About(
    task="lareqa",
    title="LAReQA (XQuAD-R)",
    metric="map_at_20",
    licence="CC-BY-SA-4.0",
    redistributable=True,
    homepage="https://github.com/google-research-datasets/lareqa",
    citation="Roy et al. 2020, arXiv:2004.05484; questions of XQuAD, Artetxe et al. 2020",
)

LANGUAGES = ("ara", "deu", "ell", "eng", "hin", "rus", "spa", "tha", "tur", "vie", "zho")
#: Official counts: questions of each language, candidates of all.
QUESTIONS, CANDIDATES = 1190, 13_014


def read(folder: Path, reading: Reading) -> Task:
    """Read `xquad-r` (or the folder that holds it); the pool is always all its languages.

    :raises SourceError: naming the file and the place of what is wrong.
    """
    folder = base.folder_of(folder, "xquad-r/<xx>.json")
    folder = folder / "xquad-r" if (folder / "xquad-r").is_dir() else folder
    files = {base.iso3(path.stem, str(path)): path for path in sorted(folder.glob("*.json"))}
    asked = base.wanted(reading, files, LANGUAGES, f"LAReQA in {folder}")
    # Candidates in all languages are what makes the task, whatever languages are asked for.
    base.expect(len(files), len(LANGUAGES), f"{folder}: languages", reading.partial)
    sides = {language: read_side(path, language) for language, path in sorted(files.items())}
    if "eng" not in sides:
        raise SourceError(f"{folder}/en.json is missing; labels are decided on the English side")
    _check(sides, files, reading.partial)
    candidates = strings(base.CANDIDATE, (row for s in sides.values() for row in s.candidates))
    base.expect(len(candidates), CANDIDATES, f"{folder}: candidates", reading.partial)
    english = sides.pop("eng")
    everyone = {"eng": english, **sides}
    return Task(
        ABOUT,
        [Pool("all", "test", candidates)],
        [_part(everyone[language], everyone) for language in asked],
        strings(base.ITEM, english.texts.items()),
        strings(
            base.SIDE,
            (
                (item, s.language, text)
                for s in sides.values()
                for item in s.questions
                for text in [s.texts[item]]
            ),
        ),
        {path.name: file_sha256(path) for path in files.values()},
    )


def _part(side: Side, everyone: dict[str, Side]) -> Part:
    queries = ((name, text, side.language, item) for item, (name, text) in side.questions.items())
    right = (
        (name, other.answers[item])
        for item, (name, _) in side.questions.items()
        for other in everyone.values()
    )
    queries_table, right_table = strings(base.QUERY, queries), strings(base.RIGHT, right)
    return Part(side.language, "test", "all", queries_table, right_table)


def _check(sides: dict[str, Side], files: dict[str, Path], partial: bool) -> None:
    """Refuse languages that do not ask the same questions."""
    for language, side in sides.items():
        base.expect(len(side.questions), QUESTIONS, f"{files[language]}: questions", partial)
        odd = sorted(side.questions.keys() ^ sides["eng"].questions.keys())
        if odd:
            raise SourceError(
                f"{files[language]}: question {odd[0]} is in this file or in {files['eng'].name}, "
                "not in both; every question must be there in every language"
            )


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
