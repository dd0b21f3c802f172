"""Metrics, masks, windows and schedules against numbers worked out by hand."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from tinymodel import write_tokenizer
from webfaq_eval.errors import TrainingError
from webfaq_eval.intermediate.multi import Rows, plan, shares
from webfaq_eval.intermediate.objectives.base import IGNORED, Encoding, lengths
from webfaq_eval.intermediate.objectives.classification import Classification, MultipleChoice
from webfaq_eval.intermediate.objectives.mlm import MaskedLanguage
from webfaq_eval.intermediate.objectives.spans import (
    Spans,
    best_of,
    best_threshold,
    exact_match,
    normalize_answer,
    squad_scores,
    token_f1,
)
from webfaq_eval.intermediate.objectives.tagging import Tagging
from webfaq_eval.intermediate.tasks.instances import Choice, Pair, Question, Tagged, Text


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return PreTrainedTokenizerFast.from_pretrained(folder)


# SQuAD


def test_answers_are_compared_without_case_articles_and_punctuation() -> None:
    assert normalize_answer("  The U.S.  of  A ") == "us of"
    assert exact_match("the Cat!", "cat") == 1.0 and exact_match("cats", "cat") == 0.0
    # 2 words shared, of 3 found and 2 right: precision 2/3, recall 1, F1 0.8.
    assert token_f1("big black cat", "a black cat") == pytest.approx(0.8)
    assert token_f1("", "cat") == 0.0 and token_f1("the", "") == 1.0
    assert best_of(token_f1, "black cat", ("dog", "the", "cat")) == pytest.approx(2 / 3)


def test_scores_over_questions() -> None:
    predicted = {"1": "the cat", "2": "a dog", "3": ""}
    answers: dict[str, tuple[str, ...]] = {"1": ("cat", "dog"), "2": ("big dog",), "3": ()}
    found = squad_scores(predicted, answers)
    assert found["exact"] == pytest.approx(2 / 3)
    assert found["f1"] == pytest.approx((1 + 2 / 3 + 1) / 3)


def test_the_best_null_threshold() -> None:
    # By rising odds: q1 right (+1), q2 has no answer (-1), q3 right (+1), q4 wrong (0).
    odds = {"q1": -3.0, "q2": 0.5, "q3": 1.0, "q4": 2.0, "q5": 9.0}
    spans = {"q1": "cat", "q2": "x", "q3": "dog", "q4": "x", "q5": "x"}
    answers: dict[str, tuple[str, ...]] = {
        "q1": ("cat",),
        "q2": (),
        "q3": ("dog",),
        "q4": ("y",),
        "q5": (),
    }
    # Nothing answered: q2 and q5 right, 2 of 5. Answering q1: 3. Then 2, 3, 3, 2: the first 3 stands.
    assert best_threshold(spans, odds, answers, exact_match) == (pytest.approx(0.6), -3.0)


def test_a_long_context_is_cut_into_windows_that_overlap(tokenizer: Any) -> None:
    context = " ".join(f"w{n:02d}" for n in range(30)) + " gold end"
    question = Question("q", "where?", context, ("gold",), (context.index("gold"),))
    spans = Spans(Encoding(tokenizer, 48), nulls=False)
    windows = spans.features([question])
    assert len(windows) > 3 and all(len(window.ids) <= 48 for window in windows)
    holding = [window for window in windows if window.end]
    for window in holding:
        begin, stop = window.offsets[window.start, 0], window.offsets[window.end, 1]
        assert context[begin:stop] == "gold"
    assert holding and windows[0].start == windows[0].end == 0
    covered = set()
    for window in windows:
        for begin, stop in window.offsets[window.offsets[:, 0] >= 0]:
            covered |= set(range(begin, stop))
    assert covered == set(range(len(context)))


def test_a_span_is_read_back_from_the_logits(tokenizer: Any) -> None:
    question = Question("q", "where?", "the cat sat", ("cat",), (4,))
    nothing = Question("n", "when?", "the cat sat", (), ())
    spans = Spans(Encoding(tokenizer, 48), nulls=True)
    windows = spans.features([question, nothing])
    batch = spans.batch(windows, np.random.default_rng(0))
    logits = torch.zeros(2, 2, batch["input_ids"].shape[1]).masked_fill(
        ~batch["inside"][:, None], -1e4
    )
    logits[0, 0, windows[0].start] = logits[0, 1, windows[0].end] = 5.0
    logits[1, :, 0] = 5.0
    found = spans.scores([(windows, batch, logits)], [question, nothing])
    assert found["exact"] == found["f1"] == found["best_f1"] == 1.0
    assert batch["labels"].tolist() == [[windows[0].start, windows[0].end], [0, 0]]


def test_repeated_ids_do_not_mix_questions(tokenizer: Any) -> None:
    questions = [Question("1", "what?", word, (word,), (0,)) for word in ("cat", "dog", "cow")]
    spans = Spans(Encoding(tokenizer, 48), nulls=False)
    windows = spans.features(questions)
    batch = spans.batch(windows, np.random.default_rng(0))
    logits = torch.zeros(3, 2, batch["input_ids"].shape[1]).masked_fill(
        ~batch["inside"][:, None], -1e4
    )
    for row, window in enumerate(windows):
        logits[row, 0, window.start] = logits[row, 1, window.end] = 5.0
    assert spans.scores([(windows, batch, logits)], questions) == {"exact": 1.0, "f1": 1.0}
    assert spans.baseline(questions, questions)["first words"] == 1.0


@pytest.mark.parametrize(
    "question", ["字" * 1000, "http://example.org/" + "a" * 900, "", "a b " * 300]
)
def test_a_question_is_cut_by_tokens(tokenizer: Any, question: str) -> None:
    spans = Spans(Encoding(tokenizer, 48), nulls=False)
    windows = spans.features([Question("q", question, "the cat sat", ("cat",), (4,))])
    assert all(len(window.ids) <= 48 for window in windows)
    assert any(window.end for window in windows)
    with pytest.raises(
        TrainingError, match="max_length is 16; question and context need 32 tokens"
    ):
        Spans(Encoding(tokenizer, 16), nulls=False)


def test_an_answer_that_no_window_has_whole_is_counted_in_training(tokenizer: Any) -> None:
    long = " ".join(["word"] * 40)
    questions = [
        Question("1", "what?", long, (long,), (0,)),
        Question("2", "what?", "the cat sat", ("cat",), (4,)),
        Question("3", "what?", "the cat sat", (), ()),
    ]
    spans = Spans(Encoding(tokenizer, 48), nulls=True)
    skipped: Counter[str] = Counter()
    assert {window.number for window in spans.features(questions, skipped)} == {1, 2}
    assert skipped == {"answer that no window of tokens has whole": 1}
    assert {window.number for window in spans.features(questions)} == {0, 1, 2}


# The other kinds


def test_accuracy_and_baselines_of_classes(tokenizer: Any) -> None:
    kind = Classification(Encoding(tokenizer, 16), ("x", "y", "z"))
    train = [Pair("a", str(n), 1 if n < 6 else 2) for n in range(10)]
    dev = [Pair("a", str(n), n % 2) for n in range(4)]
    assert kind.baseline(train, dev) == {"majority": 0.5, "random": pytest.approx(1 / 3)}
    logits = torch.eye(3)[[0, 1, 2, 1]]
    outputs = [(dev, {"labels": torch.tensor([0, 1, 0, 1])}, logits)]
    assert kind.scores(outputs, dev) == {"accuracy": 0.75}


def test_every_option_is_an_input_with_the_prompt(tokenizer: Any) -> None:
    kind = MultipleChoice(Encoding(tokenizer, 32), 2)
    batch = kind.batch(
        [Choice("ab", ("c", "d"), 1), Choice("e", ("f", "g"), 0)], np.random.default_rng(0)
    )
    texts = tokenizer.batch_decode(batch["input_ids"], skip_special_tokens=True)
    assert [text.replace(" ", "") for text in texts] == ["abc", "abd", "ef", "eg"]
    assert batch["labels"].tolist() == [1, 0]
    assert kind.logits(torch.zeros(4, 3, 8), torch.nn.Linear(8, 1), batch).shape == (2, 2)


def test_a_feature_is_as_long_as_its_longest_input(tokenizer: Any) -> None:
    choice = MultipleChoice(Encoding(tokenizer, 48), 2)
    pair = Classification(Encoding(tokenizer, 12), ("yes", "no"))
    # <s> prompt </s> </s> option </s>: a token for every letter, and four more.
    found = lengths(choice, [Choice("ab", ("c", "cccc"), 0), Choice("a", ("b", "b"), 1)] * 200)
    assert found.tolist() == [10, 6] * 200
    assert lengths(pair, [Pair("a", "b", 0), Pair("a" * 30, "b", 1)]).tolist() == [6, 12]


def test_a_tag_is_at_the_first_token_of_its_word_and_an_unknown_one_is_wrong(
    tokenizer: Any,
) -> None:
    kind = Tagging(Encoding(tokenizer, 32), ("N", "V"))
    one = Tagged(("dogs", "bark", "oddly"), ("N", "V", "ADV"))
    labels = kind.batch([one], np.random.default_rng(0))["labels"][0]
    assert labels[labels != IGNORED].tolist() == [0, 1]
    assert labels[1] == 0 and labels[5] == 1  # after <s>, four bytes a word
    right = torch.nn.functional.one_hot(labels.clamp(min=0), 2)[None].float()
    found = kind.scores([([one], {"labels": labels[None]}, right)], [one])
    assert found == {"accuracy": pytest.approx(2 / 3)}
    assert kind.baseline([one], [one])["majority of the word"] == 1.0


def test_words_are_tokenized_as_in_running_text(tokenizer: Any) -> None:
    # The test's tokenizer is byte-level without a space before the first word, as RoBERTa's.
    row = Tagged(("It", "is", "new"), ("A", "B", "C"))
    batch = Tagging(Encoding(tokenizer, 64), ("A", "B", "C")).batch([row], np.random.default_rng(0))
    assert torch.equal(batch["input_ids"], tokenizer("It is new", return_tensors="pt")["input_ids"])
    kept = batch["labels"][0]
    assert kept[kept != IGNORED].tolist() == [0, 1, 2]


def test_heads_read_the_first_token_whatever_side_is_padded(tokenizer: Any) -> None:
    from copy import deepcopy

    left = deepcopy(tokenizer)
    left.padding_side = "left"
    rows = [Pair("a", "b", 0), Pair("a much longer text", "and another", 1)]
    kind = Classification(Encoding(left, 64), ("x", "y"))
    batch = kind.batch(rows, np.random.default_rng(0))
    assert batch["input_ids"][:, 0].tolist() == [tokenizer.bos_token_id] * 2
    assert left.padding_side == "left"


def test_a_word_beyond_the_longest_input_is_wrong(tokenizer: Any) -> None:
    kind = Tagging(Encoding(tokenizer, 8), ("N",))
    one = Tagged(("abc", "def", "ghi"), ("N", "N", "N"))
    labels = kind.batch([one], np.random.default_rng(0))["labels"]
    right = torch.zeros(*labels.shape, 1)
    assert kind.scores([([one], {"labels": labels}, right)], [one])["accuracy"] == pytest.approx(
        2 / 3
    )


def test_the_shares_of_hidden_tokens(tokenizer: Any) -> None:
    kind = MaskedLanguage(Encoding(tokenizer, 64), "x")
    texts = [Text("abcdefghij" * 6)] * 300
    batch = kind.batch(texts, np.random.default_rng(0))
    plain = tokenizer(
        [one.text for one in texts], return_tensors="pt", truncation=True, max_length=64
    )["input_ids"]
    guessed = batch["labels"] != IGNORED
    words = plain > 4
    assert not (guessed & ~words).any()  # special tokens are never hidden
    assert abs(float(guessed.sum() / words.sum()) - 0.15) < 0.01
    shown = batch["input_ids"][guessed]
    assert abs(float((shown == tokenizer.mask_token_id).float().mean()) - 0.8) < 0.03
    assert abs(float((shown == plain[guessed]).float().mean()) - 0.1) < 0.03
    assert torch.equal(batch["input_ids"][~guessed], plain[~guessed])
    again = kind.batch(texts, np.random.default_rng(0))
    assert torch.equal(again["input_ids"], batch["input_ids"])


# Schedules


def test_tasks_are_drawn_by_size_and_mlm_has_its_share() -> None:
    share = shares({"mnli": 300, "qqp": 100, "mlm": 9}, {"mlm": 0.2})
    assert share == {"mnli": pytest.approx(0.6), "qqp": pytest.approx(0.2), "mlm": 0.2}
    schedule = plan(share, 5000, seed=1)
    counts = schedule.counts()
    assert abs(counts["mnli"] - 3000) < 150 and abs(counts["mlm"] - 1000) < 120
    again = plan(share, 5000, seed=1)
    assert [schedule.at(n) for n in range(50)] == [again.at(n) for n in range(50)]
    turns = [turn for task, turn in map(schedule.at, range(5000)) if task == "qqp"]
    assert turns == list(range(len(turns)))


def test_every_pass_has_every_row_once_in_another_order() -> None:
    rows = Rows(count=10, size=4, seed=0)
    taken = [row for turn in range(10) for row in rows.at(turn)]
    passes = [taken[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert len({tuple(one) for one in passes}) == 4


def test_rows_of_like_length_are_together_and_every_pass_has_all() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 1003)
    rows, same = (Rows(1003, 8, seed=3, lengths=lengths) for _ in range(2))
    plain = Rows(1003, 8, seed=3)
    for number in range(2):  # a pass is 125 batches and 3 rows
        first = [row for turn in range(126) for row in rows.at(number * 126 + turn)]
        assert first == [row for turn in range(126) for row in same.at(number * 126 + turn)]
    whole = [row for turn in range(125) for row in rows.at(turn)] + rows.at(125)[:3]
    assert sorted(whole) == list(range(1003))
    padding = {
        name: sum(
            max(lengths[one.at(turn)]) * 8 - sum(lengths[one.at(turn)]) for turn in range(125)
        )
        for name, one in (("grouped", rows), ("plain", plain))
    }
    assert padding["grouped"] < padding["plain"] / 10
    # Long and short batches take turns: a pass does not go from the longest to the shortest.
    longest = [max(lengths[rows.at(turn)]) for turn in range(125)]
    assert np.mean(longest[:60]) == pytest.approx(np.mean(longest[60:]), rel=0.2)
    assert rows.at(0) != rows.at(126)


def test_the_null_odds_of_several_windows_are_the_lowest() -> None:
    from webfaq_eval.intermediate.objectives.spans import Window, _read_answers

    question = Question("q", "?", "ab", ("a",), (0,))
    offsets = np.array([[-1, -1], [0, 1], [1, 2]])
    windows = [Window(question, 0, np.arange(3), np.zeros(3), offsets, 0, 0)] * 2
    logits = torch.tensor([[[3.0, 0, 0], [3.0, 0, 0]], [[1.0, 4, 0], [1.0, 4, 0]]])
    best, null = _read_answers([(windows, {}, logits)])
    assert best == {0: (8.0, "a")} and null == {0: 2.0}


def test_every_task_has_a_name() -> None:
    from webfaq_eval.intermediate.tasks.registry import NAMES, TASKS

    assert len(NAMES) == 11 and set(NAMES) - {"multi"} == set(TASKS)
