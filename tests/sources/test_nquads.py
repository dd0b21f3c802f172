from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webfaq_domains.ground.errors import MissingExtra, SourceError
from webfaq_domains.sources.base import Rejected, Source
from webfaq_domains.sources.nquads import NQuadsSource

pytestmark = pytest.mark.needs("nquads")


Rows = tuple[list[dict[str, Any]], list[Rejected]]
ReadAll = Callable[[Source], Rows]

TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
PAGE = "http://www.Cats.example/faq"


def term(name: str) -> str:
    return f"<http://schema.org/{name}>"


def page(*pairs: tuple[str, str], url: str = PAGE) -> list[str]:
    """One page of a dump: `pairs` are literals as N-Quads writes them, without the quotes."""
    lines = [f"_:p {TYPE} {term('FAQPage')} <{url}>   ."]
    for n, (name, text) in enumerate(pairs):
        lines += [
            f"_:p {term('mainEntity')} _:q{n} <{url}>   .",
            f"_:q{n} {TYPE} {term('Question')} <{url}>   .",
            f'_:q{n} {term("name")} "{name}" <{url}>   .',
            f"_:q{n} {term('acceptedAnswer')} _:a{n} <{url}>   .",
            f"_:a{n} {TYPE} {term('Answer')} <{url}>   .",
            f'_:a{n} {term("text")} "{text}" <{url}>   .',
        ]
    return lines


CATS = page(("Do cats purr?", "They do."), ("Do cats swim?", "Rarely."))


@pytest.fixture
def dump(tmp_path: Path) -> Callable[..., NQuadsSource]:
    def write(lines: list[str], **options: Any) -> NQuadsSource:
        path = tmp_path / "dump.nq"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        files = NQuadsSource.open(str(path)).files
        return NQuadsSource(files, **options)

    return write


def only_reason(rows: Rows) -> tuple[str, str]:
    (rejected,) = rows[1]
    return rejected.reason, rejected.place


