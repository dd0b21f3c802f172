"""How pairs are drawn for a condition, and which hard negatives they take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Draw:
    """How pairs are drawn: the seed, and how many at most per language (None: all).

    The limit holds for the non-English conditions; `english:d` follows the total of `in-domain:d`.
    """

    seed: int = 0
    pairs_per_language: int | None = None


@dataclass(frozen=True)
class NegativeSettings:
    """Which hard negatives a pair takes: at most `most`, the file's first.

    Without `outside` only answers of the condition's own pairs serve, so that a condition stays what
    it says; with it any text does, but none in a held-out language.
    """

    where: Path
    most: int = 4
    outside: bool = False
