"""Exports: TREC runs, an XTREME folder and Hub files, read back by the formats' own rules."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tinyresults import write_bucc, write_results
from webfaq_eval.benchmark.folder import open_benchmark
from webfaq_eval.cli.results import export as command
from webfaq_eval.errors import ResultError
from webfaq_eval.export.base import Request, export_results
from webfaq_eval.identity import Model
from webfaq_eval.results import Result, read_result, read_results, write_result

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.trec import falling

SHARED = Path(__file__).parents[2] / "../shared/data"
SUBSETS = ("tatoeba_*", "mewslix_deu*", "lareqa_deu")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, bench_folder: Path) -> Path:
    root = tmp_path_factory.mktemp("export") / "results"
    write_results(root, bench_folder, "org/toy", 1.5, SUBSETS)
    write_bucc(root, bench_folder, "org/toy", 10)
    return root


def result_of(root: Path, name: str, direction: str = "forward") -> Result:
    return next(
        result
        for _, result in read_results(root)
        if result.subset.name == name and result.subset.direction == direction
    )


def test_trec_runs_give_our_figures(results, tmp_path, bench_folder):
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="needs pytrec-eval-terrier")
    done = export_results(Request(results, tmp_path), "trec")
    assert len(done.files) == len(list(read_results(results)))
    result = result_of(results, "lareqa_deu")
    data = open_benchmark(bench_folder).subset("lareqa_deu").load()
    qrels: dict[str, dict[str, int]] = {}
    for query, found in zip(data.official.query, data.official.corpus, strict=True):
        qrels.setdefault(data.queries.ids[query], {})[data.corpus.ids[found]] = 1
    run: dict[str, dict[str, float]] = {}
    path = next(path for path in done.files if path.name == "lareqa_deu.test.run")
    for rank_before, line in enumerate(path.read_text().splitlines()):
        query, zero, found, rank, score, tag = line.split(" ")
        assert zero == "Q0" and tag.startswith("org__toy@") and int(rank) == rank_before % 72 + 1
        run.setdefault(query, {})[found] = float(score)
    measured = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut_10", "recall_20", "map_cut_20"})
    scores = list(measured.evaluate(run).values())
    for theirs, ours in (
        ("ndcg_cut_10", "ndcg_at_10"),
        ("recall_20", "recall_at_20"),
        ("map_cut_20", "trec_map_at_20"),
    ):
        mean = float(np.mean([one[theirs] for one in scores]))
        assert mean == pytest.approx(result.scores["official"][ours], abs=1e-9)


def test_ties_keep_their_order_in_a_run():
    scores = falling([1.0, 1.0, 1.0, 0.0, 0.0, -2.5])
    assert scores[0] == 1.0 and scores[3] == 0.0 and scores[5] == -2.5
    assert all(above > below for above, below in itertools.pairwise(scores))


def test_an_id_with_a_space_cannot_be_in_a_run(tmp_path, bench_folder):
    root = tmp_path / "results"
    write_results(root, bench_folder, "org/toy", 1.5, ("mewslix_deu",))
    import pyarrow.parquet as pq

    path = next(root.rglob("*.parquet"))
    table = pq.read_table(path)
    ids = ["with space", *table["query-id"].to_pylist()[1:]]
    pq.write_table(table.set_column(0, "query-id", [ids]), path)
    with pytest.raises(StagedError, match="has white space"):
        export_results(Request(root, tmp_path / "runs"), "trec")
    assert not list((tmp_path / "runs").rglob("*.run"))


def official_accuracy(predictions: list[str], labels: list[str]) -> float:
    """XTREME's evaluate.py: the share of equal lines."""
    assert len(predictions) == len(labels)
    return sum(p == label for p, label in zip(predictions, labels, strict=True)) / len(predictions)


def official_labels(english: list[str]) -> list[str]:
    """XTREME's preparation: the English lines sorted by text; the label is the line each had."""
    lines = zip([text.strip() for text in english], range(len(english)), strict=True)
    return [str(line) for _, line in sorted(lines, key=lambda pair: pair[0])]


@pytest.mark.parametrize(("language", "code"), [("afr", "af"), ("deu", "de"), ("ara", "ar")])
def test_the_labels_are_those_of_xtreme(language, code):
    folder = SHARED / "xtreme_r"
    if not folder.is_dir():
        pytest.skip("needs ../shared/data/xtreme_r: Tatoeba and XTREME's mock labels")
    text = (folder / f"tatoeba/v1/tatoeba.{language}-eng.eng").read_text(encoding="utf-8")
    given = (folder / f"xtreme_mock/labels/tatoeba/test-{code}.tsv").read_text().split()
    assert official_labels(text.splitlines())[: len(given)] == given and len(given) == 10


