"""Near-duplicate removal: MinHash over character shingles, banded, within a language.

One-permutation MinHash (Li, Owen, Zhang 2012) with rotation densification (Shrivastava and Li
2014): each shingle is hashed once and the lowest value per bin is kept, so the cost does not grow
with the length of the signature. `perf/neardup.py` measures it beside datasketch and rensa.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from webfaq_domains.ground.codepoints import Piece, UInt32s, pieces
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.text import UInt64s, unit_hash
from webfaq_domains.steps.base import Sketches, Verdicts

BINS = 128
_EMPTY = np.uint32(0xFFFFFFFF)


def _mix(values: UInt32s) -> UInt32s:
    """Spread 32-bit values evenly: the finaliser of MurmurHash3, in place."""
    values ^= values >> np.uint32(16)
    values *= np.uint32(0x85EBCA6B)
    values ^= values >> np.uint32(13)
    values *= np.uint32(0xC2B2AE35)
    values ^= values >> np.uint32(16)
    return values


def _shingle_hashes(codepoints: UInt32s, width: int) -> UInt32s:
    """Hash every run of `width` code points of a flat array; shape (n - width + 1,)."""
    last = len(codepoints) - width + 1
    hashes = codepoints[:last].copy()
    for offset in range(1, width):
        hashes *= np.uint32(0x01000193)
        hashes += codepoints[offset : offset + last]
    return _mix(hashes)


def signatures(texts: list[str], width: int = 5) -> UInt32s:
    """Return the MinHash signature of each text, shape (len(texts), BINS).

    A text shorter than `width` is padded with spaces, so that it has one shingle.
    """
    signature = np.full((len(texts), BINS), _EMPTY, np.uint32)
    for piece in pieces(texts, width):
        _lower(signature[piece.start : piece.stop], piece, width)
    return _densify(signature)


def _lower(signature: UInt32s, piece: Piece, width: int) -> None:
    """Lower each bin of each text's signature to the least hash that falls in it."""
    hashes = _shingle_hashes(piece.codepoints, width)
    bins = np.repeat(np.arange(0, len(signature) * BINS, BINS, dtype=np.int32), piece.lengths)
    bins = bins[: len(hashes)] + (hashes & np.uint32(BINS - 1)).astype(np.int32)
    hashes >>= np.uint32(BINS.bit_length() - 1)
    # Shingles that start in one text and end in the next do not count.
    ends = np.cumsum(piece.lengths)[:-1]
    across = (ends[:, None] - np.arange(1, width)[None, :]).ravel()
    hashes[across] = _EMPTY
    np.minimum.at(signature.reshape(-1), bins, hashes)


def _densify(signature: UInt32s) -> UInt32s:
    """Fill each empty bin from the next filled one to the right, marked by the distance."""
    bins = np.arange(2 * BINS, dtype=np.int16)
    empty = signature == _EMPTY
    rows = np.flatnonzero(empty.any(axis=1))
    hollow = np.concatenate([empty[rows], empty[rows]], axis=1)
    position = np.where(hollow, np.int16(2 * BINS), bins)
    nearest = np.minimum.accumulate(position[:, ::-1], axis=1)[:, ::-1][:, :BINS]
    distance = (nearest - bins[:BINS]).astype(np.uint32)
    borrowed = np.take_along_axis(signature[rows], nearest % BINS, axis=1)
    signature[rows] = borrowed + distance * np.uint32(0x9E3779B1)
    return signature


def band_keys(signature: UInt32s, bands: int) -> list[UInt64s]:
    """Hash each of `bands` equal slices of the signatures to one number per row."""
    keys = []
    for slice_ in np.split(signature.astype(np.uint64), bands, axis=1):
        key = np.zeros(len(signature), np.uint64)
        for column in slice_.T:
            key = (key ^ column) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        keys.append(key)
    return keys


