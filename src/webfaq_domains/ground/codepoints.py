"""Texts as arrays of code points, so that a whole column is folded or hashed at array speed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

UInt32s = npt.NDArray[np.uint32]

#: So many code points are worked on at once: the arrays of one step stay in the cache.
AT_ONCE = 200_000
_HIGHEST = 0x110000


@dataclass(frozen=True)
class Piece:
    """Some consecutive texts: rows `start` to `stop`, their code points end to end, their lengths."""

    start: int
    stop: int
    codepoints: UInt32s
    lengths: npt.NDArray[np.int32]


def pieces(texts: list[str], width: int = 0) -> Iterator[Piece]:
    """Cut a list of texts into pieces of about `AT_ONCE` code points.

    Texts shorter than `width` are padded with spaces to it.
    """
    start = 0
    while start < len(texts):
        stop, total = start, 0
        while stop < len(texts) and total < AT_ONCE:
            total += len(texts[stop])
            stop += 1
        some = texts[start:stop]
        if width:
            some = [text if len(text) >= width else text.ljust(width) for text in some]
        flat = np.frombuffer("".join(some).encode("utf-32-le", "surrogatepass"), np.uint32)
        yield Piece(start, stop, flat, np.fromiter(map(len, some), np.int32, len(some)))
        start = stop


@cache
def folding() -> UInt32s:
    """Return what each code point is compared as: 0 for what does not count.

    Letters, digits and marks of every script count, case-folded and in compatibility form (NFKC)
    where that is one character: `Ａ` and `a` are one, `ﬁ` stays what it is. `+` and `#` count too:
    C, C++ and C# are three things to ask about.
    """
    table = np.zeros(_HIGHEST, np.uint32)
    for number in range(_HIGHEST):
        char = chr(number)
        if unicodedata.category(char)[0] not in "LNM" and char not in "+#":
            continue
        plain = unicodedata.normalize("NFKC", char).casefold()
        if len(plain) != 1:
            plain = char.lower()
        table[number] = ord(plain) if len(plain) == 1 else ord(char)
    return table


def folded(texts: list[str]) -> Iterator[bytes]:
    """Yield each text as it is compared: its folded code points, 4 bytes each, and nothing else.

    `E-mail?` and `e mail` are equal here; spaces do not count, since scripts differ in them.
    """
    table = folding()
    for piece in pieces(texts):
        plain = table[piece.codepoints]
        counts = plain != 0
        ends = np.cumsum(piece.lengths)
        kept = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])[ends] * 4
        flat = memoryview(plain[counts].tobytes())
        first = 0
        for end in kept.tolist():
            yield bytes(flat[first:end])
            first = end
