"""What the tests of the steps share."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from itertools import count, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.steps.base import Barrier, Sketches
from webfaq_domains.steps.duplicates import RankRows

Decide = Callable[[Barrier, list[pa.Table]], list[list[int]]]

TEXT_COLUMNS = (
    "language", "question", "answer", "origin", "url", "source", "source_id", "id", "domain", "split",
    "topic", "question_type", "semantic_similarity_score",
)  # fmt: skip


@pytest.fixture
def pairs_of() -> Callable[..., pa.Table]:
    """Make a ranked table of pairs from dicts; the columns that a dict leaves out are null."""

    def make(*rows: dict[str, str | None]) -> pa.Table:
        schema = pa.schema([(name, pa.string()) for name in TEXT_COLUMNS])
        return RankRows()(pa.Table.from_pylist(list(rows), schema=schema)).kept

    return make


@pytest.fixture
def decide(tmp_path: Path) -> Decide:
    """Run a barrier as an engine does: sketch every shard to disk, then plan."""
    runs = count()

    def run(barrier: Barrier, shards: list[pa.Table]) -> list[list[int]]:
        base = tmp_path / f"sketches-{next(runs)}"
        folders = []
        for number, shard in enumerate(shards):
            folder = base / str(number)
            folder.mkdir(parents=True)
            for field, values in barrier.sketch(shard).items():
                np.save(folder / f"{field}.npy", values)
            folders.append(folder)
        return [verdict.tolist() for verdict in barrier.plan(Sketches(tuple(folders)))]

    return run


@pytest.fixture
def kept_keys(decide: Decide) -> Callable[..., set[str]]:
    """Return the `source_id` of the rows that a barrier keeps, after a shuffle and a cut."""

    def run(
        barrier: Barrier, pairs: pa.Table, shards: int = 1, seed: int | None = None
    ) -> set[str]:
        order = list(range(len(pairs)))
        if seed is not None:
            random.Random(seed).shuffle(order)
        shuffled = pairs.take(pa.array(order, pa.int64()))
        cuts = [len(pairs) * n // shards for n in range(shards + 1)]
        parts = [shuffled.slice(a, b - a) for a, b in pairwise(cuts)]
        verdicts = [code for part in decide(barrier, parts) for code in part]
        ids = shuffled["source_id"].to_pylist()
        return {key for key, code in zip(ids, verdicts, strict=True) if code == 0}

    return run


@pytest.fixture(scope="session")
def messy() -> list[dict[str, str]]:
    """Our own pairs as pages have them, with what they should become; 15 scripts."""
    path = Path(__file__).parents[1] / "data" / "messy.jsonl"
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def real_pairs() -> list[dict[str, str]]:
    """2,000 real pairs, spread evenly over all languages that `shared/data/faq` has."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "faq"
    if not folder.is_dir():
        pytest.skip("the real pairs (shared/data/faq beside the repository) are not here")
    lines = [
        line
        for path in sorted(folder.glob("*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    return [json.loads(lines[len(lines) * n // 2_000]) for n in range(2_000)]
