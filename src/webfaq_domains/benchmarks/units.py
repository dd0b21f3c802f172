"""Texts as arrays of units, so that a whole column is compared with a benchmark at array speed.

A unit is one character that counts (`codepoints.folding`: letters, digits, marks, case-folded); an
East Asian wide character is two. So a length in units is about as much information in any script,
spaces and punctuation do not exist, and ten Chinese characters weigh as twenty Latin letters.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from webfaq_domains.codepoints import UInt32s, folding

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
