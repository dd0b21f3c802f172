from __future__ import annotations

from pathlib import Path

import fasttext
import pyarrow as pa
import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.fasttext_models import language_model, load_fasttext
from webfaq_domains.ground.languages import from_fasttext, languages
from webfaq_domains.steps.languages import IdentifyLanguage, KeepLanguages, ResolveLanguage

GERMAN = "wie lange dauert der versand und was kostet die lieferung nach hause"
GREEK = "πόσο διαρκεί η αποστολή και τι κοστίζει η παράδοση στο σπίτι"


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model of two languages, labelled in the dialect of NLLB and GlotLID."""
    folder = tmp_path_factory.mktemp("toy")
    lines = [
        f"__label__{label} {' '.join(words[start:])}"
        for label, text in (("deu_Latn", GERMAN), ("ell_Grek", GREEK))
        for words in [text.split()]
        for start in range(len(words) - 2)
    ]
    (folder / "train.txt").write_text("\n".join(lines * 20) + "\n", encoding="utf-8")
    model = fasttext.train_supervised(
        str(folder / "train.txt"),
        dim=8,
        bucket=1_000,
        minn=2,
        maxn=3,
        epoch=20,
        thread=1,
        verbose=0,
    )
    path = folder / "toy.bin"
    model.save_model(str(path))
    return str(path)


def pairs(*texts: tuple[str, str], claim: str | None = None) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in ("question", "answer", "language")])
    rows = [
        {"question": question, "answer": answer, "language": claim} for question, answer in texts
    ]
    return pa.Table.from_pylist(rows, schema=schema)


def resolve(
    claim: str | None, found: str, score: float, own: float | None, by: str | None = None
) -> str | None:
    """Return the language that one row gets, or the reason why it is dropped."""
    table = pa.table(
        {
            "language": pa.array([claim], pa.string()),
            "claimed_by": pa.array([by], pa.string()),
            "identified": [found],
            "identified_score": pa.array([score], pa.float32()),
            "claim_score": pa.array([own], pa.float32()),
        }
    )
    outcome = ResolveLanguage()(table)
    assert outcome.kept.column_names == table.column_names
    return next(iter(outcome.dropped), None) or outcome.kept["language"][0].as_py()


@pytest.mark.parametrize(
    ("claim", "found", "score", "own", "settled"),
    [
        ("deu", "deu", 0.99, 0.99, "deu"),
        ("deu", "deu", 0.1, 0.1, "deu"),
        ("deu", "nld", 0.79, 0.1, "deu"),
        ("deu", "nld", 0.8, 0.1, "language_contradicts_source"),
        ("deu", "nld", 0.5, 0.0, "language_contradicts_source"),
        ("deu", "nld", 0.49, 0.0, "deu"),
        ("nno", "nor", 0.95, 0.04, "language_contradicts_source"),
        (None, "nld", 0.5, None, "nld"),
        (None, "nld", 0.49, None, "language_unsure"),
        (None, "und", 0.0, None, "language_unsure"),
        ("roh", "ita", 0.79, 0.02, "roh"),
        ("hau", "eng", 0.99, None, "hau"),  # a claim that the model cannot check
    ],
)
def test_a_claim_stands_unless_the_model_is_sure_of_another_language(
    claim, found, score, own, settled
):
    assert resolve(claim, found, score, own) == settled


@pytest.mark.parametrize(
    ("claim", "found", "score", "own", "settled"),
    [
        ("eng", "deu", 0.9, 0.01, "deu"),
        ("eng", "deu", 0.9, 0.06, "eng"),
        ("eng", "deu", 0.4, 0.01, "language_unsure"),
        ("eng", "eng", 0.04, 0.04, "eng"),
        ("hau", "eng", 0.99, None, "hau"),
    ],
)
def test_a_claim_of_a_page_gives_way_to_the_text(claim, found, score, own, settled):
    assert resolve(claim, found, score, own, by="page") == settled


def test_the_model_says_what_it_gives_the_claimed_language(toy_model):
    def score(claim: str | None) -> float | None:
        table = IdentifyLanguage(toy_model)(pairs((GERMAN, ""), claim=claim)).kept
        return table["claim_score"][0].as_py()

    assert score("deu") > 0.8 and score("ell") < 0.2
    assert score("nld") is None is score(None)  # the toy model has no Dutch


def test_the_case_of_a_text_does_not_matter(toy_model):
    small, large = (IdentifyLanguage()(pairs((text, ""))).kept for text in (GREEK, GREEK.upper()))
    assert small["identified"].to_pylist() == large["identified"].to_pylist() == ["ell"]


def labels(path: str) -> list[str]:
    return load_fasttext(path).get_labels()


def test_every_label_of_the_default_model_is_a_language_we_know():
    codes = [from_fasttext(label) for label in labels(str(language_model()))]
    assert len(codes) == 176
    assert set(codes) <= set(languages())


def test_thresholds_are_parameters():
    table = pa.table(
        {
            "language": pa.array(["deu", None], pa.string()),
            "identified": ["nld", "nld"],
            "identified_score": pa.array([0.9, 0.6], pa.float32()),
            "claim_score": pa.array([0.05, None], pa.float32()),
            "claimed_by": pa.nulls(2, pa.string()),
        }
    )
    kept = ResolveLanguage(contradict=0.95, min_score=0.6)(table).kept
    assert kept["language"].to_pylist() == ["deu", "nld"]
    dropped = ResolveLanguage(contradict=0.5, min_score=0.7)(table).dropped
    assert {why: len(rows) for why, rows in dropped.items()} == {
        "language_unsure": 1,
        "language_contradicts_source": 1,
    }


@pytest.mark.parametrize(
    ("question", "answer", "code"),
    [
        ("Wie lange dauert der Versand?", "Der Versand dauert zwei bis drei Tage.", "deu"),
        ("Πόσο διαρκεί η αποστολή;", "Η αποστολή διαρκεί δύο με τρεις ημέρες.", "ell"),
        ("كم يستغرق الشحن؟", "يستغرق الشحن من يومين إلى ثلاثة أيام.", "ara"),
        ("ارسال چقدر طول می‌کشد؟", "ارسال دو تا سه روز طول می‌کشد.", "fas"),
        ("Сколько длится доставка?", "Доставка длится два или три дня.", "rus"),
        ("डिलीवरी में कितना समय लगता है?", "डिलीवरी में दो से तीन दिन लगते हैं।", "hin"),
        ("配送需要多久？", "配送需要两到三天，节假日除外。", "zho"),
        ("配送にはどのくらいかかりますか？", "配送には二日から三日かかります。", "jpn"),
        ("배송은 얼마나 걸리나요?", "배송은 이삼일 정도 걸립니다.", "kor"),
        ("จัดส่งใช้เวลานานเท่าไร", "การจัดส่งใช้เวลาสองถึงสามวัน", "tha"),
    ],
)
def test_the_default_model_names_usual_pairs(question, answer, code):
    kept = IdentifyLanguage()(pairs((question, answer))).kept
    assert kept["identified"].to_pylist() == [code]
    assert 0.5 < kept["identified_score"][0].as_py() <= 1.001
    assert kept.schema.field("identified_score").type == pa.float32()


def test_any_model_is_taken_by_its_path(toy_model):
    table = pairs((GERMAN, "versand"), (GREEK, "αποστολή"), (GERMAN.upper(), ""))
    kept = IdentifyLanguage(toy_model)(table).kept
    assert kept["identified"].to_pylist()[:2] == ["deu", "ell"]
    assert kept["identified_score"][0].as_py() > 0.8


def test_lines_of_an_answer_are_read_as_one_text(toy_model):
    one, lines = pairs((GREEK, "α β γ")), pairs((GREEK, "α\nβ\nγ"))
    step = IdentifyLanguage(toy_model)
    assert step(one).kept.drop_columns(["answer"]) == step(lines).kept.drop_columns(["answer"])


def test_texts_that_the_model_cannot_read_are_named_all_the_same(toy_model):
    table = pairs(("", ""), ("😀", "\u200b"), ("__label__deu_Latn", "x"), ("\x00", "a\x00b"))
    kept = IdentifyLanguage(toy_model)(table).kept
    assert len(kept) == 4
    assert set(kept["identified"].to_pylist()) <= {"deu", "ell", "und"}
    assert kept["identified_score"].null_count == 0


def test_only_the_first_characters_are_read(toy_model):
    table = pairs((GERMAN, GREEK * 20))
    assert IdentifyLanguage(toy_model, len(GERMAN))(table).kept["identified"].to_pylist() == ["deu"]
    assert IdentifyLanguage(toy_model, 10_000)(table).kept["identified"].to_pylist() == ["ell"]


def test_identification_does_not_depend_on_the_rows_around(toy_model):
    table = pairs(*[(GERMAN[n:], GREEK[: 3 * n]) for n in range(20)])
    whole = IdentifyLanguage(toy_model)(table).kept
    rows = [IdentifyLanguage(toy_model)(table.slice(n, 1)).kept for n in range(20)]
    assert whole.to_pylist() == pa.concat_tables(rows).to_pylist()


def test_an_empty_table_is_identified_and_resolved(toy_model):
    identified = IdentifyLanguage(toy_model)(pairs()).kept
    outcome = ResolveLanguage()(identified.append_column("claimed_by", pa.array([], pa.string())))
    assert (len(outcome.kept), outcome.dropped) == (0, {})


def test_a_file_that_is_no_model_is_an_error_that_names_it(tmp_path: Path):
    path = tmp_path / "model.bin"
    path.write_text("not a model", encoding="utf-8")
    for wrong in (path, tmp_path / "missing.bin"):
        with pytest.raises(LabelerError, match=wrong.name):
            IdentifyLanguage(str(wrong))(pairs(("a", "b")))


def test_wanted_languages_are_kept():
    table = pa.table({"language": ["deu", "fra", "tlh", None]})
    outcome = KeepLanguages(("fra",))(table)
    assert outcome.kept["language"].to_pylist() == ["fra"]
    assert len(outcome.dropped["language_not_wanted"]) == 3


def test_without_a_wish_all_known_languages_are_kept():
    table = pa.table({"language": ["deu", "fra", "tlh", None]})
    assert KeepLanguages()(table).kept["language"].to_pylist() == ["deu", "fra"]
