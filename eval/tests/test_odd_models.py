"""Models whose folders say more, less or other things than XLM-R's: used rightly, or refused by name."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tinybench import write_bench
from tinymodel import write_encoder, write_retriever, write_tokenizer
from webfaq_eval.benchmark.subset import Qrels
from webfaq_eval.errors import ModelError
from webfaq_eval.models.batches import usable_length
from webfaq_eval.models.encoder import Settings, find_model
from webfaq_eval.models.retrievers import open_retriever
from webfaq_eval.models.sentence import SentenceEncoder
from webfaq_eval.models.transformer import TransformerEncoder
from webfaq_eval.scoring.score import Request, score

LONG = "a long text " * 100


def edit(path: Path, **values: Any) -> None:
    data = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps({**data, **values}))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_retriever(tmp_path / "model")


def opened(folder: Path, **settings: Any) -> SentenceEncoder:
    return SentenceEncoder(find_model(str(folder)), Settings("", dtype="float32", **settings))


def library(folder: Path) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu")


@pytest.mark.parametrize("limit", [None, 70])
def test_a_tokenizer_without_limit_is_cut_to_the_positions(tmp_path: Path, limit: Any) -> None:
    """70 positions of an XLM-R whose padding is 1: 68 are for tokens."""
    raw = write_encoder(tmp_path / "raw")
    write_tokenizer(raw, max_length=limit or 10**30)
    encoder = TransformerEncoder(find_model(str(raw)), Settings("", pooling="mean"))
    assert encoder.max_length == 68
    assert usable_length(encoder.body, encoder.tokenizer) == 68
    assert np.isfinite(encoder.encode([LONG])).all()
    with pytest.raises(ModelError, match="reads 68 tokens at most"):
        usable_length(encoder.body, encoder.tokenizer, 69)


def test_a_sentence_model_without_limit_is_cut_to_the_positions(model: Path) -> None:
    write_tokenizer(model, max_length=10**30)
    edit(model / "sentence_bert_config.json", max_seq_length=None)
    encoder = opened(model)
    assert encoder.max_length == 68 and not encoder.whole
    assert np.isfinite(encoder.encode([LONG])).all()


def test_a_saved_truncate_dim_decides_the_vectors(model: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    short = tmp_path / "short"
    SentenceTransformer(str(model), device="cpu", truncate_dim=4).save(str(short))
    encoder = opened(short)
    texts = ["wo ist es", LONG]
    expected = library(short).encode(texts, normalize_embeddings=True)
    found = encoder.encode(texts)
    assert found.shape == (2, 4) and encoder.model.dimensions == 4
    assert np.abs(found - expected).max() < 1e-5
    retriever = open_retriever(Settings(str(short), dtype="float32"), tmp_path / "vectors")
    assert np.abs(retriever.vectors(texts, "query")[:] - expected).max() < 1e-5  # type: ignore[attr-defined]
    assert encoder.body_revision == opened(model).body_revision


def test_a_model_that_is_not_its_modules_is_used_through_encode(
    model: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers import SentenceTransformer

    stock = SentenceTransformer.encode

    def turned(self: Any, *args: Any, **options: Any) -> Any:
        return stock(self, *args, **options).flip(-1)

    monkeypatch.setattr(SentenceTransformer, "encode", turned)
    encoder = opened(model)
    assert encoder.whole and "encode() is used" in caplog.text
    monkeypatch.undo()
    plain = opened(model)
    assert not plain.whole and plain.key == {}
    assert np.abs(encoder.encode(["ab"]) - plain.encode(["ab"])).max() < 1e-5
    assert encoder.key == {"whole": True}


def test_own_prompts_are_used_unless_others_are_stated(
    model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    edit(
        model / "config_sentence_transformers.json",
        prompts={"query": "query: ", "document": "passage: "}, default_prompt_name="query",
    )  # fmt: skip
    with caplog.at_level(logging.WARNING):
        own = open_retriever(Settings(str(model), dtype="float32"), tmp_path / "v")
    assert (own.usage["query_prefix"], own.usage["passage_prefix"]) == ("query: ", "passage: ")
    assert "names its own prompts" in caplog.text
    caplog.clear()
    stated = Settings(str(model), query_prefix="", passage_prefix="p: ", dtype="float32")
    other = open_retriever(stated, tmp_path / "v")
    assert (other.usage["query_prefix"], other.usage["passage_prefix"]) == ("", "p: ")
    assert "names its own" not in caplog.text
    expected = library(model).encode(["wo"], prompt_name="query", normalize_embeddings=True)
    assert np.abs(own.vectors(["wo"], "query")[:] - expected).max() < 1e-5  # type: ignore[attr-defined]


def test_layers_are_counted_under_every_name(tmp_path: Path) -> None:
    import torch
    from transformers import DistilBertConfig, DistilBertModel

    torch.manual_seed(0)
    folder = tmp_path / "distil"
    config = DistilBertConfig(
        vocab_size=261, dim=16, hidden_dim=32, n_layers=2, n_heads=2, max_position_embeddings=64,
        pad_token_id=1,
    )  # fmt: skip
    DistilBertModel(config).save_pretrained(str(folder))
    write_tokenizer(folder)
    encoder = TransformerEncoder(find_model(str(folder)), Settings("", pooling="mean"))
    assert encoder.layer == 2 and encoder.max_length == 64
    assert encoder.encode(["wo", LONG]).shape == (2, 16)


def strip(folder: Path, **changes: Any) -> Path:
    """Take tokens out of a tokenizer's settings."""
    path = folder / "tokenizer_config.json"
    settings = {k: v for k, v in json.loads(path.read_text()).items() if k not in changes}
    path.write_text(json.dumps({**settings, **{k: v for k, v in changes.items() if v}}))
    special = folder / "special_tokens_map.json"
    special.unlink(missing_ok=True)
    return folder


