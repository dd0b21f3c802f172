"""Each benchmark's raw release, read right, and refused where it is wrong."""

from __future__ import annotations

import gzip
import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from toyreleases import (
    ENTITIES,
    MENTIONS,
    SENTENCES,
    paragraph,
    write_bucc,
    write_lareqa,
    write_lines,
    write_mewslix,
    write_tatoeba,
    xquad,
)

from webfaq_domains.ground.errors import RecipeError, SourceError
from webfaq_domains.ground.languages import languages, to_iso3
from webfaq_domains.retrieval.readers import read_task
from webfaq_domains.retrieval.readers.base import Part, Reading, Task
from webfaq_domains.retrieval.readers.tatoeba import ADDED_BY_XTREME_R, XTREME, XTREME_R

PART = Reading(partial=True)
SHARED = Path(__file__).parents[2] / "../shared/data/xtreme_r"


def rows(table: pa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.to_pylist()]


def part(task: Task, language: str, split: str = "test") -> Part:
    (found,) = [p for p in task.parts if (p.language, p.split) == (language, split)]
    return found


def replace_line(path: Path, number: int, text: str | None) -> None:
    """Put another text at a line, counted from 1, or take the line out."""
    lines = path.read_text("utf-8").splitlines()
    lines[number - 1 : number] = [] if text is None else [text]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def refused(read: Callable[[], object], *words: str) -> None:
    with pytest.raises(SourceError) as caught:
        read()
    for word in words:
        assert word in str(caught.value)


# Tatoeba


def test_tatoeba_pairs_lines_and_names_items_by_their_english_side(tmp_path: Path) -> None:
    task = read_task("tatoeba", write_tatoeba(tmp_path / "v1"), PART)
    assert [p.language for p in task.parts] == ["deu", "fra"]
    german, french = part(task, "deu"), part(task, "fra")
    assert rows(german.queries)[0] == ("deu-0001", SENTENCES[0][1], "deu", "deu-0001")
    assert rows(german.right)[7] == ("deu-0008", "deu-0008-eng")
    assert rows(task.pools[0].candidates)[1] == (
        "deu-0002-eng",
        "",
        SENTENCES[1][0],
        "eng",
        "deu-0002",
    )
    # `Wait here!` is the item of `Wait here.`, and French pairs are the items of the German ones.
    assert german.queries["item"].to_pylist()[6:] == ["deu-0007", "deu-0007"]
    assert french.queries["item"].to_pylist() == [f"deu-000{n}" for n in range(1, 8)]
    assert task.items["item"].to_pylist() == [f"deu-000{n}" for n in range(1, 8)]
    assert sorted(task.files) == sorted(path.name for path in (tmp_path / "v1").iterdir())


def test_tatoeba_has_the_languages_of_xtreme_r_by_default() -> None:
    assert (len(XTREME), len(XTREME_R), len(ADDED_BY_XTREME_R)) == (36, 41, 5)
    assert set(XTREME_R) <= set(languages())
    codes = "cmn pes ara swh ekk zsm lvs"
    assert [to_iso3(c) for c in codes.split()] == ["zho", "fas", "ara", "swa", "est", "msa", "lav"]


def test_languages_can_be_chosen(tmp_path: Path) -> None:
    folder = write_tatoeba(tmp_path / "v1")
    task = read_task("tatoeba", folder, Reading.of("fr", partial=True))
    assert [p.language for p in task.parts] == ["fra"]
    with pytest.raises(RecipeError, match="it has deu, fra"):
        read_task("tatoeba", folder, Reading.of("swa", partial=True))
    with pytest.raises(RecipeError, match="'qqq' is not a known"):
        Reading.of("qqq", partial=False)


def test_a_release_that_is_not_whole_is_refused_unless_that_is_said(tmp_path: Path) -> None:
    folder = write_tatoeba(tmp_path / "v1")
    refused(lambda: read_task("tatoeba", folder, Reading()), "no files for afr", "--partial")
    refused(
        lambda: read_task("tatoeba", folder, Reading.of("deu", partial=False)),
        "tatoeba.deu-eng.deu: pairs: 8 met, the official release has 1,000",
    )


