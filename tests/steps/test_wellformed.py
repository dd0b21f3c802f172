from __future__ import annotations

import pyarrow as pa
import pytest

from webfaq_domains.steps.wellformed import KeepWellFormed, has_question_mark, shown_width

QUESTION = "How long does it take?"
ANSWER = "It takes two working days, or three before Christmas."


def reason(question: str = QUESTION, answer: str = ANSWER, **limits: object) -> str | None:
    """Return why a single pair is dropped, or None where it is kept."""
    outcome = KeepWellFormed(**limits)(pa.table({"question": [question], "answer": [answer]}))
    assert len(outcome.kept) + sum(map(len, outcome.dropped.values())) == 1
    return next(iter(outcome.dropped), None)


def test_a_usual_pair_is_kept():
    assert reason() is None


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("", ANSWER, "empty"),
        (QUESTION, "", "empty"),
        ("12345 67890?", ANSWER, "no_letters"),
        (QUESTION, "+1 (555) 123-4567, 24/7 — 1.000.000 €!", "no_letters"),
        ("Why now?", ANSWER, "question_too_short"),
        (QUESTION, "It takes two working days now", "answer_too_short"),
        ("W" * 1_001, ANSWER, "question_too_long"),
        (QUESTION, "x" * 20_001, "answer_too_long"),
        (QUESTION, "\n".join(["one line"] * 41), "answer_too_many_lines"),
        (QUESTION, f"{ANSWER} Is that too long for you?", "answer_asks"),
    ],
)
def test_each_reason_has_its_pair(question, answer, why):
    assert reason(question, answer) == why


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why is it?", ANSWER),
        (QUESTION, "It takes two working days only"),
        ("W" * 1_000, ANSWER),
        (QUESTION, "x" * 20_000),
        (QUESTION, "\n".join(["one line"] * 40)),
    ],
)
def test_the_limits_themselves_are_kept(question, answer):
    assert (len(question) == 10) or len(answer) >= 30
    assert reason(question, answer) is None


def test_a_pair_with_several_reasons_counts_under_the_first():
    assert reason("", "?") == "empty"
    assert reason("1?", "2?") == "no_letters"
    assert reason("Why?", "Why not?") == "question_too_short"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("abc", 3),
        ("日本語", 6),
        ("ＡＢ", 4),
        ("ｱｲ", 2),
        ("한국", 4),
        ("où", 2),
        ("你好a", 5),
        ("", 0),
    ],
)
def test_wide_characters_count_twice(text, width):
    assert shown_width(text) == width


def test_a_chinese_pair_needs_half_the_characters():
    assert reason("可以退貨嗎？", "七天之內可以退貨並且全額退款。") is None
    assert reason("可退嗎？", "七天之內可以退貨並且全額退款。") == "question_too_short"
    assert reason("可以退貨嗎？", "七天之內可以退貨全額退款。") == "answer_too_short"


def test_lengths_are_measured_in_characters_not_bytes():
    assert reason("ж" * 1_000, "я" * 20_000) is None


@pytest.mark.parametrize(
    "answer",
    [
        "Können Sie warten? Dann warten Sie bitte noch zwei Tage.",
        "هل يمكنك الانتظار؟ إذن انتظر يومين آخرين من فضلك.",
        "هل يمكنك الانتظار؟إذن انتظر يومين آخرين من فضلك.",
        "您可以等嗎？那麼請您再等兩天，謝謝您的耐心。",
        "您可以等嗎?那麼請您再等兩天,謝謝您的耐心。",
        "待てますか？それではあと二日お待ちください。よろしく。",
        "Μπορείτε να περιμένετε; Τότε περιμένετε δύο μέρες.",
        "Μπορείτε να περιμένετε\u037e Τότε περιμένετε δύο μέρες.",
        "Կարո՞ղ եք սպասել։ Ուրեմն սպասեք ևս երկու օր։",
        "መጠበቅ ይችላሉ፧ እንግዲያው ሁለት ቀን ይጠብቁ እባክዎ።",
        "¿Puede esperar? Entonces espere dos días más, por favor.",
        "क्या आप रुक सकते हैं? तो कृपया दो दिन और रुकें।",
    ],
)
def test_an_answer_that_asks_is_dropped_in_every_script(answer):
    assert reason(answer=answer) == "answer_asks"
    assert reason(answer=answer, drop_asking_answers=False) is None


@pytest.mark.parametrize(
    "answer",
    [
        "See https://example.com/search?q=days&lang=en for the rest.",
        "See https://example.com/?page=2, or example.com/a?b#c, it is there.",
        "The address is https://example.com/?%C3%A4=1 for all of us.",
        "First wait; then wait again; then you may call us at last.",
        "Πρώτα περιμένετε: μετά καλέστε μας· και τέλος γράψτε μας.",
        "Use `a;b` in a shell, and C&D; nothing else is needed there.",
    ],
)
def test_urls_and_semicolons_of_other_scripts_do_not_ask(answer):
    assert reason(answer=answer) is None


@pytest.mark.parametrize(
    "text", ["Why?!", "(Why?)", "“Why?”", "Why?...", "Why??", "Why? ", "100 %?"]
)
def test_a_question_mark_counts_before_other_punctuation(text):
    assert has_question_mark(text)


@pytest.mark.parametrize("text", ["", "Why", "a?b", "x/?y=1", "?q", "a;b", ";", "GR;"])
def test_a_question_mark_inside_a_word_is_part_of_an_address(text):
    assert not has_question_mark(text)


def test_one_table_is_split_by_reason_and_no_row_is_lost():
    table = pa.table(
        {
            "source_id": ["a", "b", "c", "d"],
            "question": [QUESTION, "", QUESTION, "Why?"],
            "answer": [ANSWER, ANSWER, "Why? " * 10, ANSWER],
        }
    )
    outcome = KeepWellFormed()(table)
    assert outcome.kept["source_id"].to_pylist() == ["a"]
    assert {why: rows["source_id"].to_pylist() for why, rows in outcome.dropped.items()} == {
        "empty": ["b"],
        "question_too_short": ["d"],
        "answer_asks": ["c"],
    }


def test_an_empty_table_is_kept_empty():
    none = pa.array([], pa.string())
    outcome = KeepWellFormed()(pa.table({"question": none, "answer": none}))
    assert (len(outcome.kept), outcome.dropped) == (0, {})
