"""The commands, run as a user runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from toybuild import Toy, run_cli, sha256_of

from webfaq_domains.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def document(shown: Result) -> dict[str, Any]:
    """Return the one JSON document that is all of stdout."""
    assert shown.stderr == ""
    found: dict[str, Any] = json.loads(shown.stdout)
    assert shown.stdout.startswith("{")
    assert shown.stdout.endswith("}\n")
    return found


def test_build_shows_the_table_and_progress_apart(toy: Toy, small: Path, tmp_path: Path) -> None:
    """In a process of its own, with the default number of workers."""
    shown = run_cli(*toy.arguments(tmp_path / "out"), "--languages", "en,rus")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("language  commerce  education")
    assert shown.stdout.endswith(f"staged: {tmp_path / 'out'}\n")
    assert "it/s" not in shown.stdout
    assert "read" in shown.stderr
    assert "rows/s" in shown.stderr
    assert sha256_of(tmp_path / "out") == sha256_of(small)


def test_build_prints_one_document(toy: Toy, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [*toy.arguments(out), "--workers", 1, "--languages", "en,rus", "--json"]
    first = document(run(*arguments, "--keep-dropped"))
    assert first["out"] == str(out)
    assert first["already_there"] is False
    assert first["quarantine"] == f"{out}.quarantine.jsonl"
    assert first["dropped"] == f"{out}.dropped"
    assert set(first["cells"]) == {"eng", "rus"}
    assert first["ledger"]["rows_in"] == 298
    before = sha256_of(tmp_path)
    assert document(run(*arguments)) == {
        **first, "already_there": True, "quarantine": None, "dropped": None,
    }  # fmt: skip
    assert sha256_of(tmp_path) == before


def test_a_build_that_is_there_already_is_a_quiet_success(toy: Toy, built: Path) -> None:
    before = sha256_of(built.parent)
    shown = run(*toy.arguments(built), "--workers", 2)
    assert shown.exit_code == 0
    assert f"{built} was already built by this recipe; nothing was done" in shown.stdout
    assert shown.stderr == ""
    assert sha256_of(built.parent) == before


def test_check_ends_with_0_or_1(staged: Path) -> None:
    shown = run("check", staged, "--no-load")
    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"{staged}: fine (")
    assert document(run("check", staged, "--no-load", "--json"))["problems"] == []
    (staged / "notes.txt").touch()
    shown = run("check", staged, "--no-load")
    assert shown.exit_code == 1
    assert shown.stdout.startswith("notes.txt: not in the manifest\n    mend: remove the file")
    shown = run("check", staged, "--no-load", "--json")
    assert shown.exit_code == 1
    found = document(shown)
    assert found["fine"] is False
    assert [problem["place"] for problem in found["problems"]] == ["notes.txt"]


def test_stats_are_text_json_and_a_picture(small: Path, tmp_path: Path) -> None:
    shown = run("stats", small, "--plot", tmp_path / "cells.png")
    assert shown.exit_code == 0
    assert (tmp_path / "cells.png").stat().st_size > 5_000
    assert "language" in shown.stdout
    assert "origins" in shown.stdout
    found = document(run("stats", small, "--json"))
    assert found["rows"] == sum(sum(row.values()) for row in found["cells"].values())


def test_label_writes_the_rows_and_counts_them(student: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "pairs.jsonl", tmp_path / "labelled.jsonl"
    source.write_text('{"question": "Wo ist mein Paket?", "answer": "Unterwegs."}\n')
    shown = run("label", source, "--out", out, "--labeler", student)
    assert shown.exit_code == 0
    assert shown.stdout.endswith(f"1 rows in {out}\n")
    assert "label" in shown.stderr
    found = document(run("label", source, source, "--out", out, "--labeler", student, "--json"))
    assert found["rows"] == sum(found["domains"].values()) == 2
    assert len(out.read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "{here}"], "has no manifest.json: it is not a staged folder; make one with"),
        (["stats", "{here}"], "has no manifest.json: it is not a staged folder; make one with"),
        (["check", "{here}/made"], "name the folder of one artifact, such as {here}/made/builtin"),
        (["stats", "{here}/made/builtin"], "it is a labeler, and a staged data set was expected"),
        (["export", "{here}/made", "--trec", "{here}/t"], "is not a staged retrieval folder"),
        (["label", "{here}/x.csv", "--out", "{here}/y.jsonl"], "expected a file that ends in"),
        (["label", "{here}/x.csv", "--out", "{here}/y"], "expected a name that ends in"),
    ],
)
@pytest.mark.parametrize("json_option", [[], ["--json"]])
def test_an_error_is_one_line_and_ends_with_1(
    tmp_path: Path, arguments: list[str], message: str, json_option: list[str]
) -> None:
    (tmp_path / "x.csv").write_text("question,answer\n")
    (tmp_path / "made" / "builtin").mkdir(parents=True)
    (tmp_path / "made" / "builtin" / "labeler.json").write_text("{}")
    shown = run(*(argument.format(here=tmp_path) for argument in arguments), *json_option)
    assert shown.exit_code == 1
    assert shown.stdout == ""
    (line,) = (line for line in shown.stderr.splitlines() if not line.startswith("label:"))
    assert line.startswith("Error: ")
    assert message.format(here=tmp_path) in line
