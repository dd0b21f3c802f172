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

from pathlib import Path

from webfaq_domains.benchmarks import base
from webfaq_domains.benchmarks.base import About, Part, Pool, Reading, Task, strings
from webfaq_domains.benchmarks.xquad import Side, read_side
from webfaq_domains.errors import SourceError
from webfaq_domains.hashing import file_sha256

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
