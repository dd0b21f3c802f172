"""The repository of XTREME-R subsets: staged, checked, and loaded by stock clients."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from toybuild import sha256_of
from toyreleases import write_bucc, write_lareqa, write_mewslix, write_tatoeba
from webfaq_domains.builders.xtreme_r import XtremeOptions, build

from webfaq_domains.cli import main
from webfaq_domains.ground.errors import RecipeError, SourceError, StagedError
from webfaq_domains.ground.files import file_sha256
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.release.check import check_folder
from webfaq_domains.retrieval.judged import text_key
from webfaq_domains.retrieval.layout import Place
from webfaq_domains.retrieval.texts import fill_texts

#: A subset of a domain pool that leaves queries of its language out.
POOLED = "tatoeba_deu_health_pool"
SHARED = Path(__file__).parents[2] / "../shared/data/xtreme_r"


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> XtremeOptions:
    """Return what builds all four toy releases, `multi` subsets as configs among them."""
    base = tmp_path_factory.mktemp("xtreme")
    recipe = base / "mine.toml"
    recipe.write_text("[configs]\nmulti = true\n", "utf-8")
    tasks = (
        ("bucc", write_bucc(base / "bucc")),
        ("lareqa", write_lareqa(base / "lareqa")),
        ("mewslix", write_mewslix(base / "mewslix")),
        ("tatoeba", write_tatoeba(base / "tatoeba")),
    )
    out = base / "out"
    return XtremeOptions(tasks, out, min_queries=2, partial=True, recipe=recipe, quiet=True)


@pytest.fixture(scope="module")
def built(options: XtremeOptions) -> Path:
    return build(options).out


def subsets(folder: Path) -> list[dict[str, Any]]:
    entries = to_json(Manifest.read(folder).retrieval.subsets)
    found: list[dict[str, Any]] = entries
    return found


def test_it_is_fine_and_every_config_loads(built: Path) -> None:
    result = check_folder(built)
    assert [str(problem) for problem in result.problems] == []
    assert result.configs_loaded == Manifest.read(built).configs.count
    assert result.configs_loaded > 40


def test_the_tables_are_those_of_the_contract(built: Path) -> None:
    names = {name: (s["queries"], s["corpus"], s["qrels"], s["duplicates"])
             for s in subsets(built) if s["domain"] is None and s["split"] == "test"
             for name in [s["name"]]}  # fmt: skip
    assert names == {
        "bucc_deu": (2, 3, 2, 0),
        "lareqa_deu": (3, 15, 9, 1),
        "lareqa_eng": (3, 15, 9, 1),
        "lareqa_zho": (3, 15, 9, 1),
        "mewslix_deu": (1, 3, 1, 0),
        "mewslix_eng": (1, 3, 1, 0),
        "tatoeba_deu": (8, 8, 8, 2),
        "tatoeba_fra": (7, 7, 7, 0),
    }
    corpus = pq.read_table(built / "data/tatoeba/corpus/deu-test-00000-of-00001.parquet")
    assert corpus.column_names == [
        "id",
        "title",
        "text",
        "language",
        "domain",
        "membership",
        "item",
    ]
    qrels = pq.read_table(built / "data/tatoeba/qrels/deu-test-00000-of-00001.parquet").to_pylist()
    extra = [(q["query-id"], q["corpus-id"]) for q in qrels if q["kind"] == "duplicate"]
    assert extra == [("deu-0007", "deu-0008-eng"), ("deu-0008", "deu-0007-eng")]


def test_an_item_has_one_label_in_every_language(built: Path) -> None:
    for task in ("tatoeba", "lareqa"):
        labels: dict[str, set[tuple[str, str]]] = {}
        for path in built.glob(f"data/{task}/queries/*.parquet"):
            for row in pq.read_table(path).to_pylist():
                labels.setdefault(row["item"], set()).add((row["domain"], row["membership"]))
        assert labels
        assert all(len(found) == 1 for found in labels.values())


def test_mewslix_has_its_entities_once_for_both_splits(built: Path) -> None:
    assert [path.name for path in (built / "data/mewslix/corpus").iterdir()] == [
        "all-test-00000-of-00001.parquet"
    ]
    splits = {s["split"] for s in subsets(built) if s["task"] == "mewslix"}
    assert splits == {"validation", "test"}


def test_what_may_not_go_out_is_ids_and_labels_and_can_be_filled(
    built: Path, options: XtremeOptions, tmp_path: Path
) -> None:
    bare = pq.read_table(built / "data/bucc/corpus/deu-test-00000-of-00001.parquet")
    assert set(bare["text"].to_pylist()) == {""}
    assert len(set(bare["id"].to_pylist())) == 3
    whole = build(replace(options, out=tmp_path / "whole", with_text=True)).out
    assert (
        "The bank lends money."
        in pq.read_table(whole / "data/bucc/corpus/deu-test-00000-of-00001.parquet")[
            "text"
        ].to_pylist()
    )
    filled = fill_texts(built, [options.tasks[0]], tmp_path / "filled").out
    assert sha256_of(filled) == sha256_of(whole)
    other = shutil.copytree(options.tasks[0][1], tmp_path / "other")
    (other / "de-en.training.en").write_text("en-1\tx\nen-2\ty\nen-3\tz\n", "utf-8")
    with pytest.raises(SourceError, match=r"training\.en is not the file that was published"):
        fill_texts(built, [("bucc", other)], tmp_path / "again")
    with pytest.raises(StagedError, match="waits for the texts of bucc"):
        fill_texts(built, [], tmp_path / "again")
    with pytest.raises(StagedError, match="waits for the texts of no task"):
        fill_texts(filled, [options.tasks[0]], tmp_path / "again")


def test_the_same_input_gives_the_same_bytes(
    built: Path, options: XtremeOptions, tmp_path: Path
) -> None:
    again = build(replace(options, out=tmp_path / "again"))
    assert sha256_of(again.out) == sha256_of(built)
    assert build(replace(options, out=tmp_path / "again")).already_there
    with pytest.raises(StagedError, match="choose another --out"):
        build(replace(options, out=tmp_path / "again", min_queries=3))


def load_with_mteb(folder: Path, names: list[str]) -> None:
    """Load subsets with mteb's own loader and hold the counts against the manifest's."""
    reason = "mteb belongs to the evaluation; pip install mteb"
    loaders = pytest.importorskip("mteb.abstasks.retrieval_dataset_loaders", reason=reason)
    for subset in [s for s in subsets(folder) if s["name"] in names]:
        loader = loaders.RetrievalDatasetLoader(
            hf_repo=str(folder), revision=None, split=subset["split"], config=subset["name"]
        )
        data = loader.load()
        assert len(data["corpus"]) == subset["corpus"]
        assert len(data["queries"]) == len(data["relevant_docs"]) == subset["queries"]
        assert sum(map(len, data["relevant_docs"].values())) == subset["qrels"]


def test_mteb_loads_subsets_of_every_kind(built: Path) -> None:
    load_with_mteb(built, [POOLED, "mewslix_eng"])


@pytest.mark.slow
def test_mteb_loads_every_subset(built: Path) -> None:
    load_with_mteb(built, [s["name"] for s in subsets(built)])


def test_load_dataset_filters_and_streams(built: Path) -> None:
    from datasets import load_dataset

    rows = load_dataset(str(built), "tatoeba_deu_health-queries", split="test")
    assert set(rows["domain"]) == {"health"}
    both = load_dataset(str(built), "tatoeba_deu-qrels_dup", split="test", streaming=True)
    assert [row["kind"] for row in both].count("duplicate") == 2
    # The sample has no sentence without a pair, and `datasets` cannot read an empty file.
    assert list(load_dataset(str(built), "bucc_deu-unpaired")) == ["test"]


def test_the_card_says_what_the_manifest_has(built: Path) -> None:
    card, manifest = (built / "README.md").read_text("utf-8"), Manifest.read(built)
    sizes = to_json(manifest.sizes)
    assert f"{sizes['data']:,} bytes, {sizes['ratio']:.2f} times" in card
    assert (
        "| `bucc` | not stated by the shared task; texts of Wikipedia and news | no: ids and labels only |"
        in card
    )
    for task, agreements in (manifest.extra.stability or {}).items():
        for entry in agreements:
            assert f"| {task} | {entry.side} | {entry.items} | {entry.share:.1%} |" in card
    assert manifest.ledger.rows_in == manifest.ledger.rows_out


def change(folder: Path, **values: Any) -> None:
    """Change a subset of a domain pool in the manifest."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text("utf-8"))
    subset = next(s for s in manifest["extra"]["retrieval"]["subsets"] if s["name"] == POOLED)
    subset.update(values)
    path.write_text(
        json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8"
    )


