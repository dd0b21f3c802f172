"""A data set is opened, its subsets are read as the manifest says, and what is broken is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from webfaq_eval.benchmark.folder import open_benchmark
from webfaq_eval.errors import BenchmarkError


def copied(folder: Path, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


def rewrite(path: Path, change: Any) -> None:
    rows = pq.read_table(path)
    pq.write_table(pa.Table.from_pylist(change(rows.to_pylist()), schema=rows.schema), path)


def edit(folder: Path, change: Any) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest["extra"]["retrieval"]["subsets"])
    path.write_text(json.dumps(manifest))


def test_every_subset_loads_with_the_manifest_s_counts(bench_folder: Path) -> None:
    benchmark = open_benchmark(bench_folder)
    assert len(benchmark.subsets) > 40
    for subset in benchmark.subsets:
        data = subset.load()
        assert len(data.queries) == subset.info.queries
        assert len(data.corpus) == subset.info.corpus
        assert data.corpus.ids == sorted(data.corpus.ids)
        assert set(data.official.query.tolist()) == set(range(len(data.queries)))


def test_a_domain_subset_has_own_queries_and_shares_the_full_pool(bench_folder: Path) -> None:
    benchmark = open_benchmark(bench_folder)
    whole, health = (
        benchmark.subset(name).load() for name in ("tatoeba_deu", "tatoeba_deu_health")
    )
    assert set(health.queries.domains) == {"health"}
    assert health.corpus.ids == whole.corpus.ids
    pool = benchmark.subset("tatoeba_deu_travel_pool").load()
    assert all("travel" in membership.split("+") for membership in pool.corpus.memberships)


def test_duplicates_outside_a_domain_pool_are_left_out(bench_folder: Path) -> None:
    data = open_benchmark(bench_folder).subset("tatoeba_deu_health_pool").load()
    assert len(data.official) == len(data.queries)
    assert len(data.duplicate) == len(data.official)


def test_duplicate_judgements_are_the_official_ones_and_twins(bench_folder: Path) -> None:
    data = open_benchmark(bench_folder).subset("tatoeba_deu").load()
    assert data.has_duplicates
    texts = data.corpus.inputs
    right = dict(zip(data.official.query.tolist(), data.official.corpus.tolist(), strict=True))
    for query, found in zip(data.duplicate.query, data.duplicate.corpus, strict=True):
        assert texts[found] == texts[right[int(query)]]


def test_reverse_asks_with_the_candidates_and_finds_all_queries(bench_folder: Path) -> None:
    subset = open_benchmark(bench_folder).subset("tatoeba_deu_health")
    forward, reverse = subset.load(), subset.load("reverse")
    assert set(reverse.queries.languages) == {"eng"} and set(reverse.corpus.languages) == {"deu"}
    assert len(reverse.queries) == len(forward.queries)
    assert len(reverse.corpus) == 24  # the full pool of the language, not the domain's ten
    for query, found in zip(reverse.official.query, reverse.official.corpus, strict=True):
        assert reverse.queries.items[query] == reverse.corpus.items[found]


def test_reverse_in_a_domain_pool_has_the_domain_s_candidates(bench_folder: Path) -> None:
    reverse = open_benchmark(bench_folder).subset("tatoeba_deu_travel_pool").load("reverse")
    assert all("travel" in one.split("+") for one in reverse.corpus.memberships)
    assert len(reverse.corpus) == 10 and len(reverse.queries) == 6


def test_titles_are_joined_to_texts_as_mteb_does(bench_folder: Path) -> None:
    corpus = open_benchmark(bench_folder).subset("lareqa_deu").load().corpus
    assert corpus.inputs[0] == f"{corpus.titles[0]} {corpus.texts[0]}"


def test_bucc_has_unpaired_sentences(bench_folder: Path) -> None:
    data = open_benchmark(bench_folder).subset("bucc_deu").load()
    assert data.unpaired is not None and len(data.unpaired) == 4
    assert not set(data.unpaired.ids) & set(data.queries.ids)


def test_globs_choose_subsets_and_an_unmatched_one_is_an_error(bench_folder: Path) -> None:
    benchmark = open_benchmark(bench_folder)
    assert {one.info.task for one in benchmark.select(["tatoeba_*", "bucc_deu"])} == {
        "tatoeba",
        "bucc",
    }
    with pytest.raises(BenchmarkError, match="matches 'tatoba"):
        benchmark.select(["tatoba_*"])
    with pytest.raises(BenchmarkError, match="no subset of split 'dev'"):
        benchmark.select([], "dev")


def test_a_folder_without_manifest_or_without_subsets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="cannot be read"):
        open_benchmark(tmp_path)
    (tmp_path / "manifest.json").write_text('{"artifact": "webfaq-domains"}')
    with pytest.raises(BenchmarkError, match="not a retrieval manifest"):
        open_benchmark(tmp_path)
    with pytest.raises(BenchmarkError, match="neither a folder"):
        open_benchmark(tmp_path / "gone")


def test_a_data_set_that_the_hub_does_not_give_is_one_error(monkeypatch: Any) -> None:
    """No server listens on port 9 of this machine."""
    import huggingface_hub

    api = huggingface_hub.HfApi("http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: api)
    with pytest.raises(BenchmarkError, match="that the Hub gives"):
        open_benchmark("org/name@main")


def test_an_empty_subset_is_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    rewrite(folder / "data/tatoeba/queries/deu-test-00000-of-00001.parquet", lambda rows: [])
    with pytest.raises(BenchmarkError, match="queries is empty"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_judged_ids_that_a_side_lacks_are_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)

    def wrong(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**rows[0], "corpus-id": "nobody"}, *rows[1:]]

    rewrite(folder / "data/tatoeba/qrels/deu-test-00000-of-00001.parquet", wrong)
    with pytest.raises(BenchmarkError, match="ids that the corpus lack, first 'nobody'"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_a_query_without_right_answer_is_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    rewrite(folder / "data/webfaq/qrels/deu-test-00000-of-00001.parquet", lambda rows: rows[1:])
    with pytest.raises(
        BenchmarkError, match=r"1 queries have no official right answer \(deu-000\)"
    ):
        open_benchmark(folder).subset("webfaq_deu").load()


def test_a_shortened_corpus_is_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    edit(folder, lambda subsets: [one.update(corpus=99) for one in subsets])
    with pytest.raises(BenchmarkError, match="24 corpus found, the manifest says 99"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_repeated_ids_and_truncated_files_are_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    path = folder / "data/tatoeba/corpus/deu-test-00000-of-00001.parquet"
    rewrite(path, lambda rows: [rows[0], *rows[:-1]])
    with pytest.raises(BenchmarkError, match="an id more than once"):
        open_benchmark(folder).subset("tatoeba_deu").load()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BenchmarkError, match="cannot be read"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_texts_that_may_not_be_shared_are_asked_for(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    path = folder / "data/tatoeba/corpus/deu-test-00000-of-00001.parquet"
    rewrite(path, lambda rows: [{**row, "text": ""} for row in rows])
    with pytest.raises(BenchmarkError, match="may not be redistributed"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_grades_below_one_are_refused(bench_folder: Path, tmp_path: Path) -> None:
    folder = copied(bench_folder, tmp_path)
    path = folder / "data/tatoeba/qrels/deu-test-00000-of-00001.parquet"
    rewrite(path, lambda rows: [{**row, "score": 0} for row in rows])
    with pytest.raises(BenchmarkError, match="hold the score 0"):
        open_benchmark(folder).subset("tatoeba_deu").load()


def test_qrels_arrays_are_parallel(bench_folder: Path) -> None:
    qrels = open_benchmark(bench_folder).subset("lareqa_eng").load().official
    assert len(qrels.query) == len(qrels.corpus) == len(qrels.grade) == 72
    assert qrels.query.dtype == np.int64
