"""What a folder is, is decided by the names of its files and by what three of them say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from webfaq_domains.ground.front_matter import read_front_matter
from webfaq_domains.ground.kinds import Kind, description_file, kind_of_folder
from webfaq_domains.labelers.load import builtin_folder

PAIRS = json.dumps({"content_digest": "0", "extra": {}})
RETRIEVAL = json.dumps({"content_digest": "0", "extra": {"retrieval": {}}})
SPACE = "---\ntitle: Board\nsdk: static\n---\n"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({}, Kind.FILES),
        ({"README.md": "# A card"}, Kind.FILES),
        ({"manifest.json": PAIRS}, Kind.PAIRS),
        ({"manifest.json": PAIRS, "README.md": "---\n: [\n---\n"}, Kind.PAIRS),
        ({"manifest.json": RETRIEVAL}, Kind.RETRIEVAL),
        ({"manifest.json": RETRIEVAL, "labeler.json": "{}"}, Kind.LABELER),
        ({"labeler.json": "no JSON"}, Kind.LABELER),
        ({"README.md": SPACE}, Kind.SPACE),
        ({"README.md": SPACE, "manifest.json": "{"}, Kind.SPACE),
        ({"manifest.json": "{"}, Kind.FILES),
        ({"manifest.json": "[]"}, Kind.FILES),
        ({"manifest.json": "{}"}, Kind.FILES),
        ({"manifest.json": '{"content_digest": "0", "extra": []}'}, Kind.PAIRS),
    ],
)
def test_the_kind_of_a_folder(tmp_path: Path, files: dict[str, str], kind: Kind) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    assert kind_of_folder(tmp_path) is kind


def test_the_kinds_of_real_folders(small: Path, tmp_path: Path) -> None:
    assert kind_of_folder(small) is Kind.PAIRS
    assert kind_of_folder(builtin_folder()) is Kind.LABELER
    assert kind_of_folder(tmp_path / "nowhere") is Kind.FILES


def test_the_description_is_the_labelers_or_the_manifest() -> None:
    assert description_file(["manifest.json", "labeler.json"]) == "labeler.json"
    assert description_file(["manifest.json"]) == "manifest.json"
    assert description_file(["README.md"]) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("# A card\n---\na: 1\n---\n", {}),
        ("---\na: 1\n---\n# A card", {"a": 1}),
        ("\n---\r\na: 1\r\nb: [x, y]\r\n---\r\n", {"a": 1, "b": ["x", "y"]}),
        ("---\na: 1\n---", {"a": 1}),
        ("---\na: 1\n", {}),
    ],
)
def test_front_matter(text: str, found: dict[str, object]) -> None:
    assert read_front_matter(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\ufeff---\na: 1\n---\n", "README.md line 1 starts with a byte order mark"),
        ("---\na: 1\nb: c: d\n---\n", "README.md line 3: .* mapping values are not allowed"),
        ("\n\n---\na: 'x\n---\n", "README.md line 4: "),
        ("---\na: \x07\n---\n", "README.md line 2: "),
        ("---\n- a\n---\n", "README.md line 2: its YAML is a list"),
    ],
)
def test_front_matter_that_cannot_be_read_names_its_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_front_matter(text)