def test_tatoeba_refuses_sides_that_differ(tmp_path: Path) -> None:
    folder = write_tatoeba(tmp_path / "v1")
    replace_line(folder / "tatoeba.deu-eng.deu", 8, None)
    refused(lambda: read_task("tatoeba", folder, PART), "tatoeba.deu-eng.deu:8: the file ends", "7")
    replace_line(folder / "tatoeba.deu-eng.deu", 3, "")
    refused(lambda: read_task("tatoeba", folder, PART), "deu-eng.deu:3: the line is empty")
    (folder / "tatoeba.deu-eng.deu").write_bytes(b"gut\nschl\xe4cht\n")
    refused(lambda: read_task("tatoeba", folder, PART), "deu-eng.deu:2: not UTF-8")
    (folder / "tatoeba.deu-eng.deu").unlink()
    refused(lambda: read_task("tatoeba", folder, PART), "tatoeba.deu-eng.deu is missing")


def test_an_unknown_benchmark_or_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="known: bucc, lareqa, mewslix, tatoeba"):
        read_task("xnli", tmp_path, PART)
    refused(lambda: read_task("tatoeba", tmp_path / "none", PART), "is not a folder")


# LAReQA


def test_lareqa_has_every_sentence_and_one_answer_a_language(tmp_path: Path) -> None:
    task = read_task("lareqa", write_lareqa(tmp_path), PART)
    assert [p.language for p in task.parts] == ["deu", "eng", "zho"]
    candidates = rows(task.pools[0].candidates)
    assert len(candidates) == 15
    context = "The clinic opened in 1901. Its doctors treat fever. Patients pay nothing."
    assert ("eng-00-0-01", "Its doctors treat fever.", context, "eng", "00-0") in candidates
    german = part(task, "deu")
    assert rows(german.queries)[1] == ("deu-00-0-q01", "Was behandeln Ärzte?", "deu", "q2")
    right = [there for here, there in rows(german.right) if here == "deu-00-0-q01"]
    assert sorted(right) == ["deu-00-0-01", "eng-00-0-01", "zho-00-0-01"]
    items = dict(rows(task.items))
    assert items["q3"] == "How is interest? The bank lends money. Interest is low."
    assert items["00-1"] == "The bank lends money. Interest is low."
    assert {row[:2] for row in rows(task.sides)} == {
        (q, c) for q in ("q1", "q2", "q3") for c in ("deu", "zho")
    }


def test_lareqa_searches_all_languages_whichever_are_asked_for(tmp_path: Path) -> None:
    task = read_task("lareqa", write_lareqa(tmp_path), Reading.of("de", partial=True))
    assert [p.language for p in task.parts] == ["deu"]
    assert set(task.pools[0].candidates["language"].to_pylist()) == {"deu", "eng", "zho"}


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = xquad()
    change(data)
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["de"][0]["qas"][0]["answers"][0].update(answer_start=999), ["de.json: article 0, paragraph 0, question q1", "999 is in no sentence"]),
        (lambda d: d["de"][0]["qas"][0]["answers"][0].update(answer_start=-1), ["-1 is in no sentence"]),
        (lambda d: d["de"][0]["sentence_breaks"].pop(), ["3 sentences, 2 sentence_breaks"]),
        (lambda d: d["de"][1]["qas"].pop(), ["question q3 is in this file or in en.json, not in both"]),
        (lambda d: d["zh"][1]["qas"].append(d["zh"][1]["qas"][0]), ["question q3: the id is there twice"]),
        (lambda d: d["zh"][1]["qas"][0]["answers"].clear(), ["0 answers"]),
        (lambda d: d["zh"][1].pop("context"), ["paragraph 1: 'context' must be str"]),
        (lambda d: d.pop("en"), ["en.json is missing"]),
    ],
)  # fmt: skip
def test_lareqa_refuses(tmp_path: Path, change: Callable[..., object], words: list[str]) -> None:
    folder = write_lareqa(tmp_path, broken(change))
    refused(lambda: read_task("lareqa", folder, PART), *words)


def test_lareqa_refuses_what_is_not_json_or_not_whole(tmp_path: Path) -> None:
    folder = write_lareqa(tmp_path)
    refused(lambda: read_task("lareqa", folder, Reading()), "no files for ara")
    path = folder / "xquad-r" / "de.json"
    path.write_text(path.read_text("utf-8")[:-30], "utf-8")
    refused(lambda: read_task("lareqa", folder, PART), f"{path}:", "not JSON")


