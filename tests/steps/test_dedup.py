from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.steps.duplicates import DropDuplicates, RankRows, first_come

PAIR, QUESTION = 1, 2


def test_pairs_that_differ_in_case_punctuation_and_width_are_one(pairs_of, decide):
    table = pairs_of(
        {"question": "Wie spät ist es?", "answer": "Es ist acht."},
        {"question": "WIE SPÄT IST ES", "answer": "»Es ist acht«"},
        {"question": "Ｗｉｅ spät — ist es？", "answer": "es ist acht!!!"},
        {"question": "Wie spät ist es?", "answer": "Es ist neun."},
    )
    (verdict,) = decide(DropDuplicates(), [table])
    assert sorted(verdict[:3]) == [0, PAIR, PAIR]
    assert verdict[3] == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("В КАКОЙ ЧАС?", "в какой час"),
        ("今は何時ですか？", "今は何時ですか。"),
        ("ｶﾀｶﾅですか", "カタカナですか"),
        ("كم الساعة؟", "كم الساعة"),
        ("می‌روم کجا؟", "می روم کجا؟"),
        ("क्‍या समय है?", "क्या समय है"),
        ("몇 시 입니까?", "몇 시입니까"),
        ("E-Mail?", "e mail"),
        ("Zimmer １２", "zimmer 12"),
    ],
)
def test_scripts_are_compared_by_letters_digits_and_marks(pairs_of, decide, one, other):
    table = pairs_of({"question": one, "answer": "x"}, {"question": other, "answer": "x"})
    (verdict,) = decide(DropDuplicates(), [table])
    assert sorted(verdict) == [0, PAIR]


@pytest.mark.parametrize(
    ("one", "other"),
    [("où", "ou"), ("schon", "schön"), ("كتب", "كتاب"), ("か", "が"), ("कि", "की"), ("10", "100")],
)
def test_letters_and_marks_that_differ_make_two_questions(pairs_of, decide, one, other):
    table = pairs_of({"question": one, "answer": "x"}, {"question": other, "answer": "x"})
    assert decide(DropDuplicates(), [table]) == [[0, 0]]


def test_the_boundary_between_question_and_answer_counts(pairs_of, decide):
    table = pairs_of(
        {"question": "a b", "answer": "c"},
        {"question": "a", "answer": "b c"},
        {"question": "c", "answer": "a b"},
    )
    assert decide(DropDuplicates(), [table]) == [[0, 0, 0]]


def test_one_origin_answers_a_question_once(pairs_of, decide):
    table = pairs_of(
        {"question": "Open?", "answer": "At nine.", "origin": "a.de", "source_id": "1"},
        {"question": "open", "answer": "At ten.", "origin": "a.de", "source_id": "2"},
        {"question": "Open?", "answer": "At eleven.", "origin": "b.de", "source_id": "3"},
        {"question": "Closed?", "answer": "At eight.", "origin": "a.de", "source_id": "4"},
    )
    (verdict,) = decide(DropDuplicates(), [table])
    assert sorted(verdict[:2]) == [0, QUESTION]
    assert verdict[2:] == [0, 0]


def test_the_first_pair_of_every_origin_is_compared_like_the_others(pairs_of, decide):
    # WebFAQ's near-duplicate pass misses the first pair of each site after the first one.
    rows = [
        {"question": question, "answer": f"{site} {n}", "origin": f"site{site}.org"}
        for site in range(5)
        for n, question in enumerate(["Why?", "Why?", "When?", "Why?"])
    ]
    (verdict,) = decide(DropDuplicates(), [pairs_of(*rows)])
    assert verdict.count(QUESTION) == 5 * 2
    for site in range(5):
        assert sorted(verdict[4 * site : 4 * site + 4]) == [0, 0, QUESTION, QUESTION]


def test_pairs_without_an_origin_share_none(pairs_of, decide):
    table = pairs_of(
        {"question": "Open?", "answer": "At nine."},
        {"question": "Open?", "answer": "At ten."},
        {"question": "Open?", "answer": "At nine"},
    )
    (verdict,) = decide(DropDuplicates(), [table])
    assert sorted([verdict[0], verdict[2]]) == [0, PAIR]
    assert verdict[1] == 0


def test_a_pair_that_is_gone_does_not_take_another_answer_along(pairs_of, decide):
    # The copy on b.de that loses to a.de must not count as b.de's answer to the question.
    copies = [
        {"question": "Open?", "answer": "At nine.", "origin": origin, "source_id": str(n)}
        for n, origin in enumerate(["a.de", "b.de"])
    ]
    other = {"question": "Open?", "answer": "At ten.", "origin": "b.de", "source_id": "2"}
    table = pairs_of(*copies, other)
    rank = table["rank"].to_pylist()
    (verdict,) = decide(DropDuplicates(), [table])
    if rank[0] < rank[1]:
        assert verdict == [0, PAIR, 0]
    elif rank[1] < rank[2]:
        assert verdict == [PAIR, 0, QUESTION]
    else:
        assert verdict == [0, QUESTION, 0]


