"""The index of benchmark texts, and the rules by which a text meets one."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_retrieval import SmallRetrieval

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.steps.contamination.anchors import Units
from webfaq_domains.steps.contamination.index import (
    BenchmarkIndex,
    index_file,
    index_path,
    write_index,
)
from webfaq_domains.steps.contamination.matching import KINDS, Matcher, Rules

ALPHABETS = ("abcdefgh", "абвгдежз", "天地人山水火木金", "กขคงจฉชซ", "ابتثجحخد")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small = SmallRetrieval(tmp_path / "staged")
    small.add(
        "lareqa",
        "deu",
        [("q1", "Wer baute den Turm am Hafen?")],
        [("c1", "Ein Schmied baute ihn.", "Der Turm ist alt. Ein Schmied baute ihn."), ("c2", "", "Nur Ablenkung.")],
        [("q1", "c1", "official")],
    )  # fmt: skip
    small.add("bucc", "fra", [("q1", "")], [("c1", "", "")], [("q1", "c1", "official")])
    return small.finish()


def kinds_of(matcher: Matcher, texts: list[str]) -> list[tuple[str, int] | None]:
    """Return (kind, number of the benchmark text) or None for each text."""
    found = matcher.find(texts).tolist()
    return [(KINDS[(n - 1) % len(KINDS)], (n - 1) // len(KINDS)) if n else None for n in found]


def test_queries_and_named_candidates_are_in_it_and_distractors_are_not(folder: Path) -> None:
    index = write_index(folder)
    assert index.listed("text") == [
        ("Der Turm ist alt. Ein Schmied baute ihn.", "lareqa"),
        ("Ein Schmied baute ihn.", "lareqa"),
        ("Wer baute den Turm am Hafen?", "lareqa"),
    ]
    assert (index.tasks, index.withheld) == (("lareqa",), ("bucc",))


def test_equal_folders_have_equal_indexes(folder: Path) -> None:
    first = write_index(folder)
    before = index_path(folder).read_bytes()
    assert write_index(folder) == first and index_path(folder).read_bytes() == before
    queries = folder / "data/lareqa/queries/deu-test-00000-of-00001.parquet"
    table = pq.read_table(queries)
    pq.write_table(pa.concat_tables([table, table]), queries)  # a row twice says nothing new
    assert write_index(folder).sha256 == first.sha256
    loaded = BenchmarkIndex.load(index_path(folder))
    assert (loaded.sha256, loaded.withheld) == (first.sha256, first.withheld)
    assert BenchmarkIndex.of(first.entries.slice(1), first.withheld).sha256 != first.sha256
    assert BenchmarkIndex.of(first.entries).sha256 != first.sha256


def test_a_folder_without_an_index_gets_one_in_the_cache(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    made = index_file(folder, cache)
    assert made.parent == cache and index_file(folder, cache) == made
    assert not index_path(folder).exists()
    queries = folder / "data/lareqa/queries/deu-test-00000-of-00001.parquet"
    whole = queries.read_bytes()
    pq.write_table(pq.read_table(queries).slice(1), queries)
    assert index_file(folder, cache) != made
    write_index(folder)
    assert index_file(folder, cache) == index_path(folder)
    queries.write_bytes(whole)  # the index is stale now
    assert index_file(folder, cache).parent == cache


@pytest.mark.parametrize("what", ["nothing", "other columns", "not parquet", "no corpus"])
def test_what_is_no_index_is_refused(folder: Path, tmp_path: Path, what: str) -> None:
    path = tmp_path / "x.parquet"
    if what == "nothing":
        with pytest.raises(StagedError, match="not a staged retrieval folder"):
            write_index(tmp_path / "none")
    elif what == "no corpus":
        (folder / "data/bucc/corpus/fra-test-00000-of-00001.parquet").unlink()
        with pytest.raises(StagedError, match="bucc/corpus has no Parquet file"):
            write_index(folder)
    elif what == "other columns":
        pq.write_table(pa.table({"a": [1]}), path)
        with pytest.raises(StagedError, match="index version none, columns a"):
            BenchmarkIndex.load(path)
    else:
        path.write_text("hello")
        with pytest.raises(StagedError, match="cannot be read as a benchmark index"):
            BenchmarkIndex.load(path)


def test_addresses_are_pages_or_sites(folder: Path) -> None:
    index = write_index(
        folder, {"lareqa": ["https://WWW.Wiki.example/Turm/#Bau", "http://faq.example/"]}
    )
    assert index.listed("page") == [("wiki.example/Turm", "lareqa")]
    assert index.listed("site") == [("faq.example", "lareqa")]


def test_a_unit_is_a_character_that_counts_and_two_where_it_is_wide() -> None:
    def units(text: str) -> list[int]:
        one = Units.of([text])
        return one.values[one.starts[0] : one.ends[0]].tolist()

    assert units("Ab, c!") == units("ａＢＣ") == [*map(ord, "abc")]
    assert len(units("天地 x")) == 5
    assert units("Straße") == units("STRASSE") and units("Iğdır") == units("IĞDIR")
    assert Units.of(["", "\x1f", "a\x1fb", "🙂"]).lengths.tolist() == [0, 0, 2, 0]


def test_texts_are_found_as_a_plain_search_finds_them() -> None:
    """Against Python's own `in`, over texts of five scripts that share many grams."""
    chance = random.Random(3)

    def text(least: int, most: int, alphabet: str) -> str:
        words = ["".join(chance.choices(alphabet, k=chance.randint(1, 3))) for _ in range(12)]
        return "".join(chance.choices(words, k=60))[: chance.randint(least, most)]

    benchmark = sorted({text(5, 60, alphabet) for alphabet in ALPHABETS for _ in range(60)})
    fields = []
    for alphabet in ALPHABETS:
        own = [one for one in benchmark if one[0] in alphabet]
        for _ in range(60):
            one = chance.choice(own)
            cut = chance.randrange(len(one))
            around = [text(0, 40, alphabet) for _ in range(2)]
            fields += [one, around[0] + one + around[1], one[cut:], around[0] + one[cut:]]
    rules = Rules()
    width = dict(zip(benchmark, Units.of(benchmark).lengths.tolist(), strict=True))
    seen = set()
    for field, found in zip(fields, kinds_of(Matcher(benchmark, rules), fields), strict=True):
        wide = 2 if field and field[0] in ALPHABETS[2] else 1
        inside = [one for one in benchmark if one in field and width[one] >= rules.min_contained]
        around = [one for one in benchmark if field in one]
        if field in width:
            expected = "exact"
        elif inside:
            expected = "contains"
        elif around and wide * len(field) >= rules.min_within:
            expected = "within"
        else:
            expected = None
        seen.add(expected)
        if expected is None:
            assert found is None or found[0] == "near"
            continue
        assert found is not None and found[0] == expected, field
        among = {"exact": [field], "contains": inside, "within": around}[expected]
        assert benchmark[found[1]] in among
    assert seen == {"exact", "contains", "within", None}


