"""Which FAQ pairs are translations of each other, by a column of theirs or by bitext files.

A rule is `COLUMN`, `COLUMN:PATTERN` (rows with the same value, or the same first group of the regular
expression, are one item; a row that does not match is alone) or the path of a bitext file in WebFAQ's
form: JSON Lines or Parquet with `language1, language2, question1, question2, answer1, answer2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from webfaq_domains.benchmarks.lines import json_lines
from webfaq_domains.errors import RecipeError, SourceError
from webfaq_domains.languages import to_iso3
from webfaq_domains.text import joined, match_hash

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