def test_what_is_wrong_is_found(built: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(built, tmp_path / "copy")
    change(folder, queries=99)
    assert any(
        "the manifest says {" in p.what and "99" in p.what for p in check_folder(folder).problems
    )
    folder = shutil.copytree(built, tmp_path / "narrow")
    read = next(s for s in subsets(built) if s["name"] == POOLED)["read"]
    change(
        folder,
        read={**read, "corpus": {**read["corpus"], "filters": [["membership", "==", "none"]]}},
    )
    assert any(
        p.what == "a right candidate is not in the pool" for p in check_folder(folder).problems
    )
    folder = shutil.copytree(built, tmp_path / "loose")
    change(folder, read={**read, "queries": {**read["queries"], "filters": []}})
    assert any(p.what == "a query has no qrels" for p in check_folder(folder).problems)
    (folder / Manifest.read(folder).files[0].path).unlink()
    assert any("not there" in p.what for p in check_folder(folder).problems)
    folder = shutil.copytree(built, tmp_path / "card")
    (folder / "README.md").write_text("mine", "utf-8")
    assert [p.place for p in check_folder(folder).problems] == ["README.md"]


def test_paths_name_their_table() -> None:
    place = Place("webfaq", "queries", "deu_x_eng", "test")
    assert Place.of_path(place.path(0, 1)) == place


def test_options_are_refused_before_any_work(options: XtremeOptions, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    for arguments, words in (
        (["--task", "tatoeba"], "expected NAME=DIR"),
        ([*["--task", f"tatoeba={options.tasks[3][1]}"] * 2], "tatoeba is given twice"),
        (["--task", "xnli=."], "unknown benchmark"),
        (["--task", f"tatoeba={options.tasks[3][1]}"], "no files for afr"),
        (
            ["--task", f"tatoeba={options.tasks[3][1]}", "--languages", "q1q"],
            "not a known ISO 639",
        ),
        (
            ["--task", f"tatoeba={options.tasks[3][1]}", "--languages", "deu,"],
            "not a known ISO 639",
        ),
        (
            ["--task", f"tatoeba={options.tasks[3][1]}", "--languages", "deu,yor", "--partial"],
            "no --task has yor",
        ),
    ):
        shown = CliRunner().invoke(main, ["build", "xtreme-r", *arguments, "--out", out])
        assert shown.exit_code == 1
        assert words in shown.stderr
    assert not (tmp_path / "out").exists()
    with pytest.raises(RecipeError, match="unknown table"):
        mine = tmp_path / "mine.toml"
        mine.write_text("[nonsense]\n", "utf-8")
        build(replace(options, recipe=mine, out=tmp_path / "out"))


def test_the_commands_build_and_fill(options: XtremeOptions, tmp_path: Path) -> None:
    run = CliRunner().invoke
    bucc = f"bucc={options.tasks[0][1]}"
    shown = run(
        main,
        [
            "build",
            "xtreme-r",
            "--task",
            bucc,
            "--partial",
            "--json",
            "--min-queries",
            "1",
            "--out",
            str(tmp_path / "a"),
        ],
    )
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["sizes"]["raw_text"] == 0
    shown = run(
        main,
        [
            "build",
            "texts",
            "--published",
            str(tmp_path / "a"),
            "--task",
            bucc,
            "--out",
            str(tmp_path / "b"),
        ],
    )
    assert shown.exit_code == 0, shown.output
    assert "staged: " in shown.stdout
    assert run(main, ["check", "--no-load", str(tmp_path / "b")]).exit_code == 0


@pytest.mark.slow
@pytest.mark.needs_data("xtreme_r")
def test_the_real_releases_build_small_and_fine(tmp_path: Path) -> None:
    tasks = (("lareqa", SHARED / "lareqa"), ("tatoeba", SHARED / "tatoeba/v1"))
    staged = build(XtremeOptions(tasks, tmp_path / "out", quiet=True))
    manifest = staged.manifest
    whole = {s["name"]: s for s in subsets(staged.out) if s["domain"] is None}
    assert len(whole) == 52
    assert (whole["lareqa_deu"]["corpus"], whole["lareqa_deu"]["qrels"]) == (13_014, 13_090)
    assert whole["tatoeba_swa"]["queries"] == 390
    assert manifest.sizes.ratio < 1.2
    assert check_folder(staged.out).fine


def judge_all(options: XtremeOptions, folder: Path, lines: int | None = None) -> XtremeOptions:
    """Return a build of the toy Tatoeba whose first English sides are judged: health, or doubtful."""
    tasks = tuple(task for task in options.tasks if task[0] == "tatoeba")
    texts = {
        line.strip()
        for path in tasks[0][1].rglob("*.eng")
        for line in path.read_text("utf-8").splitlines()
    }
    rows = [f"{text_key(text)}\thealth\tother|legal\t1" for text in sorted(texts)[:lines]]
    labels = folder / "judged.tsv"
    labels.write_text("\n".join(["key\tdomain\talso\tdoubtful", *rows]) + "\n", "utf-8")
    judged = (("tatoeba", labels),)
    return replace(options, tasks=tasks, labels=judged, out=folder / "out", recipe=None)


def test_judged_items_need_no_labeler(options: XtremeOptions, tmp_path: Path) -> None:
    out = build(replace(judge_all(options, tmp_path), labeler="no/such/labeler")).out
    assert check_folder(out).problems == []
    rows = pq.read_table(out / "data/tatoeba/queries/deu-test-00000-of-00001.parquet").to_pylist()
    assert {(r["domain"], r["membership"], r["domain_score"]) for r in rows} == {
        ("health", "health+legal", None)
    }
    manifest = Manifest.read(out)
    assert [(pin.kind, pin.name) for pin in manifest.labelers] == [("judged", "judged.tsv")]
    assert manifest.labelers[0].revision == file_sha256(tmp_path / "judged.tsv")


def test_the_labeler_decides_what_nobody_judged(options: XtremeOptions, tmp_path: Path) -> None:
    out = build(judge_all(options, tmp_path, lines=3)).out
    rows = pq.read_table(out / "data/tatoeba/queries/deu-test-00000-of-00001.parquet").to_pylist()
    assert {row["domain_score"] is None for row in rows} == {True, False}
    assert [pin.kind for pin in Manifest.read(out).labelers] == ["judged", "student"]


def test_labels_of_no_task_are_refused(options: XtremeOptions, tmp_path: Path) -> None:
    wrong = replace(judge_all(options, tmp_path), labels=(("bucc", tmp_path / "judged.tsv"),))
    with pytest.raises(RecipeError, match="--labels bucc: there is no --task bucc"):
        build(wrong)