def test_a_text_across_two_fields_is_not_found() -> None:
    sentence = "the lighthouse keeper wrote letters to nobody"
    matcher = Matcher([sentence, "an other one of some length"], Rules())
    assert kinds_of(matcher, [sentence[:20], sentence[20:]]) == [None, None]
    assert kinds_of(matcher, ["", sentence[:20] + sentence[20:]]) == [None, ("exact", 0)]
    assert kinds_of(matcher, []) == []


def test_no_benchmark_text_is_nothing_to_find() -> None:
    assert kinds_of(Matcher([], Rules()), ["some text", ""]) == [None, None]
    assert kinds_of(Matcher(["", "!?"], Rules()), ["some text", "", "?!"]) == [None] * 3


def test_long_texts_in_pieces_are_near_and_what_shares_a_phrase_is_not() -> None:
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefghij", k=6)) for _ in range(200)]
    passage = words[:60]
    changed = list(passage)
    for place in (7, 23, 41):
        changed[place] = "zzzzzz"
    longer = [*words[150:180], *changed, *words[180:]]
    phrase = [*words[150:180], *passage[10:16], *words[180:]]
    found = kinds_of(Matcher([" ".join(passage)], Rules()), [" ".join(longer), " ".join(phrase)])
    assert found == [("near", 0), None]