def test_a_tokenizer_without_padding_is_refused_by_name(tmp_path: Path) -> None:
    raw = strip(write_encoder(tmp_path / "raw"), pad_token=None)
    with pytest.raises(ModelError, match="raw has a tokenizer without a padding token"):
        TransformerEncoder(find_model(str(raw)), Settings("", pooling="mean"))
    sentence = strip(write_retriever(tmp_path / "sentence"), pad_token=None)
    with pytest.raises(ModelError, match="sentence has a tokenizer without a padding token"):
        opened(sentence)


def test_a_tokenizer_that_pads_on_the_left_changes_nothing(model: Path, tmp_path: Path) -> None:
    left = Path(shutil.copytree(model, tmp_path / "left"))
    edit(left / "tokenizer_config.json", padding_side="left")
    texts = ["wo", "a longer one"]
    assert np.abs(opened(left).encode(texts) - opened(model).encode(texts)).max() < 1e-6


def test_a_text_without_a_token_is_named(tmp_path: Path) -> None:
    raw = write_encoder(tmp_path / "raw")
    data = json.loads((raw / "tokenizer.json").read_text())
    (raw / "tokenizer.json").write_text(json.dumps({**data, "post_processor": None}))
    encoder = TransformerEncoder(find_model(str(raw)), Settings("", pooling="last"))
    assert encoder.encode(["a"]).shape == (1, 16)
    with pytest.raises(ModelError, match=r"no token in 1 texts, first ''"):
        encoder.encode(["a", ""])


@pytest.mark.parametrize("size", [615, 699, 700, 867])
def test_ranks_of_equal_texts_below_the_depth_are_those_of_their_ids(
    size: int, model: Path, tmp_path: Path
) -> None:
    """Six texts, each many times: the right one is the last of those that rank first."""
    retriever = open_retriever(Settings(str(model), dtype="float32"), tmp_path)
    corpus = [f"text number {row % 6}" for row in range(size)]
    run = retriever.search(["which text"], corpus, 100)
    best = run.rows[0, 0] % 6
    right = max(row for row in range(size) if row % 6 == best)
    qrels = Qrels(np.zeros(1, np.int64), np.asarray([right]), np.ones(1, np.int64))
    expected = sum(row % 6 == best for row in range(size))
    assert retriever.first_ranks(["which text"], corpus, qrels).tolist() == [expected]


def test_a_rank_below_the_run_is_never_within_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from webfaq_eval.models.retrievers import Dense

    ones = lambda self, queries, corpus, qrels: np.ones(len(queries), np.int64)  # noqa: E731
    monkeypatch.setattr(Dense, "first_ranks", ones)
    monkeypatch.setattr("webfaq_eval.scoring.score.MIN_DEPTH", 3)
    request = Request(
        Settings(str(model)), str(write_bench(tmp_path / "bench")), tmp_path / "r",
        ("webfaq_deu",), depth=3,
    )  # fmt: skip
    ((_, result),) = score(request, quiet=True).results
    official = result.scores["official"]
    assert official["mrr"] <= official["recall_at_1"] + (1 - official["recall_at_1"]) / 2
