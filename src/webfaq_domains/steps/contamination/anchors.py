"""Find the few places where a field may hold a benchmark text, at array speed among millions of units.

A unit is one character that counts (`codepoints.folding`: letters, digits, marks, case-folded); an
East Asian wide character is two. So a length in units is about as much information in any script,
spaces and punctuation do not exist, and ten Chinese characters weigh as twenty Latin letters.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from webfaq_domains.ground.codepoints import UInt32s, folding
from webfaq_domains.ground.text import UInt64s

#: Units of a gram that is looked up.
GRAM = 8
#: One anchor per so many grams of a text.
_STRETCH = 8
#: The bitmap has 16 bits an anchor, and 2 MB, which stay in a cache, for a million of them.
_LEAST_BITS = 24
_HEAD = 20
_COUNTED = 22
_ROWS_AT_ONCE = 20_000


class Anchors:
    """The anchors of all texts with at least `least` units: a bitmap, and a table by hash.

    The table is sorted by hash; `_first[n]` is where the hashes that begin with the bits n start.
    """

    def __init__(self, texts: Units, least: int) -> None:
        places = _rarest(texts, np.flatnonzero(texts.lengths >= least))
        hashes = gram_hashes(texts.values, GRAM)[places]
        order = np.lexsort((places, hashes))
        self._places, self._hashes = places[order], hashes[order]
        self._texts = texts.text_at(self._places)
        heads = np.arange((1 << _HEAD) + 1, dtype=np.uint64) << np.uint64(32 - _HEAD)
        self._first = np.searchsorted(self._hashes.astype(np.uint64), heads)
        bits = min(32, max(_LEAST_BITS, (16 * len(places) - 1).bit_length()))
        self._bits, self._shift = np.zeros(1 << (bits - 3), np.uint8), np.uint32(32 - bits)
        slot = self._hashes >> self._shift
        bit = np.left_shift(np.uint8(1), slot.astype(np.uint8) & np.uint8(7))
        np.bitwise_or.at(self._bits, slot >> np.uint32(3), bit)

    def hits(self, values: UInt32s) -> tuple[Int64s, Int64s, Int64s]:
        """Return (place in `values`, place in the texts, text) wherever a gram may be an anchor."""
        hashes = gram_hashes(values, GRAM)
        slot = hashes >> self._shift
        byte = self._bits.take(slot >> np.uint32(3))
        byte >>= slot.astype(np.uint8) & np.uint8(7)
        byte &= np.uint8(1)
        place = np.flatnonzero(byte.view(bool))
        head = hashes[place] >> np.uint32(32 - _HEAD)
        first = self._first[head]
        which, item = _expand(first, self._first[head + np.uint32(1)] - first)
        place = place[which]
        known = self._hashes[item] == hashes[place]
        place, item = place[known], item[known]
        return place, self._places[item], self._texts[item]


class Edges:
    """The texts by their first (or last) units and their length, for fields of some lengths.

    Of two texts that are equal but for one stretch, at least half of what is equal lies before it
    or after it. So the longer the field, the more units can be asked for, and the fewer texts meet.
    """

    def __init__(
        self, texts: Units, last: bool, lengths: tuple[int, int], equal: tuple[int, float]
    ) -> None:
        """Index the first or last units of texts for fields of `lengths` (from, below).

        `equal` is what must be equal at least: units, and share of the longer text.
        """
        self._last, (self._low, self._high), self._share = last, lengths, equal[1]
        self._width = math.ceil(max(equal[0], equal[1] * self._low) / 2)
        rows = np.flatnonzero(texts.lengths >= self._width)
        keys = self._keys(texts, rows, texts.lengths[rows])
        order = np.lexsort((rows, keys))
        self._rows, self._sorted = rows[order], keys[order]

    def _keys(self, texts: Units, rows: Int64s, lengths: Int64s) -> UInt64s:
        """Return 40 bits of the edge's units and 24 bits of length, so that lengths are a range."""
        first = texts.ends[rows] - self._width if self._last else texts.starts[rows]
        units = sliding_window_view(texts.values, self._width)[first].astype(np.uint64)
        weights = np.uint64(0x9E3779B97F4A7C15) ** np.arange(1, self._width + 1, dtype=np.uint64)
        key = (units * weights).sum(axis=1)
        mixed: UInt64s = (key ^ (key >> np.uint64(29))) << np.uint64(24)
        return mixed + lengths.astype(np.uint64)

    def candidates(self, fields: Units) -> tuple[Int64s, Int64s]:
        """Return (field, text) that share an edge, of lengths that let enough of them be equal."""
        lengths = fields.lengths
        rows = np.flatnonzero((lengths >= self._low) & (lengths < self._high))
        if not len(rows):
            return rows, rows
        short = np.ceil(lengths[rows] * self._share).astype(np.int64)
        long = np.floor(lengths[rows] / self._share).astype(np.int64)
        low = np.searchsorted(self._sorted, self._keys(fields, rows, short))
        high = np.searchsorted(self._sorted, self._keys(fields, rows, long), side="right")
        which, item = _expand(low, high - low)
        return rows[which], self._rows[item]


