"""What cannot be built is refused in one line, before any work starts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from toybuild import DOMAINS, Toy, sha256_of, write_faq

from webfaq_domains.cli import main


def refusal(*arguments: object) -> str:
    """Run a build that is refused; return its one line."""
    shown = CliRunner().invoke(main, [*map(str, arguments), "--workers", "1"])
    assert shown.exit_code == 1, shown.output
    assert shown.stdout == ""
    (line,) = shown.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def refused(toy: Toy, folder: Path, *more: object, **changed: Path) -> str:
    """Refuse the toy build with some arguments changed; assert that no work was started."""
    before = sorted(folder.iterdir())
    inputs = Toy(**{**vars(toy), **changed})
    line = refusal(*inputs.arguments(folder / "out"), *more)
    assert sorted(folder.iterdir()) == before
    return line


def test_a_missing_source(toy: Toy, tmp_path: Path) -> None:
    assert "none does not exist" in refused(toy, tmp_path, faq=tmp_path / "none")


def test_one_missing_source_of_two(toy: Toy, tmp_path: Path) -> None:
    assert "nowhere does not exist" in refused(toy, tmp_path, "--source", "nowhere")


def test_a_folder_without_data(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty holds no file that ends in .parquet" in refused(
        toy, tmp_path, faq=tmp_path / "empty"
    )


def test_an_unknown_kind_of_source(toy: Toy, tmp_path: Path) -> None:
    assert "unknown kind of source 'warc'" in refused(toy, tmp_path, "--source", "warc:x")


def test_a_source_with_other_columns(toy: Toy, tmp_path: Path) -> None:
    write_faq(tmp_path, ['{"question": "q", "reply": "a"}'])
    line = refused(toy, tmp_path, faq=tmp_path / "faq")
    assert "part-0.jsonl: needs the columns question and answer; missing: answer; met: qu" in line


def test_an_unknown_language(toy: Toy, tmp_path: Path) -> None:
    line = refused(toy, tmp_path, "--languages", "deu,q1q")
    assert "--languages: 'q1q' is not a known ISO 639 code" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[quotas]\nrows = 5\n", "unknown table [quotas]; did you mean 'quota'?"),
        ("[split]\nvalidaton = 0.1\n", "[split] has no key 'validaton'; did you mean 'validation"),
        ("[configs]\nmin_rows = 'few'\n", "[configs] min_rows = 'few': expected int"),
        ("[split]\ntest = 0.7\nvalidation = 0.7\n", "[split] split shares must be at least 0"),
        ("[split\n", "not valid TOML"),
    ],
)
def test_a_recipe_that_is_not_meant_so(toy: Toy, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    assert message in refused(toy, tmp_path, recipe=tmp_path / "mine.toml")


@pytest.mark.parametrize("option", ["--recipe", "--taxonomy"])
def test_a_missing_file(toy: Toy, tmp_path: Path, option: str) -> None:
    line = refused(toy, tmp_path, option, tmp_path / "none.toml")
    assert f"cannot read the {option[2:]} {tmp_path / 'none.toml'}: No such file" in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[domain]\n", "not valid TOML"),
        ("[[domain]]\nslug = 'a'\n", "a [[domain]] lacks title, definition"),
        (
            "[[domain]]\nslug = 'A b'\ntitle = 'x'\ndefinition = 'x'\n",
            "slug 'A b': use lower-case letters",
        ),
        ("version = '1'\n", "slugs must be at least two, unique, and hold the fallback 'other'"),
        (
            "".join(
                f"[[domain]]\nslug = '{s}'\ntitle = 't'\ndefinition = 'd'\n" for s in ("x", "other")
            ),
            "taxonomy 0 has x; train a labeler for this taxonomy",
        ),
    ],
)
def test_a_bad_taxonomy(toy: Toy, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    assert message in refused(toy, tmp_path, "--taxonomy", tmp_path / "mine.toml")


def test_a_missing_labeler(toy: Toy, tmp_path: Path) -> None:
    line = refused(toy, tmp_path, student=tmp_path / "none")
    assert "none is not a labeler folder: it has no labeler.json" in line


@pytest.fixture
def edited(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Copy the student and change its description."""

    def edit(**changes: Any) -> Path:
        folder = tmp_path_factory.mktemp("edited") / "student"
        shutil.copytree(toy.student, folder)
        about = json.loads((folder / "labeler.json").read_text())
        about = {key: value for key, value in {**about, **changes}.items() if value is not None}
        (folder / "labeler.json").write_text(json.dumps(about))
        return folder

    return edit


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "oracle"}, "kind is 'oracle'; known: student, teacher"),
        ({"thresholds": None}, "missing required field `thresholds`"),
        ({"thresholds": {}}, "thresholds must name"),
        ({"domains": DOMAINS[1:]}, "thresholds must name"),
        ({"model": "other.bin"}, "other.bin is missing or is not"),
        ({"model_sha256": "0" * 64}, "model.bin is missing or is not"),
    ],
)
def test_a_labeler_with_another_description(
    toy: Toy, tmp_path: Path, edited: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    assert message in refused(toy, tmp_path, student=edited(**changes))


def test_a_description_that_is_no_json(
    toy: Toy, tmp_path: Path, edited: Callable[..., Path]
) -> None:
    folder = edited()
    (folder / "labeler.json").write_text("{")
    assert "labeler.json cannot be read" in refused(toy, tmp_path, student=folder)


def test_a_tampered_model(toy: Toy, tmp_path: Path, edited: Callable[..., Path]) -> None:
    model = edited() / "model.bin"
    content = bytearray(model.read_bytes())
    content[-1] ^= 1
    model.write_bytes(content)
    line = refused(toy, tmp_path, student=model.parent)
    assert "model.bin is missing or is not the model with sha256" in line


def test_a_cascade_without_a_teacher(toy: Toy, tmp_path: Path) -> None:
    assert "--cascade needs a teacher's folder" in refused(toy, tmp_path, "--cascade")


@pytest.mark.parametrize("name", ["none.bin", "no-model.bin"])
def test_a_language_model_that_is_none(toy: Toy, tmp_path: Path, name: str) -> None:
    (tmp_path / "no-model.bin").write_text("no model")
    line = refused(toy, tmp_path, "--language-model", tmp_path / name)
    assert f"{name} is not a fastText model that can be loaded" in line


def test_an_out_that_holds_something_else(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").touch()
    assert "out exists and is not a staged data set; choose another" in refused(toy, tmp_path)


def test_an_out_that_is_a_file(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert "out exists and is not a staged data set; choose another" in refused(toy, tmp_path)


def test_an_out_below_a_file(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refusal(*toy.arguments(tmp_path / "file" / "out"))
    assert f"({tmp_path / 'file'})" in line


@pytest.mark.parametrize(
    "more", [["--limit", 5], ["--languages", "eng"], ["--source", "{faq}/part-0.jsonl"]]
)
def test_an_out_of_another_recipe(
    toy: Toy, staged: Path, tmp_path: Path, more: list[object]
) -> None:
    before = sha256_of(staged)
    line = refusal(*toy.arguments(staged), *(str(part).format(faq=toy.faq) for part in more))
    assert "holds a data set of another recipe, input or code version; choose another" in line
    assert sha256_of(tmp_path / "staged") == before


@pytest.mark.parametrize("out", [".", "..", "/"])
def test_an_out_without_a_name(
    toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    line = refusal(*toy.arguments(Path(out)))
    assert f"--out {out}: name a folder to be made, such as ./my-data" in line


@pytest.mark.parametrize("kind", ["", "html:"])
def test_an_out_in_its_own_source(toy: Toy, tmp_path: Path, kind: str) -> None:
    """A rerun would read the work folder as input."""
    source = write_faq(tmp_path, ['{"question": "q", "answer": "a"}'])
    (source / "page.html").write_text("<html></html>")
    arguments = [*toy.arguments(source / "deep" / "out"), "--source", f"{kind}{source}"]
    assert "out lies in the source" in refusal(*arguments)
    assert not (source / "deep").exists()


def test_an_empty_folder_is_a_place_for_out(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert toy.build(tmp_path / "out", limit=10).manifest.rows > 0
