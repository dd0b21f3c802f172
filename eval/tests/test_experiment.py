"""The experiment: grid, plan, run, resume, effects, report, and the statistics of seeds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tinypairs import standard
from webfaq_eval.cli import main
from webfaq_eval.errors import ResultError, TrainingError
from webfaq_eval.experiment.effects import find_effects
from webfaq_eval.experiment.plan import plan
from webfaq_eval.experiment.retrievers import SharedEncoder
from webfaq_eval.experiment.run import make, run
from webfaq_eval.experiment.settings import Experiment, Folders, cells_of, read_experiment
from webfaq_eval.models.encoder import Settings
from webfaq_eval.models.retrievers import open_retriever
from webfaq_eval.statistics.intervals import two_way_bootstrap
from webfaq_eval.training.embedders import Shared

PRESETS = Path(__file__).parents[1] / "experiments"
TOY = """
name = "toy"
domains = ["health"]
conditions = ["none", "in-domain", "random"]
seeds = [0, 1]
[starts.toy]
encoder = ""
[train]
mode = "head"
batch_size = 4
steps = 3
learning_rate = 1e-2
max_length = 32
[score]
subsets = ["tatoeba_deu_*", "tatoeba_swa_*"]
pool = "full"
max_length = 32
"""


@pytest.fixture(scope="module")
def toy_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy") / "toy.toml"
    path.write_text(TOY)
    return path


@pytest.fixture(scope="module")
def toy(
    toy_file: Path,
    bench_folder: Path,
    sentence_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Experiment:
    pairs = standard(tmp_path_factory.mktemp("pairs"))
    found = read_experiment(toy_file)
    return found.with_places(str(pairs), str(bench_folder), {"toy": str(sentence_model)})


@pytest.fixture(scope="module")
def ran(toy: Experiment, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    folders = Folders(tmp_path_factory.mktemp("run") / "out")
    done = run(toy, folders, quiet=True)
    assert not done.failed, done.failed
    assert len(done.made) == 5
    return folders


def test_the_grid_has_no_seed_where_nothing_is_trained(toy: Experiment) -> None:
    assert [cell.name for cell in cells_of(toy)] == [
        "toy.none",
        "toy.in-domain-health.s0",
        "toy.in-domain-health.s1",
        "toy.random-health.s0",
        "toy.random-health.s1",
    ]


@pytest.mark.parametrize("name", ["tiny", "small", "full"])
def test_the_presets_can_be_planned_without_data(name: str, tmp_path: Path) -> None:
    found = plan(read_experiment(PRESETS / f"{name}.toml"), Folders(tmp_path))
    assert {one.state for one in found.cells} == {"to do"}
    assert len({one.cell.name for one in found.cells}) == len(found.cells)


def test_the_full_preset_crosses_all_that_the_question_names() -> None:
    found = read_experiment(PRESETS / "full.toml")
    tasks = {start.intermediate for start in found.starts.values()}
    nine = {"anli", "mnli", "qqp", "squad_v1", "squad_v2", "hellaswag", "ccg", "cosmosqa", "csqa"}
    assert tasks == nine | {None, "multi", "mlm"}
    assert len(cells_of(found)) == 24 * (1 + 3 + 4 * 8 * 3)


def test_plan_counts_pairs_and_hours(toy: Experiment, tmp_path: Path) -> None:
    found = plan(toy, Folders(tmp_path))
    by_name = {one.cell.name: one for one in found.cells}
    inside, control = by_name["toy.in-domain-health.s0"], by_name["toy.random-health.s0"]
    assert inside.pairs and inside.pairs == control.pairs
    assert by_name["toy.none"].pairs == 0 and by_name["toy.none"].steps == 0
    assert found.hours == 0.0  # heads on vectors
    assert found.to_json()["left"] == 5


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('conditions = ["none", "in-domain", "random"]', 'conditions = ["nothing"]', "is none of"),
        ("seeds = [0, 1]", "seeds = []", "seeds is empty"),
        ("batch_size = 4", "batchsize = 4", "batchsize"),
        ('name = "toy"', "", "lacks|missing"),
        ("[starts.toy]", "[starts.toy", "cannot be read"),
        ('"none", "in-domain", "random"', '"random"', "add it"),
    ],
)
def test_a_file_without_meaning_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(TOY.replace(old, new))
    with pytest.raises(TrainingError, match=said):
        read_experiment(path)


def test_places_must_be_named(toy_file: Path, tmp_path: Path) -> None:
    found = read_experiment(toy_file)
    with pytest.raises(TrainingError, match="--pairs and --benchmark"):
        run(found, Folders(tmp_path), quiet=True)
    with pytest.raises(TrainingError, match="--encoder toy=DIR"):
        run(found.with_places("a", "b", {}), Folders(tmp_path), quiet=True)
    with pytest.raises(TrainingError, match="no start other"):
        found.with_places("a", "b", {"other": "c"})


def test_every_cell_is_kept_and_a_lost_one_is_made_again(
    toy: Experiment, ran: Folders, tmp_path: Path
) -> None:
    folders = Folders(tmp_path / "out")
    shutil.copytree(ran.out, folders.out)
    cell = cells_of(toy)[1]
    before = json.loads(folders.done(cell).read_text())
    folders.done(cell).unlink()
    done = run(toy, folders, quiet=True)
    assert done.made == [cell.name] and len(done.kept) == 4
    assert json.loads(folders.done(cell).read_text()) == before


def test_a_folder_of_other_settings_is_refused(toy: Experiment, ran: Folders) -> None:
    from dataclasses import replace

    other = replace(toy, train=replace(toy.train, steps=4))
    with pytest.raises(TrainingError, match="other settings; use another --out"):
        run(other, ran, quiet=True)
    more = replace(toy, seeds=(0, 1, 2), conditions=("none",))
    assert run(more, ran, quiet=True).kept == ["toy.none"]


def test_data_that_were_built_again_with_other_rows_are_refused(
    toy: Experiment, ran: Folders, tmp_path: Path
) -> None:
    from dataclasses import replace

    pairs = tmp_path / "pairs"
    shutil.copytree(toy.pairs, pairs)
    same = replace(toy, pairs=str(pairs))
    assert len(run(same, ran, quiet=True).kept) == 5
    manifest = json.loads((pairs / "manifest.json").read_text())
    manifest["content_digest"] = "0" * 32
    (pairs / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(TrainingError, match="with other pairs; use another --out"):
        run(same, ran, quiet=True)


def test_a_cell_that_fails_does_not_stop_the_others(toy: Experiment, tmp_path: Path) -> None:
    from dataclasses import replace

    wrong = replace(
        toy, domains=("travel", "nowhere"), seeds=(0,), conditions=("none", "in-domain")
    )
    done = run(wrong, Folders(tmp_path), quiet=True)
    assert "toy.none" in done.made
    assert list(done.failed) == ["toy.in-domain-nowhere.s0"]


def test_effects_are_the_paired_differences_of_the_result_files(
    toy: Experiment, ran: Folders
) -> None:
    from webfaq_eval.results import read_queries

    found = find_effects(toy, ran)
    row = next(
        one for one in found
        if (one.control, one.test_domain, one.direction) == ("random", "health", "forward")
    )  # fmt: skip
    sums = {}
    for kind in ("in-domain", "random"):
        values = []
        for seed in (0, 1):
            record = json.loads((ran.out / f"cells/toy.{kind}-health.s{seed}.json").read_text())
            for name in record["results"]:
                if Path(name).name in (
                    "tatoeba_deu_health.test.json",
                    "tatoeba_swa_health.test.json",
                ):
                    table = read_queries(ran.results / name)
                    values += table["official/accuracy"].to_pylist()
        sums[kind] = float(np.mean(values))
    assert row.in_domain == pytest.approx(sums["in-domain"])
    assert row.difference == pytest.approx(sums["in-domain"] - sums["random"])
    assert row.seeds == 2 and row.languages == 2 and row.items < row.queries
    assert row.low <= row.difference <= row.high
    controls = {one.control for one in found}
    assert controls == {"random", "none"}


def test_no_effect_without_a_control(toy: Experiment, ran: Folders, tmp_path: Path) -> None:
    folders = Folders(tmp_path / "out")
    shutil.copytree(ran.out, folders.out)
    for path in (folders.out / "cells").glob("*in-domain*"):
        path.unlink()
    with pytest.raises(ResultError, match="experiment status"):
        find_effects(toy, folders)


@pytest.mark.needs("plot")
def test_the_commands_plan_run_status_report(toy: Experiment, toy_file: Path, ran: Folders) -> None:
    places = ["--pairs", toy.pairs, "--benchmark", toy.benchmark]
    places += ["--encoder", f"toy={toy.starts['toy'].encoder}", "--out", str(ran.out)]

    def call(command: str, *more: str) -> str:
        done = CliRunner().invoke(main, ["experiment", command, str(toy_file), *places, *more])
        assert done.exit_code == 0, done.output
        return done.stdout

    assert json.loads(call("plan", "--json"))["left"] == 0
    assert len(json.loads(call("run", "--json"))["kept"]) == 5
    assert "5 cells, 0 to do" in call("status")
    assert "domain-match effect" in call("report")
    page = (ran.out / "report/report.html").read_text()
    assert "In-domain minus random" in page and "data:image/png;base64" in page
    assert (ran.out / "report/report.tex").is_file()
    assert json.loads((ran.out / "report/effects.json").read_text())["cells_missing"] == []


def test_the_interval_over_seeds_and_items_covers() -> None:
    rng = np.random.default_rng(3)
    items = np.repeat(np.arange(40), 3)
    inside = 0
    for trial in range(150):
        truth = 0.05
        seeds = rng.normal(0, 0.04, (5, 1))
        of_item = np.repeat(rng.normal(0, 0.15, 40), 3)[None, :]
        noise = rng.normal(0, 0.1, (5, 120))
        low, high = two_way_bootstrap(
            np.clip(truth + seeds + of_item + noise, -1, 1), items, samples=400, seed=trial
        )
        inside += low <= truth <= high
    assert inside / 150 >= 0.88  # five seeds: somewhat below 95 %


def test_one_seed_gives_the_interval_over_items() -> None:
    from webfaq_eval.statistics.intervals import difference_bootstrap

    values = np.random.default_rng(0).uniform(-0.2, 0.4, 30)
    items = np.arange(30)
    assert two_way_bootstrap(values[None, :], items) == pytest.approx(
        difference_bootstrap(values, items)
    )
    with pytest.raises(ResultError, match="seeds, queries"):
        two_way_bootstrap(values, items)


def test_cells_that_share_an_encoder_are_the_models_they_would_be_alone(
    toy: Experiment, ran: Folders, tmp_path: Path
) -> None:
    """Sharing saves time and disk; weights, scores and what stock code loads are the same."""
    from sentence_transformers import SentenceTransformer

    shared, alone = cells_of(toy)[1:3], Folders(tmp_path / "alone")
    first, second = (ran.model(cell) for cell in shared)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (first / name).samefile(second / name)
    assert not (first / "3_Dense/model.safetensors").samefile(second / "3_Dense/model.safetensors")
    for cell in shared:
        make(cell, toy, alone, (Shared(), SharedEncoder()))
        for path in sorted(alone.model(cell).rglob("*")):
            same = ran.model(cell) / path.relative_to(alone.model(cell))
            assert path.is_dir() == same.is_dir()
            if path.suffix in (".safetensors", ".parquet") or path.name in (
                "modules.json",
                "tokenizer.json",
                "config.json",
            ):
                assert path.read_bytes() == same.read_bytes(), path.name
        texts = ["Wie geht das?", "Habari"]
        models = [SentenceTransformer(str(f.model(cell)), device="cpu") for f in (alone, ran)]
        vectors = [model.encode(texts) for model in models]
        assert np.array_equal(*vectors)
        records = [json.loads(f.done(cell).read_text())["results"] for f in (alone, ran)]
        scores = [
            [json.loads((f.results / p).read_text())["scores"] for p in sorted(found)]
            for f, found in zip((alone, ran), records, strict=True)
        ]
        assert scores[0] == scores[1] and scores[0]


def test_a_model_is_whole_where_the_one_it_would_share_with_is_gone(
    toy: Experiment, ran: Folders, tmp_path: Path
) -> None:
    folders, shared = Folders(tmp_path / "out"), (Shared(), SharedEncoder())
    first, second = cells_of(toy)[1:3]
    make(first, toy, folders, shared)
    (folders.model(first) / "tokenizer.json").unlink()
    make(second, toy, folders, shared)
    for name in ("model.safetensors", "tokenizer.json", "3_Dense/model.safetensors"):
        whole = (folders.model(second) / name).read_bytes()
        assert whole == (ran.model(second) / name).read_bytes(), name


def test_a_model_with_other_weights_below_the_head_is_not_taken_for_the_shared_one(
    toy: Experiment, ran: Folders, tmp_path: Path
) -> None:
    cell = cells_of(toy)[1]
    changed = Path(shutil.copytree(ran.model(cell), tmp_path / "changed"))
    from safetensors.torch import load_file, save_file

    weights = load_file(changed / "model.safetensors")
    save_file(
        {n: w + 0.05 for n, w in weights.items()}, changed / "model.safetensors", {"format": "pt"}
    )
    bodies = SharedEncoder()
    texts = ["Wie geht das?"]
    vectors = [
        bodies.retriever(Settings(str(folder)), tmp_path / "vectors").vectors(texts, "query")[:]
        for folder in (ran.model(cell), changed, ran.model(cell))
    ]
    assert np.array_equal(vectors[0], vectors[2])
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    alone = open_retriever(Settings(str(changed)), tmp_path / "other").vectors(texts, "query")[:]
    assert np.array_equal(vectors[1], alone)
