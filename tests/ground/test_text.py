from __future__ import annotations

import hashlib
import random

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.ground import codepoints
from webfaq_domains.ground.codepoints import folded
from webfaq_domains.ground.files import file_sha256, value_sha256
from webfaq_domains.ground.text import (
    both,
    content_id,
    joined,
    match_hash,
    pair_text,
    unit_hash,
    unit_threshold,
)


def strings(*texts: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts, pa.string())])


def fold(text: str) -> str:
    (plain,) = folded([text])
    return plain.decode("utf-32-le")


def test_pair_text_is_question_and_answer_on_one_line_cut_by_characters():
    pairs = pa.table(
        {"question": ["Wie?", "怎麼？", ""], "answer": ["So\nund so", "這樣做", "नहीं"]}
    )
    assert pair_text(pairs, 100) == ["Wie? So und so", "怎麼？ 這樣做", " नहीं"]
    assert pair_text(pairs, 6) == ["Wie? S", "怎麼？ 這樣", " नहीं"]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("E-Mail?", "email"),
        ("ÄRGER im Büro", "ärgerimbüro"),
        ("Ａ１ｂ", "a1b"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("ПРИВЕТ, мир", "приветмир"),
        ("ΑΘΗΝΑ", "αθηνα"),
        ("كم؟ ٣", "كم٣"),
        ("می‌روم", "میروم"),
        ("क्‍या?", "क्या"),
        ("①②", "12"),
        ("?! …", ""),
        ("", ""),
    ],
)
def test_texts_are_compared_by_letters_digits_and_marks(text, plain):
    assert fold(text) == plain


def test_the_two_small_sigmas_are_one_letter():
    assert fold("ΟΔΟΣ") == fold("οδος")


def test_folding_is_stable_and_does_not_depend_on_the_texts_around(monkeypatch):
    chance = random.Random(1)
    signs = [chr(n) for n in range(0x3100) if chr(n).isprintable()]
    texts = ["".join(chance.choices(signs, k=chance.randint(0, 9))) for _ in range(300)]
    together = list(folded(texts))
    assert [fold(fold(text)) for text in texts] == [fold(text) for text in texts]
    monkeypatch.setattr(codepoints, "AT_ONCE", 7)
    assert list(folded(texts)) == together
    assert list(folded([])) == []


def test_match_hash_is_equal_exactly_where_texts_match():
    hashes = match_hash(strings("Wie?", "wie", "WIE !", "wo", ""))
    assert len(set(hashes[:3].tolist())) == 1
    assert len(set(hashes.tolist())) == 3
    assert match_hash(strings("Wie?"), "salt")[0] != hashes[0]


def test_both_tells_the_order_of_two_hashes():
    one, other = np.array([1, 2], np.uint64), np.array([2, 1], np.uint64)
    assert both(one, other)[0] != both(other, one)[0]
    assert both(one, other)[0] == both(one[:1], other[:1])[0]
    assert both(one, other).dtype == np.uint64


def test_unit_hash_is_blake2b_of_the_utf8_text():
    def by_hand(text: str, key: bytes = b"") -> int:
        digest = hashlib.blake2b(text.encode(), digest_size=8, key=key).digest()
        return int.from_bytes(digest, "little")

    assert unit_hash(strings("a", "日本", None)).tolist() == [
        by_hand("a"),
        by_hand("日本"),
        by_hand(""),
    ]
    assert unit_hash(strings("a"), "salt").tolist() == [by_hand("a", b"salt")]
    assert unit_hash(strings()).tolist() == []


def test_unit_hashes_are_uniform():
    numbers = unit_hash(pa.array([str(n) for n in range(20_000)])) / 2.0**64
    counts, _ = np.histogram(numbers, bins=20, range=(0, 1))
    # 1,000 are expected in each bin, with a standard deviation of 31.
    assert np.abs(counts - 1_000).max() < 4 * 31


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_a_threshold_cuts_off_its_share_of_the_hashes(share):
    numbers = unit_hash(pa.array([str(n) for n in range(20_000)]))
    assert (numbers < unit_threshold(share)).mean() == pytest.approx(share, abs=0.01)


def test_thresholds_fit_in_64_bits():
    assert unit_threshold(0.5) == 2**63
    assert unit_threshold(1.0) == 2**64 - 1


def test_joined_takes_null_as_empty_and_any_type():
    table = pa.table({"a": ["x", None], "n": [1, None]})
    assert joined(table["a"], table["n"]).to_pylist() == ["x\x1f1", "\x1f"]


def test_the_id_of_a_pair_never_changes():
    ids = content_id(strings("deu", None), strings("Wie?", "q"), strings("So.", "a"))
    assert ids.to_pylist() == [
        hashlib.blake2b(b"deu\x1fWie?\x1fSo.", digest_size=16).hexdigest(),
        hashlib.blake2b(b"\x1fq\x1fa", digest_size=16).hexdigest(),
    ]
    # Pinned: a published id may not change, whatever the code does.
    assert ids[0].as_py() == "8cd63aebd9a55cd4236ab8f7306bc066"


def test_the_id_tells_where_the_question_ends():
    # WebFAQ's md5 of `question + " " + answer` is the same for these two.
    ids = content_id(strings("deu", "deu"), strings("a b", "a"), strings("c", "b c")).to_pylist()
    assert len(set(ids)) == 2


def test_the_id_depends_on_language_and_exact_text_only():
    ids = content_id(
        strings("deu", "nld", "deu", "deu"),
        strings("a", "a", "A", "a"),
        strings("b", "b", "b", "b "),
    )
    assert len(set(ids.to_pylist())) == 4


def test_hashes_of_values_do_not_depend_on_the_order_of_keys():
    assert value_sha256({"a": 1, "b": "ü"}) == value_sha256({"b": "ü", "a": 1})
    assert value_sha256({"a": 1}) == hashlib.sha256(b'{"a":1}').hexdigest()
    assert value_sha256([1, 2]) != value_sha256([2, 1])


def test_the_hash_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert file_sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()