def test_of_equal_rows_the_lowest_rank_stays(pairs_of, decide):
    table = pairs_of(
        *({"question": "Why?", "answer": "So.", "source_id": str(n)} for n in range(20))
    )
    (verdict,) = decide(DropDuplicates(), [table])
    assert verdict.count(0) == 1
    assert verdict.index(0) == int(np.argmin(table["rank"].to_numpy()))


def test_rank_depends_on_what_a_row_says_and_on_nothing_else(pairs_of):
    row = {
        "question": "q",
        "answer": "a",
        "origin": "o",
        "url": "u",
        "source": "s",
        "source_id": "i",
    }
    changed = [{**row, key: "other"} for key in row]
    missing = [{**row, key: None} for key in ("origin", "url", "source", "source_id")]
    moved = {**row, "source": None, "source_id": "s"}
    alone = pairs_of(row)["rank"].to_pylist()
    topic = {**row, "topic": "Legal"}
    ranks = pairs_of(*changed, *missing, moved, topic, row)["rank"].to_pylist()
    assert ranks[-1:] == alone
    assert len(set(ranks)) == len(ranks)


def many_pairs(rows: int, seed: int) -> list[dict[str, str | None]]:
    chance = random.Random(seed)
    return [
        {
            "question": f"Frage {chance.randrange(25)}" + chance.choice(["", "?", " ?", "!"]),
            "answer": f"Antwort {chance.randrange(6)}" + chance.choice(["", ".", "…"]),
            "origin": chance.choice([None, "a.de", "b.de", "c.de"]),
            "source_id": str(row),
        }
        for row in range(rows)
    ]


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_the_order_and_the_cut_into_shards_change_nothing(pairs_of, kept_keys, shards):
    table = pairs_of(*many_pairs(400, seed=3))
    expected = kept_keys(DropDuplicates(), table)
    assert 50 < len(expected) < 350
    for seed in range(3):
        assert kept_keys(DropDuplicates(), table, shards, seed) == expected


def test_nothing_that_stays_is_a_duplicate_and_all_that_goes_is_one(pairs_of, decide):
    rows = many_pairs(400, seed=4)

    def plain(text: str) -> str:
        return "".join(char for char in text.lower() if char.isalnum())

    (verdict,) = decide(DropDuplicates(), [pairs_of(*rows)])
    texts, asked = set(), set()
    for row, code in zip(rows, verdict, strict=True):
        pair = (plain(row["question"]), plain(row["answer"]))
        if code == 0:
            assert pair not in texts
            texts.add(pair)
            if row["origin"]:
                assert (row["origin"], pair[0]) not in asked
                asked.add((row["origin"], pair[0]))
    for row, code in zip(rows, verdict, strict=True):
        pair = (plain(row["question"]), plain(row["answer"]))
        if code == QUESTION:
            assert (row["origin"], pair[0]) in asked
    # A duplicate of a row that itself went as a further answer has no text left here.
    assert {plain(row["question"]) for row in rows} == {question for question, _ in texts}


def test_empty_shards_and_no_shards_are_taken(pairs_of, decide):
    row = {"question": "Why?", "answer": "So."}
    assert decide(DropDuplicates(), []) == []
    assert decide(DropDuplicates(), [pairs_of()]) == [[]]
    verdicts = decide(DropDuplicates(), [pairs_of(), pairs_of(row), pairs_of(), pairs_of(row)])
    assert (verdicts[0], verdicts[2]) == ([], [])
    assert sorted(verdicts[1] + verdicts[3]) == [0, PAIR]


def test_first_come_keeps_the_first_position_of_equal_ranks():
    group = np.array([7, 5, 7, 5, 7], np.uint64)
    rank = np.array([2, 1, 2, 0, 2], np.uint64)
    assert first_come([group], rank).tolist() == [0, 1, 1, 0, 1]


def test_first_come_equals_taking_one_row_after_the_other():
    chance = np.random.default_rng(5)
    for rows in (0, 1, 2, 50, 400):
        one, two = chance.integers(0, rows // 3 + 1, (2, rows)).astype(np.uint64)
        rank = chance.permutation(rows).astype(np.uint64)
        expected, busy = [0] * rows, (set(), set())
        for row in np.argsort(rank).tolist():
            if one[row] in busy[0] or two[row] in busy[1]:
                expected[row] = 1 if one[row] in busy[0] else 2
            else:
                busy[0].add(one[row])
                busy[1].add(two[row])
        # A row may go for either reason where both groups are taken, in different rounds.
        met = first_come([one, two], rank).tolist()
        assert [code > 0 for code in met] == [code > 0 for code in expected]
        for row, code in enumerate(met):
            assert code == 0 or (one[row] in busy[0] if code == 1 else two[row] in busy[1])


def test_rank_rows_takes_an_empty_table():
    names = RankRows().requires
    empty = pa.table({name: pa.array([], pa.string()) for name in names})
    assert RankRows()(empty).kept["rank"].to_pylist() == []