def _rarest(texts: Units, rows: Int64s) -> Int64s:
    """Return the places of the rarest gram of each stretch of about 8 grams of some texts.

    Grams are counted by the first bits of their hash, which is enough to tell rare from common.
    """
    hashes = gram_hashes(texts.values, GRAM)
    slot = np.uint32(32 - _COUNTED)
    counts = np.bincount(hashes >> slot, minlength=1 << _COUNTED).astype(np.uint64)
    found = [np.zeros(0, np.int64)]
    for some in np.array_split(rows, len(rows) // _ROWS_AT_ONCE + 1) if len(rows) else []:
        grams = texts.lengths[some] - GRAM + 1
        _, place = _expand(texts.starts[some], grams)
        own = hashes[place]
        rarity = (counts[own >> slot] << np.uint64(32)) + own
        found.append(place[_lowest(rarity, grams)])
    return np.concatenate(found)


def _lowest(values: UInt64s, lengths: Int64s) -> npt.NDArray[np.bool_]:
    """Mark the lowest value of each stretch, where runs of `lengths` are cut into stretches."""
    stretches = np.maximum(1, lengths // _STRETCH)
    run, turn = _expand(np.zeros(len(lengths), np.int64), stretches)
    starts = (np.cumsum(lengths) - lengths)[run] + turn * lengths[run] // stretches[run]
    sizes = np.diff(np.append(starts, len(values)))
    lowest: npt.NDArray[np.bool_] = values == np.repeat(np.minimum.reduceat(values, starts), sizes)
    return lowest


def _expand(first: Int64s, count: Int64s) -> tuple[Int64s, Int64s]:
    """Return (n, first[n] + 0 … first[n] + count[n] - 1) for each n, flat."""
    which = np.repeat(np.arange(len(first)), count)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(count) - count, count)
    return which, first[which] + offset


Int64s = npt.NDArray[np.int64]

#: What stands between texts: no code points, and different for the two sides that are compared, so
#: that no run of equal units leaves its text.
FIELD_END = 0x110000
BENCHMARK_END = 0x110001
_SEPARATOR = "\x1f"
_WIDE = np.uint32(1 << 31)
#: So many units are compared in one go at most.
_LONGEST_JUMP = 64


@cache
def _table() -> UInt32s:
    """Return the unit of each code point: 0 for what does not count, marked `_WIDE` for two units."""
    table = folding().copy()
    wide = np.zeros(len(table), np.uint32)
    wide[[n for n in range(0x1100, 0x40000) if unicodedata.east_asian_width(chr(n)) in "WF"]] = (
        _WIDE
    )
    table |= wide[table]  # of what a full-width letter is folded to
    # What changes its number of characters or its letter with case: ß is ss, İ and ı are i.
    table[[ord("ß"), ord("ẞ")]] = np.uint32(ord("s")) | _WIDE
    table[[ord("İ"), ord("ı")]] = ord("i")
    table[ord(_SEPARATOR)] = FIELD_END
    return table


@dataclass(frozen=True)
class Units:
    """Texts end to end: text n is `values[starts[n]:ends[n]]`, with end marks on both sides."""

    values: UInt32s
    starts: Int64s
    ends: Int64s

    @classmethod
    def of(cls, texts: list[str], end: int = FIELD_END) -> Units:
        """Fold texts to units, with `end` before the first and after each."""
        whole = _SEPARATOR.join(["", *texts, ""])
        if whole.count(_SEPARATOR) != len(texts) + 1:  # a text holds the separator: a control
            whole = _SEPARATOR.join(["", *(t.replace(_SEPARATOR, " ") for t in texts), ""])
        codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
        plain = _table().take(codes)
        # What does not count is taken 0 times, what is wide twice.
        counts = (plain != 0).view(np.int8) + (plain >= _WIDE).view(np.int8)
        values = np.repeat(plain, counts)
        values &= ~_WIDE
        values = np.pad(values, _LONGEST_JUMP, constant_values=FIELD_END)
        marks = np.flatnonzero(values == FIELD_END)[_LONGEST_JUMP:][: len(texts) + 1]
        values[values == FIELD_END] = end
        return cls(values, marks[:-1] + 1, marks[1:])

    @property
    def lengths(self) -> Int64s:
        return self.ends - self.starts

    def text_at(self, places: Int64s) -> Int64s:
        """Return the number of the text that each place in `values` lies in."""
        return np.searchsorted(self.starts, places, side="right") - 1


def gram_hashes(values: UInt32s, width: int) -> UInt32s:
    """Hash every run of `width` (a power of two) units; shape (len(values) - width + 1,).

    Doubling: a run of 8 is two runs of 4, so three multiplications do for eight units.
    """
    hashes, reach = values, 1
    while reach < width:
        hashes = hashes[:-reach] * np.uint32(0x9E3779B1) + hashes[reach:] * np.uint32(0x85EBCA77)
        hashes ^= hashes >> np.uint32(15)
        reach *= 2
    return hashes * np.uint32(0xC2B2AE3D)


def equal_run(one: UInt32s, at: Int64s, other: UInt32s, place: Int64s, step: int = 1) -> Int64s:
    """Count how many units are equal from `one[at]` and `other[place]` on, going by `step`.

    No run leaves its text, since the two sides' end marks differ, and no look leaves the array,
    since `Units` has as many end marks around it as are looked at in one go.
    """
    length = np.zeros(len(at), np.int64)
    active, jump = np.arange(len(at)), 12
    while len(active):
        back = 0 if step > 0 else jump - 1
        same = (
            sliding_window_view(one, jump)[at - back]
            == (sliding_window_view(other, jump)[place - back])
        )
        same = same[:, ::step]
        equal = np.where(same.all(axis=1), jump, same.argmin(axis=1))
        length[active] += equal
        on = equal == jump
        active, at, place = active[on], at[on] + step * jump, place[on] + step * jump
        jump = min(2 * jump, _LONGEST_JUMP)
    return length
