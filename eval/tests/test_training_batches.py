"""No question meets a second right answer in a batch, and the batches are a function of list and seed."""

import json
import math

import numpy as np
import pytest
import torch
from tinypairs import many, pair, row, write_pairs
from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.pairs.held_out import HeldOut
from webfaq_eval.pairs.negatives import attach, read_negatives
from webfaq_eval.pairs.pairs import id_order, open_pairs, read_index
from webfaq_eval.pairs.settings import NegativeSettings
from webfaq_eval.pairs.texts import gather_texts, text_key
from webfaq_eval.training.batches import Batches, TrainingData, plan_epoch
from webfaq_eval.training.losses import Marks, Vectors, contrastive, margin_mse
from webfaq_eval.training.settings import BatchSettings, LossSettings


def texts_of(folder, rows):
    pairs = open_pairs(write_pairs(folder, {"train": rows}))
    ids = read_index(pairs, "train").ids
    return gather_texts(pairs, "train", ids[id_order(ids)], folder / "texts.arrow")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """180 pairs, of which 30 share one answer and 20 one question."""
    rows = many({("deu", "health"): 60, ("fra", "health"): 50, ("swa", "travel"): 20})
    rows += [
        row("deu", "health", f"Was kostet Nummer {n}?", "Das steht im Heft.", "a.example")
        for n in range(30)
    ]
    rows += [
        row("deu", "health", "Wie geht das?", f"So geht das, Fall {n}.", "b.example")
        for n in range(20)
    ]
    return texts_of(tmp_path_factory.mktemp("batches"), rows)


@pytest.mark.parametrize("monolingual", [False, True])
@pytest.mark.parametrize("size", [2, 16, 64])
def test_no_two_pairs_of_a_batch_share_a_text_and_none_is_lost(texts, size, monolingual):
    batches, left = plan_epoch(texts, BatchSettings(size, 1, monolingual), 0)
    for rows in batches:
        assert 2 <= len(rows) <= size
        assert len(set(texts.question_key[rows])) == len(set(texts.answer_key[rows])) == len(rows)
        assert not monolingual or len(set(texts.language[rows])) == 1
    used = np.concatenate(batches)
    assert len(set(used)) == len(used) == len(texts) - left
    assert left <= 30 // size + len(texts.languages) + 12


def test_most_batches_are_full_and_languages_mix(texts):
    batches, _ = plan_epoch(texts, BatchSettings(16, 1, False), 0)
    assert sum(len(rows) == 16 for rows in batches) >= 6
    assert len(set(texts.language[batches[0]])) == 3


def test_windows_carry_on_what_had_to_wait(texts, monkeypatch):
    monkeypatch.setattr("webfaq_eval.training.batches._WINDOW", 2)
    batches, left = plan_epoch(texts, BatchSettings(8, 1, False), 0)
    used = np.concatenate(batches)
    assert len(set(used)) == len(used) == len(texts) - left
    for rows in batches:
        assert len(set(texts.answer_key[rows])) == len(set(texts.question_key[rows])) == len(rows)


def test_batches_are_a_function_of_list_and_seed(texts):
    def digest(seed):
        return Batches(texts, BatchSettings(16, seed)).sha256(25)

    assert digest(1) == digest(1) != digest(2)
    batches = Batches(texts, BatchSettings(16, 1))
    late = batches.at(25).copy()
    batches.at(0)
    assert np.array_equal(batches.at(25), late)
    assert batches.steps(2) == len(plan_epoch(texts, batches.settings, 0)[0]) + len(
        plan_epoch(texts, batches.settings, 1)[0]
    )


def test_pairs_that_all_share_one_answer_make_no_batch(tmp_path):
    rows = [row("deu", "health", f"Frage {n}?", "Dieselbe Antwort.", "a.example") for n in range(5)]
    with pytest.raises(TrainingError, match="make no batch"):
        Batches(texts_of(tmp_path, rows), BatchSettings(4)).at(0)


def test_a_text_key_ignores_case_width_and_spaces_only():
    assert (
        text_key("Was  kostet\nES?") == text_key("was kostet es?") == text_key("ｗａｓ kostet es?")
    )
    assert text_key("was kostet es?") != text_key("was kostet es!")


