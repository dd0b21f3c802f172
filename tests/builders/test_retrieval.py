"""The validation and test splits of a staged data set as retrieval subsets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from toybuild import Toy, sha256_of
from webfaq_domains.builders.retrieval import RetrievalOptions, build

from webfaq_domains.cli import main
from webfaq_domains.ground.errors import RecipeError, SourceError, StagedError
from webfaq_domains.ground.manifest import Manifest
from webfaq_domains.ground.records import to_json
from webfaq_domains.release.check import check_folder
from webfaq_domains.retrieval.readers.faq import Asked, Groups, faq_task, group_pairs, label_table

#: Two thirds to the test split, the rest mostly to validation; no quota.
SPLIT = '[about]\nlicense = "apache-2.0"\n[split]\nvalidation = 0.3\ntest = 0.65\n'
#: The toy's ids are `<language>-<domain>-<number>`; for this test equal ends are translations.
RULE = r"source_id:^[a-z]{3}-(\w+-\d+)$"


@pytest.fixture(scope="module")
def dataset(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("retrieval")
    (base / "split.toml").write_text(SPLIT, "utf-8")
    return toy.build(base / "faq", recipe=base / "split.toml", languages=("eng", "hin", "rus")).out


@pytest.fixture(scope="module")
def staged(dataset: Path) -> Path:
    options = RetrievalOptions(dataset, dataset.with_name("out"), (RULE,), min_queries=4)
    return build(options).out


def subsets(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = to_json(Manifest.read(folder).retrieval.subsets)
    return {(s["name"], s["split"]): s for s in found}


def pairs(*rows: tuple[str, str, str, str]) -> pa.Table:
    """Return rows of (id, language, question, answer) as `read_pairs` gives them."""
    table = pa.Table.from_pylist(
        [dict(zip(("id", "language", "question", "answer"), row, strict=True)) for row in rows]
    )
    table = table.append_column("domain", pa.array([f"d{row[0]}" for row in rows]))
    table = table.append_column("domain_score", pa.array([0.5] * len(rows), pa.float32()))
    table = table.append_column("domains", pa.array([[f"d{row[0]}"] for row in rows]))
    table = table.append_column("origin", pa.array(["faq.example"] * len(rows)))
    return table.append_column("split", pa.array(["test"] * len(rows)))


def test_it_is_fine_and_has_both_splits_and_cross_lingual_subsets(staged: Path) -> None:
    result = check_folder(staged)
    assert [str(problem) for problem in result.problems] == []
    found = subsets(staged)
    assert {split for _, split in found} == {"validation", "test"}
    names = {name for name, _ in found}
    assert {
        "webfaq_hin",
        "webfaq_eng",
        "webfaq_rus",
        "webfaq_rus_x_eng",
        "webfaq_eng_x_rus",
    } <= names
    # English is on one side of every cross-lingual subset unless the recipe says otherwise.
    assert not {name for name in names if "hin_x_rus" in name}
    assert any("_health" in name for name in names)


def test_questions_in_one_language_find_answers_in_another(staged: Path, dataset: Path) -> None:
    faq = pa.concat_tables(
        pq.read_table(path) for path in sorted(dataset.glob("data/*/*/test-*.parquet"))
    )
    source = dict(zip(faq["id"].to_pylist(), faq["source_id"].to_pylist(), strict=True))
    qrels = pq.read_table(staged / "data/webfaq/qrels/rus_x_eng-test-00000-of-00001.parquet")
    official = qrels.filter(pc.equal(qrels["kind"], "official")).to_pylist()
    assert official
    for row in official:
        asked = source[row["query-id"]]
        answered = source[row["corpus-id"].removesuffix("-answer")]
        assert (asked[:3], answered[:3], asked[4:]) == ("rus", "eng", answered[4:])


def test_the_ledger_counts_every_text(staged: Path, dataset: Path) -> None:
    ledger = Manifest.read(staged).ledger
    rows = sum(f.rows for f in Manifest.read(dataset).files if "/train-" not in f.path)
    again = sum(
        s["queries"] for s in subsets(staged).values() if "_x_" in s["language"] and not s["domain"]
    )
    assert ledger.rows_in == 2 * rows + again == ledger.rows_accounted


def test_the_same_input_gives_the_same_bytes(staged: Path, dataset: Path, tmp_path: Path) -> None:
    again = build(RetrievalOptions(dataset, tmp_path / "again", (RULE,), min_queries=4))
    assert sha256_of(again.out) == sha256_of(staged)
    with pytest.raises(StagedError, match="choose another --out"):
        build(RetrievalOptions(dataset, tmp_path / "again", min_queries=4))


def test_equal_answers_are_one_candidate() -> None:
    rows = pairs(
        ("1", "eng", "a?", "Yes,  it is."),
        ("2", "eng", "b?", "Yes, it is."),
        ("3", "eng", "c?", "No."),
    )
    task, dropped = faq_task(rows, Groups(), Asked(1, "eng"), "cc0-1.0")
    assert task.pools[0].candidates["id"].to_pylist() == ["1-answer", "3-answer"]
    right = task.parts[0].right.to_pylist()
    assert [(r["query-id"], r["corpus-id"]) for r in right] == [
        ("1", "1-answer"),
        ("2", "1-answer"),
        ("3", "3-answer"),
    ]
    assert dropped == {"MergeAnswers": {"equal_answer": 1}}


def test_a_language_with_too_few_queries_is_counted_as_dropped() -> None:
    rows = pairs(("1", "eng", "a?", "x"), ("2", "eng", "b?", "y"), ("3", "deu", "c?", "z"))
    task, dropped = faq_task(rows, Groups(), Asked(2, "eng"), "cc0-1.0")
    assert [part.language for part in task.parts] == ["eng"]
    assert dropped == {"KeepLanguages": {"too_few_queries": 2}}


def test_translations_are_one_item_with_the_english_label() -> None:
    rows = pairs(
        ("1", "deu", "a?", "x"),
        ("2", "eng", "b?", "y"),
        ("3", "deu", "c?", "z"),
        ("4", "fra", "d?", "w"),
    )
    groups = Groups()
    groups.join("1", "2")
    groups.join("4", "3")
    labels = {r["item"]: r["domain"] for r in label_table(rows, groups).to_pylist()}
    assert labels == {"1": "d2", "3": "d3"}
    task, _ = faq_task(rows, groups, Asked(1, pivot=""), "cc0-1.0")
    assert [part.language for part in task.parts] == [
        "deu",
        "deu_x_eng",
        "deu_x_fra",
        "eng",
        "eng_x_deu",
        "fra",
        "fra_x_deu",
    ]
    only_english = faq_task(rows, groups, Asked(1, "eng"), "cc0-1.0")[0]
    assert "deu_x_fra" not in {part.language for part in only_english.parts}


def test_groups_are_named_by_their_smallest_id_in_whatever_order_they_are_met() -> None:
    for links in ([("c", "b"), ("a", "b"), ("d", "c")], [("d", "c"), ("b", "a"), ("b", "c")]):
        groups = Groups()
        for link in links:
            groups.join(*link)
        assert [groups.find(name) for name in "abcde"] == ["a", "a", "a", "a", "e"]


def bitext(folder: Path, **changed: object) -> Path:
    row: dict[str, object] = {
        "language1": "de", "language2": "eng", "question1": "Was ist das", "question2": "what is it?",
        "answer1": "Ein Ding.", "answer2": "A thing.",
    }  # fmt: skip
    path = folder / "bitext.jsonl"
    path.write_text(json.dumps({**row, **changed}) + "\n", "utf-8")
    return path


def test_bitext_files_link_the_pairs_they_name(tmp_path: Path) -> None:
    rows = pairs(
        ("1", "deu", "Was ist das?", "Ein Ding."),
        ("2", "eng", "What is it?", "A thing."),
        ("3", "eng", "What?", "x"),
    )
    for rule in (bitext(tmp_path), tmp_path / "bitext.parquet"):
        if rule.suffix == ".parquet":
            pq.write_table(
                pa.Table.from_pylist([json.loads(bitext(tmp_path).read_text("utf-8"))]), rule
            )
        groups, links = group_pairs(rows, [str(rule)])
        assert (groups.find("2"), groups.find("3")) == ("1", "3")
        assert links == {rule.name: 1}
    with pytest.raises(SourceError, match=r"bitext\.jsonl:1: a bitext row needs the texts"):
        group_pairs(rows, [str(bitext(tmp_path, answer2=None))])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("nonsense", "neither a file nor a text column"),
        ("question:(", "not a regular expression"),
        ("question:a", "needs one group"),
        ("domains", "neither a file nor a text column"),
    ],
)
def test_rules_are_refused(rule: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        group_pairs(pairs(("1", "deu", "a?", "x")), [rule])


def test_only_a_data_set_can_be_turned(staged: Path, tmp_path: Path) -> None:
    arguments = ["build", "retrieval", "--dataset", str(staged), "--out", str(tmp_path / "x")]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 1
    assert "holds webfaq-domains-retrieval; expected what `build webfaq` makes" in shown.stderr
