"""What `webfaq-domains` writes is what `webfaq-eval` reads: both stand on one ground."""

from __future__ import annotations

from pathlib import Path

import pytest
from toyreleases import write_bucc, write_lareqa, write_mewslix, write_tatoeba
from webfaq_domains.builders.xtreme_r import XtremeOptions, build

from webfaq_domains.ground.manifest import Manifest

pytest.importorskip("webfaq_eval", reason="webfaq-eval is not installed: pip install -e eval")


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("contract")
    tasks = (
        ("bucc", write_bucc(base / "bucc")),
        ("lareqa", write_lareqa(base / "lareqa")),
        ("mewslix", write_mewslix(base / "mewslix")),
        ("tatoeba", write_tatoeba(base / "tatoeba")),
    )
    options = XtremeOptions(
        tasks, base / "out", min_queries=2, partial=True, with_text=True, quiet=True
    )
    return build(options).out


def test_every_subset_is_read_in_both_pools_and_directions(benchmark: Path) -> None:
    from webfaq_eval.benchmark.folder import open_benchmark

    opened = open_benchmark(benchmark)
    assert opened.id.revision == Manifest.read(benchmark).content_digest
    assert {subset.info.task for subset in opened.subsets} == {
        "bucc",
        "lareqa",
        "mewslix",
        "tatoeba",
    }
    assert {subset.info.pool for subset in opened.subsets} == {"full", "domain"}
    for subset in opened.subsets:
        data = subset.load()
        assert len(data.queries) == subset.info.queries
        assert len(data.official) == subset.info.qrels
        if subset.info.task == "tatoeba":
            back = subset.load("reverse")
            assert len(back.official) == len(data.official)
        if subset.info.task == "bucc":
            assert data.unpaired is not None


def test_a_random_model_is_scored_on_every_task(benchmark: Path, tmp_path: Path) -> None:
    from webfaq_eval.models.encoder import Settings
    from webfaq_eval.scoring.score import Request, score

    request = Request(Settings("random"), str(benchmark), tmp_path / "results")
    scored = score(request, quiet=True)
    metrics = {result.subset.task: result.main.metric for _, result in scored.results}
    assert metrics == {
        "bucc": "f1", "lareqa": "map_at_20", "mewslix": "map_at_20", "tatoeba": "accuracy",
    }  # fmt: skip


def test_pairs_are_read_by_split_domain_and_language(built: Path) -> None:
    from webfaq_eval.pairs.pairs import open_pairs, read_index

    manifest = Manifest.read(built)
    pairs = open_pairs(built)
    assert pairs.digest == manifest.content_digest
    found = 0
    for split in ("train", "validation", "test"):
        rows = sum(file.rows for file in manifest.files if f"/{split}-" in file.path)
        if rows:
            index = read_index(pairs, split)
            assert len(index) == rows
            assert set(index.domains) <= set(manifest.taxonomy.slugs)
            found += rows
    assert found == manifest.rows