def similarity(low: npt.NDArray[np.uint8], high: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Estimate Jaccard similarity row by row from the low bytes of two signatures, (n, BINS) each.

    One byte of two different values agrees by chance in 1 of 256 (b-bit MinHash, Li and König
    2010), which is taken out. The standard error is at most 0.045.
    """
    agree = (low == high).mean(axis=1)
    jaccard: npt.NDArray[np.float64] = (agree - 1 / 256) / (1 - 1 / 256)
    return jaccard


def components(edges: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.int64]:
    """Return the lowest row number of each row's connected component; edges have shape (m, 2)."""
    root = np.arange(rows)
    while len(edges):
        ends = root[edges]
        lowest = ends.min(axis=1)
        before = root.copy()
        np.minimum.at(root, ends[:, 0], lowest)
        np.minimum.at(root, ends[:, 1], lowest)
        root = root[root]
        if np.array_equal(before, root):
            break
    while not np.array_equal(root, root[root]):
        root = root[root]
    return root


@dataclass(frozen=True)
class DropNearDuplicates:
    """Drop pairs whose text nearly equals another of the same language.

    `threshold` is the Jaccard similarity of the sets of `shingle` characters of question and
    answer (lower case, first `characters`). With 16 bands of 8 a pair of texts is compared with
    probability 0.95 at similarity 0.8 and 0.99 at 0.85. Of a group one row stays: the lowest rank.
    """

    threshold: float = 0.8
    shingle: int = 5
    bands: int = 16
    characters: int = 2_000
    requires = ("language", "question", "answer", "rank")
    reasons = ("near_duplicate",)

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1 or self.shingle < 1 or self.characters < 1:
            raise RecipeError(
                f"threshold {self.threshold}, shingle {self.shingle}, characters {self.characters}: "
                "expected a threshold above 0 and up to 1, and the others at least 1"
            )
        if self.bands < 1 or BINS % self.bands:
            raise RecipeError(f"bands = {self.bands}: expected a divisor of {BINS}: 8, 16, 32, …")

    def sketch(self, pairs: pa.Table) -> dict[str, np.ndarray]:
        text = pc.binary_join_element_wise(pairs["question"], pairs["answer"], " ")
        lower = pc.utf8_lower(pc.utf8_slice_codeunits(text, 0, self.characters))
        signature = signatures(lower.to_pylist(), self.shingle)
        language = unit_hash(pairs["language"])
        keys = band_keys(signature, self.bands)
        return {
            "rank": pairs["rank"].to_numpy(),
            "low": signature.astype(np.uint8),
            # The language is part of the key: rows of two languages never meet.
            **{f"band_{number:02}": key ^ language for number, key in enumerate(keys)},
        }

    def plan(self, sketches: Sketches) -> list[Verdicts]:
        verdict = np.zeros(sum(sketches.rows("rank")), np.uint8)
        low = Signatures(sketches)
        found = [self._similar(sketches, f"band_{band:02}", low) for band in range(self.bands)]
        edges = np.unique(np.concatenate(found), axis=0)
        rows = np.unique(edges)
        if len(rows):
            verdict[surplus(edges, rows, sketches.take("rank", rows))] = 1
        return sketches.split(verdict, "rank")

    def _similar(self, sketches: Sketches, field: str, low: Signatures) -> npt.NDArray[np.int64]:
        """Return the pairs of rows that share a band and are similar, shape (n, 2).

        Each row is compared with the first of its bucket and with the one before it.
        """
        rows = sketches.repeated(field)
        if not len(rows):
            return np.zeros((0, 2), np.int64)
        key, rank = sketches.take(field, rows), sketches.take("rank", rows)
        order = np.lexsort((rank, key))
        rows, key = rows[order], key[order]
        same = np.flatnonzero(key[1:] == key[:-1]) + 1
        starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
        leader = starts[np.searchsorted(starts, same, side="right") - 1]
        one = rows[np.concatenate([leader, same - 1])]
        other = rows[np.concatenate([same, same])]
        close = [
            similarity(low[a], low[b]) >= self.threshold
            for a, b in zip(
                *(np.array_split(s, len(s) // 500_000 + 1) for s in (one, other)), strict=True
            )
        ]
        return np.stack([one, other], axis=1)[np.concatenate(close)]


def surplus(
    edges: npt.NDArray[np.int64], rows: npt.NDArray[np.int64], rank: UInt64s
) -> npt.NDArray[np.int64]:
    """Return the rows that go: all but the lowest-ranked of each connected group of edges.

    `rows` are the sorted rows that the edges join, `rank` theirs.
    """
    order = np.argsort(rank, kind="stable")
    place = np.empty(len(rows), np.int64)
    place[order] = np.arange(len(rows))
    root = components(place[np.searchsorted(rows, edges)], len(rows))
    gone: npt.NDArray[np.int64] = rows[order[root != np.arange(len(rows))]]
    return gone


class Signatures:
    """The low bytes of the signatures of all rows, read from disk as they are asked for."""

    def __init__(self, sketches: Sketches) -> None:
        self._parts = [sketches.load(shard, "low") for shard in range(len(sketches.folders))]
        self._ends = np.cumsum([len(part) for part in self._parts])

    def __getitem__(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        shard = np.searchsorted(self._ends, rows, side="right")
        out = np.empty((len(rows), BINS), np.uint8)
        for number in np.unique(shard):
            chosen = shard == number
            offset = self._ends[number] - len(self._parts[number])
            out[chosen] = self._parts[number][rows[chosen] - offset]
        return out