def vectors_of(n, m=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    parts = (torch.randn(k, 8, generator=generator) for k in (n, n, m))
    return Vectors(*(torch.nn.functional.normalize(part, dim=-1) for part in parts))


def marks_of(right, owner=(), margin=()):
    return Marks(right, torch.tensor(owner, dtype=torch.long), torch.tensor(margin))


def test_contrastive_is_cross_entropy_over_cosines():
    vectors = vectors_of(3, 2)
    right = torch.cat([torch.eye(3), torch.zeros(3, 2)], 1).bool()
    loss = contrastive(vectors, marks_of(right, [0, 1], [0.0, 0.0]), LossSettings(0.5))
    wanted = []
    for row_number in range(3):
        cosines = [
            float(vectors.questions[row_number] @ c) / 0.5
            for c in [*vectors.answers, *vectors.negatives]
        ]
        wanted.append(-cosines[row_number] + np.log(np.exp(cosines).sum()))
    assert float(loss) == pytest.approx(np.mean(wanted), rel=1e-5)


def test_another_right_answer_is_no_negative():
    vectors, right = vectors_of(3), torch.eye(3).bool()
    right[0, 2] = right[2, 0] = True
    changed = Vectors(vectors.questions, vectors.answers.clone(), vectors.negatives)
    changed.answers[2] = vectors.questions[0]
    one = contrastive(vectors, marks_of(right), LossSettings(0.1))
    row_of_first = [
        contrastive(
            Vectors(v.questions, v.answers, v.negatives), marks_of(right), LossSettings(0.1)
        )
        for v in (vectors, changed)
    ]
    assert one == row_of_first[0]
    logits = [v.questions[:1] @ v.answers[:2].T for v in (vectors, changed)]
    assert torch.equal(*logits)  # what question 0 is compared with is the same


def test_margin_mse_compares_margins_where_a_teacher_was():
    vectors = vectors_of(2, 3)
    right = torch.zeros(2, 5).bool()
    marks = marks_of(right, [0, 0, 1], [0.5, float("nan"), 1.0])
    student = [
        float(
            vectors.questions[o] @ vectors.answers[o] - vectors.questions[o] @ vectors.negatives[k]
        )
        for k, o in ((0, 0), (2, 1))
    ]
    wanted = np.mean([(student[0] - 1.0) ** 2, (student[1] - 2.0) ** 2])
    found = margin_mse(vectors, marks, LossSettings(teacher_scale=2.0))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_right_answers_are_marked_across_pairs_that_do_not_share_a_text(tmp_path):
    """(q1,a1) and (q2,a2) may meet although (q1,a2) is a pair, too: then a2 is right for q1."""
    rows = [
        row("deu", "health", "Frage eins?", "Antwort eins.", "a.example"),
        row("deu", "health", "Frage eins?", "Antwort zwei.", "a.example"),
        row("deu", "health", "Frage zwei?", "Antwort zwei.", "a.example"),
    ]
    texts = texts_of(tmp_path, rows)
    order = [texts.answers([r])[0] + texts.questions([r])[0] for r in range(3)]
    first, last = order.index("Antwort eins.Frage eins?"), order.index("Antwort zwei.Frage zwei?")
    data = TrainingData(texts, Batches(texts, BatchSettings(2)), ("", ""))
    marks = data.batch(np.array([first, last])).marks
    assert marks.right.tolist() == [[True, True], [False, True]]


LINES = """\
{{"query": {q0}, "positive": {a0}, "negatives": [{a1}, {a0}, "Fremder Text.", {a2}], "positive_score": 0.9, "negative_scores": [0.5, 0.9, 0.4, 0.3]}}
{{"question": {q1}, "pos": [{a1}], "neg": [{{"text": {a2}, "score": 1.5}}], "pos_scores": [2.0]}}
{{"anchor": {q2}, "positive": {a2}, "negatives": [{a0}, {a1}], "scores": [3.0, 2.0, 1.0]}}
{{"query": "Unbekannt?", "positive": "Auch unbekannt.", "negatives": ["x"]}}
"""


@pytest.fixture
def mined(tmp_path):
    rows = [pair("deu", "health", n) for n in range(3)]
    named = {
        f"{kind[0]}{n}": json.dumps(rows[n][kind])
        for n in range(3)
        for kind in ("question", "answer")
    }
    file = tmp_path / "mined.jsonl"
    file.write_text(LINES.format(**named), encoding="utf-8")
    return texts_of(tmp_path / "pairs", rows), rows, file


def test_hard_negatives_of_every_dialect_find_their_pairs(mined):
    texts, rows, file = mined
    found = attach(texts, NegativeSettings(file, most=2), HeldOut(frozenset()))
    where = {texts.questions([r])[0]: r for r in range(3)}
    for number, margins in ((0, [0.4, 0.6]), (1, [0.5]), (2, [1.0, 2.0])):
        r = where[rows[number]["question"]]
        part = slice(found.start[r], found.start[r + 1])
        assert found.margin[part] == pytest.approx(margins, abs=1e-6)
        own = rows[number]["answer"]
        assert own not in texts.answers(found.passage[part])
    assert found.extra == []
    assert found.counted == {
        "lines": 3, "lines: no pair of the condition": 1, "negatives used": 5, "pairs with negatives": 3,
        "negatives: they answer the question": 1,
        "negatives: not an answer of the condition's pairs": 1,
    }  # fmt: skip


def test_texts_from_outside_serve_only_when_asked(mined):
    texts, _, file = mined
    found = attach(texts, NegativeSettings(file, most=4, outside=True), HeldOut(frozenset()))
    assert found.extra == ["Fremder Text."]
    data = TrainingData(texts, Batches(texts, BatchSettings(3)), ("q: ", "p: "), found)
    batch = data.batch(np.arange(3))
    items = data.items(batch.rows, batch.passages)
    assert "p: Fremder Text." in items and items[0] == "q: " + texts.questions([0])[0]
    # A negative that is another row's own answer is right for that row and marked so.
    for column, passage in enumerate(batch.passages.tolist()):
        if passage < 3:
            assert bool(batch.marks.right[passage, 3 + column])


def test_lines_that_are_not_in_the_format_are_named(tmp_path):
    file = tmp_path / "bad.jsonl"
    file.write_text(
        '{"query": "a", "positive": "b", "negatives": ["c"]}\n{"query": "a"}\n', encoding="utf-8"
    )
    with pytest.raises(TaskDataError, match=r"bad\.jsonl:2: .*met query"):
        list(read_negatives(file))
    file.write_text(
        '{"query": "a", "positive": "b", "negatives": ["c"], "neg_scores": [1, 2, 3]}\n'
    )
    with pytest.raises(TaskDataError, match="1 negatives have 3 scores"):
        list(read_negatives(file))
    with pytest.raises(TaskDataError, match="holds no hard negatives"):
        list(read_negatives(tmp_path / "missing"))


def test_a_file_without_a_line_for_the_pairs_is_refused(mined, tmp_path):
    texts, _, _ = mined
    file = tmp_path / "other.jsonl"
    file.write_text('{"query": "a", "positive": "b", "negatives": ["c"]}\n', encoding="utf-8")
    with pytest.raises(TaskDataError, match="no hard negative to the 3 pairs"):
        attach(texts, NegativeSettings(file), HeldOut(frozenset()))


def write_archive(folder, runs):
    """Write what an archive of webfaq-ir-datasets holds for German, by its card."""
    files = {
        "documents.jsonl": '{"doc_id": "d1", "text": "Mit Karte oder bar."}\n'
        '{"doc_id": "d2", "text": "Über unsere Seite."}\n'
        '{"doc_id": "d3", "text": "Am Schalter."}\n',
        "training/queries.jsonl": '{"query_id": "q1", "text": "Wie zahle ich?"}\n'
        '{"query_id": "q2", "text": "Wo buche ich?"}\n',
        "training/qrels": "q1 0 d1 1\nq2 0 d2 1\n",
        "training/BGE-M3.res": runs,
        "test/queries.jsonl": '{"query_id": "q9", "text": "Wann?"}\n',
        "test/qrels": "q9 0 d3 1\n",
    }
    for name, text in files.items():
        (folder / "webfaq/deu" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "webfaq/deu" / name).write_text(text, encoding="utf-8")
    return folder


RUN = """\
q1 Q0 d3 2 0.25 BGE-M3
q1 Q0 d1 1 0.75 BGE-M3
q1 Q0 d2 3 0.5 BGE-M3
q2 Q0 d1 1 0.5 BGE-M3
"""


def test_the_published_archive_gives_its_questions_scored_negatives(tmp_path):
    folder = write_archive(tmp_path / "archive", RUN)
    first, second = read_negatives(folder)
    assert (first.query, list(first.positives), first.positive_scores) == (
        "Wie zahle ich?",
        ["Mit Karte oder bar."],
        [0.75],
    )
    assert list(first.negatives) == ["Über unsere Seite.", "Am Schalter."]
    assert first.negative_scores == [0.5, 0.25]
    # The run has no score of this question's right answer: its margin stays unknown.
    assert list(second.positives) == ["Über unsere Seite."]
    assert math.isnan(second.positive_scores[0])
    rows = [
        row("deu", "travel", "Wie zahle ich?", "Mit Karte oder bar.", "a.example"),
        row("deu", "travel", "Wo buche ich?", "Über unsere Seite.", "b.example"),
    ]
    texts = texts_of(tmp_path / "pairs", rows)
    found = attach(texts, NegativeSettings(folder), HeldOut(frozenset()))
    assert found.counted == {
        "lines": 2, "pairs with negatives": 2, "negatives used": 2, "negatives used, without a teacher's score": 1,
        "negatives: not an answer of the condition's pairs": 1,
    }  # fmt: skip
    assert sorted(found.margin.tolist(), key=str) == [0.25, pytest.approx(math.nan, nan_ok=True)]


def test_a_broken_archive_says_where(tmp_path):
    torn = write_archive(tmp_path / "torn", RUN + "q1 Q0 d1 4 0.1 BGE-M3\n")
    with pytest.raises(TaskDataError, match="the lines of q1 do not stand together"):
        list(read_negatives(torn))
    lost = write_archive(tmp_path / "lost", RUN + "q2 Q0 d7 2 0.1 BGE-M3\n")
    with pytest.raises(TaskDataError, match=r"documents\.jsonl has no d7"):
        [list(one.negatives) for one in read_negatives(lost)]
    short = write_archive(tmp_path / "short", "q1 Q0 d1\n")
    with pytest.raises(TaskDataError, match=r"BGE-M3\.res:1: met 'q1 Q0 d1'"):
        list(read_negatives(short))
    (lost / "webfaq/deu/training/qrels").unlink()
    with pytest.raises(TaskDataError, match="qrels belongs to the run beside it"):
        list(read_negatives(lost))


def test_a_score_inside_each_text_is_the_teachers(tmp_path):
    file = tmp_path / "inside.jsonl"
    file.write_text(
        '{"query": "a", "positive": {"text": "b", "score": 3.0}, '
        '"negatives": [{"text": "c", "score": 1.0}, {"text": "d"}]}\n'
    )
    (found,) = read_negatives(file)
    assert found.positive_scores == [3.0] and found.negative_scores[0] == 1.0
    assert math.isnan(found.negative_scores[1])


# Several right answers, several rows a pair


@pytest.fixture
def faq(tmp_path):
    """Six pairs; the first two ask the same."""
    rows = [row("deu", "health", "Frage 0?", f"Antwort {n}.", "a.example") for n in (0, 1)]
    rows += [row("deu", "health", f"Frage {n}?", f"Antwort {n}.", "a.example") for n in range(2, 6)]
    return texts_of(tmp_path / "pairs", rows)


def attached(texts, file, *lines, most=4, outside=False):
    """Return the answers that each pair has as negatives, by its own answer, with margins; and the counts."""
    file.write_text("".join(json.dumps(line) + "\n" if line else "\n" for line in lines))
    found = attach(texts, NegativeSettings(file, most, outside), HeldOut(frozenset()))
    every = [*texts.answers(range(len(texts))), *found.extra]
    of_pair = {}
    for r in range(len(texts)):
        part = slice(found.start[r], found.start[r + 1])
        if len(found.passage[part]):
            names = [every[passage] for passage in found.passage[part]]
            of_pair[every[r]] = dict(zip(names, found.margin[part].tolist(), strict=True))
    return of_pair, found.counted


def test_negatives_of_one_a_line_are_put_together(faq, tmp_path):
    lines = [
        {"anchor": "Frage 2?", "positive": "Antwort 2.", "negative": f"Antwort {n}.", "negative_score": n / 8,
         "positive_score": 1.0} for n in (3, 4, 5)
    ]  # fmt: skip
    found, counted = attached(faq, tmp_path / "a.jsonl", *lines, None)
    assert found == {"Antwort 2.": {"Antwort 3.": 0.625, "Antwort 4.": 0.5, "Antwort 5.": 0.375}}
    assert counted == {"lines": 3, "pairs with negatives": 1, "negatives used": 3}
    found, _ = attached(faq, tmp_path / "a.jsonl", *lines, most=2)
    assert list(found["Antwort 2."]) == ["Antwort 3.", "Antwort 4."]


def test_negatives_of_several_files_are_put_together(faq, tmp_path):
    folder = tmp_path / "miners"
    folder.mkdir()
    line = {"query": "Frage 2?", "positive": "Antwort 2."}
    (folder / "a.jsonl").write_text(json.dumps({**line, "negatives": ["Antwort 3."]}) + "\n")
    (folder / "b.jsonl").write_text(
        json.dumps({**line, "negatives": ["Antwort 3.", "Antwort 4."]}) + "\n"
    )
    found = attach(faq, NegativeSettings(folder), HeldOut(frozenset()))
    assert found.counted["lines"] == 2 and found.counted["negatives used"] == 2


def test_all_right_answers_of_a_line_get_its_negatives_and_are_none(faq, tmp_path):
    line = {
        "query": "Frage 0?", "pos": ["Antwort 0.", "Antwort 1.", "Fremd."], "pos_scores": [2.0, 1.0, 3.0],
        "neg": ["Antwort 1.", "Fremd.", "Antwort 4.", "Antwort 5."], "neg_scores": [0.5, 0.5, 0.5, 0.25],
    }  # fmt: skip
    found, counted = attached(faq, tmp_path / "a.jsonl", line, outside=True)
    assert found == {
        "Antwort 0.": {"Antwort 4.": 1.5, "Antwort 5.": 1.75},
        "Antwort 1.": {"Antwort 4.": 0.5, "Antwort 5.": 0.75},
    }
    assert counted["negatives: they answer the question"] == 2
    assert counted["lines with several right answers"] == 1


def test_what_another_line_calls_right_is_no_negative(faq, tmp_path):
    lines = [
        {"query": "Frage 2?", "positive": "Antwort 2.", "negatives": ["Fremd.", "Antwort 3."]},
        {"query": "Frage 2?", "positive": "Fremd.", "negatives": ["Antwort 4."]},
    ]
    for order in (lines, lines[::-1]):
        found, counted = attached(faq, tmp_path / "a.jsonl", *order, outside=True)
        assert list(found["Antwort 2."]) == ["Antwort 3."]
        assert counted["negatives: they answer the question"] == 1


def test_lines_without_a_right_answer_or_question_are_counted(faq, tmp_path):
    lines = [
        {"query": "Frage 2?", "pos": [], "neg": ["Antwort 3."]},
        {"query": None, "pos": ["Antwort 2."], "neg": ["Antwort 3."]},
        {"query": "Frage 2?", "pos": ["Antwort 2."], "neg": []},
        {"query": "Frage 2?", "pos": ["Antwort 2."], "neg": ["Antwort 3."]},
    ]
    _, counted = attached(faq, tmp_path / "a.jsonl", *lines)
    assert counted.pop("negatives used, without a teacher's score") == 1
    assert counted == {
        "lines": 2, "lines: no right answer": 1, "lines: empty text": 1,
        "pairs with negatives": 1, "negatives used": 1,
    }  # fmt: skip


def test_files_of_a_folder_that_are_not_read_are_named(faq, tmp_path, caplog):
    folder = tmp_path / "mined"
    folder.mkdir()
    (folder / "a.jsonl").write_text(
        '{"query": "Frage 2?", "pos": ["Antwort 2."], "neg": ["Antwort 3."]}\n'
    )
    (folder / "b.csv").write_text("query\n")
    attach(faq, NegativeSettings(folder), HeldOut(frozenset()))
    assert "b.csv" in caplog.text and "a.jsonl" not in caplog.text
