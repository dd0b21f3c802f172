from __future__ import annotations

import random

import numpy as np
import pytest

from webfaq_domains.ground import codepoints
from webfaq_domains.steps import near_duplicates
from webfaq_domains.steps.near_duplicates import (
    DropNearDuplicates,
    band_keys,
    components,
    signatures,
    similarity,
    surplus,
)

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "абвгдежзиклмнопрстуфхцчшыэюя",
    "कखगघचछजझटठडढणतथदधनपफबभमयरल",
)


def words(chance: random.Random, number: int, alphabet: str = ALPHABETS[0]) -> list[str]:
    return ["".join(chance.choices(alphabet, k=chance.randint(3, 9))) for _ in range(number)]


def jaccard(one: str, other: str, width: int = 5) -> float:
    sets = [{text[n : n + width] for n in range(len(text) - width + 1)} for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def with_one_word_changed(chance: random.Random, text: list[str]) -> list[str]:
    changed = list(text)
    changed[chance.randrange(len(text))] = "".join(chance.choices(ALPHABETS[0], k=6))
    return changed


def estimates(ones: list[str], others: list[str]) -> np.ndarray:
    low = [signatures(texts).astype(np.uint8) for texts in (ones, others)]
    return similarity(*low)


def test_the_estimate_of_jaccard_is_unbiased_and_within_its_standard_error():
    chance = random.Random(1)
    ones, others = [], []
    for changes in (0, 2, 5, 10, 20, 40, 80):
        for _ in range(60):
            text = words(chance, 80, ALPHABETS[changes % 3])
            other = list(text)
            for place in chance.sample(range(80), changes):
                other[place] = words(chance, 1, ALPHABETS[changes % 3])[0]
            ones.append(" ".join(text))
            others.append(" ".join(other))
    exact = np.array([jaccard(a, b) for a, b in zip(ones, others, strict=True)])
    assert exact.min() < 0.05 and exact.max() == 1.0
    errors = estimates(ones, others) - exact
    assert abs(errors.mean()) < 0.01
    assert np.sqrt((errors**2).mean()) < 0.045
    assert np.abs(errors).max() < 0.18  # four standard errors


def test_equal_texts_have_equal_signatures_and_strangers_agree_by_chance_only():
    chance = random.Random(2)
    texts = [" ".join(words(chance, 60)) for _ in range(50)]
    assert (estimates(texts, texts) == 1.0).all()
    assert np.abs(estimates(texts, texts[1:] + texts[:1])).max() < 0.1


def test_short_texts_agree_only_if_they_are_equal():
    texts = ["", "a", "ab", "Yes.", "No.", "Maybe", "是", "是的", "نعم"]
    signature = signatures(texts)
    assert len({row.tobytes() for row in signature}) == len(texts)
    assert (signatures(texts) == signature).all()


def test_a_signature_does_not_depend_on_the_texts_around_it(monkeypatch):
    chance = random.Random(3)
    texts = [" ".join(words(chance, chance.randint(0, 30))) for _ in range(40)]
    together = signatures(texts)
    alone = np.concatenate([signatures([text]) for text in texts])
    assert (together == alone).all()
    monkeypatch.setattr(codepoints, "AT_ONCE", 50)
    assert (signatures(texts) == together).all()
    assert signatures([]).shape == (0, near_duplicates.BINS)


def test_band_keys_are_equal_exactly_where_the_bands_are():
    chance = np.random.default_rng(4)
    one = chance.integers(0, 2**32, (1, near_duplicates.BINS), np.uint32)
    other = one.copy()
    other[0, 8] += 1  # the second of 16 bands of 8
    keys = [band_keys(signature, 16) for signature in (one, other)]
    equal = [a[0] == b[0] for a, b in zip(*keys, strict=True)]
    assert equal == [True, False] + [True] * 14


def planted(pairs: int, seed: int) -> tuple[list[dict[str, str | None]], int]:
    """Pairs of 60 words, each with a copy in which one word differs, then as many strangers."""
    chance = random.Random(seed)
    rows: list[dict[str, str | None]] = []
    for number in range(pairs):
        language = ("eng", "rus", "hin")[number % 3]
        text = words(chance, 60, ALPHABETS[number % 3])
        for copy in (text, with_one_word_changed(chance, text)):
            row = {"language": language, "question": " ".join(copy[:10]) + "?"}
            rows.append({**row, "answer": " ".join(copy[10:]), "source_id": f"pair {len(rows)}"})
    for number in range(pairs):
        text = words(chance, 60, ALPHABETS[number % 3])
        row = {"language": ("eng", "rus", "hin")[number % 3], "question": " ".join(text[:10])}
        rows.append({**row, "answer": " ".join(text[10:]), "source_id": f"stranger {number}"})
    return rows, 2 * pairs


def test_planted_near_duplicates_are_found_and_strangers_stay(pairs_of, decide):
    rows, copies = planted(200, seed=5)
    (verdict,) = decide(DropNearDuplicates(), [pairs_of(*rows)])
    found = [sorted(verdict[n : n + 2]) for n in range(0, copies, 2)]
    assert found == [[0, 1]] * 200
    assert not any(verdict[copies:])


def test_of_two_near_duplicates_the_lower_rank_stays(pairs_of, decide):
    rows, copies = planted(50, seed=6)
    table = pairs_of(*rows)
    rank = table["rank"].to_pylist()
    (verdict,) = decide(DropNearDuplicates(), [table])
    for n in range(0, copies, 2):
        assert verdict[n : n + 2] == ([0, 1] if rank[n] < rank[n + 1] else [1, 0])


def test_languages_never_meet(pairs_of, decide):
    text = {"question": "Ist das gleich?", "answer": "Ja, der Text ist Wort für Wort gleich."}
    table = pairs_of(
        {**text, "language": "deu", "source_id": "1"},
        {**text, "language": "gsw", "source_id": "2"},
        {**text, "language": None, "source_id": "3"},
        {**text, "language": "deu", "source_id": "4"},
    )
    (verdict,) = decide(DropNearDuplicates(), [table])
    assert sorted([verdict[0], verdict[3]]) == [0, 1]
    assert verdict[1:3] == [0, 0]


def test_case_does_not_matter_and_the_threshold_does(pairs_of, decide):
    chance = random.Random(7)
    text = words(chance, 60)
    half = text[:30] + words(chance, 30)
    table = pairs_of(
        {"question": "Q", "answer": " ".join(text)},
        {"question": "q", "answer": " ".join(text).upper()},
        {"question": "q", "answer": " ".join(half)},
    )
    (verdict,) = decide(DropNearDuplicates(), [table])
    assert sorted(verdict[:2]) == [0, 1]
    assert verdict[2] == 0
    assert jaccard(" ".join(text), " ".join(half)) < 0.4
    (verdict,) = decide(DropNearDuplicates(threshold=0.2, bands=64), [table])
    assert sorted(verdict) == [0, 1, 1]


def test_only_the_first_characters_are_compared(pairs_of, decide):
    chance = random.Random(8)
    start = " ".join(words(chance, 30))
    rows = [{"question": start, "answer": " ".join(words(chance, 60))} for _ in range(2)]
    assert decide(DropNearDuplicates(), [pairs_of(*rows)]) == [[0, 0]]
    (verdict,) = decide(DropNearDuplicates(characters=len(start)), [pairs_of(*rows)])
    assert sorted(verdict) == [0, 1]


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_of_a_chain_of_near_duplicates_one_row_stays(pairs_of, decide, order):
    chance = random.Random(9)
    first = words(chance, 60)
    second = first[:57] + words(chance, 3)
    third = words(chance, 5) + second[5:]
    texts = {"a": " ".join(first), "b": " ".join(second), "c": " ".join(third)}
    assert jaccard(texts["a"], texts["b"]) > 0.85 and jaccard(texts["b"], texts["c"]) > 0.8
    assert jaccard(texts["a"], texts["c"]) < 0.78
    rows = [{"question": "", "answer": texts[key], "source_id": key} for key in order]
    (verdict,) = decide(DropNearDuplicates(), [pairs_of(*rows)])
    assert sorted(verdict) == [0, 1, 1]


@pytest.mark.parametrize("shards", [1, 3, 7])
def test_the_order_and_the_cut_into_shards_change_nothing(pairs_of, kept_keys, shards):
    table = pairs_of(*planted(60, seed=10)[0])
    expected = kept_keys(DropNearDuplicates(), table)
    assert len(expected) == 120
    for seed in range(2):
        assert kept_keys(DropNearDuplicates(), table, shards, seed) == expected


def test_equal_short_pairs_go_and_others_stay(pairs_of, decide):
    rows = [("", ""), ("", ""), ("a", ""), ("Hi", "Yo"), ("hi", "yo"), ("是?", "是"), ("是?", "不")]
    table = pairs_of(*({"question": q, "answer": a} for q, a in rows))
    (verdict,) = decide(DropNearDuplicates(), [table])
    assert verdict[2] == 0 and verdict[5:] == [0, 0]
    assert sorted(verdict[:2]) == sorted(verdict[3:5]) == [0, 1]


def test_many_equal_pairs_leave_one(pairs_of, decide):
    row = {"question": "What is the price?", "answer": "The price is ten euros for each of you."}
    table = pairs_of(*({**row, "source_id": str(n)} for n in range(500)))
    (verdict,) = decide(DropNearDuplicates(), [table])
    assert sum(verdict) == 499
    assert verdict.index(0) == int(np.argmin(table["rank"].to_numpy()))


def test_empty_shards_and_no_shards_are_taken(pairs_of, decide):
    row = {"question": "Why is it so?", "answer": "It is so since it was so."}
    assert decide(DropNearDuplicates(), []) == []
    assert decide(DropNearDuplicates(), [pairs_of()]) == [[]]
    verdicts = decide(DropNearDuplicates(), [pairs_of(), pairs_of(row), pairs_of(), pairs_of(row)])
    assert (verdicts[0], verdicts[2]) == ([], [])
    assert sorted(verdicts[1] + verdicts[3]) == [0, 1]


def test_components_name_each_group_by_its_lowest_row():
    edges = np.array([[5, 6], [6, 2], [1, 4]])
    assert components(edges, 8).tolist() == [0, 1, 2, 3, 1, 2, 2, 7]
    assert components(np.zeros((0, 2), np.int64), 3).tolist() == [0, 1, 2]


@pytest.mark.parametrize("edges", [0, 50, 150, 400])
def test_components_agree_with_a_search_from_row_to_row(edges):
    chance = random.Random(edges)
    pairs = [(chance.randrange(200), chance.randrange(200)) for _ in range(edges)]
    group = list(range(200))
    for one, other in pairs:
        low, high = sorted((group[one], group[other]))
        group = [low if root == high else root for root in group]
    found = components(np.array(pairs, np.int64).reshape(-1, 2), 200)
    assert found.tolist() == group


def test_components_follow_a_long_path_in_any_order():
    path = np.random.default_rng(12).permutation(3_000)
    edges = np.stack([path[:-1], path[1:]], axis=1)
    assert not components(edges, 3_000).any()


def test_surplus_keeps_the_lowest_rank_of_each_group():
    edges, rows = np.array([[0, 1], [1, 2], [3, 4]]), np.arange(5)
    rank = np.array([9, 3, 5, 1, 7], np.uint64)
    assert sorted(surplus(edges, rows, rank).tolist()) == [0, 2, 4]
    assert sorted(surplus(edges + 7, rows + 7, rank).tolist()) == [7, 9, 11]
    nothing = np.zeros(0, np.int64)
    assert surplus(np.zeros((0, 2), np.int64), nothing, nothing.astype(np.uint64)).tolist() == []
