"""Mewsli-X: find the entity that a mention in the news means (XTREME-R, release of 2022-05-18).

Two layouts are read. The release has `candidate_set_entities.jsonl` and
`wikinews_mentions-{dev,test}.jsonl`; the community copy on the Hub `candidate_entities.jsonl` (also
as `.tar.gz`) and `wikinews_mentions/<xx>/{dev,test}.jsonl`, one mention or several a line. `dev` is
our `validation`. The pool is all entities, in 50 languages, for both splits.

A query is the mention marked as `{ mention }` in its sentence and two around it on either side, as
the official code cuts it; braces of the text itself become parentheses. The item is the entity,
labelled on title and description in whatever language it is described.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    task="mewslix",
    title="Mewsli-X",
    metric="map_at_20",
    licence="Apache-2.0; WikiNews text CC-BY-2.5, Wikipedia text CC-BY-SA-3.0",
    redistributable=True,
    homepage="https://github.com/google-research/google-research/tree/master/dense_representations_for_entity_retrieval/mel",
    citation="Ruder et al. 2021, arXiv:2104.07412; Botha et al. 2020, arXiv:2011.02690",
)

LANGUAGES = ("ara", "deu", "eng", "fas", "jpn", "pol", "ron", "spa", "tam", "tur", "ukr")
SPLITS = {"dev": "validation", "test": "test"}
#: Official counts: mentions of each split, entities.
MENTIONS, ENTITIES = {"dev": 2991, "test": 14_624}, 1_003_893


def read(folder: Path, reading: Reading) -> Task:
    """Read entities and mentions.

    :raises SourceError: if a file is missing or malformed, or a mention names an unknown entity.
    """
    folder = base.folder_of(folder, "candidate_set_entities.jsonl and wikinews_mentions-test.jsonl")
    path = _first(folder, "candidate_set_entities.jsonl*", "candidate_entities.jsonl*")
    candidates = strings(base.CANDIDATE, entities(path))
    base.expect(len(candidates), ENTITIES, f"{path}: entities", reading.partial)
    known = set(candidates["id"].to_pylist())
    if len(known) != len(candidates):
        raise SourceError(f"{path}: {len(candidates) - len(known)} entity_ids are there twice")
    parts, sides, pinned = [], list[tuple[str, str, str]](), {path.name: file_sha256(path)}
    pages: set[str] = set()
    for split in SPLITS:
        files = sorted(folder.glob(f"wikinews_mentions-{split}.jsonl*"))
        files = files or sorted(folder.glob(f"wikinews_mentions/*/{split}.jsonl*"))
        if not files and not (reading.partial and split == "dev"):
            raise SourceError(f"{folder} has no wikinews_mentions-{split}.jsonl")
        found = [row for file in files for row in mentions(file, known)]
        base.expect(len(found), MENTIONS[split], f"{folder}: {split} mentions", reading.partial)
        sides += [(item, language, text) for _, text, language, item in found]
        pages |= {url for file in files for url in addresses(file)}
        spoken = {language for _, _, language, _ in found}
        for language in (
            base.wanted(reading, spoken, LANGUAGES, f"Mewsli-X {split}") if found else ()
        ):
            parts.append(_part([row for row in found if row[2] == language], SPLITS[split]))
        pinned |= {file.relative_to(folder).as_posix(): file_sha256(file) for file in files}
    texts = (
        joined_text(*row) for row in zip(*map(_column(candidates), ("title", "text")), strict=True)
    )
    items = strings(base.ITEM, zip(candidates["id"].to_pylist(), texts, strict=True))
    pool = Pool("all", "test", candidates)
    return Task(ABOUT, [pool], parts, items, strings(base.SIDE, sides), pinned, sorted(pages))


def _column(table: Any) -> Any:
    return lambda name: table[name].to_pylist()


def _first(folder: Path, *patterns: str) -> Path:
    for pattern in patterns:
        for path in sorted(folder.glob(pattern)):
            return path
    raise SourceError(f"{folder} has no {' or '.join(patterns)}")


def _part(rows: list[tuple[str, str, str, str]], split: str) -> Part:
    right = strings(base.RIGHT, ((name, entity) for name, _, _, entity in rows))
    return Part(rows[0][2], split, "all", strings(base.QUERY, rows), right)


def entities(path: Path) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield candidate rows of the entity file.

    :raises SourceError: naming the line that is not an entity.
    """
    for where, entry in lines.json_lines(path):
        name, title, text, tag = (
            lines.field(entry, key, str, where)
            for key in ("entity_id", "title", "description", "description_language")
        )
        yield name, title, text, base.iso3(tag, where), name


def addresses(path: Path) -> Iterator[str]:
    """Yield the page of every article of a mention file that names one."""
    for _, entry in lines.json_lines(path):
        context = entry.get("context")
        if isinstance(context, dict) and context.get("document_url"):
            yield str(context["document_url"])


def mentions(path: Path, known: set[str]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (example id, text with the mention marked, language, entity) of a mention file.

    :raises SourceError: naming the line whose mention is not what its span says, whose text was left
        out, or whose entity is unknown.
    """
    for where, entry in lines.json_lines(path):
        context = lines.field(entry, "context", dict, where)
        language = base.iso3(lines.field(context, "language", str, where), where)
        listed = entry["mentions"] if "mentions" in entry else [entry.get("mention")]
        for mention in listed:
            entity = lines.field(mention, "entity_id", str, where)  # refuses None as well
            if entity not in known:
                raise SourceError(f"{where}: the entity {entity} is not in the candidate set")
            name = lines.field(mention, "example_id", str, where)
            yield name, marked(context, mention or {}, where), language, entity


#: Sentences of context on either side.
WINDOW = 2
_BRACES = re.compile(r"\{(.*?)\}")


def marked(context: dict[str, Any], mention: dict[str, Any], where: str) -> str:
    """Return the mention as `{ mention }` in its sentence and `WINDOW` sentences around it.

    :raises SourceError: if the span does not hold the mention's text.
    """
    text = lines.field(context, "text", str, where)
    span = lines.field(mention, "mention_span", dict, where)
    start, end = (lines.field(span, key, int, where) for key in ("start", "end"))
    if not text:
        raise SourceError(f"{where}: the text was left out; use the files with text")
    if not 0 <= start < end <= len(text) or text[start:end] != span.get("text"):
        raise SourceError(
            f"{where}: characters {start} to {end} are {text[max(start, 0) : end]!r}, not the mention "
            f"{span.get('text')!r}"
        )
    first, last = _window(
        lines.field(context, "sentence_spans", list, where), start, end, len(text)
    )
    parts = (text[first:start], text[start:end], text[end:last])
    before, inside, after = (_BRACES.sub(r"(\1)", part) for part in parts)
    return f"{before}{{ {inside} }}{after}".strip()


def _window(spans: list[Any], start: int, end: int, length: int) -> tuple[int, int]:
    """Return where the sentences around a mention begin and end; all of the text if none holds it.

    Sentences that are missing on one side are taken from the other, as in the official code.
    """
    at = next((n for n, s in enumerate(spans) if s["start"] <= start and end <= s["end"]), None)
    if at is None:
        return 0, length
    left = max(at - WINDOW, 0)
    right = min(at + WINDOW + (WINDOW - (at - left)), len(spans) - 1)
    left = max(left - max(WINDOW - (right - at), 0), 0)
    return spans[left]["start"], spans[right]["end"]
