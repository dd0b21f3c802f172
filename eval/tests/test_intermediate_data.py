"""Task files in the layouts of their releases: read, split, counted, and refused where they are wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from webfaq_eval.errors import TaskDataError, TrainingError
from webfaq_eval.intermediate.settings import Places, Settings
from webfaq_eval.intermediate.tasks.ccg import CCG
from webfaq_eval.intermediate.tasks.choices import COSMOSQA, CSQA, HELLASWAG
from webfaq_eval.intermediate.tasks.data import NoFiles, Selection, TaskData, load_task
from webfaq_eval.intermediate.tasks.inference import ANLI, MNLI, QQP, SNLI
from webfaq_eval.intermediate.tasks.instances import Choice, Pair, Question, Tagged
from webfaq_eval.intermediate.tasks.load import config_folder, fetch, load_tasks, parse_revisions
from webfaq_eval.intermediate.tasks.mlm_texts import MLM
from webfaq_eval.intermediate.tasks.source import Source, language_of_file
from webfaq_eval.intermediate.tasks.squad import SQUAD_V1, SQUAD_V2

SAMPLES = Path(__file__).parents[2] / "../shared/data/intermediate"
HALF = Selection(dev_share=0.5)


def read(source: Source, path: Path, language: str = "eng") -> tuple[list[Any], Counter[str]]:
    skipped: Counter[str] = Counter()
    return list(source.instances(path, language, skipped)), skipped


def lines(path: Path, rows: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return path


def load(source: Source, place: Path, selection: Selection = HALF) -> TaskData:
    return load_task([(source, place)], selection)


# NLI


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("a.jsonl", [{"sentence1": "Rain falls.", "sentence2": "It is wet.", "gold_label": "entailment"}]),
        ("b.jsonl", [{"context": "Rain falls.", "hypothesis": "It is wet.", "label": "e", "uid": "x"}]),
        ("c.jsonl", [{"premise": "Rain falls.", "hypothesis": "It is wet.", "label": 0}]),
        ("d.tsv", ["premise\thypo\tlabel", "Rain falls.\tIt is wet.\tentailment"]),
        ("e.txt", ["gold_label\tsentence1\tsentence2\tgenre", "entailment\tRain falls.\tIt is wet.\tx"]),
        ("f.tsv", ["index\tsentence1\tsentence2\tlabel1\tgold_label", "0\tRain falls.\tIt is wet.\tneutral\tentailment"]),
        ("g.csv", ["context,statement,gold_label,tags", 'Rain falls.,It is wet.,e,"[a, b]"']),
    ],
)  # fmt: skip
def test_nli_in_every_layout(tmp_path: Path, name: str, rows: list[Any]) -> None:
    found, skipped = read(MNLI, lines(tmp_path / name, rows))
    assert found == [Pair("Rain falls.", "It is wet.", 0)] and not skipped


def test_quotes_in_tab_separated_files_are_text(tmp_path: Path) -> None:
    path = lines(tmp_path / "q.tsv", ["premise\thypo\tlabel", '"Go," he said.\tHe "spoke\tneutral'])
    assert read(MNLI, path)[0] == [Pair('"Go," he said.', 'He "spoke', 1)]


def test_the_spelling_of_the_machine_translations_is_known(tmp_path: Path) -> None:
    path = lines(tmp_path / "x.tsv", ["premise\thypo\tlabel", "Ja.\tNein.\tcontradictory"])
    assert read(MNLI, path)[0] == [Pair("Ja.", "Nein.", 2)]


def test_rows_without_a_label_are_skipped_and_counted(tmp_path: Path) -> None:
    rows = [
        {"sentence1": "A.", "sentence2": "B.", "gold_label": label} for label in ("-", "neutral")
    ]
    rows += [{"premise": "A.", "hypothesis": "C.", "label": -1}]
    rows += [{"premise": "A.", "hypothesis": " ", "label": 1}]
    found, skipped = read(SNLI, lines(tmp_path / "s.jsonl", rows))
    assert len(found) == 1 and skipped == {"unlabelled": 2, "empty text": 1}


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("a.jsonl", [{"premise": "A.", "hypothesis": "B.", "label": "maybe"}], r"a\.jsonl:1: the label is 'maybe'; expected one of entailment"),
        ("b.jsonl", [{"premise": "A.", "hypothesis": "B.", "label": 1}, '{"premise": '], r"b\.jsonl:2: is not JSON"),
        ("c.jsonl", ["[1, 2]"], r"c\.jsonl:1: is list; expected a JSON object"),
        ("d.jsonl", [{"premise": "A.", "label": 1}], r"d\.jsonl:1: there is no hypothesis or sentence2 or hypo"),
        ("e.tsv", ["premise\thypo\tlabel", "A.\tB."], r"e\.tsv:2: there is no gold_label or label.*1 of 1 rows"),
        ("f.csv", ["premise,hypothesis,label", "A.,B.,neutral,more"], r"f\.csv:2: has 4 cells, the header has 3"),
        ("g.jsonl", [{"premise": 7, "hypothesis": "B.", "label": 1}], r"g\.jsonl:1: premise is 7; expected a text"),
    ],
)  # fmt: skip
def test_a_malformed_row_is_named_by_file_and_line(
    tmp_path: Path, name: str, rows: list[Any], message: str
) -> None:
    with pytest.raises(TaskDataError, match=message):
        read(MNLI, lines(tmp_path / name, rows))


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"premise": "\xe4\xff"}\n')
    with pytest.raises(TaskDataError, match=r"a\.jsonl:1: is not UTF-8"):
        read(MNLI, tmp_path / "a.jsonl")


# QQP


def test_qqp_with_header_and_without(tmp_path: Path) -> None:
    header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
    glue = lines(tmp_path / "glue.tsv", [header, "7\t1\t2\tWhat is rain?\tWhy rain?\t0"])
    older = lines(tmp_path / "older.tsv", ["0\tWhat is rain?\tWhy rain?\t7", "1\tA?\tB?\t8"])
    assert read(QQP, glue)[0] == [Pair("What is rain?", "Why rain?", 0)]
    assert read(QQP, older)[0] == [Pair("What is rain?", "Why rain?", 0), Pair("A?", "B?", 1)]


def test_a_cut_row_in_a_thousand_is_counted_and_more_are_refused(tmp_path: Path) -> None:
    header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
    rows = [f"{n}\t1\t2\tWhat is {n}?\tWhy {n}?\t{n % 2}" for n in range(1000)]
    found, skipped = read(QQP, lines(tmp_path / "a.tsv", [header, *rows, "9\t1\t2\tcut off"]))
    assert len(found) == 1000 and skipped == {"broken row": 1}
    with pytest.raises(TaskDataError, match=r"b\.tsv:1002.*2 of 1002 rows are broken"):
        read(QQP, lines(tmp_path / "b.tsv", [header, *rows, "9\t1\t2\tcut", "10\t1\t2\tcut"]))


# Multiple choice


def test_hellaswag(tmp_path: Path) -> None:
    row = {
        "ctx_a": "A man sits.",
        "ctx_b": "he",
        "ctx": "A man sits. he",
        "label": 2,
        "endings": list("abcd"),
    }
    hub = {**row, "label": "2"}
    test = {**row, "label": ""}
    found, skipped = read(HELLASWAG, lines(tmp_path / "h.jsonl", [row, hub, test]))
    assert found == [Choice("A man sits.", ("he a", "he b", "he c", "he d"), 2)] * 2
    assert skipped == {"unlabelled": 1}
    with pytest.raises(
        TaskDataError, match=r"h\.jsonl:1: endings is \['a'\]; expected a list of 4"
    ):
        read(HELLASWAG, lines(tmp_path / "h.jsonl", [{**row, "endings": ["a"]}]))


def test_cosmosqa(tmp_path: Path) -> None:
    rows = [
        "id,context,question,answer0,answer1,answer2,answer3,label",
        '1,"It rained, a lot.",Why?,a,b,"c, d",e,2',
    ]
    assert read(COSMOSQA, lines(tmp_path / "c.csv", rows))[0] == [
        Choice("It rained, a lot. Why?", ("a", "b", "c, d", "e"), 2)
    ]


def test_csqa_nested_and_flat(tmp_path: Path) -> None:
    choices = [{"label": key, "text": key * 2} for key in "ABCDE"]
    nested = {"id": "1", "answerKey": "D", "question": {"stem": "Where?", "choices": choices}}
    flat = {
        "id": "1", "question": "Where?", "answerKey": "D",
        "choices": {"label": list("ABCDE"), "text": ["AA", "BB", "CC", "DD", "EE"]},
    }  # fmt: skip
    unanswered = {**nested}
    del unanswered["answerKey"]
    found, skipped = read(CSQA, lines(tmp_path / "c.jsonl", [nested, flat, unanswered]))
    assert found == [Choice("Where?", ("AA", "BB", "CC", "DD", "EE"), 3)] * 2
    assert skipped == {"unlabelled": 1}
    nested["question"]["choices"] = choices[:4]  # type: ignore[index]
    with pytest.raises(TaskDataError, match=r"c\.jsonl:1: expected a question and choices A to E"):
        read(CSQA, lines(tmp_path / "c.jsonl", [nested]))


# SQuAD


def squad(path: Path, *questions: dict[str, Any], context: str = "The cat sat on a mat.") -> Path:
    article = {"title": "Cats", "paragraphs": [{"context": context, "qas": list(questions)}]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": "x", "data": [article]}))
    return path


SAT = {"id": "q1", "question": "Where?", "answers": [{"text": "a mat", "answer_start": 15}]}
NONE = {"id": "q2", "question": "When?", "answers": [], "is_impossible": True,
        "plausible_answers": [{"text": "cat", "answer_start": 4}]}  # fmt: skip


def test_squad_nested_and_flat(tmp_path: Path) -> None:
    expected = Question("q1", "Where?", "The cat sat on a mat.", ("a mat",), (15,))
    assert read(SQUAD_V1, squad(tmp_path / "train-v1.1.json", SAT))[0] == [expected]
    flat = {"id": "q1", "title": "Cats", "context": "The cat sat on a mat.", "question": "Where?",
            "answers": {"text": ["a mat"], "answer_start": [15]}}  # fmt: skip
    assert read(SQUAD_V1, lines(tmp_path / "a.jsonl", [flat]))[0] == [expected]
    pq.write_table(pa.Table.from_pylist([flat]), tmp_path / "a.parquet")
    assert read(SQUAD_V1, tmp_path / "a.parquet")[0] == [expected]


def test_an_impossible_question_is_for_the_second_version(tmp_path: Path) -> None:
    path = squad(tmp_path / "train-v2.0.json", SAT, NONE)
    assert [one.answers for one in read(SQUAD_V2, path)[0]] == [("a mat",), ()]
    with pytest.raises(TaskDataError, match=r"question q2: has no answer.*use --task squad_v2"):
        read(SQUAD_V1, path)


def test_the_two_versions_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    for name in ("train-v1.1.json", "dev-v1.1.json"):
        squad(tmp_path / "squad" / name, {**SAT, "question": name})
    for name in ("train-v2.0.json", "dev-v2.0.json"):
        squad(tmp_path / "squad" / name, {**SAT, "question": name}, NONE)
    first = load(SQUAD_V1, tmp_path)
    assert [Path(path).name for path in first.files] == ["train-v1.1.json", "dev-v1.1.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answers": [{"text": "a dog", "answer_start": 15}]}, r"question q1: the answer 'a dog' is not at character 15, but 'a mat'"),
        ({"answers": [{"text": "a mat"}]}, r"an answer is .*expected text and answer_start"),
        ({"answers": None}, r"answers is None; expected a list"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(TaskDataError, match=message):
        read(SQUAD_V1, squad(tmp_path / "train.json", {**SAT, **change}))


def test_json_that_is_not_squad_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"data": [{"title": "x"}]}')
    with pytest.raises(TaskDataError, match=r"a\.json: article 0: there is no 'paragraphs'"):
        read(SQUAD_V1, tmp_path / "a.json")
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(TaskDataError, match=r"a\.json: is not SQuAD's JSON"):
        read(SQUAD_V1, tmp_path / "a.json")


# CCG

AUTO = (
    r"(<T S[dcl] 0 2> (<L NP PRP PRP It NP>) (<T S[dcl]\NP 0 2> (<L (S[dcl]\NP)/NP VBZ VBZ eats "
    r"(S[dcl]\NP_1)/NP_2 {eat.01:rel}>) (<L N NN NN -LRB- N>) ) )"
)


def test_ccgbank(tmp_path: Path) -> None:
    path = lines(tmp_path / "a.auto", ["ID=wsj_0001.1 PARSER=GOLD NUMPARSE=1", AUTO])
    expected = Tagged(("It", "eats", "("), ("NP", r"(S[dcl]\NP)/NP", "N"))
    assert read(CCG, path)[0] == [expected]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([AUTO], r"a\.auto:1: starts with '\(<T S.*expected ID="),
        (["ID=1"], r"ends after an ID line"),
        (["ID=1", AUTO[:-2]], r"a\.auto:2: the derivation is cut off"),
        (["ID=1", "(<T S 0 1> (<L NP PRP>) )"], r"0 of 1 leaves can be read"),
    ],
)
def test_a_wrong_derivation_is_named(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(TaskDataError, match=message):
        read(CCG, lines(tmp_path / "a.auto", rows))


def test_sections_of_ccgbank_are_the_splits(tmp_path: Path) -> None:
    for section in ("00", "01", "02", "21", "23"):
        derivation = AUTO.replace("It", f"It{section}")
        lines(tmp_path / "data/AUTO" / section / f"wsj_{section}01.auto", ["ID=1", derivation])
    data = load(CCG, tmp_path)
    assert {one.words[0] for one in data.train} == {"It02", "It21"}
    assert {one.words[0] for one in data.dev} == {"It00"}


# Texts


def test_texts_of_every_layout_and_language(tmp_path: Path) -> None:
    lines(tmp_path / "a.deu.txt", ["Guten Tag.", "", "Bis bald."])
    lines(tmp_path / "b.jsonl", [{"text": "Bonjour.", "language": "fra"}])
    faq = [{"question": "Why?", "answer": "So.", "language": "eng"}]
    pq.write_table(pa.Table.from_pylist(faq), tmp_path / "c-validation.parquet")
    data = load(MLM, tmp_path, Selection(language="all"))
    assert {one.text for one in data.train} == {"Guten Tag.", "Bis bald.", "Bonjour."}
    assert [one.text for one in data.dev] == ["Why? So."]


# Folders, splits, languages


def nli(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "premise": f"Premise {number}.",
        "hypothesis": f"Claim {number}.",
        "label": number % 3,
    } | changes


def test_files_are_split_by_their_names(tmp_path: Path) -> None:
    lines(tmp_path / "multinli_1.0_train.jsonl", [nli(1), nli(2)])
    lines(tmp_path / "multinli_1.0_dev_matched.jsonl", [nli(3)])
    lines(tmp_path / "multinli_1.0_dev_mismatched.jsonl", [nli(4)])
    lines(tmp_path / "test.jsonl", [nli(5)])
    lines(tmp_path / "README.txt", ["about"])
    data = load(MNLI, tmp_path)
    assert (len(data.train), len(data.dev)) == (2, 1)
    left = [Path(path).name for path in data.left]
    assert left == ["README.txt", "multinli_1.0_dev_mismatched.jsonl", "test.jsonl"]
    assert all(len(sha) == 64 for sha in data.files.values())


def test_a_folder_without_the_tasks_files_says_what_it_has(tmp_path: Path) -> None:
    lines(tmp_path / "notes.md", ["x"])
    with pytest.raises(NoFiles, match=r"no mnli file says train or dev.*there is notes\.md"):
        load(MNLI, tmp_path)
    with pytest.raises(TaskDataError, match="absent is not there"):
        load(MNLI, tmp_path / "absent")


def test_dev_rows_are_kept_out_of_training_and_counted(tmp_path: Path) -> None:
    lines(tmp_path / "train.jsonl", [nli(1), nli(2), nli(3), nli(3)])
    lines(tmp_path / "dev.jsonl", [nli(2, label=0), nli(9)])
    data = load(MNLI, tmp_path)
    assert [one.first for one in data.train] == ["Premise 1.", "Premise 3."]
    assert data.skipped == {"the same row again": 1, "training row that is a dev row": 1}


def test_without_a_dev_file_groups_are_split_by_hash(tmp_path: Path) -> None:
    rows = [nli(n // 4, hypothesis=f"Claim {n}.") for n in range(400)]
    one = load(MNLI, lines(tmp_path / "all.jsonl", rows), Selection(dev_share=0.3))
    other = load(MNLI, lines(tmp_path / "turned.jsonl", rows[::-1]), Selection(dev_share=0.3))
    assert set(one.train) == set(other.train) and set(one.dev) == set(other.dev)
    assert 0.15 < len(one.dev) / 400 < 0.45
    assert not {e.source_text for e in one.train} & {e.source_text for e in one.dev}


def test_the_limit_takes_the_same_rows_whatever_their_order(tmp_path: Path) -> None:
    rows = [nli(n) for n in range(100)]
    few = Selection(dev_share=0.3, limit=10)
    one = load(MNLI, lines(tmp_path / "a.jsonl", rows), few)
    other = load(MNLI, lines(tmp_path / "b.jsonl", rows[::-1]), few)
    assert set(one.train) == set(other.train) and len(one.train) == len(one.dev) == 10
    assert one.sha256 != other.sha256  # the order is part of what is trained on


def test_a_language_picks_the_translated_files(tmp_path: Path) -> None:
    header = "premise\thypo\tlabel"
    lines(tmp_path / "mnli/train.jsonl", [nli(1)])
    lines(tmp_path / "mnli/dev.jsonl", [nli(2)])
    multinli = tmp_path / "xnli/XNLI-MT-1.0/multinli"
    lines(multinli / "multinli.train.de.tsv", [header, "Ja.\tNein.\tcontradictory"])
    lines(multinli / "multinli.train.fr.tsv", [header, "Oui.\tNon.\tcontradictory"])
    dev = ["language\tgold_label\tsentence1\tsentence2"]
    lines(
        tmp_path / "xnli/xnli.dev.tsv",
        [*dev, "de\tneutral\tGut.\tSchlecht.", "fr\tneutral\tBon.\tMal."],
    )
    german = load(MNLI, tmp_path, Selection(language="deu"))
    assert [e.first for e in german.train] == ["Ja."] and [e.first for e in german.dev] == ["Gut."]
    assert [e.first for e in load(MNLI, tmp_path).train] == ["Premise 1."]


def test_a_language_without_dev_rows_is_measured_in_english_and_says_so(tmp_path: Path) -> None:
    lines(
        tmp_path / "hellaswag_train.deu.jsonl",
        [{"ctx_a": "Er", "endings": list("abcd"), "label": 1}],
    )
    lines(tmp_path / "hellaswag_val.jsonl", [{"ctx_a": "He", "endings": list("abcd"), "label": 1}])
    data = load(HELLASWAG, tmp_path, Selection(language="deu"))
    assert [e.source_text for e in data.train] == ["Er"] and [e.source_text for e in data.dev] == [
        "He"
    ]
    assert data.notes == ["hellaswag: no dev rows in deu; those in English are used"]


@pytest.mark.parametrize(
    ("name", "language"),
    [("multinli.train.de.tsv", "deu"), ("train.deu.jsonl", "deu"), ("train-v1.1.json", None),
     ("xnli.dev.tsv", None), ("xquad.en.json", "eng"), ("sw.tsv", None)],
)  # fmt: skip
def test_the_language_in_a_files_name(name: str, language: str | None) -> None:
    assert language_of_file(Path(name)) == language


def test_codes_of_languages() -> None:
    codes = [
        Settings("mnli", code).selection("mnli").language for code in ("de", "deu", "EN", "swh")
    ]
    assert codes == ["deu", "deu", "eng", "swa"]
    with pytest.raises(TrainingError, match="'xx' is no known language"):
        Settings("mnli", "xx").selection("mnli")


@pytest.mark.parametrize("tag", ["zh-Hant", "pt-BR", "nb", "zh_Hant_HK", "xqz", "q1", "ger"])
def test_a_file_in_another_or_an_unknown_language_is_not_taken_for_english(
    tmp_path: Path, tag: str
) -> None:
    lines(tmp_path / "train.jsonl", [nli(1)])
    lines(tmp_path / f"train.{tag}.jsonl", [nli(2)])
    lines(tmp_path / "dev.jsonl", [nli(3)])
    data = load(MNLI, tmp_path)
    if tag == "q1":  # no tag of a language: a part of the name
        assert len(data.train) == 2 and not data.left
    else:
        assert [one.first for one in data.train] == ["Premise 1."]
        assert "the name says the language" in data.left[str(tmp_path / f"train.{tag}.jsonl")]


def test_files_of_a_language_are_found_by_any_of_its_tags(tmp_path: Path) -> None:
    lines(tmp_path / "train.pt-BR.jsonl", [nli(1, language="xx")])
    lines(tmp_path / "dev.pt.jsonl", [nli(2)])
    data = load(MNLI, tmp_path, Selection(language="por"))
    assert (len(data.train), len(data.dev)) == (1, 1)


def test_rows_of_an_unknown_language_are_counted(tmp_path: Path) -> None:
    codes = ["eng", "en-GB", "de", "qx-unknown", None, 7]
    path = lines(tmp_path / "a.jsonl", [nli(n, language=code) for n, code in enumerate(codes)])
    found, skipped = read(MNLI, path)
    assert len(found) == 2 and skipped == {"other language": 1, "unknown language": 3}


def test_a_split_is_a_whole_word_and_what_is_not_read_is_listed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    read_names = ["news", "latest-news", "contests", "testimonials", "attest-2024", "trainers"]
    for name in [*read_names, "test", "corpus.test", "my-Test-set", "valid"]:
        lines(tmp_path / f"{name}.txt", [f"Text of {name}."])
    lines(tmp_path / "notes.doc", ["x"])
    data = load_tasks(Settings("mlm"), Places("x", str(tmp_path), tmp_path / "out"))["mlm"]
    assert {one.text for one in data.train} == {f"Text of {name}." for name in read_names}
    assert [one.text for one in data.dev] == ["Text of valid."]
    for text in (caplog.text, " ".join(data.notes)):
        assert "corpus.test.txt, my-Test-set.txt, test.txt: the name says test" in text
        assert "notes.doc: the name does not end in .txt" in text


# Answers and ids


def test_an_answer_loses_the_spaces_at_its_edges(tmp_path: Path) -> None:
    answers = [(" a mat", 14), ("cat ", 4), (" ", 3)]
    questions = [
        {"id": n, "question": f"Where {n}?", "answers": [{"text": text, "answer_start": start}]}
        for n, (text, start) in enumerate(answers)
    ]
    found, skipped = read(SQUAD_V1, squad(tmp_path / "a.json", *questions))
    assert [(one.name, one.answers, one.starts) for one in found] == [
        ("0", ("a mat",), (15,)), ("1", ("cat",), (4,)),
    ]  # fmt: skip
    assert skipped == {"answer of spaces": 1}
    turned = [{"text": "cat", "answer_start": -17}]
    with pytest.raises(TaskDataError, match="not at character -17"):
        read(SQUAD_V1, squad(tmp_path / "a.json", {**SAT, "answers": turned}))
    flat = {
        **SAT,
        "context": "The cat sat on a mat.",
        "answers": {"text": ["cat", "mat"], "answer_start": [4]},
    }
    with pytest.raises(TaskDataError, match=r"answers is .*expected a list"):
        read(SQUAD_V1, lines(tmp_path / "a.jsonl", [flat]))


@pytest.mark.parametrize("name", [None, 1.5, True, ["q"], " "])
def test_an_id_is_a_text_or_a_whole_number(tmp_path: Path, name: Any) -> None:
    with pytest.raises(
        TaskDataError, match=r"question .*: id is .*expected a text or a whole number"
    ):
        read(SQUAD_V1, squad(tmp_path / "a.json", {**SAT, "id": name}))


def test_half_a_surrogate_pair_in_squad_is_named_by_its_question(tmp_path: Path) -> None:
    whole = {**SAT, "id": "whole", "question": "Where \U0001f600?"}
    path = squad(tmp_path / "a.json", whole, {**SAT, "id": "half", "question": "Where \ud83d?"})
    with pytest.raises(TaskDataError, match="question half: has the half surrogate pair"):
        read(SQUAD_V1, path)


# Several sources


def test_anli_plus_is_three_data_sets(tmp_path: Path) -> None:
    for number, name in enumerate(("anli/R1", "mnli", "snli")):
        lines(tmp_path / name / "train.jsonl", [nli(number)])
        lines(tmp_path / name / "dev.jsonl", [nli(10 + number)])
    data = load_tasks(Settings("anli"), Places("x", str(tmp_path), tmp_path / "out"))["anli"]
    assert (len(data.train), len(data.dev)) == (3, 3)
    (tmp_path / "snli/train.jsonl").unlink()
    (tmp_path / "snli/dev.jsonl").unlink()
    with pytest.raises(NoFiles, match=r"no snli file in a folder named snli or snli_1\.0"):
        load_tasks(Settings("anli"), Places("x", str(tmp_path), tmp_path / "out"))


def test_multi_takes_the_tasks_that_are_there_and_names_the_others(tmp_path: Path) -> None:
    header = "question1\tquestion2\tis_duplicate"
    lines(tmp_path / "qqp/train.tsv", [header, "A?\tB?\t0"])
    lines(tmp_path / "qqp/dev.tsv", [header, "C?\tD?\t1"])
    lines(tmp_path / "mnli/train.jsonl", [nli(1)])
    lines(tmp_path / "mnli/dev.jsonl", [nli(2)])
    found = load_tasks(Settings("multi"), Places("x", str(tmp_path), tmp_path / "out"))
    assert list(found) == ["mnli", "qqp"]
    assert "ccg" in found["mnli"].notes[0] and "squad_v1" in found["mnli"].notes[0]
    with pytest.raises(TaskDataError, match="no file of any task"):
        load_tasks(Settings("multi"), Places("x", str(tmp_path / "mnli"), tmp_path / "out"))


def test_training_on_xquad_is_cautioned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    questions = [{**SAT, "id": str(n), "question": f"Where {n}?"} for n in range(3)]
    squad(tmp_path / "xquad.train.json", *questions)
    squad(tmp_path / "dev.json", {**SAT, "id": "d"})
    data = load_tasks(Settings("squad_v1"), Places("x", str(tmp_path), tmp_path / "out"))[
        "squad_v1"
    ]
    assert "CAUTION: xquad.train.json is trained on" in caplog.text
    assert "must not be scored on LAReQA" in data.notes[0]


# The Hub's layout


def test_a_folder_in_the_hubs_layout(tmp_path: Path) -> None:
    (tmp_path / "plain_text").mkdir()
    for name, number in (
        ("train_r1-00000-of-00001", 1),
        ("dev_r1-00000-of-00001", 2),
        ("test_r1-00000-of-00001", 3),
    ):
        rows = [nli(number, uid="x", reason="")]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "plain_text" / f"{name}.parquet")
    folder = config_folder(tmp_path, "facebook/anli", "plain_text")
    data = load(ANLI, folder)
    assert (len(data.train), len(data.dev)) == (1, 1)
    with pytest.raises(TaskDataError, match=r"no Parquet file of config 'mnli'"):
        config_folder(lines(tmp_path / "empty/x.txt", []).parent, "nyu-mll/glue", "mnli")


def test_a_folder_in_the_layout_of_the_hubs_conversions(tmp_path: Path) -> None:
    for split, number in (("train", 1), ("validation_matched", 2), ("validation_mismatched", 3)):
        (tmp_path / "mnli" / split).mkdir(parents=True)
        rows = pa.Table.from_pylist([nli(number)])
        pq.write_table(rows, tmp_path / "mnli" / split / "0000.parquet")
    data = load(MNLI, config_folder(tmp_path, "nyu-mll/glue", "mnli"))
    assert [e.source_text for e in data.train] == ["Premise 1."]
    assert [e.source_text for e in data.dev] == ["Premise 2."]


def test_the_hub_needs_a_commit() -> None:
    with pytest.raises(TaskDataError, match=r"add --revision nyu-mll/glue=<40 hex"):
        fetch(MNLI, parse_revisions(["nyu-mll/glue=main"]))
    with pytest.raises(TaskDataError, match="ccg is not on the Hub"):
        fetch(CCG, {})
    with pytest.raises(TaskDataError, match="expected org/name="):
        parse_revisions(["glue"])


# Real samples


@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no real samples beside the checkout (../shared/data)"
)
@pytest.mark.parametrize(
    ("source", "path", "rows"),
    [
        (MNLI, "mnli/generative_nli_dev.jsonl", 9815), (MNLI, "mnli/glue/MNLI/train.tsv", 3),
        (MNLI, "mnli/multinli_1.0/multinli_1.0_train.txt", 4), (ANLI, "anli/generative_nli_test.jsonl", 3200),
        (ANLI, "anli/ANLI_analysis_r1_dev.csv", 1000), (ANLI, "anli/hf_sample/anli_v0.1/R2/train.jsonl", 3),
        (SNLI, "snli/allennlp_snli_fixture.jsonl", 3), (QQP, "qqp/glue/QQP/train.tsv", 3),
        (QQP, "qqp/data_system_project/dev.tsv", 9), (QQP, "qqp/allennlp_quora_fixture.tsv", 3),
        (SQUAD_V1, "squad/xquad.en.json", 1190), (SQUAD_V2, "squad/hf_sample_v2.0/dev-v2.0.json", 2),
        (SQUAD_V2, "squad/allennlp_squad2_fixture.json", 6), (HELLASWAG, "hellaswag/hellaswag_val.sample1000.jsonl", 1000),
        (COSMOSQA, "cosmosqa/valid.csv", 2985), (CSQA, "commonsenseqa/dev_rand_split.jsonl", 1221),
        (CSQA, "commonsenseqa/allennlp_fixture.jsonl", 10), (CCG, "ccg/ccgbank_fixture.auto", 2),
    ],
)  # fmt: skip
def test_the_real_samples_are_read_whole(source: Source, path: str, rows: int) -> None:
    found, skipped = read(source, SAMPLES / path)
    assert (len(found), skipped) == (rows, {})


@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no real samples beside the checkout (../shared/data)"
)
def test_every_language_of_the_real_translations_is_read() -> None:
    folder = SAMPLES / "xnli/XNLI-MT-1.0/multinli"
    for path in folder.glob("*.tsv"):
        found, skipped = read(MNLI, path, language_of_file(path) or "")
        assert len(found) == 4 and not skipped, path
