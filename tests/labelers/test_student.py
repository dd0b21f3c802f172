from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from toylabels import toy_rows

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.calibration import ThresholdRule
from webfaq_domains.labelers.folder import Training
from webfaq_domains.labelers.load import builtin_folder, load_labeler
from webfaq_domains.labelers.student import Student, student_lines, student_text
from webfaq_domains.labelers.training.annotations import from_annotations
from webfaq_domains.labelers.training.description import Description
from webfaq_domains.labelers.training.lexicon import read_lexicon
from webfaq_domains.labelers.training.student import (
    StudentRecipe,
    annotation_lines,
    lexicon_lines,
    quantise_student,
    stage_student,
    train_student,
)

RECIPE = StudentRecipe(buckets=2000, word_count=1, lexicon_texts=5)

#: One plain question of a domain in languages of many scripts.
PLAIN = {
    "eng": ("How do I reset the password of my e-mail account?", "technology"),
    "deu": ("Welche Impfung braucht mein Kind beim Arzt?", "health"),
    "fra": ("Quel est le taux d'intérêt de ce prêt immobilier à la banque ?", "finance"),
    "spa": ("¿Cuánto equipaje puedo llevar en el vuelo al aeropuerto?", "travel"),
    "rus": ("Какой налог платят с вклада в банке?", "finance"),
    "ara": ("ما هي أعراض المرض وما هو العلاج عند الطبيب؟", "health"),
    "jpn": ("ワクチンの副作用と症状について医師に相談できますか？", "health"),
    "zho": ("如何在银行申请贷款，利率是多少？", "finance"),
    "kor": ("대학교 입학 시험과 장학금 신청은 어떻게 하나요?", "education"),
    "hin": ("बैंक से ऋण लेने पर ब्याज दर कितनी है?", "finance"),
}


@pytest.fixture(scope="module")
def staged(tmp_path_factory, lexicon_folder):
    taxonomy = builtin_taxonomy()
    rows = toy_rows(20)
    lexicon = read_lexicon(lexicon_folder, taxonomy)
    model = train_student(annotation_lines(rows, RECIPE) + lexicon_lines(lexicon, RECIPE), RECIPE)
    told = Description("toy", taxonomy, ThresholdRule(), Training())
    folder = tmp_path_factory.mktemp("student")
    held_out = from_annotations(toy_rows(10, seed=1))
    stage_student(model, folder / "model.bin", told, RECIPE, held_out)
    return folder


def test_the_text_form_is_one_lower_case_line_with_east_asian_pairs():
    assert student_text("Is it\nSAFE?") == "is it safe?"
    assert student_text("健康保険") == " 健康 康保 保険 "
    assert student_text("บัญชีธนาคาร") == "บัญชีธนาคาร"


def test_a_trained_student_labels_what_it_was_taught(staged):
    labeler = load_labeler(str(staged))
    texts = ["the doctor and the vaccine", "a bank loan", "my flight and luggage"]
    found = labeler.label(texts)
    assert found.domain == ["health", "finance", "travel"]


def test_no_text_gives_no_row(staged):
    assert load_labeler(staged).label([]).probabilities.shape == (0, 8)


def test_the_same_lines_give_the_same_model(tmp_path):
    lines = annotation_lines(toy_rows(5), RECIPE)
    for name in ("one.bin", "two.bin"):
        train_student(lines, RECIPE).save_model(str(tmp_path / name))
    assert (tmp_path / "one.bin").read_bytes() == (tmp_path / "two.bin").read_bytes()


def test_quantising_keeps_most_answers():
    recipe = replace(RECIPE, dimensions=10)
    model = train_student(annotation_lines(toy_rows(40), recipe), recipe)
    texts = [student_text(row.text) for row in toy_rows(10, seed=2)]
    before = [model.predict(text)[0][0] for text in texts]
    quantise_student(model)
    after = [model.predict(text)[0][0] for text in texts]
    assert np.mean([a == b for a, b in zip(before, after, strict=True)]) > 0.9


def test_a_model_other_than_the_pinned_one_is_refused(staged, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(staged, folder)
    with (folder / "model.bin").open("ab") as file:
        file.write(b"x")
    with pytest.raises(LabelerError, match="is not the model with sha256"):
        Student.load(folder)


def by_regex(text: str) -> str:
    """The rule of `student_lines` as one would write it for a single text."""
    runs = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3,}")
    plain = text.lower().replace("\n", " ")
    if not runs.search(plain):
        return plain
    return runs.sub(lambda run: f" {' '.join(map(str.__add__, run[0], run[0][1:]))} ", plain[:200])


def test_many_texts_read_as_each_by_itself():
    texts = [
        "Is my E-mail\nsafe?",
        "",
        "健康保険はどこで",
        "ΚΑΛΗΜΈΡΑ İstanbul",
        "a 한국어로 b",
        "𠮷野家 😀",
        "保険",
    ]
    texts += [
        "健康保",
        "x" * 198 + "健康保険",
        "健康\n保険は",
        "健康保険 x 健康保険",
        "\ud800 健康保険",
        "健康保険" * 80,
    ]
    pieces = np.random.default_rng(0).choice([*"aB 健康保険한국어\n.", "健康保険"], (200, 40))
    texts += ["".join(row) for row in pieces]
    assert student_lines(texts) == [by_regex(text) + "\n" for text in texts]
    assert [student_text(text) for text in texts] == [by_regex(text) for text in texts]
    assert student_lines([]) == []


@pytest.mark.parametrize(("text", "told"), [("[]", "holds a list"), ("{", "cannot be read")])
def test_a_description_of_another_form_is_refused(tmp_path, text, told):
    (tmp_path / "labeler.json").write_text(text)
    with pytest.raises(LabelerError, match=told):
        Student.load(tmp_path)


def test_training_on_nothing_is_refused():
    with pytest.raises(LabelerError, match="no text to train"):
        train_student([], RECIPE)


def test_the_builtin_is_small_described_and_pinned():
    folder = builtin_folder()
    about = json.loads((folder / "labeler.json").read_text())
    assert (folder / "model.ftz").stat().st_size <= 2_000_000
    assert about["domains"] == list(builtin_taxonomy().claimable)
    assert about["taxonomy_version"] == builtin_taxonomy().version
    assert len(about["training"]["languages"]) >= 30
    assert {"model.ftz"} == set(about["files"])
    assert "pickle" not in str(sorted(folder.iterdir()))
    assert "library_name: fasttext" in (folder / "README.md").read_text(encoding="utf-8")


def test_the_builtin_labels_plain_questions_in_ten_languages():
    labeler = load_labeler("builtin")
    texts = [text for text, _ in PLAIN.values()]
    found = labeler.label(texts)
    right = [w in f for f, (_, w) in zip(found.domains, PLAIN.values(), strict=True)]
    assert sum(right) >= 9, dict(zip(PLAIN, found.domains, strict=True))