def test_tatoeba_lines_are_scored_as_our_accuracy(results, tmp_path, bench_folder):
    export_results(Request(results, tmp_path, benchmark=str(bench_folder)), "xtreme")
    folder = next(tmp_path.iterdir())
    for language, code in (("deu", "de"), ("swa", "sw")):
        data = open_benchmark(bench_folder).subset(f"tatoeba_{language}").load()
        labels = official_labels(data.corpus.texts)
        lines = (folder / "tatoeba" / f"test-{code}.tsv").read_text().splitlines()
        expected = result_of(results, f"tatoeba_{language}", "reverse").main.value
        assert official_accuracy(lines, labels) == pytest.approx(expected)


def test_mewslix_lists_are_scored_as_our_map(results, tmp_path, bench_folder):
    export_results(Request(results, tmp_path, benchmark=str(bench_folder)), "xtreme")
    found = json.loads(next(tmp_path.rglob("mewslix/test-de.json")).read_text())
    data = open_benchmark(bench_folder).subset("mewslix_deu").load()
    gold = {
        data.queries.ids[query]: data.corpus.ids[right]
        for query, right in zip(data.official.query, data.official.corpus, strict=True)
    }
    assert all(len(best) == 20 for best in found.values())
    precision = [
        1 / (best.index(gold[q]) + 1) if gold[q] in best else 0 for q, best in found.items()
    ]
    assert np.mean(precision) == pytest.approx(result_of(results, "mewslix_deu").main.value)


def test_bucc_pairs_are_scored_as_our_f1(results, tmp_path, bench_folder):
    export_results(Request(results, tmp_path, benchmark=str(bench_folder)), "xtreme")
    lines = set(next(tmp_path.rglob("bucc2018/test-de.tsv")).read_text().splitlines())
    data = open_benchmark(bench_folder).subset("bucc_deu").load()
    gold = {
        f"{data.queries.ids[query]}\t{data.corpus.ids[right]}"
        for query, right in zip(data.official.query, data.official.corpus, strict=True)
    }
    precision, recall = len(gold & lines) / len(lines), len(gold & lines) / len(gold)
    f1 = 2 * precision * recall / (precision + recall)
    assert f1 == pytest.approx(result_of(results, "bucc_deu").main.value)


def test_what_xtreme_does_not_score_is_named(results, tmp_path, bench_folder):
    done = export_results(Request(results, tmp_path, benchmark=str(bench_folder)), "xtreme")
    assert len(done.files) + len(done.left_out) == len(list(read_results(results)))
    assert any("does not score lareqa" in line for line in done.left_out)
    assert any("part of its test set" in line for line in done.left_out)


def test_tatoeba_needs_the_texts_of_the_same_revision(results, tmp_path, bench_folder):
    with pytest.raises(ResultError, match="--benchmark"):
        export_results(Request(results, tmp_path), "xtreme")
    other = tmp_path / "other"
    other.mkdir()
    manifest = json.loads((bench_folder / "manifest.json").read_text())
    (other / "manifest.json").write_text(json.dumps(manifest | {"content_digest": "f" * 64}))
    with pytest.raises(ResultError, match="name the revision that was scored"):
        export_results(Request(results, tmp_path / "out", benchmark=str(other)), "xtreme")


def test_hub_files_are_parsed_by_huggingface_hub(results, tmp_path):
    import yaml
    from huggingface_hub import parse_eval_result_entries

    request = Request(results, tmp_path, dataset_id="org/xtreme-r-domains", date="2026-11-22")
    done = export_results(request, "hub")
    path = next(path for path in done.files if path.name == "TatoebaDomainsRetrieval.yaml")
    assert path.parent.name == ".eval_results"
    entries = parse_eval_result_entries(yaml.safe_load(path.read_text()))
    by_task = {entry.task_id: entry for entry in entries}
    entry = by_task["TatoebaDomainsRetrieval_tatoeba_deu_health_test"]
    assert entry.value == pytest.approx(100 * result_of(results, "tatoeba_deu_health").main.value)
    assert entry.date == "2026-11-22" and isinstance(entry.date, str)
    assert entry.dataset_id == "org/xtreme-r-domains"
    assert entry.dataset_revision is None and "staged data set" in entry.notes
    assert "query prefix 'query: '" in entry.notes
    assert len(entries) + sum("tatoeba" in line for line in done.left_out) == 20


def test_hub_needs_an_id_and_a_real_date(results, tmp_path):
    with pytest.raises(ResultError, match="--dataset-id"):
        export_results(Request(results, tmp_path), "hub")
    with pytest.raises(ResultError, match="the date is '22 Nov'"):
        export_results(Request(results, tmp_path, dataset_id="a/b", date="22 Nov"), "hub")


