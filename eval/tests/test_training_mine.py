"""Mined negatives are hard, wrong, whole after a kill, and read by training."""

import gzip
import json

import numpy as np
import pytest
from click.testing import CliRunner
from tinymodel import write_retriever, write_teacher
from tinypairs import many, row, write_pairs
from webfaq_eval.cli import main
from webfaq_eval.errors import ModelError, TrainingError
from webfaq_eval.mining.candidates import too_good
from webfaq_eval.mining.mine import mine
from webfaq_eval.mining.settings import MineSettings, TeacherSettings
from webfaq_eval.pairs.negatives import read_negatives
from webfaq_eval.pairs.settings import NegativeSettings
from webfaq_eval.training.settings import (
    DataSettings,
    EncoderSettings,
    LossSettings,
    Schedule,
    TrainSettings,
    Where,
)
from webfaq_eval.training.train import train

pytestmark = pytest.mark.needs("train")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("mine")
    rows = many({("deu", "health"): 25, ("fra", "travel"): 12, ("eng", "health"): 5})
    rows += [
        row("deu", "health", "Wie geht das?", f"So geht das, Fall {n}.", "b.example")
        for n in range(3)
    ]
    rows += [
        row("deu", "health", f"Was tun bei Fall {n}?", "Bitte rufen Sie an.", "c.example")
        for n in range(3)
    ]
    rows.append(row("swa", "health", "Ni nini?", "Ni hivi.", "d.example"))
    write_pairs(place / "pairs", {"train": rows})
    write_retriever(place / "tiny")
    return place


def mined(place, out, teacher=None, **settings):
    encoder = EncoderSettings(
        str(place / "tiny"), query_prefix="query: ", passage_prefix="passage: "
    )
    values = {"depth": 20, "most": 5, "ratio": 1.5, "shard_questions": 10} | settings
    return mine(str(place / "pairs"), encoder, out, MineSettings(**values), teacher)


@pytest.fixture(scope="module")
def done(place, tmp_path_factory):
    return mined(place, tmp_path_factory.mktemp("out"))


def lines(folder):
    found = []
    for file in sorted(folder.glob("*.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as opened:
            found += [json.loads(line) for line in opened]
    return found


def test_negatives_are_of_the_language_wrong_and_best_first(place, done):
    found = lines(done.folder)
    right = {}
    for line in found:
        right.setdefault(line["query"], set()).add(line["positive"])
    assert {line["language"] for line in found} == {"deu", "eng", "fra"}
    for line in found:
        assert 1 <= len(line["negatives"]) == len(line["negative_ids"]) <= 5
        assert not right[line["query"]] & set(line["negatives"])
        assert line["negative_scores"] == sorted(line["negative_scores"], reverse=True)
        assert max(line["negative_scores"]) <= 1.5 * line["positive_score"] + 1e-6
        same_language = {
            other["positive"] for other in found if other["language"] == line["language"]
        }
        assert set(line["negatives"]) <= same_language
    counted = done.record["counted"]
    assert counted["questions"] == 49
    assert counted["questions without a negative, left out"] == 1
    assert counted["candidates: they answer the question"] > 0
    assert sum(len(line["negatives"]) for line in found) == counted["negatives kept"]


def test_scores_are_the_models_cosines(place, done):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(place / "tiny"), device="cpu")
    line = lines(done.folder)[0]
    question = model.encode(["query: " + line["query"]])
    texts = ["passage: " + text for text in (line["positive"], *line["negatives"])]
    cosines = (question @ model.encode(texts).T)[0]
    assert np.allclose(cosines, [line["positive_score"], *line["negative_scores"]], atol=1e-5)


def test_what_scores_above_the_right_answer_times_ratio_is_left_out(place, tmp_path):
    strict = mined(place, tmp_path / "strict", ratio=0.9)
    for line in lines(strict.folder):
        assert max(line["negative_scores"]) <= 0.9 * line["positive_score"] + 1e-6
    assert strict.record["counted"]["candidates: score above the right answer's x ratio"] > 0


def test_stopped_and_started_again_the_files_are_the_same(place, done, tmp_path, monkeypatch):
    from webfaq_eval.mining.mine import _Mining

    original, calls = _Mining._lines, []

    def stopped(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *arguments)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(_Mining, "_lines", stopped)
        mined(place, tmp_path / "out")
    first = {f.name: f.stat().st_mtime_ns for f in (tmp_path / "out").glob("*.gz")}
    assert len(first) == 2
    with pytest.raises(TrainingError, match="another model, other pairs or settings"):
        mined(place, tmp_path / "out", most=3)
    again = mined(place, tmp_path / "out")
    assert again.record == done.record
    assert all((again.folder / name).stat().st_mtime_ns == then for name, then in first.items())
    for file in sorted(done.folder.glob("*.gz")):
        assert (again.folder / file.name).read_bytes() == file.read_bytes()
    assert not (again.folder / "work").exists()
    assert mined(place, tmp_path / "out").record == done.record


def test_training_reads_what_was_mined_and_distils_from_it(place, done, tmp_path):
    assert len(list(read_negatives(done.folder))) == 48
    settings = TrainSettings(
        DataSettings(str(place / "pairs"), "all", negatives=NegativeSettings(done.folder, most=2)),
        EncoderSettings(str(place / "tiny"), "full", max_length=32),
        batch_size=8,
        loss=LossSettings(distil=0.5),
        schedule=Schedule(steps=3, learning_rate=1e-3),
        where=Where("cpu"),
    )
    record = train(settings, tmp_path / "model").record
    assert record.negatives["negatives used"] == 2 * 43
    assert record.negatives["lines: no pair of the condition"] == 5  # the English ones


def test_the_command_says_what_it_counted(place, tmp_path):
    words = [
        "mine",
        "--model",
        str(place / "tiny"),
        "--pairs",
        str(place / "pairs"),
        "--ratio",
        "2",
    ]
    result = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "negatives kept" in result.stdout
    refused = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "x"), "--most", "500"])
    assert refused.exit_code == 1 and "most <= depth" in refused.output


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher"))


