"""FAQ pairs as a retrieval task: questions search the answers of their language and split.

Equal answers of one pool are one candidate. Where translations are known (`parallel.py`), an item is
the group of parallel rows with one label, all its answers of a language are right, and there are
cross-lingual parts: `deu_x_eng` asks in German and answers in English.

A rule is `COLUMN`, `COLUMN:PATTERN` (rows with the same value, or the same first group of the regular
expression, are one item; a row that does not match is alone) or the path of a bitext file in WebFAQ's
form: JSON Lines or Parquet with `language1, language2, question1, question2, answer1, answer2`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from webfaq_domains.ground.duplicates import plain
from webfaq_domains.ground.errors import RecipeError, SourceError
from webfaq_domains.ground.files import read_parquet
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.ground.text import joined, match_hash
from webfaq_domains.retrieval.labels import LABELS, membership
from webfaq_domains.retrieval.readers.base import (
    CANDIDATE,
    ITEM,
    QUERY,
    RIGHT,
    SIDE,
    About,
    Part,
    Pool,
    Task,
    strings,
)
from webfaq_domains.retrieval.readers.lines import json_lines

SPLITS = ("validation", "test")
_READ = ("id", "language", "question", "answer", "origin", "url", "source", "source_id", "domain", "domain_score", "domains")  # fmt: skip


def about(licence: str) -> About:
    return About(
        task="webfaq", title="webfaq-domains", metric="ndcg_at_10", licence=licence,
        redistributable=True, homepage="https://github.com/padas-lab-de/webfaq",
        citation="Dinzinger et al. 2025, arXiv:2502.20936",
    )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What is asked of the pairs: the fewest queries of a language, and which cross-lingual parts.

    `pivot` is the language that every cross-lingual part has on one side; empty for every pair.
    """

    min_queries: int
    pivot: str


def read_pairs(folder: Path) -> pa.Table:
    """Return the validation and test rows of a staged webfaq-domains, with a column `split`.

    :raises SourceError: if it has none.
    """
    tables = []
    for split in SPLITS:
        for path in sorted(folder.glob(f"data/*/*/{split}-*.parquet")):
            rows = read_parquet(path, _READ)
            tables.append(rows.append_column("split", pa.array([split] * len(rows), pa.string())))
    if not tables:
        raise SourceError(
            f"{folder} has no validation or test rows; build it with split shares above 0"
        )
    return pa.concat_tables(tables).sort_by("id")


def label_table(pairs: pa.Table, groups: Groups) -> pa.Table:
    """Return `labels.LABELS`: the label of each item's English row, else of its first language's."""
    columns = ("id", "language", "domain", "domain_score", "domains")
    deciding: dict[str, tuple[Any, ...]] = {}
    for row in zip(*(pairs[name].to_pylist() for name in columns), strict=True):
        item, rank = groups.find(row[0]), (row[1] != "eng", row[1], row[0])
        if item not in deciding or rank < deciding[item][0]:
            deciding[item] = (rank, row[2], round(row[3], 2), membership(row[4]))
    rows = [(item, *found[1:]) for item, found in sorted(deciding.items())]
    arrays = [
        pa.array(list(c), f.type) for c, f in zip(zip(*rows, strict=True), LABELS, strict=True)
    ]
    return pa.table(arrays, schema=LABELS)


@dataclass
class Side:
    """The rows of one language and split: queries, candidates, and where each row's answer went."""

    queries: list[tuple[str, str, str, str]]
    candidates: list[tuple[str, str, str, str, str]]
    answers: dict[str, set[str]]


def faq_task(
    pairs: pa.Table, groups: Groups, asked: Asked, licence: str
) -> tuple[Task, dict[str, dict[str, int]]]:
    """Return the task, and how many texts were dropped by step and reason."""
    pools, parts, merged, few = [], [], 0, 0
    for split in SPLITS:
        rows = pairs.filter(pc.equal(pairs["split"], split))
        sides: dict[str, Side] = {}
        for language in sorted(pc.unique(rows["language"]).to_pylist()):
            mine = rows.filter(pc.equal(rows["language"], language))
            if len(mine) < asked.min_queries:
                few += 2 * len(mine)
                continue
            side = sides[language] = _side(mine, language, groups)
            merged += len(mine) - len(side.candidates)
            pools.append(Pool(language, split, strings(CANDIDATE, side.candidates)))
        parts += [part for side in sides for part in _parts(side, sides, split, asked)]
    items = strings(ITEM, ())
    sites = sorted(set(pc.drop_null(pc.unique(pairs["origin"])).to_pylist()) - {""})
    task = Task(about(licence), pools, parts, items, strings(SIDE, ()), {}, sites)
    dropped = {"MergeAnswers": {"equal_answer": merged}, "KeepLanguages": {"too_few_queries": few}}
    return task, {step: counts for step, counts in dropped.items() if any(counts.values())}


