"""Active learning: choose pairs worth a person's label, uncertain ones, unlike each other, of many sites."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from webfaq_domains.ground.files import write_text
from webfaq_domains.labelers.base import Labeler, Probabilities

#: How many times more candidates than rows wanted are compared for diversity.
_POOL = 8
_SHINGLES = 256


@dataclass(frozen=True)
class Candidate:
    """An unlabelled pair that may be annotated."""

    language: str
    question: str
    answer: str
    origin: str

    @property
    def text(self) -> str:
        return f"{self.question} {self.answer}".replace("\n", " ")


@dataclass(frozen=True)
class Chosen:
    """Candidates to annotate, with the labeler's guess and its margin (0: could be either)."""

    rows: list[Candidate]
    guesses: list[list[str]]
    margins: list[float]

    def lines(self) -> list[str]:
        """Return one JSON object a line, in the form of an annotation; `domains` is to be judged."""
        return [
            json.dumps(
                {
                    "language": row.language, "domains": guess, "question": row.question,
                    "answer": row.answer, "origin": row.origin,
                    "note": f"guessed, margin {margin:.2f}: judge it",
                },
                ensure_ascii=False,
            )
            for row, guess, margin in zip(self.rows, self.guesses, self.margins, strict=True)
        ]  # fmt: skip

    def write(self, path: Path) -> None:
        write_text(path, "".join(line + "\n" for line in self.lines()))

    def to_json(self) -> dict[str, Any]:
        cells = Counter(
            f"{row.language}-{guess[0]}" for row, guess in zip(self.rows, self.guesses, strict=True)
        )
        return {"rows": len(self.rows), "cells": dict(sorted(cells.items()))}

    def text(self) -> str:
        cells: dict[str, int] = self.to_json()["cells"]
        return (
            f"{len(self.rows)} rows to judge in {len(cells)} cells of language and guessed domain"
        )


def margins(probabilities: Probabilities) -> npt.NDArray[np.float32]:
    """Return how far the best domain is ahead of the second (margin sampling, Scheffer 2001)."""
    top = np.sort(probabilities, axis=1)[:, -2:]
    ahead: npt.NDArray[np.float32] = top[:, 1] - top[:, 0]
    return ahead


def _sketch(text: str) -> npt.NDArray[np.float32]:
    """Return a unit vector of hashed character trigrams: alike for texts alike in any script."""
    vector = np.zeros(_SHINGLES, np.float32)
    codes = [ord(letter) for letter in text.lower()[:300]]
    for a, b, c in zip(codes, codes[1:], codes[2:], strict=False):
        vector[(a * 1_000_003 + b * 10_007 + c * 101) % _SHINGLES] += 1
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def _diverse(texts: Sequence[str], count: int) -> list[int]:
    """Return `count` positions, each the farthest from those before it (Gonzalez 1985)."""
    if not texts:
        return []
    sketches = np.stack([_sketch(text) for text in texts])
    picked = [0]
    nearest = sketches @ sketches[0]
    while len(picked) < min(count, len(texts)):
        nearest[picked] = np.inf
        picked.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, sketches @ sketches[picked[-1]])
    return picked


def choose_rows(rows: Sequence[Candidate], labeler: Labeler, per_cell: int) -> Chosen:
    """Choose at most `per_cell` rows of each language and guessed domain, one per origin in all.

    The least certain `8 * per_cell` of a cell compete; of these the most unlike are taken. Rows
    without an origin count as one origin each.
    """
    labels = labeler.label([row.text for row in rows])
    guesses, ahead = labels.domains, margins(labels.probabilities)
    cells: dict[tuple[str, str], list[int]] = {}
    for number in np.argsort(ahead, kind="stable"):
        cells.setdefault((rows[number].language, guesses[number][0]), []).append(int(number))
    used: set[str] = set()
    picked: list[int] = []
    for _, cell in sorted(cells.items()):
        pool = _one_per_origin(cell, rows, used)[: _POOL * per_cell]
        taken = [pool[place] for place in _diverse([rows[n].text for n in pool], per_cell)]
        used.update(rows[number].origin for number in taken)
        picked += taken
    return Chosen(
        [rows[n] for n in picked], [guesses[n] for n in picked], [float(ahead[n]) for n in picked]
    )


def _one_per_origin(cell: list[int], rows: Sequence[Candidate], used: set[str]) -> list[int]:
    """Return the first row of each origin that is not used yet."""
    seen = set(used)
    kept = []
    for number in cell:
        origin = rows[number].origin
        if not origin or origin not in seen:
            kept.append(number)
            seen.add(origin)
    return kept
