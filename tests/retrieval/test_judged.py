"""Label files: what ships, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.retrieval.judged import read_labels, shipped_labels, text_key

SLUGS = frozenset(builtin_taxonomy().slugs)
HEAD = "key\tdomain\talso\tdoubtful\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "labels.tsv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(("task", "items"), [("tatoeba", 32_558), ("lareqa", 1430)])
def test_the_labels_that_ship_can_be_read(task: str, items: int) -> None:
    path = shipped_labels(task)
    assert path is not None
    labels = read_labels(path, SLUGS)
    assert len(labels.labels) == items
    assert {label.domain for label in labels.labels.values()} == SLUGS
    assert all(label.doubtful or len(label.domains) == 1 for label in labels.labels.values())


def test_a_benchmark_that_nobody_judged_has_no_file() -> None:
    assert shipped_labels("bucc") is None


def test_an_item_is_found_by_its_id_and_else_by_its_text(tmp_path: Path) -> None:
    text = "My tooth hurts."
    lines = f"q7\tlegal\tfinance\t1\n{text_key(text)}\thealth\t\t0\n"
    labels = read_labels(write(tmp_path, HEAD + lines), SLUGS)
    by_id = labels.of("q7", text)
    assert by_id is not None and by_id.domains == ("legal", "finance") and by_id.doubtful
    by_text = labels.of("q8", f"  {text}\n")
    assert by_text is not None and by_text.domain == "health" and not by_text.doubtful
    assert labels.of("q8", "Another text.") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("domain\nhealth\n", ":1: no column 'key'"),
        ("", ":1: no column 'key'"),
        (HEAD + "a\thealth\t\t0\nb\tmedicine\t\t0\n", ":3: 'medicine' is no domain"),
        (HEAD + "a\thealth\tmoney\t0\n", ":2: 'money' is no domain"),
        (HEAD + "\thealth\t\t0\n", ":2: the key is empty"),
        (HEAD + "a\thealth\t\t0\nb\tlegal\t\t0\na\tlegal\t\t0\n", ":4: the key a stands in line 2"),
        (HEAD + "a\n", ":2: '' is no domain"),
    ],
)
def test_what_is_no_label_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(LabelerError) as refused:
        read_labels(write(tmp_path, text), SLUGS)
    assert message in str(refused.value)


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelerError, match=r"nothing\.tsv cannot be read"):
        read_labels(tmp_path / "nothing.tsv", SLUGS)
    path = tmp_path / "labels.tsv"
    path.write_bytes(HEAD.encode() + b"\xff\xfe\thealth\t\t0\n")
    with pytest.raises(LabelerError, match="no tab-separated UTF-8 text"):
        read_labels(path, SLUGS)