def test_an_answer_on_the_border_belongs_to_the_sentence_it_starts_in(tmp_path: Path) -> None:
    data = xquad()
    data["en"][0] = paragraph(
        ["The clinic opened in 1901.", "Its doctors treat fever."],
        [("q1", "When?", "1901. Its"), ("q2", "What?", "Its doctors")],
    )
    task = read_task("lareqa", write_lareqa(tmp_path, data), PART)
    right = dict(row for row in rows(part(task, "deu").right) if row[1].startswith("eng"))
    assert right["deu-00-0-q00"] == "eng-00-0-00"
    assert right["deu-00-0-q01"] == "eng-00-0-01"


@pytest.mark.needs_data("xtreme_r")
def test_the_official_counts_hold_for_the_real_lareqa() -> None:
    task = read_task("lareqa", SHARED / "lareqa", Reading())
    assert len(task.pools[0].candidates) == 13_014
    assert [len(p.queries) for p in task.parts] == [1190] * 11
    assert all(len(set(rows(p.right))) == 1190 * 11 for p in task.parts)


@pytest.mark.needs_data("xtreme_r")
def test_the_official_counts_hold_for_the_real_tatoeba() -> None:
    task = read_task("tatoeba", SHARED / "tatoeba/v1", Reading())
    assert [p.language for p in task.parts] == list(XTREME_R)
    assert sum(len(p.queries) for p in task.parts) == 36_692
    every = read_task("tatoeba", SHARED / "tatoeba/v1", Reading.of("all", partial=False))
    assert len(every.parts) == 112


# Mewsli-X


def test_mewslix_marks_mentions_in_their_sentences(tmp_path: Path) -> None:
    task = read_task("mewslix", write_mewslix(tmp_path), PART)
    assert [(p.language, p.split) for p in task.parts] == [
        ("eng", "validation"),
        ("deu", "test"),
        ("eng", "test"),
    ]
    # Two sentences on either side, none of the far ones; braces of the text are parentheses.
    text = "Two. Three (x). He took { aspirin }. Five. Six."
    assert rows(part(task, "eng").queries) == [("en-Q1", text, "eng", "Q1")]
    assert rows(part(task, "eng").right) == [("en-Q1", "Q1")]
    assert rows(task.pools[0].candidates)[1] == (
        "Q2",
        "Zürich",
        ENTITIES[1]["description"],
        "deu",
        "Q2",
    )
    assert dict(rows(task.items))["Q3"] == "Bank A bank is a company that lends money."


def test_the_community_copy_reads_the_same(tmp_path: Path) -> None:
    official = read_task("mewslix", write_mewslix(tmp_path / "a"), PART)
    copy = tmp_path / "b"
    write_lines(copy / "candidate_entities.jsonl", ENTITIES)
    with tarfile.open(copy / "candidate_entities.jsonl.tar.gz", "w:gz") as archive:
        archive.add(copy / "candidate_entities.jsonl", "candidate_entities.jsonl")
    (copy / "candidate_entities.jsonl").unlink()
    english, german = MENTIONS
    single = {"context": english["context"], "mention": english["mentions"][0]}
    write_lines(copy / "wikinews_mentions/en/test.jsonl", [single])
    write_lines(copy / "wikinews_mentions/de/test.jsonl", [german])
    found = read_task("mewslix", copy, PART)
    assert found.pools[0].candidates == official.pools[0].candidates
    for language in ("deu", "eng"):
        assert rows(part(found, language).queries) == rows(part(official, language).queries)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["mentions"][0].update(entity_id="Q9"), ["test.jsonl:1: the entity Q9 is not in the candidate set"]),
        (lambda m: m["mentions"][0]["mention_span"].update(start=0), ["test.jsonl:1: characters 0 to", "not the mention 'aspirin'"]),
        (lambda m: m["context"].update(text=""), ["the text was left out"]),
        (lambda m: m["context"].update(language="qqq"), ["test.jsonl:1: 'qqq' is not a language code"]),
        (lambda m: m.update(mentions=[None]), ["test.jsonl:1: 'entity_id' must be str"]),
    ],
)  # fmt: skip
def test_mewslix_refuses(tmp_path: Path, change: Callable[..., object], words: list[str]) -> None:
    folder = write_mewslix(tmp_path)
    row = json.loads(json.dumps(MENTIONS[0]))
    change(row)
    write_lines(folder / "wikinews_mentions-test.jsonl", [row])
    refused(lambda: read_task("mewslix", folder, PART), *words)


