"""Translated texts out of clones: one English text with all that it is elsewhere."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.labelers.training.translations import TextSource, read_sources, read_translated

ENGLISH = {
    "loan": "How do I repay my <b>loan</b> early?",
    "ok": "Save",
    "tax": "Taxes are due in May.",
}
GERMAN = {"loan": "Wie zahle ich meinen Kredit früher zurück?", "tax": "Taxes are due in May."}


def commit(clone: Path, files: dict[str, str]) -> str:
    """Make a repository of `files` and a bare clone of it; return its commit."""
    folder = clone.with_suffix("")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    who = ["-c", "user.name=a", "-c", "user.email=a@a.example"]
    for call in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *call], cwd=folder, check=True)
    shutil.rmtree(clone, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", "--bare", folder, clone], check=True)
    return subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=folder, text=True).strip()


def source(sha: str, **changes: str) -> TextSource:
    values = {"format": "json", "files": "i18n/{language}.json", "english": "en", **changes}
    return TextSource("o/bank", sha, "MIT", "finance", **values)


def test_a_text_comes_with_its_translations(tmp_path: Path) -> None:
    sha = commit(
        tmp_path / "o/bank.git",
        {
            "i18n/en.json": json.dumps(ENGLISH),
            "i18n/de.json": json.dumps(GERMAN),
            "i18n/zh-Hant.json": json.dumps({"loan": "如何提前還款？", "gone": "x"}),
            "i18n/xx-notes.json": "{}",
            "i18n/fr.json": "{broken",
        },
    )
    found = list(read_translated(source(sha), tmp_path))
    assert [(row.english, row.others) for row in found] == [
        (
            "How do I repay my loan early?",
            {"deu": "Wie zahle ich meinen Kredit früher zurück?", "zho": "如何提前還款？"},
        ),
        # Left in English in the German file: that is no translation.
        ("Taxes are due in May.", {}),
    ]


def test_files_match_under_the_same_stars_and_english_may_lie_elsewhere(tmp_path: Path) -> None:
    text = "<resources><string name='a'>{}</string></resources>"
    sha = commit(
        tmp_path / "o/bank.git",
        {
            "res/values/one.xml": text.format("Send money to a friend"),
            "res/values-de/one.xml": text.format("Geld an Freunde senden"),
            "res/values-fr/two.xml": text.format("Rien du tout"),
        },
    )
    where = {"files": "res/values-{language}/*.xml", "english_files": "res/values/*.xml"}
    found = list(read_translated(source(sha, format="android", english="", **where), tmp_path))
    assert [row.others for row in found] == [{"deu": "Geld an Freunde senden"}]


def test_the_commit_of_the_list_is_read_and_not_the_newest(tmp_path: Path) -> None:
    old = commit(tmp_path / "o/bank.git", {"i18n/en.json": json.dumps(ENGLISH)})
    commit(tmp_path / "o/bank.git", {"i18n/en.json": json.dumps({"a": "Another text stands here"})})
    assert len(list(read_translated(source(old), tmp_path))) == 2


def test_a_missing_clone_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(
        LabelerError, match=r"git clone --bare https://github.com/o/bank .*o/bank\.git"
    ):
        list(read_translated(source("0" * 40), tmp_path))


def test_a_commit_that_the_clone_lacks_is_named(tmp_path: Path) -> None:
    commit(tmp_path / "o/bank.git", {"i18n/en.json": "{}"})
    with pytest.raises(LabelerError, match=r"0{40}"):
        list(read_translated(source("0" * 40), tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[source]]\nrepository = 'o/r'\n", "missing"),
        ("[[source]]\nrepo = 'o/r'\n", "repo"),
        ("nothing = 1\n", "source"),
        ("[[source]]\nrepository='o/r'\ncommit='c'\nlicence='MIT'\ndomain='legal'\nformat='php'\nfiles='x'\n", "php"),
    ],
)  # fmt: skip
def test_a_list_of_another_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LabelerError, match=told):
        read_sources(path)
