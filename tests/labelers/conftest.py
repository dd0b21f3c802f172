"""What the labeler's tests share; the tiny encoder comes from `toyencoder`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from toyencoder import tiny_encoder
from toylabels import TOPICS

__all__ = ["tiny_encoder"]


@pytest.fixture(scope="session")
def lexicon_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lexicon")
    terms = {slug: words.split() for slug, words in TOPICS.items()}
    (folder / "eng.json").write_text(json.dumps(terms), encoding="utf-8")
    return folder