def test_mewslix_refuses_broken_and_missing_files(tmp_path: Path) -> None:
    folder = write_mewslix(tmp_path)
    refused(
        lambda: read_task("mewslix", folder, Reading()), "3 met, the official release has 1,003,893"
    )
    path = folder / "candidate_set_entities.jsonl"
    path.write_text(path.read_text("utf-8")[:-20], "utf-8")
    refused(lambda: read_task("mewslix", folder, PART), f"{path}:3: not JSON")
    write_lines(path, [*ENTITIES, ENTITIES[0]])
    refused(lambda: read_task("mewslix", folder, PART), "1 entity_ids are there twice")
    whole = gzip.compress(path.read_bytes(), mtime=0)
    path.unlink()
    path.with_suffix(".jsonl.gz").write_bytes(whole[:-12])
    refused(lambda: read_task("mewslix", folder, PART), "cannot be read")


@pytest.mark.needs_data("xtreme_r")
def test_real_mentions_are_marked(tmp_path: Path) -> None:
    source = (SHARED / "mewsli-x/example_mentions.jsonl").read_text("utf-8")
    (tmp_path / "wikinews_mentions-test.jsonl").write_text(source, "utf-8")
    named = sorted(set(re.findall(r'"entity_id": "(Q\d+)"', source)))
    entities = [dict(ENTITIES[0], entity_id=name) for name in named]
    write_lines(tmp_path / "candidate_set_entities.jsonl", entities)
    task = read_task("mewslix", tmp_path, PART)
    assert {p.language: len(p.queries) for p in task.parts} == {"ara": 2, "eng": 1}
    assert "{ Helsinki }" in part(task, "eng").queries["text"][0].as_py()


# BUCC


def test_bucc_keeps_its_two_parts_apart(tmp_path: Path) -> None:
    task = read_task("bucc", write_bucc(tmp_path / "b"), PART)
    assert [(p.language, p.split) for p in task.parts] == [("deu", "validation"), ("deu", "test")]
    test = part(task, "deu")
    assert test.queries["text"].to_pylist() == [
        "Der Arzt verschreibt Medizin.",
        "Die Bank verleiht Geld.",
    ]
    assert test.unpaired is not None
    assert rows(test.unpaired) == [
        ("deu-test-de-3", "Niemand übersetzte das.", "deu", "deu-test-de-3")
    ]
    assert rows(test.right)[1] == ("deu-test-de-2", "deu-test-en-2")
    assert test.queries["item"].to_pylist() == ["deu-test-en-1", "deu-test-en-2"]
    assert [len(pool.candidates) for pool in task.pools] == [1, 3]
    assert part(task, "deu", "validation").queries["text"].to_pylist() == ["Ein Flug nach Rom."]
    assert dict(rows(task.items))["deu-test-de-3"] == "Niemand übersetzte das."


@pytest.mark.parametrize(
    ("name", "line", "text", "words"),
    [
        ("de-en.training.gold", 2, "de-2\ten-7", ["training.gold:2: en-7 is in no file"]),
        ("de-en.training.gold", 1, "de-1", ["training.gold:1: expected 2 tab-separated fields"]),
        (
            "de-en.training.de",
            3,
            "de-1\tNoch einmal.",
            ["training.de:3: the id de-1 is there twice"],
        ),
        ("de-en.sample.en", 1, "en-1", ["sample.en:1: expected 2 tab-separated fields"]),
    ],
)
def test_bucc_refuses(tmp_path: Path, name: str, line: int, text: str, words: list[str]) -> None:
    folder = write_bucc(tmp_path / "b")
    replace_line(folder / name, line, text)
    refused(lambda: read_task("bucc", folder, PART), *words)


def test_bucc_refuses_a_missing_part(tmp_path: Path) -> None:
    folder = write_bucc(tmp_path / "b")
    refused(lambda: read_task("bucc", folder, Reading()), "no files for fra, rus, zho")
    (folder / "de-en.sample.gold").unlink()
    refused(lambda: read_task("bucc", folder, PART), "de-en.sample.gold is missing")
