"""What all tests share: a tiny data set and tiny encoders."""

from __future__ import annotations

from pathlib import Path

import pytest
from tinybench import write_bench
from tinymodel import write_encoder, write_retriever


@pytest.fixture(scope="session")
def bench_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny data set of `tinybench`; do not change it, copy it first."""
    return write_bench(tmp_path_factory.mktemp("bench"))


@pytest.fixture(scope="session")
def raw_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random XLM-R of two layers."""
    return write_encoder(tmp_path_factory.mktemp("models") / "raw")


@pytest.fixture(scope="session")
def sentence_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a sentence-transformers folder."""
    return write_retriever(tmp_path_factory.mktemp("models") / "sentence")
