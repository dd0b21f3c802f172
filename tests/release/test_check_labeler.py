"""`check` on labeler folders: the builtin, whole and tampered with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.labelers.load import builtin_folder
from webfaq_domains.release.check import check_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(builtin_folder(), tmp_path / "labeler"))


def test_the_builtin_labeler_is_fine(folder: Path):
    result = check_folder(folder)
    assert result.fine, result.text()
    assert result.files == 1


def test_another_model_is_found(folder: Path):
    with (folder / "model.ftz").open("ab") as file:
        file.write(b"x")
    places = [problem.place for problem in check_folder(folder).problems]
    assert "model.ftz" in places


def test_a_pickle_and_an_unknown_file_are_found(folder: Path):
    (folder / "model_head.pkl").write_bytes(b"")
    (folder / "notes.txt").write_text("x")
    found = {problem.place: problem.what for problem in check_folder(folder).problems}
    assert "pickle" in found["model_head.pkl"] and "not among" in found["notes.txt"]


def test_a_card_of_another_model_is_found(folder: Path):
    about = json.loads((folder / "labeler.json").read_text("utf-8"))
    card = folder / "README.md"
    card.write_text(card.read_text("utf-8").replace(about["model_sha256"], "0" * 64), "utf-8")
    assert [problem.place for problem in check_folder(folder).problems] == ["README.md"]
    card.unlink()
    assert [problem.what for problem in check_folder(folder).problems] == ["there is no card"]


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path):
    with pytest.raises(StagedError, match="not a staged folder"):
        check_folder(tmp_path)
