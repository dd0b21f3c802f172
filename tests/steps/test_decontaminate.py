"""Planted benchmark texts go, whatever was done to them; what only sounds alike stays."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from small_retrieval import SmallRetrieval
from toybuild import Toy

from webfaq_domains.dataset.check import check_dataset
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.steps.contamination.index import BenchmarkIndex, index_path, write_index
from webfaq_domains.steps.contamination.step import Decontaminate

Pairs = Callable[..., pa.Table]

#: Benchmark sentence, and the same with one word changed; the first of each language is short.
LEAKS = {
    "eng": [
        ("My uncle repairs old clocks.", "My uncle repairs old bicycles."),
        ("The ferry to the island leaves at half past six every morning.", "The ferry to the village leaves at half past six every morning."),
    ],
    "deu": [
        ("Meine Tante züchtet weiße Rosen.", "Meine Tante züchtet weiße Tauben."),
        ("Der letzte Bus zum Straßenfest fährt heute erst um Mitternacht.", "Der letzte Zug zum Straßenfest fährt heute erst um Mitternacht."),
    ],
    "tur": [
        ("Dayım eski saatleri onarıyor.", "Dayım eski radyoları onarıyor."),
        ("Adaya giden vapur her sabah altı buçukta kalkıyor.", "Adaya giden tekne her sabah altı buçukta kalkıyor."),
    ],
    "rus": [
        ("Мой дядя чинит старые часы.", "Мой сосед чинит старые часы."),
        ("Паром на остров отходит каждое утро в половине седьмого.", "Паром на остров отходит каждый вечер в половине седьмого."),
    ],
    "ara": [
        ("عمي يصلح الساعات القديمة.", "عمي يصلح الدراجات القديمة."),
        ("تغادر العبّارة إلى الجزيرة كل صباح في السادسة والنصف.", "تغادر العبّارة إلى القرية كل صباح في السادسة والنصف."),
    ],
    "hin": [
        ("मेरे चाचा पुरानी घड़ियाँ ठीक करते हैं।", "मेरे चाचा पुरानी साइकिलें ठीक करते हैं।"),
        ("द्वीप जाने वाली नाव हर सुबह साढ़े छह बजे निकलती है।", "द्वीप जाने वाली नाव हर शाम साढ़े छह बजे निकलती है।"),
    ],
    "zho": [
        ("我叔叔会修理各种旧钟表。", "我叔叔会修理各种旧汽车。"),
        ("开往那座小岛的渡船每天早上六点半准时出发。", "开往那座小岛的渡船每天晚上六点半准时出发。"),
    ],
    "jpn": [
        ("おじは古い時計を直している。", "おじは古い机を直している。"),
        ("島へ向かう船は毎朝六時半に港を出ます。", "島へ向かう船は毎晩六時半に港を出ます。"),
    ],
    "kor": [
        ("삼촌은 오래된 시계를 고친다.", "삼촌은 오래된 의자를 고친다."),
        ("섬으로 가는 배는 매일 아침 여섯 시 반에 떠납니다.", "섬으로 가는 배는 매일 저녁 여섯 시 반에 떠납니다."),
    ],
    "tha": [
        ("ลุงของฉันซ่อมนาฬิกาเก่า", "ลุงของฉันซ่อมจักรยานเก่า"),
        ("เรือไปเกาะออกทุกเช้าเวลาหกโมงครึ่งตรง", "เรือไปเกาะออกทุกเย็นเวลาหกโมงครึ่งตรง"),
    ],
}  # fmt: skip

#: Sentences that everyone says: exact as a field, and nothing else.
COMMON = ["Thank you.", "I don't know.", "谢谢你。", "What does it mean?", "Ça va ?"]

FILLER = {
    "zho": "这一段是别的内容，说明如何付款以及退货。",
    "jpn": "これは別の話で、支払いについてです。",
}
PLAIN = "This part is about something else, namely how to pay and how to send things back. "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = SmallRetrieval(tmp_path_factory.mktemp("leaks") / "staged")
    texts = [one for leaks in LEAKS.values() for one, _ in leaks] + COMMON
    queries = [(f"q{number}", text) for number, text in enumerate(texts)]
    answer = "The keeper of the lighthouse kept a diary of every storm for forty years."
    small.add(
        "tatoeba", "mul", queries, [("c", "", answer)], [("q0", "c", "official")]
    )  # fmt: skip
    write_index(small.finish(), {"news": ["https://news.example/a/1", "faq.example"]})
    return small.folder


@pytest.fixture
def reasons(folder: Path, pairs_of: Pairs) -> Callable[..., list[str]]:
    """Return the reason that each pair is dropped for, or `kept`."""
    step = Decontaminate((str(index_path(folder)),))

    def of(*rows: dict[str, str]) -> list[str]:
        plain = {"question": "How do I pay for my order?", "answer": PLAIN}
        named = [{**plain, **row, "source_id": str(n)} for n, row in enumerate(rows)]
        outcome = step(pairs_of(*named))
        told = {
            key: reason
            for reason, gone in outcome.dropped.items()
            for key in gone["source_id"].to_pylist()
        }
        assert len(outcome.kept) + len(told) == len(rows)
        return [told.get(row["source_id"], "kept") for row in named]

    return of


Reasons = Callable[..., list[str]]


def repunctuated(text: str) -> str:
    return "« " + text.rstrip(".。।?").replace(" ", ", ", 1).replace("，", " ") + " …! »"


@pytest.mark.parametrize("field", ["question", "answer"])
@pytest.mark.parametrize("language", LEAKS)
def test_planted_leaks_are_found(reasons: Reasons, language: str, field: str) -> None:
    filler = FILLER.get(language, PLAIN)
    for sentence, changed in LEAKS[language]:
        inside = f"{filler}{sentence} {filler}"
        variants = {
            "exact": [sentence, sentence.upper(), sentence.swapcase(), repunctuated(sentence)],
            "near": [changed, changed.upper(), repunctuated(changed)],
            "contains": [inside, inside.upper(), f"{filler} {repunctuated(sentence)}"],
        }
        for kind, texts in variants.items():
            found = reasons(*({field: text} for text in texts))
            assert found == [f"tatoeba:{kind}"] * len(texts), (sentence, kind)


@pytest.mark.parametrize("language", ["eng", "deu", "rus", "ara", "hin"])
def test_a_changed_sentence_inside_a_longer_answer_is_found(
    reasons: Reasons, language: str
) -> None:
    changed = LEAKS[language][1][1]
    assert reasons({"answer": f"{PLAIN}{changed} {PLAIN}"}) == ["tatoeba:near"]


def test_what_everyone_says_counts_only_as_a_whole_field(reasons: Reasons) -> None:
    for sentence in COMMON:
        assert (
            reasons({"question": sentence}, {"answer": sentence.upper()}) == ["tatoeba:exact"] * 2
        )
        inside = f"{PLAIN}{sentence} {PLAIN}"
        assert (
            reasons({"answer": inside}, {"question": f"{sentence} How do I pay for my order?"})
            == ["kept"] * 2
        )


def test_clean_pairs_stay(reasons: Reasons) -> None:
    clean = [
        {"question": "Who mends clocks in your town?", "answer": "Any watchmaker does, for a fee. My shop is open."},
        {"question": "When does the ferry leave?", "answer": "The ferry to the mainland runs hourly from six."},
        {"question": "渡船几点出发？", "answer": "渡船每小时一班，早上六点开始，节假日除外。"},
        {"question": "متى تغادر العبّارة؟", "answer": "تغادر كل ساعة ابتداءً من السادسة صباحًا."},
        {"question": "", "answer": ""},
    ]  # fmt: skip
    assert reasons(*clean) == ["kept"] * len(clean)


def test_part_of_a_benchmark_answer_is_found(reasons: Reasons) -> None:
    part = "kept a diary of every storm for forty years"
    assert reasons({"answer": part}, {"answer": part[:20]}) == ["tatoeba:within", "kept"]


def test_pages_and_sites_of_a_benchmark_are_found(reasons: Reasons) -> None:
    rows = [
        {"url": "http://www.NEWS.example:80/a/1/#top"},
        {"url": "https://news.example/a/2"},
        {"url": "https://www.faq.example/deep/page"},
        {"origin": "https://faq.example"},
        {"origin": "notfaq.example"},
    ]
    assert reasons(*rows) == ["news:page", "kept", "news:site", "news:site", "kept"]


def test_the_text_counts_before_the_address(reasons: Reasons) -> None:
    leak = LEAKS["eng"][0][0]
    both = {"question": leak, "answer": leak + PLAIN, "origin": "faq.example"}
    assert reasons(both) == ["tatoeba:exact"]


@pytest.mark.parametrize(
    "wrong", [{"min_contained": 7}, {"near_share": 0.0}, {"spread_share": 1.1}, {"min_near": 1}]
)
def test_parameters_that_cannot_work_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match=next(iter(wrong))):
        Decontaminate(**wrong)  # type: ignore[arg-type]


def test_a_build_counts_what_it_dropped_and_pins_the_index(toy: Toy, tmp_path: Path) -> None:
    plain = toy.build(tmp_path / "plain").manifest
    assert "benchmarks" not in plain.recipe.values
    lines = (line for path in toy.faq.iterdir() for line in path.read_text("utf-8").splitlines())
    row = json.loads(next(line for line in lines if '"id": "ara-health-1"' in line))
    small = SmallRetrieval(tmp_path / "staged")
    small.add("mine", "ara", [("q", row["question"])], [("c", "", "x")], [("q", "c", "official")])
    small.add("secret", "ara", [("q", "")], [("c", "", "")], [("q", "c", "official")])
    index = write_index(small.finish())
    built = toy.build(tmp_path / "clean", benchmarks=(small.folder,), keep_dropped=True)
    manifest = built.manifest
    assert manifest.ledger.dropped["Decontaminate"] == {"mine:exact": 1}
    assert manifest.rows == plain.rows - 1
    assert manifest.recipe.values["benchmarks"] == [
        {"tasks": ["mine"], "withheld": ["secret"], "sha256": index.sha256}
    ]
    assert manifest.recipe_hash != plain.recipe_hash
    assert "not looked for: secret" in built.text()
    assert check_dataset(built.out, load=False).fine
    kept = {path.name for path in (tmp_path / "clean.dropped").iterdir()}
    assert "Decontaminate.mine-exact" in kept  # a name without a colon, for Windows


def test_an_index_without_any_text_is_refused(toy: Toy, tmp_path: Path) -> None:
    small = SmallRetrieval(tmp_path / "staged")
    small.add("secret", "ara", [("q", "")], [("c", "", "")], [("q", "c", "official")])
    write_index(small.finish())
    with pytest.raises(RecipeError, match="secret"):
        toy.build(tmp_path / "out", benchmarks=(small.folder,))


SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.mark.slow
def test_clean_real_pairs_stay_and_real_sentences_are_found(
    tmp_path: Path, pairs_of: Pairs
) -> None:
    """All of the real pairs against all of the real Tatoeba: under 0.5 % of the pairs go."""
    if not SHARED.is_dir():
        pytest.skip("the real data (shared/data beside the repository) are not here")
    files = sorted((SHARED / "xtreme_r/tatoeba/v1").glob("tatoeba.*-eng.*"))
    texts = sorted({line.strip() for file in files for line in file.open(encoding="utf-8")})
    table = pa.table(
        {"task": ["tatoeba"] * len(texts), "kind": ["text"] * len(texts), "value": texts}
    )
    BenchmarkIndex.of(table).save(tmp_path / "index.parquet")
    step = Decontaminate((str(tmp_path / "index.parquet"),))
    rows = [
        json.loads(line)
        for path in sorted((SHARED / "faq").glob("*.jsonl.gz"))
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    clean = pairs_of(*({key: row[key] for key in ("question", "answer")} for row in rows))
    assert len(step(clean).kept) > 0.995 * len(clean)
    for planted in (texts, [text.upper() for text in texts]):
        leaks = pairs_of(*({"question": text, "answer": PLAIN} for text in planted))
        assert len(step(leaks).kept) < 0.002 * len(leaks)
