"""Scoring as a user does it: files that can be read back, skipped when they are there, never half."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from webfaq_eval.cli import main
from webfaq_eval.errors import BenchmarkError, EvalError, ResultError
from webfaq_eval.models.encoder import Settings
from webfaq_eval.results import find_results, read_queries, read_results
from webfaq_eval.scoring import score as module
from webfaq_eval.scoring.layers import score_swept
from webfaq_eval.scoring.score import Request, score


@pytest.fixture
def request_(bench_folder: Path, tmp_path: Path) -> Request:
    return Request(Settings("random"), str(bench_folder), tmp_path / "results", ("tatoeba_deu*",))


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def test_results_are_written_with_their_per_query_tables(request_: Request) -> None:
    scored = score(request_, quiet=True)
    assert {path for path, _ in scored.results} == set(find_results(request_.out))
    assert {(r.subset.name, r.subset.direction) for _, r in scored.results} == {
        (name, direction)
        for name in ("tatoeba_deu", "tatoeba_deu_health", "tatoeba_deu_travel")
        for direction in ("forward", "reverse")
    }
    for path, result in read_results(request_.out):
        table = read_queries(path)
        column = table[f"official/{result.main.metric}"].to_pylist()
        assert sum(column) / len(column) == pytest.approx(result.main.value)
        assert all(len(ids) == result.n.corpus for ids in table["run_ids"].to_pylist())
        assert {"official", "duplicate"} >= set(result.scores)
        assert result.n.items == len(set(table["item"].to_pylist()))


def test_a_second_run_keeps_what_is_there_and_mends_what_is_broken(request_: Request) -> None:
    first = score(request_, quiet=True)
    times = {path: path.stat().st_mtime_ns for path, _ in first.results}
    broken = first.results[0][0]
    broken.write_text(broken.read_text()[:50])
    second = score(request_, quiet=True)
    assert second.kept == len(times) - 1
    changed = [path for path in times if path.stat().st_mtime_ns != times[path]]
    assert changed == [broken]
    assert second.results[0][1].scores == first.results[0][1].scores


def test_another_prefix_seed_or_pool_is_another_result(
    request_: Request, sentence_model: Path
) -> None:
    one = replace(request_, patterns=("tatoeba_deu",))
    score(one, quiet=True)
    score(replace(one, settings=Settings("random", seed=1)), quiet=True)
    model = replace(one, settings=Settings(str(sentence_model)))
    score(model, quiet=True)
    score(replace(model, settings=replace(model.settings, query_prefix="query: ")), quiet=True)
    assert len(find_results(request_.out)) == 8
    pooled = score(replace(one, patterns=("tatoeba_*_travel*",), pool="domain"), quiet=True)
    assert {r.protocol.pool for _, r in pooled.results} == {"domain"}
    assert {r.subset.name for _, r in pooled.results} == {
        "tatoeba_deu_travel_pool",
        "tatoeba_swa_travel_pool",
    }


def _parts(store: Path) -> list[Path]:
    return sorted(path for path in store.rglob("*.json") if path.name != "meta.json")


def test_texts_are_encoded_once_over_subsets_and_runs(
    request_: Request, sentence_model: Path
) -> None:
    whole = replace(request_, settings=Settings(str(sentence_model)), patterns=("tatoeba_*",))
    score(whole, quiet=True)
    again = replace(whole, out=request_.out.with_name("other"), vectors=whole.store)
    stored = _parts(whole.store)
    score(again, quiet=True)
    assert _parts(whole.store) == stored
    rows = sum(json.loads(path.read_text())["rows"] for path in stored)
    assert rows == 24 + 24 + 23  # German, Swahili, English less one text that two items share


def test_nothing_is_half_written_when_scoring_fails(request_: Request, monkeypatch: Any) -> None:
    def dies(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", dies)
    with pytest.raises(OSError, match="disk full"):
        score(request_, quiet=True)
    assert not list(request_.out.rglob("*.*"))


def test_a_metric_that_is_not_finite_stops_the_run(request_: Request, monkeypatch: Any) -> None:
    def broken(question: Any) -> Any:
        outcome = evaluate(question)
        outcome.scores["official"]["mrr"] = float("nan")
        return outcome

    evaluate = module.evaluate
    monkeypatch.setattr(module, "evaluate", broken)
    with pytest.raises(ResultError, match="mrr is nan"):
        score(request_, quiet=True)
    assert not list(request_.out.rglob("*.json"))


def test_what_cannot_be_scored_is_refused(request_: Request) -> None:
    with pytest.raises(BenchmarkError, match="matches 'nothing"):
        score(replace(request_, patterns=("nothing*",)), quiet=True)
    with pytest.raises(EvalError, match="try the other --pool"):
        score(replace(request_, patterns=("tatoeba_deu",), pool="domain"), quiet=True)
    with pytest.raises(EvalError, match="recall@100 needs 100"):
        score(replace(request_, depth=10), quiet=True)


@pytest.mark.needs("faiss")
def test_an_approximate_index_is_recorded_with_its_loss(request_: Request) -> None:
    one = replace(request_, patterns=("webfaq_deu",), index="HNSW8")
    ((_, result),) = score(one, quiet=True).results
    assert result.protocol.index == "HNSW8"
    assert 0 <= result.extra.index.recall_loss <= 1


def test_a_layer_is_chosen_on_held_out_languages(request_: Request, raw_encoder: Path) -> None:
    swept = replace(
        request_, settings=Settings(str(raw_encoder), pooling="mean"), patterns=("tatoeba_deu",)
    )
    scored = score_swept(swept, "swa", "sweep", quiet=True)
    sweep = scored.layer_sweep
    assert sweep is not None
    assert sweep.held_out == ("swa",) and set(sweep.means) == {"1", "2"}
    best = max(sweep.means.values())
    assert sweep.means[str(sweep.layer)] == best
    assert {r.protocol.layer for _, r in scored.results} == {sweep.layer}
    assert all(r.extra.layer_sweep == sweep for _, r in read_results(swept.out))
    assert {r.subset.language for _, r in scored.results} == {"deu"}


@pytest.mark.parametrize(
    ("held_out", "layer", "said"),
    [("deu", "sweep", "deu would be held out and tested"), ("", "sweep", "belong together"),
     ("swa", 1, "belong together"), ("fra", "sweep", "in fra")],
)  # fmt: skip
def test_a_sweep_on_test_languages_is_refused(
    request_: Request, raw_encoder: Path, held_out: str, layer: Any, said: str
) -> None:
    settings = Settings(str(raw_encoder), pooling="mean")
    with pytest.raises(EvalError, match=said):
        score_swept(replace(request_, settings=settings), held_out, layer, quiet=True)
    assert not request_.out.exists()


def test_the_command_shows_text_or_json(bench_folder: Path, tmp_path: Path) -> None:
    arguments = (
        "score",
        "--model",
        "random",
        "--benchmark",
        bench_folder,
        "--subset",
        "webfaq_*",
        "--out",
        tmp_path / "r",
    )
    shown = run(*arguments)
    assert shown.exit_code == 0 and "webfaq_deu_health" in shown.output
    again = run(*arguments, "--json")
    assert json.loads(again.stdout)["kept"] == 6
    wrong = run("score", "--model", tmp_path, "--benchmark", bench_folder)
    assert wrong.exit_code == 1 and "not a model folder" in wrong.output
    assert "neither a number" in run(*arguments, "--layer", "top").output


@pytest.mark.slow
def test_mteb_s_evaluator_gives_the_same_scores(
    request_: Request, bench_folder: Path, sentence_model: Path
) -> None:
    """The same run and judgements through mteb's own metric code."""
    evaluators = pytest.importorskip(
        "mteb._evaluators.retrieval_metrics", reason="mteb is an extra"
    )
    from webfaq_eval.benchmark.folder import open_benchmark

    model = replace(
        request_, settings=Settings(str(sentence_model), dtype="float32"), patterns=("lareqa_swa",)
    )
    ((path, result),) = score(model, quiet=True).results
    data = open_benchmark(bench_folder).subset("lareqa_swa").load()
    qrels: dict[str, dict[str, int]] = {}
    for query, found in zip(data.official.query, data.official.corpus, strict=True):
        qrels.setdefault(data.queries.ids[query], {})[data.corpus.ids[found]] = 1
    table = read_queries(path).to_pylist()
    # Ranks in the place of scores: pytrec_eval breaks ties by falling id, we by rising id.
    run = {
        row["query-id"]: {name: -float(rank) for rank, name in enumerate(row["run_ids"])}
        for row in table
    }
    theirs = evaluators.calculate_retrieval_scores(run, qrels, [1, 5, 10, 20, 100]).all_scores
    names = {"ndcg_at_10": "ndcg_cut_10", "trec_map_at_20": "map_cut_20"}
    names |= {f"recall_at_{cut}": f"recall_{cut}" for cut in (1, 5, 10, 20, 100)}
    for ours, trec in names.items():
        for row in table:  # mteb rounds its means to five digits, its per-query scores not
            expected = theirs[row["query-id"]][trec]
            assert row[f"official/{ours}"] == pytest.approx(expected, abs=1e-9), ours
        mean = sum(found[trec] for found in theirs.values()) / len(theirs)
        assert result.scores["official"][ours] == pytest.approx(mean, abs=1e-6)
