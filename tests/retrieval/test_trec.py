"""What is exported for TREC tools says the same as the subset."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_retrieval import SmallRetrieval

from webfaq_domains.cli import main
from webfaq_domains.ground.errors import RecipeError, StagedError
from webfaq_domains.ground.trec import read_run
from webfaq_domains.retrieval.export import Wanted, export_folder, export_trec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small = SmallRetrieval(tmp_path / "staged")
    small.add(
        "lareqa",
        "deu",
        [("q1", "Wer baute\tden Turm?\n"), ("q2", "Wann?")],
        [("c1", "Ein Satz.", "Ein Satz. Noch einer."), ("c2", "", "日本語 “quoted”")],
        [("q1", "c1", "official"), ("q2", "c2", "official"), ("q2", "c1", "duplicate")],
        domains={"q1": "health"},
    )
    small.narrow("health")
    small.add("bucc", "fra", [("q1", "")], [("c1", "", "")], [("q1", "c1", "official")])
    small.add("tatoeba", "fra", [("a b", "x")], [("c1", "", "y")], [("a b", "c1", "official")])
    small.add(
        "mewslix", "fra", [("q", "x")], [("c", "", "y")], [("q", "c", "official")], "validation"
    )
    return small.finish()


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_queries_documents_and_judgements_are_the_subset(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported = export_trec(folder, out, "lareqa_deu", quiet=True)
    assert set(exported.files) == {
        f"lareqa_deu/{name}" for name in ("queries.tsv", "docs.jsonl", "qrels.txt", "qrels_dup.txt")
    }
    assert lines(out / "lareqa_deu/queries.tsv") == ["q1\tWer baute den Turm?", "q2\tWann?"]
    assert [json.loads(line) for line in lines(out / "lareqa_deu/docs.jsonl")] == [
        {"doc_id": "c1", "title": "Ein Satz.", "text": "Ein Satz. Noch einer."},
        {"doc_id": "c2", "title": "", "text": "日本語 “quoted”"},
    ]
    assert lines(out / "lareqa_deu/qrels.txt") == ["q1 0 c1 1", "q2 0 c2 1"]
    assert lines(out / "lareqa_deu/qrels_dup.txt") == ["q1 0 c1 1", "q2 0 c2 1", "q2 0 c1 1"]


def test_a_domain_has_its_own_queries_and_shares_the_documents(
    folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for _ in range(2):  # a second export replaces the first
        export_trec(folder, out, "lareqa_*", quiet=True)
    assert lines(out / "lareqa_deu_health/queries.tsv") == ["q1\tWer baute den Turm?"]
    assert lines(out / "lareqa_deu_health/qrels.txt") == ["q1 0 c1 1"]
    assert not (out / "lareqa_deu_health/qrels_dup.txt").exists()
    whole, part = (out / name / "docs.jsonl" for name in ("lareqa_deu", "lareqa_deu_health"))
    assert whole.samefile(part)


def test_another_split_has_its_own_folder(folder: Path, tmp_path: Path) -> None:
    exported = export_trec(folder, tmp_path / "out", "mewslix_*", quiet=True)
    assert "mewslix_fra.validation/queries.tsv" in exported.files


def test_ir_measures_reads_the_judgements_and_the_run(folder: Path, tmp_path: Path) -> None:
    ir_measures = pytest.importorskip("ir_measures", reason="the outside reader of TREC files")
    out = tmp_path / "out"
    export_trec(folder, out, "lareqa_deu", quiet=True)
    run = tmp_path / "run.txt"
    run.write_text("q1 Q0 c2 1 0.9 t\nq1 Q0 c1 2 0.8 t\nq2 Q0 c1 1 0.7 t\nq2 Q0 c2 2 0.1 t\n")
    scored = {}
    for name in ("qrels", "qrels_dup"):
        qrels = list(ir_measures.read_trec_qrels(str(out / f"lareqa_deu/{name}.txt")))
        found = ir_measures.calc_aggregate(
            [ir_measures.RR @ 10], qrels, ir_measures.read_trec_run(str(run))
        )
        scored[name] = found[ir_measures.RR @ 10]
    assert scored == {"qrels": 0.5, "qrels_dup": 0.75}
    assert read_run(run) == {"q1": ["c2", "c1"], "q2": ["c1", "c2"]}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("nothing*", "no subset .* matches 'nothing\\*'; it has bucc_fra, lareqa_deu"),
        ("bucc_*", "holds no texts of bucc"),
        ("tatoeba_*", "'a b' is empty or has white space"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    folder: Path, tmp_path: Path, pattern: str, message: str
) -> None:
    with pytest.raises(StagedError, match=message):
        export_trec(folder, tmp_path / "out", pattern, quiet=True)


@pytest.mark.parametrize(
    "line", ["q1 Q0 c1 1", "q1 Q0 c1 first 0.3 t", "q1 Q0 c1 1 high t", "q1 Q0 c1 1 nan t"]
)
def test_a_line_that_is_no_run_is_named(tmp_path: Path, line: str) -> None:
    run = tmp_path / "run.txt"
    run.write_text(f"q1 Q0 c1 1 0.5 t\n{line}\n")
    with pytest.raises(StagedError, match=r"run\.txt:2: expected"):
        read_run(run)


@pytest.mark.parametrize("wanted", [Wanted(), Wanted(trec=Path("x"), run=Path("y"))])
def test_nothing_wanted_is_refused(folder: Path, wanted: Wanted) -> None:
    with pytest.raises(RecipeError, match="name a folder with"):
        export_folder(folder, wanted)


def test_the_command_says_what_it_wrote(folder: Path, tmp_path: Path) -> None:
    arguments = ["export", str(folder), "--trec", str(tmp_path / "out"), "--subset", "lareqa_deu"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0 and "4 files" in shown.stdout
    shown = CliRunner().invoke(main, [*arguments, "--json"])
    assert len(json.loads(shown.stdout)["trec"]["files"]) == 4
    shown = CliRunner().invoke(main, ["export", str(tmp_path), "--trec", str(tmp_path / "x")])
    assert shown.exit_code == 1 and "is not a staged retrieval folder" in shown.stderr
