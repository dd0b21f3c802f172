"""Vectors are encoded once, found again, and never taken from another model, prefix or length."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from webfaq_eval.errors import VectorError
from webfaq_eval.models import vectors as module
from webfaq_eval.models.vectors import VectorStore

KEY = {"model": "a" * 40, "pooling": "mean", "layer": 2, "prefix": "", "max_length": 64}


class Counting:
    """Encodes a text as (its length, its first letter) and counts what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Any:
        self.asked += texts
        return np.asarray([[len(text), ord(text[0])] for text in texts], np.float32)


def test_a_text_is_encoded_once_over_calls_and_runs(tmp_path: Path) -> None:
    encode = Counting()
    store = VectorStore(tmp_path, KEY)
    first = store.rows(["b", "aa", "b"], encode)
    assert first[0:3].tolist() == [[1, 98], [2, 97], [1, 98]]
    assert store.rows(["aa", "ccc"], encode)[0:2].tolist() == [[2, 97], [3, 99]]
    again = VectorStore(tmp_path, KEY).rows(["ccc", "b"], encode)
    assert again[0:2].tolist() == [[3, 99], [1, 98]]
    assert encode.asked == ["b", "aa", "ccc"]


@pytest.mark.parametrize(
    "change", [{"model": "b" * 40}, {"prefix": "query: "}, {"max_length": 32}, {"layer": 1}, {"pooling": "cls"}]
)  # fmt: skip
def test_another_model_prefix_or_length_never_meets_these_vectors(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    encode = Counting()
    VectorStore(tmp_path, KEY).rows(["a"], encode)
    VectorStore(tmp_path, {**KEY, **change}).rows(["a"], encode)
    assert encode.asked == ["a", "a"]


def part(store: VectorStore) -> str:
    """Return the name of a store's only part."""
    (path,) = store.folder.glob("*.ids.npy")
    return path.name.removesuffix(".ids.npy")


@pytest.mark.parametrize("name", ["{}.npy", "{}.ids.npy", "{}.json"])
def test_a_truncated_part_is_encoded_again_and_said(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    encode = Counting()
    store = VectorStore(tmp_path, KEY)
    store.rows(["a", "bb"], encode)
    path = store.folder / name.format(part(store))
    path.write_bytes(path.read_bytes()[:-3])
    with caplog.at_level(logging.WARNING):
        again = VectorStore(tmp_path, KEY)
    assert "encoded again" in caplog.text
    assert again.rows(["bb"], encode)[0:1].tolist() == [[2, 98]]
    assert encode.asked == ["a", "bb", "bb"]


def test_a_part_without_marker_was_never_finished(tmp_path: Path) -> None:
    encode = Counting()
    store = VectorStore(tmp_path, KEY)
    store.rows(["a"], encode)
    (store.folder / f"{part(store)}.json").unlink()
    assert VectorStore(tmp_path, KEY).rows(["a"], encode)[0:1].tolist() == [[1, 97]]
    assert encode.asked == ["a", "a"]


def test_a_changed_key_file_is_refused(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, KEY)
    (store.folder / "meta.json").write_text(json.dumps({**KEY, "layer": 7}))
    with pytest.raises(VectorError, match="other vectors"):
        VectorStore(tmp_path, KEY)
    (store.folder / "meta.json").write_text("{")
    with pytest.raises(VectorError, match="cannot be read"):
        VectorStore(tmp_path, KEY)


def test_nan_vectors_are_refused_and_not_stored(tmp_path: Path) -> None:
    store = VectorStore(tmp_path, KEY)
    with pytest.raises(VectorError, match="NaN or infinity for 1 of 2"):
        store.rows(["a", "b"], lambda texts: np.asarray([[1.0], [np.nan]], np.float32))
    assert [path.name for path in store.folder.iterdir()] == ["meta.json"]
    with pytest.raises(VectorError, match="for 2 texts"):
        store.rows(["a", "b"], lambda texts: np.zeros((1, 4), np.float32))


def test_many_texts_are_stored_part_by_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART", 3)
    texts = [chr(97 + number) * (number + 1) for number in range(8)]

    def dies_at_the_seventh(asked: Sequence[str]) -> Any:
        if texts[6] in asked:
            raise KeyboardInterrupt
        return Counting()(asked)

    with pytest.raises(KeyboardInterrupt):
        VectorStore(tmp_path, KEY).rows(texts, dies_at_the_seventh)
    encode = Counting()
    rows = VectorStore(tmp_path, KEY).rows(texts[::-1], encode)
    assert sorted(encode.asked) == texts[6:]
    assert rows[2:6].tolist() == [[len(text), ord(text[0])] for text in texts[::-1][2:6]]
