"""XTREME's own files: what is exported, scored as `evaluate.py` scores it, gives what was put in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_retrieval import SmallRetrieval

from webfaq_domains.ground.errors import StagedError
from webfaq_domains.ground.languages import to_iso3
from webfaq_domains.ground.xtreme import code_of
from webfaq_domains.retrieval.readers.lines import sentences
from webfaq_domains.retrieval.xtreme import export_xtreme

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "xtreme_r"


# --- the official scoring, written again from the description of evaluate.py ---


def lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text("utf-8").splitlines()]


def accuracy(labels: Path, predictions: Path) -> float:
    right, guessed = lines(labels), lines(predictions)
    assert len(right) == len(guessed)
    return 100 * sum(a == b for a, b in zip(right, guessed, strict=True)) / len(guessed)


def bucc_f1(labels: Path, predictions: Path) -> float:
    right, guessed = set(lines(labels)), set(lines(predictions))
    common = len(right & guessed)
    if not common:
        return 0.0
    precision, recall = common / len(guessed), common / len(right)
    return 100 * 2 * precision * recall / (precision + recall)


def map_at_20(labels: Path, predictions: Path) -> float:
    right, guessed = (json.loads(path.read_text("utf-8")) for path in (labels, predictions))
    assert right.keys() == guessed.keys()
    total = 0.0
    for name, wanted in right.items():
        hits, points = 0, 0.0
        for rank, document in enumerate(guessed[name][:20], 1):
            if document in wanted:
                hits += 1
                points += hits / rank
        total += points / min(len(wanted), 20)
    return 100 * total / len(right)


# --- a folder of our own ---

#: Equal English sentences (`Hello.`) keep the order of the release; upper case sorts first.
TATOEBA = [
    ("Guten Tag.", "Hello."),
    ("Ein Hund.", "A dog."),
    ("Hallo.", "Hello."),
    ("Alles.", "all of it"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    small = SmallRetrieval(tmp_path / "staged")
    ids = [f"zho-{n:04}" for n in range(1, len(TATOEBA) + 1)]
    small.add(
        "tatoeba",
        "zho",
        [(name, foreign) for name, (foreign, _) in zip(ids, TATOEBA, strict=True)],
        [(f"{name}-eng", "", english) for name, (_, english) in zip(ids, TATOEBA, strict=True)],
        [(name, f"{name}-eng", "official") for name in ids]
        + [(ids[0], f"{ids[2]}-eng", "duplicate"), (ids[2], f"{ids[0]}-eng", "duplicate")],
    )
    small.add(
        "bucc",
        "fra",
        [("fr-1", ""), ("fr-2", "")],  # withheld texts are not needed for these files
        [("en-8", "", ""), ("en-9", "", "")],
        [("fr-2", "en-8", "official"), ("fr-1", "en-9", "official")],
    )
    small.add(
        "mewslix",
        "fas",
        [("m1", "…"), ("m2", "…")],
        [("Q1", "One", ""), ("Q2", "Two", "")],
        [("m1", "Q1", "official"), ("m2", "Q2", "official")],
    )
    small.add("lareqa", "deu", [("q", "?")], [("c", "", "!")], [("q", "c", "official")])
    return small.finish()


def write_run(path: Path, ranked: dict[str, list[str]]) -> Path:
    rows = [
        f"{query} Q0 {document} {rank} {1 / rank:.4f} mine\n"
        for query, documents in ranked.items()
        for rank, document in enumerate(documents, 1)
    ]
    path.write_text("".join(rows), "utf-8")
    return path


RUN = {
    "zho-0001-eng": ["zho-0001", "zho-0003"], "zho-0002-eng": ["zho-0002"],
    "zho-0003-eng": ["zho-0001"], "zho-0004-eng": ["zho-0004"],
    "fr-2": ["en-8", "en-9"],
    "m1": ["Q2", "Q1"], "m2": ["Q2"],
}  # fmt: skip


def test_tatoeba_has_the_official_order(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert export_xtreme(folder, out).left_out == ("lareqa",)
    assert lines(out / "tatoeba/zh-en.zh") == [foreign for foreign, _ in TATOEBA]
    assert lines(out / "tatoeba/zh-en.en") == ["A dog.", "Hello.", "Hello.", "all of it"]
    assert lines(out / "labels/tatoeba/test-zh.tsv") == ["1", "0", "2", "3"]
    assert lines(out / "labels/bucc2018/test-fr.tsv") == ["fr-1\ten-9", "fr-2\ten-8"]
    assert json.loads((out / "labels/mewslix/test-fa.json").read_text()) == {
        "m1": ["Q1"],
        "m2": ["Q2"],
    }
    assert not (out / "predictions").exists()


def test_a_run_is_scored_as_it_should_be(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    exported = export_xtreme(folder, out, write_run(tmp_path / "run.txt", RUN))
    assert set(exported.files) == {
        path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()
    }

    def sides(name: str) -> tuple[Path, Path]:
        return out / "labels" / name, out / "predictions" / name

    assert accuracy(*sides("tatoeba/test-zh.tsv")) == 75.0  # the second `Hello.` is wrong
    assert bucc_f1(*sides("bucc2018/test-fr.tsv")) == pytest.approx(200 / 3)  # P 1, R 1/2
    assert map_at_20(*sides("mewslix/test-fa.json")) == 75.0
    labels = out / "labels"
    assert accuracy(labels / "tatoeba/test-zh.tsv", labels / "tatoeba/test-zh.tsv") == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zho-0001": ["zho-0001-eng"]}, "the other direction"),
        ({"zho-0004-eng": None}, "3 of 4 English sentences, zho-0004-eng is missing"),
        ({"zho-0004-eng": ["Q1"]}, "answered by Q1"),
        ({"m2": None}, "lacks 1 of 2 mentions, such as m2"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, list[str] | None], message: str
) -> None:
    ranked = {name: found for name, found in {**RUN, **change}.items() if found}
    with pytest.raises(StagedError, match=message):
        export_xtreme(folder, tmp_path / "out", write_run(tmp_path / "run.txt", ranked))


def test_a_run_of_other_ids_and_a_folder_of_other_tasks_are_refused(
    folder: Path, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run.txt", {"nobody": ["nothing"]})
    with pytest.raises(StagedError, match="ranks nothing"):
        export_xtreme(folder, tmp_path / "out", run)
    small = SmallRetrieval(tmp_path / "other")
    small.add("lareqa", "deu", [("q", "?")], [("c", "", "!")], [("q", "c", "official")])
    with pytest.raises(
        StagedError, match="has lareqa; XTREME has files for tatoeba, bucc, mewslix"
    ):
        export_xtreme(small.finish(), tmp_path / "out")


def test_a_sentence_without_a_pair_is_refused(tmp_path: Path) -> None:
    small = SmallRetrieval(tmp_path / "staged")
    small.add(
        "tatoeba", "deu", [("a", "x"), ("b", "y")], [("c", "", "z")], [("a", "c", "official")]
    )
    with pytest.raises(StagedError, match="b is in no official pair"):
        export_xtreme(small.finish(), tmp_path / "out")


def test_languages_without_a_short_code_keep_the_long_one() -> None:
    assert [code_of(language) for language in ("deu", "zho", "fas", "ceb", "xxx")] == [
        "de", "zh", "fa", "ceb", "xxx",
    ]  # fmt: skip


# --- against XTREME's own mock files ---


@pytest.fixture
def mock() -> Path:
    if not SHARED.is_dir():
        pytest.skip("XTREME's mock files (shared/data/xtreme_r beside the repository) are not here")
    return SHARED / "xtreme_mock"


def test_our_scoring_gives_what_xtreme_says_of_its_mock_files(mock: Path) -> None:
    """The averages that upstream's `evaluate_test.py` expects: Tatoeba 53.61, BUCC 55.0."""

    def mean(task: str, languages: list[str]) -> float:
        score = accuracy if task == "tatoeba" else bucc_f1
        sides = [(mock / kind / task for kind in ("labels", "predictions")) for _ in languages]
        return sum(
            score(*(side / f"test-{language}.tsv" for side in both))
            for language, both in zip(languages, sides, strict=True)
        ) / len(languages)

    xtreme = [path.stem.removeprefix("test-") for path in (mock / "labels/tatoeba").glob("*.tsv")]
    assert len(xtreme) == 36
    assert mean("tatoeba", xtreme) == pytest.approx(53.611111111111114)
    assert mean("bucc2018", ["de", "fr", "ru", "zh"]) == pytest.approx(55.0)


