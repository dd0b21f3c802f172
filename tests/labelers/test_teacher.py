from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toylabels import toy_rows

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.calibration import ThresholdRule
from webfaq_domains.labelers.encoder import (
    Reading,
    encode,
    freeze_word_embeddings,
    load_body,
    local_encoder,
)
from webfaq_domains.labelers.folder import Training
from webfaq_domains.labelers.load import load_labeler
from webfaq_domains.labelers.teacher import Head, Teacher
from webfaq_domains.labelers.training.annotations import from_annotations
from webfaq_domains.labelers.training.description import Description
from webfaq_domains.labelers.training.teacher import (
    TeacherRecipe,
    sample_pairs,
    stage_teacher,
    train_teacher,
)

READING = Reading(tokens=24, batch=16)
RECIPE = TeacherRecipe(pairs=64, tokens=24, rate=1e-3, head_strength=100.0)
TEXTS = ["the doctor and the vaccine", "bank loan interest", "order delivery refund"]


def trained(encoder, rows, recipe=RECIPE):
    body = load_body(encoder, READING)
    return train_teacher(body, rows, {}, builtin_taxonomy().claimable, (READING, recipe))


@pytest.fixture(scope="module")
def staged(tiny_encoder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "teacher"
    told = Description("toy", builtin_taxonomy(), ThresholdRule(), Training())
    tuned = trained(tiny_encoder, toy_rows(8))
    held_out = from_annotations(toy_rows(6, seed=1))
    stage_teacher(tuned, folder, told, (READING, RECIPE), held_out)
    return folder


def test_half_of_the_pairs_are_alike_and_the_others_share_no_domain():
    rows = toy_rows(4)
    rows = [*rows, replace(rows[0], domains=("technology", "health"))]
    pairs = sample_pairs(rows, 200, np.random.default_rng(0))
    assert len(pairs) == 200 and sum(pair.alike for pair in pairs) == 100
    for pair in pairs:
        shared = set(rows[pair.left].domains) & set(rows[pair.right].domains)
        assert bool(shared) == bool(pair.alike)


def test_tuning_moves_the_body_but_not_its_word_embeddings(tiny_encoder):
    before = load_body(tiny_encoder, READING)
    after = trained(tiny_encoder, toy_rows(8)).body
    words = [b[0].auto_model.get_input_embeddings().weight for b in (before, after)]
    layer = [b[0].auto_model.encoder.layer[0].output.dense.weight for b in (before, after)]
    assert (words[0] == words[1]).all() and not (layer[0] == layer[1]).all()
    assert freeze_word_embeddings(before) < sum(p.numel() for p in before.parameters())


def test_the_same_seed_gives_the_same_bits(tiny_encoder):
    one, two = (trained(tiny_encoder, toy_rows(4)) for _ in range(2))
    assert one.losses == two.losses
    assert np.array_equal(one.head.weight, two.head.weight)
    assert np.array_equal(encode(one.body, TEXTS, READING), encode(two.body, TEXTS, READING))
    weights = one.body.state_dict(), two.body.state_dict()
    assert any("pooler" in name for name in weights[0]), "the encoder lacks one, so it is drawn"
    assert all(bool((value == weights[1][name]).all()) for name, value in weights[0].items())


def test_a_reloaded_teacher_gives_equal_probabilities(staged):
    one, two = Teacher.load(staged), load_labeler(str(staged))
    assert np.array_equal(one.probabilities(TEXTS), two.probabilities(TEXTS))
    assert one.label(TEXTS).labeler == ["teacher"] * 3
    assert one.label([]).probabilities.shape == (0, 8)


def test_no_pickle_is_in_a_teachers_folder(staged):
    names = [path.name for path in staged.rglob("*")]
    assert "head.safetensors" in names and "model.safetensors" in names
    assert not [n for n in names if n.endswith((".pkl", ".bin", ".joblib", ".pt"))]


@pytest.mark.needs("teacher")
def test_a_head_survives_fortran_order(tmp_path):
    weight = np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))
    Head(weight, np.zeros(3, np.float32)).save(tmp_path)
    assert np.array_equal(Head.load(tmp_path, 3).weight, weight)
    with pytest.raises(LabelerError, match=r"expected weight \(8, dimensions\)"):
        Head.load(tmp_path, 8)


def test_a_changed_body_or_description_is_refused(staged, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(staged, folder)
    config = folder / "config.json"
    config.write_text(config.read_text() + "\n")
    with pytest.raises(LabelerError, match=r"config\.json is missing or is not the file"):
        Teacher.load(folder)
    about = json.loads((folder / "labeler.json").read_text())
    del about["reading"]
    (folder / "labeler.json").write_text(json.dumps(about))
    with pytest.raises(LabelerError, match=r"labeler\.json: .*missing required field `reading`"):
        Teacher.load(folder)


def test_a_hub_encoder_needs_a_full_revision():
    with pytest.raises(LabelerError, match="40-hex revision"):
        local_encoder("org/encoder", "main")


@pytest.mark.needs("teacher")
def test_a_body_with_pickled_weights_only_is_refused(tmp_path):
    (tmp_path / "modules.json").write_text("[]")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(LabelerError, match="may hold a pickle"):
        load_body(tmp_path, READING)


@pytest.mark.slow
def test_a_real_encoder_learns_the_annotations():
    from importlib.resources import files

    from webfaq_domains.labelers.measuring.evaluation import evaluate
    from webfaq_domains.labelers.training.recipe import Split, read_material

    encoder = os.environ.get("WEBFAQ_TEST_ENCODER")
    if not encoder:
        pytest.skip("WEBFAQ_TEST_ENCODER names no sentence-transformers folder")
    data, taxonomy = Path(str(files("webfaq_domains.builders"))), builtin_taxonomy()
    material = read_material(data / "annotations", data / "lexicon", taxonomy, Split())
    rows = [row for row in material.train if row.language in ("eng", "deu", "fra")]
    tuned = train_teacher(
        load_body(Path(encoder), READING), rows, {}, taxonomy.claimable,
        (READING, replace(RECIPE, pairs=0)),
    )  # fmt: skip
    from webfaq_domains.labelers.base import LabelerId
    from webfaq_domains.labelers.calibration import Platt

    teacher = Teacher(
        LabelerId("teacher", "t", "", ""), taxonomy.claimable, np.full(8, 0.3, np.float32),
        taxonomy.fallback, READING.characters, READING, Platt.identity(8), tuned.head, tuned.body,
    )  # fmt: skip
    # Three languages train and all 51 test, uncalibrated and with the toy's short reading.
    found = evaluate(teacher, from_annotations(material.test))
    assert found.figures.macro.f1 > 0.7