def test_a_page_gives_its_pairs_with_url_origin_and_ordinal(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    rows, rejected = read_all(dump(CATS))
    assert rejected == []
    assert [row["question"] for row in rows] == ["Do cats purr?", "Do cats swim?"]
    assert rows[1] == {
        "language": None,
        "question": "Do cats swim?",
        "answer": "Rarely.",
        "origin": "www.cats.example",
        "url": PAGE,
        "source_id": f"{PAGE}#1",
        "topic": None,
        "question_type": None,
        "semantic_similarity_score": None,
        "claimed_by": "page",
    }


def test_literals_are_unescaped_once_and_otherwise_left_raw(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = page((r"A \"b\"\t\u00e9 \U0001F408 \uD83D\uDC08?", r"<p>x &amp; y</p>\r\n\\n"))
    rows, _ = read_all(dump(lines))
    assert rows[0]["question"] == 'A "b"\té 🐈 🐈?'
    assert rows[0]["answer"] == "<p>x &amp; y</p>\r\n\\n"


def test_a_malformed_line_is_quarantined_and_the_rest_goes_on(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    broken = f'_:q0 {term("name")} "an "inner" quote" <{PAGE}>   .'
    rows, rejected = read_all(dump([*CATS[:7], broken, "no quad at all", *CATS[7:]]))
    assert len(rows) == 2
    assert [row.place for row in rejected] == ["dump.nq:9", "dump.nq:8"]
    assert all(row.reason.startswith("malformed N-Quads line: ") for row in rejected)
    assert "between columns" not in rejected[0].reason
    assert rejected[1].row == broken


def test_bytes_that_are_not_utf8_cost_one_line(tmp_path: Path, read_all: ReadAll) -> None:
    path = tmp_path / "dump.nq"
    bad = f'_:q1 {term("text")} "\xff" <{PAGE}> .\n'.encode("latin-1")
    path.write_bytes("\n".join(CATS).encode() + b"\n" + bad)
    rows, rejected = read_all(NQuadsSource.open(str(path)))
    assert (len(rows), len(rejected)) == (2, 1)
    assert "UTF-8" in rejected[0].reason


@pytest.mark.parametrize(
    ("tag", "language"),
    [("@de", "deu"), ("@en_US", "eng"), ("@en class=", "eng"), ("@", None), ("@xx-unknown", None)],
)
def test_language_tags_are_read_also_as_pages_write_them(
    tag: str, language: str | None, dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [line.replace('purr?"', f'purr?"{tag}') for line in CATS]
    rows, rejected = read_all(dump(lines))
    assert rejected == []
    assert [row["language"] for row in rows] == [language, None]


def test_in_language_of_question_then_faqpage_then_web_page(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [
        *CATS,
        f'_:q0 {term("inLanguage")} "fr-CA" <{PAGE}> .',
        f'_:p {term("inLanguage")} "pt-BR" <{PAGE}> .',
        f"_:w {TYPE} {term('WebPage')} <{PAGE}> .",
        f'_:w {term("inLanguage")} "de" <{PAGE}> .',
    ]
    assert [row["language"] for row in read_all(dump(lines))[0]] == ["fra", "por"]
    without = [line for line in lines if "pt-BR" not in line]
    assert [row["language"] for row in read_all(dump(without))[0]] == ["fra", "deu"]


def test_odd_iris_and_old_property_names_are_understood(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [
        line.replace("http://schema.org/name", "https://schema.org/Question/Name").replace(
            PAGE, "http://cats.example/search?q={cat}|x y"
        )
        for line in CATS
    ]
    rows, rejected = read_all(dump(lines))
    assert (len(rows), rejected) == (2, [])
    assert rows[0]["url"] == "http://cats.example/search?q={cat}|x y"


def test_an_answer_may_be_a_text_and_suggested_answers_stand_in(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [
        f"_:p {TYPE} {term('FAQPage')} <{PAGE}> .",
        f"_:p {term('mainEntity')} _:q <{PAGE}> .",
        f'_:q {term("name")} "Why?" <{PAGE}> .',
        f'_:q {term("suggestedAnswer")} "Because." <{PAGE}> .',
    ]
    rows, rejected = read_all(dump(lines))
    assert (rows[0]["answer"], rejected) == ("Because.", [])


@pytest.mark.parametrize(
    ("left_out", "reason"),
    [
        ("_:q1 <http://schema.org/name>", "question without a name"),
        ("_:q1 <http://schema.org/acceptedAnswer>", "question without an answer"),
        ("_:a1 <http://schema.org/text>", "answer without text"),
        ("_:p <http://schema.org/mainEntity> _:q1", "question outside every FAQPage"),
        ("_:q1", "mainEntity that the page does not describe"),
    ],
)
def test_a_question_that_is_no_pair_is_rejected_with_reason_and_place(
    left_out: str, reason: str, dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    source = dump([line for line in CATS if not line.startswith(left_out)])
    rows, rejected = read_all(source)
    assert [row["source_id"] for row in rows] == [f"{PAGE}#0"]
    assert [row.reason for row in rejected] == [reason]
    assert rejected[0].place.startswith("dump.nq:")


def test_blank_texts_are_missing_texts(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    rows, rejected = read_all(dump(page((" \\n", "x"), ("What?", "\\t"))))
    assert rows == []
    assert [row.reason for row in rejected] == ["question without a name", "answer without text"]


def test_a_page_without_a_faqpage_is_rejected_once(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [line for line in CATS if "FAQPage" not in line]
    assert only_reason(read_all(dump(lines))) == ("page without a FAQPage", "dump.nq:1")


def test_questions_that_share_an_identifier_are_not_mixed_up(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    one_question = [line.replace("_:q1", "_:q0").replace("_:a1", "_:a0") for line in CATS]
    reason, _ = only_reason(read_all(dump(one_question)))
    assert reason == "question with several names and several answers"
    one_answer = [line.replace("_:a1", "_:a0") for line in CATS]
    rows, rejected = read_all(dump(one_answer))
    assert rows == []
    assert {row.reason for row in rejected} == {
        "answer with several texts that belongs to several questions"
    }


def test_a_question_in_two_languages_is_two_pairs(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    english = [
        line.replace('purr?"', 'purr?"@en').replace('do."', 'do."@en')
        for line in page(("Do cats purr?", "They do."))
    ]
    german = [
        f'_:q0 {term("name")} "Schnurren Katzen?"@de <{PAGE}> .',
        f'_:a0 {term("text")} "Ja."@de <{PAGE}> .',
    ]
    rows, _ = read_all(dump(english + german))
    assert [(row["language"], row["answer"], row["source_id"]) for row in rows] == [
        ("eng", "They do.", f"{PAGE}#0"),
        ("deu", "Ja.", f"{PAGE}#0.1"),
    ]


def test_paragraphs_marked_up_one_by_one_are_one_answer(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    lines = [*CATS, f'_:a0 {term("text")} "Mostly." <{PAGE}>   .']
    assert read_all(dump(lines))[0][0]["answer"] == "They do.\nMostly."


def test_quads_beyond_the_bound_of_a_page_are_reported(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    other = page(("Do dogs bark?", "Yes."), url="http://dogs.example/")
    for options in ({"page_quads": 7}, {"page_bytes": sum(len(line) + 1 for line in CATS[:7])}):
        rows, rejected = read_all(dump(CATS + other, **options))
        assert [row["question"] for row in rows] == ["Do cats purr?", "Do dogs bark?"]
        assert [(row.place, row.row) for row in rejected] == [("dump.nq:8", PAGE)]


def test_an_endless_line_does_not_fill_the_memory(
    dump: Callable[..., NQuadsSource], read_all: ReadAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webfaq_domains.sources.nquads.MAX_LINE", 200)
    long = f'_:q0 {term("text")} "{"x" * 900}" <{PAGE}>   .'
    rows, rejected = read_all(dump([*CATS[:3], long, *CATS[3:]]))
    assert len(rows) == 2
    assert [(row.place, row.reason) for row in rejected] == [
        ("dump.nq:4", "line of 200 bytes or more")
    ]


def test_batches_are_bounded(dump: Callable[..., NQuadsSource]) -> None:
    source = dump(page(*((f"Question {n}?", "Yes.") for n in range(14_000))) + ["junk"] * 21_000)
    sizes = [(len(batch.pairs), len(batch.rejected)) for batch in source.read(source.files[0])]
    assert all(pairs + rejected <= 20_000 for pairs, rejected in sizes)
    assert [sum(column) for column in zip(*sizes, strict=True)] == [14_000, 21_000]


def test_lines_without_a_page_are_quarantined(
    dump: Callable[..., NQuadsSource], read_all: ReadAll
) -> None:
    triple = f"_:p {TYPE} {term('FAQPage')} ."
    reason, place = only_reason(read_all(dump(["# a comment", "", *CATS, triple])))
    assert (reason, place) == ("N-Quads line that does not end in a page URL", "dump.nq:16")


def test_a_folder_is_read_in_the_order_of_names_gzip_or_not(
    tmp_path: Path, read_all: ReadAll
) -> None:
    text = ("\n".join(CATS) + "\n").encode()
    (tmp_path / "b.txt").write_bytes(text)
    (tmp_path / "a.nq.gz").write_bytes(
        gzip.compress(text[:400], mtime=0) + gzip.compress(text[400:], mtime=0)
    )
    (tmp_path / "LICENSE").write_text("not data")
    source = NQuadsSource.open(str(tmp_path))
    assert [file.name for file in source.files] == ["a.nq.gz", "b.txt"]
    assert source.name == "nquads"
    assert len(read_all(source)[0]) == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"x", "holds no N-Quads file"),
        ("a.txt", b"Dear reader,\nhello.\n", "does not hold N-Quads; its first line is 'Dear"),
        ("a.nq", b"<http://a/s> <http://a/p> <http://a/o> .\n", "does not hold N-Quads"),
        ("a.gz", b"\x1f\x8bbroken", "cut off or damaged"),
    ],
)
def test_what_cannot_be_read_is_refused_before_the_work(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        NQuadsSource.open(str(tmp_path))


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    for path in (str(tmp_path / "nowhere"), ""):
        with pytest.raises(SourceError):
            NQuadsSource.open(path)


def test_a_dump_that_is_cut_off_ends_in_an_error(tmp_path: Path) -> None:
    text = "\n".join(page(*((f"Question {n}?", f"{n * n}") for n in range(2000))))
    (tmp_path / "a.gz").write_bytes(gzip.compress(text.encode(), mtime=0)[:-500])
    source = NQuadsSource.open(str(tmp_path))
    with pytest.raises(SourceError, match="cut off or damaged"):
        list(source.read(source.files[0]))


def test_the_missing_parser_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyoxigraph", None)
    with pytest.raises(MissingExtra, match=r"webfaq-domains\[nquads\]"):
        NQuadsSource.open("dump.nq")


def test_the_web_data_commons_sample_gives_what_webfaq_reads_and_says_what_is_cut_off(
    shared_data: Path, read_all: ReadAll
) -> None:
    """See docs/sources.md for the comparison with WebFAQ's own extraction."""
    sample = shared_data / "wdc" / "FAQPage_sample.txt.gz"
    if not sample.is_file():
        pytest.skip("the Web Data Commons sample is not among the real data")
    rows, rejected = read_all(NQuadsSource.open(str(sample)))
    assert len(rows) == 56
    assert len({row["url"] for row in rows}) == 12
    assert [(row.reason, row.place) for row in rejected] == [
        ("mainEntity that the page does not describe", "FAQPage_sample.txt.gz:979")
    ] * 2
    # WebFAQ's extraction drops 4 of the same 56 pairs by looking at the texts without markup.
    asking = [row for row in rows if "?" in re.sub("<[^>]*>", "", row["answer"])]
    short = [row for row in rows if len(row["question"]) < 10]
    assert (len(asking), len(short)) == (3, 1)
    assert Counter(row["language"] for row in rows) == {None: 43, "eng": 7, "nld": 3, "rus": 3}
    assert len({row["source_id"] for row in rows}) == 56
