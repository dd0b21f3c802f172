"""Encoders: equal to the stock library, pooled and cut as stated, refused where they cannot be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from webfaq_eval.errors import ModelError
from webfaq_eval.models import batches
from webfaq_eval.models.baselines import RandomEncoder
from webfaq_eval.models.encoder import Settings, find_model
from webfaq_eval.models.retrievers import Dense, open_retriever
from webfaq_eval.models.retrievers import Dense as Dense_
from webfaq_eval.models.sentence import SentenceEncoder
from webfaq_eval.models.transformer import TransformerEncoder

TEXTS = [
    "short",
    "a much longer sentence that is cut at sixty-four tokens " * 3,
    "wo ist es",
    "ä",
    "中文",
]


def dense(settings: Settings, place: Path) -> Dense:
    retriever = open_retriever(settings, place)
    assert isinstance(retriever, Dense)
    return retriever


def test_a_sentence_transformers_model_encodes_as_the_library_does(sentence_model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = SentenceEncoder(find_model(str(sentence_model)), Settings("", dtype="float32"))
    expected = SentenceTransformer(str(sentence_model), device="cpu").encode(TEXTS)
    assert np.abs(encoder.encode(TEXTS) - expected).max() < 1e-6
    assert encoder.model.kind == "sentence-transformers" and encoder.model.dimensions == 16
    assert encoder.model.revision == find_model(str(sentence_model)).revision
    assert encoder.max_length == 64


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_a_raw_checkpoint_is_pooled_at_the_stated_layer(
    raw_encoder: Path, pooling: str, layer: int
) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    settings = Settings("", pooling=pooling, layer=layer, dtype="float32")
    encoder = TransformerEncoder(find_model(str(raw_encoder)), settings)
    tokenizer = AutoTokenizer.from_pretrained(raw_encoder)
    body = AutoModel.from_pretrained(raw_encoder).eval()
    for text, vector in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        tokens = tokenizer(text, truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            states = body(**tokens, output_hidden_states=True).hidden_states[layer][0].numpy()
        pooled = {"mean": states.mean(axis=0), "cls": states[0], "last": states[-1]}[pooling]
        assert vector == pytest.approx(pooled / np.linalg.norm(pooled), abs=1e-5)


def test_the_last_block_is_the_default_and_a_missing_one_is_refused(raw_encoder: Path) -> None:
    place = find_model(str(raw_encoder))
    assert TransformerEncoder(place, Settings("", pooling="mean")).layer == 2
    with pytest.raises(ModelError, match="--layer 3: raw has the layers 0 to 2"):
        TransformerEncoder(place, Settings("", pooling="mean", layer=3))
    with pytest.raises(ModelError, match="state how to pool"):
        TransformerEncoder(place, Settings(""))
    with pytest.raises(ModelError, match="reads 64 tokens at most"):
        TransformerEncoder(place, Settings("", pooling="mean", max_length=65))


def test_a_shorter_length_changes_long_texts_alone(raw_encoder: Path) -> None:
    place = find_model(str(raw_encoder))
    long, short = (
        TransformerEncoder(place, Settings("", pooling="mean", max_length=n, dtype="float32"))
        for n in (None, 20)
    )
    same = np.isclose(long.encode(TEXTS), short.encode(TEXTS), atol=1e-5).all(axis=1)
    assert same.tolist() == [True, False, True, True, True]


def test_bfloat16_stays_near_float32(sentence_model: Path) -> None:
    place = find_model(str(sentence_model))
    full, half = (SentenceEncoder(place, Settings("", dtype=d)) for d in ("float32", "bfloat16"))
    cosine = (full.encode(TEXTS) * half.encode(TEXTS)).sum(axis=1)
    assert cosine.min() > 0.999


def test_a_missing_format_is_said(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    from webfaq_eval.models import batches

    monkeypatch.setattr(batches, "has_bfloat16", lambda device: False)
    assert str(batches.choose("auto", "cpu")[0]) == "torch.float32"
    assert "does not multiply bfloat16" in caplog.text
    with pytest.raises(ModelError, match="float16 on a CPU"):
        batches.choose("float16", "cpu")


def test_batches_are_full_and_hardly_padded() -> None:
    lengths = np.random.default_rng(0).integers(5, 60, 1000).tolist()
    plan = list(batches.plan(lengths, 512))
    assert sorted(np.concatenate(plan).tolist()) == list(range(1000))
    sizes = [len(rows) * max(lengths[row] for row in rows) for rows in plan]
    assert max(sizes) <= 512 and np.mean(sizes[:-1]) > 400
    assert 1 - sum(lengths) / sum(sizes) < 0.02
    assert [len(rows) for rows in batches.plan([900, 3], 512)] == [1, 1]


def test_models_that_need_code_or_pickle_are_refused(raw_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model folder"):
        find_model(str(tmp_path))
    folder = Path(shutil.copytree(raw_encoder, tmp_path / "copy"))
    config = json.loads((folder / "config.json").read_text())
    code = {
        "auto_map": {"AutoModel": "code.Evil", "AutoConfig": "code.Config"},
        "model_type": "evil",
    }
    (folder / "config.json").write_text(json.dumps({**config, **code}))
    (folder / "code.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(ModelError, match="cannot be loaded"):
        TransformerEncoder(find_model(str(folder)), Settings("", pooling="mean"))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no safetensors"):
        find_model(str(folder))


def test_a_model_that_the_hub_does_not_give_is_one_error(monkeypatch: Any) -> None:
    """No server listens on port 9 of this machine."""
    import huggingface_hub

    api = huggingface_hub.HfApi("http://127.0.0.1:9")
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: api)
    with pytest.raises(ModelError, match="nor a model that the Hub gives"):
        find_model("org/name")


def test_pickle_beside_safetensors_of_another_folder_is_refused(
    sentence_model: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sentence_model, tmp_path / "copy"))
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="beside pytorch_model"):
        find_model(str(folder))


def test_a_changed_file_is_another_revision(raw_encoder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(raw_encoder, tmp_path / "copy"))
    before = find_model(str(folder)).revision
    assert before == find_model(str(raw_encoder)).revision and len(before) == 64
    (folder / "config.json").write_text((folder / "config.json").read_text() + "\n")
    assert find_model(str(folder)).revision != before


def test_the_body_of_a_sentence_model_can_be_used_raw(sentence_model: Path, tmp_path: Path) -> None:
    used = dense(Settings(str(sentence_model), pooling="cls", layer=1), tmp_path)
    assert used.usage["pooling"] == "cls" and used.usage["layer"] == 1
    assert used.model.kind == "transformers"
    whole = dense(Settings(str(sentence_model)), tmp_path)
    assert whole.usage["pooling"] == "model" and whole.model.kind == "sentence-transformers"


def test_prefixes_are_put_before_texts_and_kept_apart(sentence_model: Path, tmp_path: Path) -> None:
    settings = Settings(str(sentence_model), query_prefix="query: ", dtype="float32")
    model = dense(settings, tmp_path)
    asked, found = (
        model.vectors(["wo"], "query")[0:1],
        model.vectors(["wo", "query: wo"], "passage"),
    )
    assert np.allclose(asked[0], found[1:2][0]) and not np.allclose(
        asked[0], found[0:1][0], atol=1e-3
    )
    assert len(model.stores) == 2


def test_chance_depends_on_text_and_seed_alone() -> None:
    one, other = (RandomEncoder(Settings("random", seed=seed)) for seed in (0, 1))
    assert (one.encode(["a", "b"])[0] == one.encode(["b", "a"])[1]).all()
    assert not np.allclose(one.encode(["a"]), other.encode(["a"]))
    assert one.model.revision != other.model.revision


@pytest.mark.needs("bm25")
def test_bm25_ranks_shared_words_first_and_ties_by_row(tmp_path: Path) -> None:
    bm25 = open_retriever(Settings("bm25"), tmp_path)
    corpus = ["red fox", "blue bird", "red bird", "green tree", "lonely"]
    run = bm25.search(["red bird", "nothing here", "東京 タワー"], corpus, 5)
    assert run.rows[0, 0] == 2 and set(run.rows[0, 1:3].tolist()) == {0, 1}
    assert run.rows[1].tolist() == run.rows[2].tolist() == [0, 1, 2, 3, 4]
    assert (run.scores[1] == 0).all()
    with pytest.raises(ModelError, match="no prefixes"):
        open_retriever(Settings("bm25", query_prefix="query: "), tmp_path)


@pytest.mark.needs("bm25")
def test_bm25_s_scores_are_lucene_s_formula(tmp_path: Path) -> None:
    run = open_retriever(Settings("bm25"), tmp_path).search(["fox"], ["red fox", "a b c d"], 2)
    idf = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 1 / (1 + 1.2 * (1 - 0.75 + 0.75 * 2 / 3))
    assert run.scores[0].tolist() == pytest.approx([expected, 0], rel=1e-5)


def test_equal_texts_tie_exactly_and_their_ids_decide(tmp_path: Path) -> None:
    random = dense(Settings("random"), tmp_path)
    corpus = [f"text {number % 50}" for number in range(500)]
    run = random.search(["text 7", "text 8"], corpus, 60)
    assert run.rows[0, :10].tolist() == list(range(7, 500, 50))
    assert run.rows[1, :10].tolist() == list(range(8, 500, 50))
    assert len(set(run.scores[0, :10].tolist())) == 1
    assert all(len(set(line.tolist())) == 60 for line in run.rows)


def test_models_that_share_a_body_share_its_vectors(sentence_model: Path, tmp_path: Path) -> None:
    """Two heads on one encoder: the texts are encoded once, and each model's vectors are its own."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize

    folders = [sentence_model]
    for number in (1, 2):
        torch.manual_seed(number)
        model = SentenceTransformer(str(sentence_model), device="cpu")
        weight = torch.randn(16, 16)
        dense = Dense(
            16, 16, bias=False, activation_function=torch.nn.Identity(), init_weight=weight
        )
        model.add_module(str(len(model)), dense)
        model.add_module(str(len(model)), Normalize())
        model.save(str(tmp_path / str(number)), create_model_card=False)
        folders.append(tmp_path / str(number))
    encoded = []
    for folder in folders:
        settings = Settings(str(folder), dtype="float32")
        encoder = SentenceEncoder(find_model(str(folder)), settings)
        retriever = Dense_(encoder, settings, tmp_path / "vectors")
        found = retriever.vectors([*TEXTS, TEXTS[0]], "query")
        expected = SentenceTransformer(str(folder), device="cpu").encode(
            [*TEXTS, TEXTS[0]], normalize_embeddings=True
        )
        assert np.abs(found[:] - expected).max() < 1e-5
        assert found.places[0] == found.places[-1]
        encoded.append(retriever.stores[""].encoded)
    assert encoded == [len(set(TEXTS)), 0, 0]
    assert len(list((tmp_path / "vectors").iterdir())) == 1


def test_a_head_with_a_bias_keeps_the_length_of_its_input(
    sentence_model: Path, tmp_path: Path
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense

    model = SentenceTransformer(str(sentence_model), device="cpu")
    del model._modules[str(len(model) - 1)]  # without its Normalize
    torch.manual_seed(0)
    model.add_module(str(len(model)), Dense(16, 8))
    model.save(str(tmp_path / "biased"), create_model_card=False)
    settings = Settings(str(tmp_path / "biased"), dtype="float32")
    encoder = SentenceEncoder(find_model(settings.model), settings)
    assert encoder.raw
    expected = SentenceTransformer(settings.model, device="cpu").encode(
        TEXTS, normalize_embeddings=True
    )
    assert np.abs(encoder.encode(TEXTS) - expected).max() < 1e-5
