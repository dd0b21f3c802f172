"""SQuAD v1.1 and v2.0: the JSON as released (articles, paragraphs, questions), or the Hub's flat rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from webfaq_eval.errors import TaskDataError
from webfaq_eval.intermediate.tasks.instances import Question
from webfaq_eval.intermediate.tasks.source import Source
from webfaq_eval.row_files import read_lines, read_rows, refuse_half_pairs
from webfaq_eval.rows import BrokenRow, Row, SkippedRow

_SECOND = re.compile(r"(squad|v)[-_]?2")


def read_squad(path: Path) -> Iterator[Row]:
    """Yield the questions of a file with their contexts, as flat rows.

    :raises TaskDataError: if the file is not JSON, or not in SQuAD's layout; names the paragraph.
    """
    if path.suffix != ".json":
        yield from read_rows(path)
        return
    text = "".join(line for _, line in read_lines(path))
    try:
        articles = json.loads(text)["data"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TaskDataError(
            f"{path}: is not SQuAD's JSON, an object with `data`: {error!r}"
        ) from error
    for article, paragraphs in enumerate(articles):
        for number, paragraph in enumerate(
            _part(paragraphs, "paragraphs", f"{path}: article {article}")
        ):
            place = f"{path}: article {article}, paragraph {number}"
            context = _part(paragraph, "context", place)
            for question in _part(paragraph, "qas", place):
                name = f"{place}, question {_part(question, 'id', place)}"
                values = {**question, "context": context}
                refuse_half_pairs(values, name)
                yield Row(name, values)


def _part(value: Any, name: str, place: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise BrokenRow(f"{place}: there is no {name!r}; expected SQuAD's layout")
    return value[name]


def _parse(row: Row) -> Question:
    answers = _answers(row)
    context = row.text("context")
    found = (
        [] if row.get("is_impossible") else [_trimmed(one, context, row.place) for one in answers]
    )
    texts, starts = tuple(text for text, _ in found), tuple(start for _, start in found)
    return Question(row.identifier("id"), row.text("question"), context, texts, starts)


def _answers(row: Row) -> list[Any]:
    answers = row.get("answers")
    if isinstance(answers, dict):  # the Hub's layout: one list per key
        texts, starts = answers.get("text"), answers.get("answer_start")
        if isinstance(texts, list) and isinstance(starts, list) and len(texts) == len(starts):
            pairs = zip(texts, starts, strict=True)
            return [{"text": text, "answer_start": start} for text, start in pairs]
    if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
        raise BrokenRow(f"{row.place}: answers is {answers!r:.80}; expected a list")
    return answers


def _trimmed(answer: dict[str, Any], context: str, place: str) -> tuple[str, int]:
    """Return an answer and where it starts, without spaces at its edges: no token stands for them.

    :raises SkippedRow: if it has nothing but spaces.
    """
    start, text = answer.get("answer_start"), answer.get("text")
    if not (isinstance(start, int) and isinstance(text, str) and text):
        raise BrokenRow(f"{place}: an answer is {answer!r:.120}; expected text and answer_start")
    met = context[max(start, 0) : max(start, 0) + len(text)]
    if start < 0 or met != text:
        raise BrokenRow(f"{place}: the answer {text!r} is not at character {start}, but {met!r}")
    if not text.strip():
        raise SkippedRow("answer of spaces")
    return text.strip(), start + len(text) - len(text.lstrip())


def parse_first(row: Row) -> Question:
    """Read a question of SQuAD v1.1, which always has an answer."""
    question = _parse(row)
    if not question.answers:
        raise BrokenRow(f"{row.place}: has no answer; that is SQuAD v2.0: use --task squad_v2")
    return question


def parse_second(row: Row) -> Question:
    """Read a question of SQuAD v2.0; one that is impossible has no answer."""
    return _parse(row)


def is_second(path: str) -> bool:
    """Say whether a path names SQuAD v2.0: `train-v2.0.json`, `squad_v2/…`, `squad2.json`."""
    return _SECOND.search(path) is not None


def _is_first(path: str) -> bool:
    return not is_second(path)


_SUFFIXES = (".json", ".parquet", ".jsonl", ".ndjson")
SQUAD_V1 = Source(
    "squad_v1", ("squad_v1", "squad", "squad1.1"), parse_first, read=read_squad,
    suffixes=_SUFFIXES, accepts=_is_first, hub=("rajpurkar/squad", "plain_text"),
)  # fmt: skip
SQUAD_V2 = Source(
    "squad_v2", ("squad_v2", "squad", "squad2.0"), parse_second, read=read_squad,
    suffixes=_SUFFIXES, accepts=is_second, hub=("rajpurkar/squad_v2", "squad_v2"),
)  # fmt: skip
