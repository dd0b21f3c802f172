"""Does a training text hold benchmark text? The rules, and how they are asked of a whole column.

Lengths are in units (`units.py`): a letter is one, a Chinese character two.

| kind | a field of a pair (its question, or its answer) … | needs |
|---|---|---|
| `exact` | is a benchmark text | nothing: whole fields count at any length |
| `contains` | has a benchmark text in it, unchanged | the benchmark text has `min_contained` units |
| `within` | stands in a benchmark text, unchanged | the field has `min_within` units |
| `near` | is a benchmark text but for one stretch, such as a word | `near_share` of the longer is equal, and `min_near` units |
| `near` | has most of a benchmark text in it, in pieces of 12 units and more | `spread_share` of it, and `min_spread` units |

The minima are there because short sentences are everyone's: of 157,807 Tatoeba sentences those
under 20 units (`Thank you.`, `What does it mean?`) stand in answers that nobody took from Tatoeba.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from webfaq_domains.steps.contamination.anchors import (
    BENCHMARK_END,
    GRAM,
    Anchors,
    Edges,
    Int64s,
    Units,
    equal_run,
)

KINDS = ("exact", "contains", "within", "near")
#: Units of a piece of a benchmark text that counts as taken over.
PIECE = 12
#: Whole fields are compared by beginning and end in classes of length that end here; longer ones
#: by their pieces alone.
_EDGE_LENGTHS = (24, 36, 96)
_AT_ONCE = 200_000


@dataclass(frozen=True)
class Rules:
    """The minima and shares of the table above."""

    min_contained: int = 20
    min_within: int = 32
    min_near: int = 10
    near_share: float = 0.6
    min_spread: int = 32
    spread_share: float = 0.7


class Matcher:
    """Benchmark texts, ready to be looked for: anchors, beginnings and ends, and short texts.

    An *anchor* is the gram of 8 units that is rarest among all texts, one per stretch of 8 grams.
    Every gram of a field is looked up among the anchors, and what meets one is compared unit by
    unit, so a hash that is equal by chance decides nothing.
    """

    def __init__(self, texts: list[str], rules: Rules) -> None:
        self.rules = rules
        self.texts = Units.of(texts, BENCHMARK_END)
        self._whole = {
            self.texts.values[start:end].tobytes(): number
            for number, (start, end) in reversed(
                list(enumerate(zip(self.texts.starts, self.texts.ends, strict=True)))
            )
            if 0 < end - start < rules.min_contained
        }
        self._anchors = Anchors(self.texts, rules.min_contained)
        self._edges = tuple(
            Edges(self.texts, last, lengths, (rules.min_near, rules.near_share))
            for lengths in pairwise((rules.min_near, *_EDGE_LENGTHS))
            for last in (False, True)
        )

    def find(self, texts: list[str]) -> Int64s:
        """Return per text 0, or 1 + number of the benchmark text * len(KINDS) + kind.

        A text with several kinds is named by the first of `KINDS`, then by the lowest number.
        """
        parts = [self._find(Units.of(some)) for some in _pieces(texts)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def _find(self, fields: Units) -> Int64s:
        best = np.full(len(fields.starts), np.iinfo(np.int64).max)
        for kind, field, text in self._matches(fields):
            rank = (KINDS.index(kind) << 40) + text
            np.minimum.at(best, field, rank)
        none = best == np.iinfo(np.int64).max
        found = 1 + (best & ((1 << 40) - 1)) * len(KINDS) + (best >> 40)
        return np.where(none, 0, found)

    def _matches(self, fields: Units) -> Iterator[tuple[str, Int64s, Int64s]]:
        """Yield (kind, field numbers, benchmark text numbers)."""
        yield "exact", *self._short(fields)
        yield from self._near_edges(fields)
        place, spot, text = self._anchors.hits(fields.values)
        field = fields.text_at(place)
        left = equal_run(fields.values, place, self.texts.values, spot, -1) - 1
        right = equal_run(fields.values, place, self.texts.values, spot)
        run = left + right
        size, whole = self.texts.lengths[text], fields.lengths[field]
        real = run >= GRAM
        full = real & (run == size)
        for kind, chosen in (
            ("exact", full & (run == whole)),
            ("contains", full & (run < whole)),
            ("within", real & (run == whole) & (run < size) & (run >= self.rules.min_within)),
        ):
            yield kind, field[chosen], text[chosen]
        part = (run >= PIECE) & (run < size)
        start = spot[part] - left[part] - self.texts.starts[text[part]]
        yield "near", *self._spread(field[part], text[part], start, run[part])

    def _short(self, fields: Units) -> tuple[Int64s, Int64s]:
        """Return the fields that are short benchmark texts."""
        rows, numbers = [], []
        for row in np.flatnonzero(fields.lengths < self.rules.min_contained).tolist():
            units = fields.values[fields.starts[row] : fields.ends[row]]
            number = self._whole.get(units.tobytes())
            if number is not None:
                rows.append(row)
                numbers.append(number)
        return np.array(rows, np.int64), np.array(numbers, np.int64)

    def _near_edges(self, fields: Units) -> Iterator[tuple[str, Int64s, Int64s]]:
        """Yield the fields that equal a text but for one stretch: beginning and end are equal."""
        for edges in self._edges:
            field, text = edges.candidates(fields)
            size, whole = self.texts.lengths[text], fields.lengths[field]
            first = equal_run(
                fields.values, fields.starts[field], self.texts.values, self.texts.starts[text]
            )
            last = equal_run(
                fields.values, fields.ends[field] - 1,
                self.texts.values, self.texts.ends[text] - 1, -1,
            )  # fmt: skip
            equal = np.minimum(first + last, np.minimum(size, whole))
            longer = np.maximum(size, whole)
            near = (equal >= self.rules.near_share * longer) & (equal >= self.rules.min_near)
            yield "near", field[near], text[near]

    def _spread(
        self, field: Int64s, text: Int64s, start: Int64s, run: Int64s
    ) -> tuple[Int64s, Int64s]:
        """Return the (field, text) of which the runs together cover enough of the text."""
        pair = (field << 32) + text
        order = np.lexsort((start, pair))
        pair, start, stop = pair[order], start[order], (start + run)[order]
        first = np.concatenate([[True], pair[1:] != pair[:-1]])[: len(pair)]
        groups = np.flatnonzero(first)
        # Runs of one text in one field, sorted by start: what reaches past all before it counts.
        lift = np.cumsum(first) * np.int64(1 << 40)
        reached = np.maximum.accumulate(stop + lift) - lift
        before = np.where(first, 0, np.concatenate([[0], reached[:-1]])[: len(pair)])
        new = np.maximum(0, stop - np.maximum(start, before))
        covered = np.add.reduceat(new, groups) if len(groups) else new
        of = pair[groups] & ((1 << 32) - 1)
        enough = (covered >= self.rules.spread_share * self.texts.lengths[of]) & (
            covered >= self.rules.min_spread
        )
        return pair[groups][enough] >> 32, of[enough]


def _pieces(texts: list[str]) -> Iterator[list[str]]:
    """Cut a list of texts into pieces of about `_AT_ONCE` characters, which stay in the cache."""
    start, total = 0, 0
    for number, text in enumerate(texts, 1):
        total += len(text)
        if total >= _AT_ONCE or number == len(texts):
            yield texts[start:number]
            start, total = number, 0