def test_a_broken_result_stops_every_export(results, tmp_path, bench_folder):
    root = tmp_path / "results"
    folder = write_results(root, bench_folder, "org/toy", 1.5, ("mewslix_deu",))
    next(folder.rglob("*.json")).write_text("{")
    for form in ("mteb", "hub", "xtreme", "trec"):
        with pytest.raises(ResultError, match="the file cannot be read"):
            export_results(Request(root, tmp_path / form, dataset_id="a/b"), form)
        assert not (tmp_path / form).exists()


def test_the_command_says_what_it_wrote(results, tmp_path):
    shown = CliRunner().invoke(command, [str(results), "--to", "trec", "--out", str(tmp_path)])
    assert shown.exit_code == 0, shown.output
    assert "files written; 1 things left out" in shown.output


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ResultError, match="holds no results"):
        export_results(Request(tmp_path, tmp_path / "out"), "trec")


@pytest.mark.needs("mteb")
def test_mteb_loads_the_task_files(results, tmp_path):
    from mteb.models.model_meta import ModelMeta
    from mteb.results import TaskResult

    done = export_results(
        Request(results, tmp_path, training_datasets=("WebFAQRetrieval",)), "mteb"
    )
    path = next(path for path in done.files if path.name == "TatoebaDomainsRetrievalReverse.json")
    task = TaskResult.from_disk(path)
    scores = {entry["hf_subset"]: entry for entry in task.scores["test"]}
    ours = result_of(results, "tatoeba_swa", "reverse")
    assert task.task_name == "TatoebaDomainsRetrievalReverse"
    assert task.dataset_revision == ours.benchmark.revision
    assert scores["tatoeba_swa"]["main_score"] == ours.main.value
    assert scores["tatoeba_swa"]["accuracy"] == ours.main.value
    assert scores["tatoeba_swa"]["languages"] == ["swa-Latn", "eng-Latn"]
    assert task.get_score(languages=["swa"]) <= 1
    meta = json.loads((path.parent / "model_meta.json").read_text())
    loaded = ModelMeta(**meta)
    assert (loaded.name, loaded.revision) == ("org/toy", ours.model.revision)
    assert loaded.training_datasets == {"WebFAQRetrieval"}
    assert path.parent.parent.name == "org__toy"


@pytest.mark.needs("mteb")
@pytest.mark.filterwarnings("ignore")
def test_mteb_s_cache_finds_the_files(results, tmp_path):
    from mteb import ResultCache

    export_results(Request(results, tmp_path), "mteb")
    found = ResultCache(tmp_path).load_results(include_remote=False)
    (model,) = found.model_results
    assert model.model_name == "org/toy"
    names = {one.task_name for one in model.task_results}
    assert {"TatoebaDomainsRetrieval", "TatoebaDomainsRetrievalReverse"} <= names


def test_runs_have_the_judgements_of_their_direction_beside_them(results, tmp_path, bench_folder):
    ir_measures = pytest.importorskip("ir_measures", reason="needs ir_measures")
    without = export_results(Request(results, tmp_path / "a"), "trec")
    assert any("judgements of 10 reverse runs" in line for line in without.left_out)
    done = export_results(Request(results, tmp_path / "b", benchmark=str(bench_folder)), "trec")
    assert not done.left_out and len(done.files) == 2 * len(without.files)
    for direction, stem in (("forward", "test"), ("reverse", "test.reverse")):
        run = next(path for path in done.files if path.name == f"tatoeba_deu.{stem}.run")
        measured = ir_measures.calc_aggregate(
            [ir_measures.R @ 10],
            list(ir_measures.read_trec_qrels(str(run.with_suffix(".qrels")))),
            list(ir_measures.read_trec_run(str(run))),
        )
        ours = result_of(results, "tatoeba_deu", direction).scores["official"]["recall_at_10"]
        assert measured[ir_measures.R @ 10] == pytest.approx(ours) and ours > 0


def test_two_protocols_of_a_model_have_no_place_in_mteb(results, tmp_path, bench_folder):
    from dataclasses import replace

    root = tmp_path / "results"
    folder = write_results(root, bench_folder, "org/toy", 1.5, ("mewslix_deu",))
    path = next(folder.rglob("*.json"))
    result = read_result(path)
    import pyarrow.parquet as pq

    other = replace(result, protocol=replace(result.protocol, layer=3))
    write_result(root, other, pq.read_table(path.with_suffix(".parquet")))
    with pytest.raises(ResultError, match="export the folder of one protocol"):
        export_results(Request(root, tmp_path / "out"), "mteb")


def test_models_of_local_folders_get_an_organisation(tmp_path, bench_folder):
    from webfaq_eval.export.mteb import mteb_model_name

    result = result_of(write_results(tmp_path, bench_folder, "runs/deep/one", 1.5, ("webfaq_deu",)), "webfaq_deu")  # fmt: skip
    assert mteb_model_name(result) == "local/one"
    assert isinstance(result.model, Model)
