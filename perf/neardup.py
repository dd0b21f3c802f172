"""MinHash signatures: ours beside rensa and datasketch, on the same texts, one core.

    python perf/neardup.py FAQ_DIR --pairs 5000

All hash the 5-character shingles of lower-case texts to 128 values. Speed is of making signatures;
error is the root mean square of the estimated minus the exact Jaccard similarity, over texts with a
few characters changed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from corpus import make_rows, pools

from webfaq_domains.steps.near_duplicates import signatures

WIDTH = 5


def shingles(text: str) -> set[str]:
    return {text[place : place + WIDTH] for place in range(max(1, len(text) - WIDTH + 1))}


def with_ours(texts: list[str]) -> np.ndarray:
    return signatures(texts, WIDTH)


def with_rensa(texts: list[str]) -> np.ndarray:
    from rensa import RMinHash

    digests = []
    for text in texts:
        sketch = RMinHash(num_perm=128, seed=1)
        sketch.update(list(shingles(text)))
        digests.append(sketch.digest())
    return np.array(digests)


def with_datasketch(texts: list[str]) -> np.ndarray:
    from datasketch import MinHash

    digests = []
    for text in texts:
        sketch = MinHash(num_perm=128, seed=1)
        sketch.update_batch([shingle.encode() for shingle in shingles(text)])
        digests.append(sketch.hashvalues)
    return np.array(digests)


def changed(text: str, rng: random.Random) -> str:
    """Return a text with up to 3 % of its characters replaced."""
    letters = list(text)
    for _ in range(max(1, len(text) * rng.randrange(1, 12) // 400)):
        letters[rng.randrange(len(letters))] = rng.choice("abcdef")
    return "".join(letters)


@click.command()
@click.argument("faq", type=click.Path(exists=True, path_type=Path))
@click.option("--pairs", default=5_000, show_default=True)
def main(faq: Path, pairs: int) -> None:
    """Print texts per second and estimation error of each."""
    rows = make_rows(pools(faq), pairs, np.random.default_rng(0), 0)
    texts = [
        f"{q} {a}".lower()
        for q, a in zip(*(rows[c].to_pylist() for c in ("question", "answer")), strict=True)
    ]
    rng = random.Random(0)
    others = [changed(text, rng) for text in texts]
    exact = np.array(
        [
            len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b))
            for a, b in zip(texts, others, strict=True)
        ]
    )
    print(f"{pairs:,} texts of {np.mean([len(t) for t in texts]):.0f} characters")
    contenders: dict[str, Callable[[list[str]], np.ndarray]] = {
        "ours": with_ours, "rensa": with_rensa, "datasketch": with_datasketch,
    }  # fmt: skip
    for name, sketch in contenders.items():
        started = time.process_time()
        mine = sketch(texts)
        seconds = time.process_time() - started
        error = (mine == sketch(others)).mean(axis=1) - exact
        print(
            f"{name:12}{pairs / seconds:>12,.0f} texts/s   error {np.sqrt((error**2).mean()):.3f}"
        )


if __name__ == "__main__":
    main()