def test_the_gold_order_is_that_of_the_official_files(mock: Path, tmp_path: Path) -> None:
    """XTREME's mock labels are the first ten lines of its gold, made from this very release."""
    small, codes = SmallRetrieval(tmp_path / "staged"), {}
    for code in ("de", "zh", "fa", "th", "sw", "jv", "tl", "ar", "kk", "fr"):
        release = SHARED / "tatoeba" / "v1"
        language = to_iso3(code)
        assert language is not None
        stem = {"zho": "cmn", "fas": "pes", "swa": "swh"}.get(language, language)
        foreign, english = (
            sentences(release / f"tatoeba.{stem}-eng.{side}") for side in (stem, "eng")
        )
        ids = [f"{language}-{n:04}" for n in range(1, len(foreign) + 1)]
        small.add(
            "tatoeba",
            language,
            list(zip(ids, foreign, strict=True)),
            [(f"{name}-eng", "", text) for name, text in zip(ids, english, strict=True)],
            [(name, f"{name}-eng", "official") for name in ids],
        )
        codes[code] = len(foreign)
    out = tmp_path / "out"
    export_xtreme(small.finish(), out)
    for code, pairs in codes.items():
        name = f"labels/tatoeba/test-{code}.tsv"
        gold = lines(out / name)
        assert gold[:10] == lines(mock / "labels" / "tatoeba" / f"test-{code}.tsv")
        assert sorted(map(int, gold)) == list(range(pairs))