def _side(rows: pa.Table, language: str, groups: Groups) -> Side:
    side, first = Side([], [], defaultdict(set)), dict[str, str]()
    columns = (rows[name].to_pylist() for name in ("id", "question", "answer"))
    for name, question, answer in zip(*columns, strict=True):
        item, key = groups.find(name), plain(answer)
        if key not in first:
            first[key] = f"{name}-answer"
            side.candidates.append((first[key], "", answer, language, item))
        side.queries.append((name, question, language, item))
        side.answers[item].add(first[key])
    return side


def _parts(language: str, sides: dict[str, Side], split: str, asked: Asked) -> Iterator[Part]:
    """Yield the part of one language, and the parts that ask in it and answer in another."""
    yield _part(language, language, sides, split)
    for other in sides:
        if other == language or (asked.pivot and asked.pivot not in (language, other)):
            continue
        part = _part(language, other, sides, split)
        if len(part.queries) >= asked.min_queries:
            yield part


def _part(asking: str, answering: str, sides: dict[str, Side], split: str) -> Part:
    answers = sides[answering].answers
    queries = [row for row in sides[asking].queries if row[3] in answers]
    right = ((row[0], name) for row in queries for name in sorted(answers[row[3]]))
    name = asking if asking == answering else f"{asking}_x_{answering}"
    return Part(name, split, answering, strings(QUERY, queries), strings(RIGHT, right))


_BITEXT = ("language", "question", "answer")


@dataclass
class Groups:
    """Sets of ids that belong together, found by union."""

    parent: dict[str, str] = field(default_factory=dict)

    def find(self, name: str) -> str:
        """Return what names a set: the smallest of its ids; an id met never is alone."""
        root = name
        while (above := self.parent.get(root, root)) != root:
            root = above
        while (above := self.parent.get(name, name)) != root:
            self.parent[name], name = root, above
        return root

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self.parent[second] = first


def group_pairs(pairs: pa.Table, rules: Sequence[str]) -> tuple[Groups, dict[str, int]]:
    """Return the groups that the rules make, and how many links each rule gave.

    :raises RecipeError: for a column that is not there or a broken pattern.
    :raises SourceError: for a bitext file that is malformed.
    """
    groups, links = Groups(), {}
    for rule in rules:
        path = Path(rule)
        found = _by_bitext(pairs, path) if path.is_file() else _by_column(pairs, rule)
        count = 0
        for one, other in found:
            groups.join(one, other)
            count += 1
        links[path.name if path.is_file() else rule] = count
    return groups, links


def _by_column(pairs: pa.Table, rule: str) -> Iterator[tuple[str, str]]:
    column, _, pattern = rule.partition(":")
    if column not in pairs.column_names or not pa.types.is_string(pairs[column].type):
        raise RecipeError(
            f"--parallel {rule}: neither a file nor a text column; columns: "
            f"{', '.join(pairs.column_names)}"
        )
    try:
        matcher = re.compile(pattern or "(.+)")
    except re.error as error:
        raise RecipeError(f"--parallel {rule}: not a regular expression: {error}") from error
    if matcher.groups != 1:
        raise RecipeError(
            f"--parallel {rule}: the expression needs one group, which names the item"
        )
    first: dict[str, str] = {}
    for name, value in zip(pairs["id"].to_pylist(), pairs[column].to_pylist(), strict=True):
        met = matcher.search(value or "")
        if met is not None:
            group = first.setdefault(met[1], name)
            if group != name:
                yield group, name


def _by_bitext(pairs: pa.Table, path: Path) -> Iterator[tuple[str, str]]:
    """Yield the ids of both sides of each bitext row whose two pairs are in the data.

    Pairs are found by language, question and answer as they match (`text.match_hash`), since the
    data set's texts were cleaned. The same text on several sites is found on every one.
    """
    places: dict[int, list[str]] = {}
    for name, key in zip(pairs["id"].to_pylist(), _keys(pairs), strict=True):
        places.setdefault(key, []).append(name)
    sides = [_keys(side) for side in _sides(path)]
    for one, other in zip(*sides, strict=True):
        for left in places.get(one, ()):
            for right in places.get(other, ()):
                yield left, right


def _keys(pairs: pa.Table) -> list[int]:
    texts = joined(*(pairs[name] for name in _BITEXT))
    keys: list[int] = match_hash(
        texts if isinstance(texts, pa.Array) else texts.combine_chunks()
    ).tolist()
    return keys


def _sides(path: Path) -> list[pa.Table]:
    """Return both sides of a bitext file as tables of language, question, answer."""
    names = [f"{name}{number}" for number in (1, 2) for name in _BITEXT]
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        rows = [(f"{path}: row {n}", row) for n, row in enumerate(table.to_pylist())]
    else:
        rows = list(json_lines(path))
    for where, row in rows:
        if not all(isinstance(row.get(name), str) for name in names):
            raise SourceError(f"{where}: a bitext row needs the texts {', '.join(names)}")
    columns = {name: [row[name] for _, row in rows] for name in names}
    for number in (1, 2):
        tags = columns[f"language{number}"]
        columns[f"language{number}"] = [to_iso3(tag) or tag for tag in tags]
    return [
        pa.table({name: pa.array(columns[f"{name}{n}"], pa.string()) for name in _BITEXT})
        for n in (1, 2)
    ]