@pytest.fixture(scope="module")
def taught(place, teacher, tmp_path_factory):
    settings = TeacherSettings(str(teacher), margin=0.0)
    return mined(place, tmp_path_factory.mktemp("taught"), teacher=settings)


def test_a_teacher_scores_what_is_kept_and_drops_what_it_finds_right(place, teacher, done, taught):
    from sentence_transformers import CrossEncoder

    before = {line["id"]: line for line in lines(done.folder)}
    model = CrossEncoder(str(teacher), device="cpu")
    dropped = 0
    for line in lines(taught.folder):
        old = before.pop(line["id"])
        texts = [old["positive"], *old["negatives"]]
        own, *scores = model.predict([(line["query"], text) for text in texts]).tolist()
        wanted = [
            (text, score)
            for text, score in zip(old["negatives"], scores, strict=True)
            if score < own
        ]
        dropped += len(scores) - len(wanted)
        assert line["positive_score"] == pytest.approx(own, abs=2e-6)
        assert line["negatives"] == [text for text, _ in wanted]
        assert line["negative_scores"] == pytest.approx([s for _, s in wanted], abs=2e-6)
        assert len(line["negative_ids"]) == len(line["negatives"])
    # Those that are missing lost all their negatives.
    dropped += sum(len(line["negatives"]) for line in before.values())
    counted = taught.record["counted"]
    assert counted["negatives: the teacher finds them right"] == dropped > 0
    assert counted["questions without a negative, left out"] == len(before) + 1
    assert counted["negatives kept"] == done.record["counted"]["negatives kept"] - dropped
    assert taught.record["teacher"]["model"]["name"] == teacher.name
    assert "teacher" not in done.record


def test_a_wider_margin_drops_more_and_no_margin_turns_around_below_zero(place, teacher, tmp_path):
    wide = mined(place, tmp_path / "wide", teacher=TeacherSettings(str(teacher), margin=0.5))
    assert lines(wide.folder) == []
    assert wide.record["counted"]["negatives kept"] == 0
    assert too_good(2.0, 0.95) == pytest.approx(1.9) and too_good(-2.0, 0.95) == pytest.approx(-2.1)


def test_stopped_between_shards_a_teachers_run_goes_on(
    place, teacher, taught, tmp_path, monkeypatch
):
    from webfaq_eval.mining.teacher import Teacher

    original, calls = Teacher.rescore, []

    def stopped(self, *arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *arguments)

    settings = TeacherSettings(str(teacher), margin=0.0)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Teacher, "rescore", stopped)
        mined(place, tmp_path / "out", teacher=settings)
    with pytest.raises(TrainingError, match="another model, other pairs or settings"):
        mined(place, tmp_path / "out")
    again = mined(place, tmp_path / "out", teacher=settings)
    assert again.record == taught.record
    for file in sorted(taught.folder.glob("*.gz")):
        assert (again.folder / file.name).read_bytes() == file.read_bytes()


def test_training_distils_the_teachers_margins(place, taught, tmp_path):
    first = next(iter(read_negatives(taught.folder)))
    margins = [first.positive_scores[0] - score for score in first.negative_scores]
    assert min(margins) > 0
    settings = TrainSettings(
        DataSettings(
            str(place / "pairs"), "all", negatives=NegativeSettings(taught.folder, most=2)
        ),
        EncoderSettings(str(place / "tiny"), "full", max_length=32),
        batch_size=8,
        loss=LossSettings(distil=1.0),
        schedule=Schedule(steps=2, learning_rate=1e-3),
        where=Where("cpu"),
    )
    record = train(settings, tmp_path / "model").record
    assert record.negatives["negatives used"] > 0
    assert "negatives used, without a teacher's score" not in record.negatives


def test_what_is_no_cross_encoder_is_refused(place, tmp_path):
    with pytest.raises(ModelError, match="XLMRobertaModel, which does not score pairs"):
        mined(place, tmp_path / "x", teacher=TeacherSettings(str(place / "tiny")))
    several = write_teacher(tmp_path / "several", labels=3)
    with pytest.raises(ModelError, match="gives 3 scores for two texts"):
        mined(place, tmp_path / "x", teacher=TeacherSettings(str(several)))
    with pytest.raises(TrainingError, match="from 0 to below 1"):
        TeacherSettings("x", margin=1.5)


def test_the_command_takes_a_teacher(place, teacher, tmp_path):
    words = ["mine", "--model", str(place / "tiny"), "--pairs", str(place / "pairs")]
    words += ["--teacher", str(teacher), "--teacher-margin", "0", "--ratio", "2"]
    result = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "the teacher finds them right" in result.stdout
