"""What strangers write costs its own page, line or row, never the build, and never quadratic time."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from webfaq_domains.ground.errors import SourceError
from webfaq_domains.sources import open_source
from webfaq_domains.steps.clean import clean_answer, clean_question

pytestmark = [pytest.mark.needs("html"), pytest.mark.needs("nquads")]


#: Far above what linear time takes, far below what quadratic time takes.
SECONDS = 15.0


def faqpage(question: str, answer: str) -> dict[str, object]:
    asked = {"@type": "Question", "name": question, "acceptedAnswer": {"text": answer}}
    return {"@context": "https://schema.org", "@type": "FAQPage", "mainEntity": [asked]}


def page(question: str, answer: str, head: str = "") -> str:
    data = json.dumps(faqpage(question, answer), ensure_ascii=False)
    return f'<html><head>{head}<script type="application/ld+json">{data}</script></head></html>'


def micro(question: str, answer: str) -> str:
    return (
        '<html><body itemscope itemtype="https://schema.org/FAQPage"><div itemprop="mainEntity" '
        f'itemscope itemtype="https://schema.org/Question"><h3 itemprop="name">{question}</h3>'
        '<div itemprop="acceptedAnswer" itemscope itemtype="https://schema.org/Answer">'
        f'<div itemprop="text">{answer}</div></div></div></body></html>'
    )


@pytest.fixture
def read(tmp_path: Path, read_all: Callable) -> Callable:
    def read(content: str | bytes, name: str = "a.html"):
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / name).write_bytes(data)
        kind = "nquads:" if name.endswith(".nq") else "html:"
        return read_all(open_source(kind + str(tmp_path / name)))

    return read


def test_microdata_has_the_spaces_of_its_source_and_nothing_that_is_not_shown(
    read: Callable,
) -> None:
    answer = (
        'Break<b>fast</b>, Mon<wbr>day, H<sub>2</sub>O<noscript><img alt="x">no</noscript> too.'
    )
    question = 'Is it free?<svg viewBox="0 0 1 1"><title>chevron-down</title></svg>'
    (row,), rejected = read(micro(question, answer))
    assert (row["question"], row["answer"]) == ("Is it free?", "Breakfast, Monday, H2O too.")
    assert rejected == []


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("", "utf-8"),
        ("", "cp1252"),
        ('<meta charset="utf-8">', "cp1252"),
        ('<meta charset="undefined">', "utf-8"),
        ('<meta charset="idna">', "utf-8"),
        ("<!-- " + "x" * 5_000 + ' --><meta charset="iso-8859-2">', "iso-8859-2"),
    ],
)
def test_a_page_is_decoded_by_what_fits(read: Callable, head: str, encoding: str) -> None:
    (row,), _ = read(
        page("Wo ist die Öffnung?", "Für März gilt: über der Tür.", head).encode(encoding)
    )
    assert row["answer"] == "Für März gilt: über der Tür."


def test_a_letter_that_cannot_be_decoded_is_not_taken_away() -> None:
    assert clean_answer("das Caf\ufffd ist offen") == "das Caf\ufffd ist offen"


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("pick up &amp;#038; drop off", "pick up & drop off"),
        ("that&amp;amp;#8217;s all", "that’s all"),
        ("R&amp;D and &copy=2", "R&D and &copy=2"),
    ],
)
def test_entities_that_were_escaped_twice(written: str, read_as: str) -> None:
    assert clean_question(written) == read_as


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"What\'s free?", "What's free?"),
        (r"It is \$5, \% more", "It is $5, % more"),
        (r"in C:\Data", r"in C:\Data"),
        (r"late is \\\"ten\\\"", 'late is "ten"'),
        (r"use \\d and \\\"", r"use \d and" + ' \\"'),
    ],
)
def test_escapes_that_json_does_not_have(read: Callable, written: str, meant: str) -> None:
    (row,), _ = read(page("ASKED", "So it is.").replace("ASKED", written))
    assert row["question"] == meant


@pytest.mark.parametrize(
    ("head", "url"),
    [
        (
            '<base href="https://a.example/x/"><link rel="canonical" href="/faq">',
            "https://a.example/faq",
        ),
        ('<link rel="canonical" href="/faq">', None),
        ("<!-- saved from url=(0023)https://a.example/faq -->", "https://a.example/faq"),
    ],
)
def test_the_address_of_a_page(read: Callable, head: str, url: str | None) -> None:
    (row,), _ = read(page("Why is it so?", "So it is.", head))
    assert row["url"] == url


@pytest.mark.parametrize(
    "start", [b"WARC/1.0\r\n", b"PK\x03\x04", gzip.compress(b"WARC/1.0\r\n", mtime=0)]
)
def test_an_archive_is_no_page(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "crawl.gz").write_bytes(start)
    with pytest.raises(SourceError, match="not a page: unpack it"):
        open_source(f"html:{tmp_path / 'crawl.gz'}")


def test_whatever_one_page_does_the_next_one_is_read(tmp_path: Path, read_all: Callable) -> None:
    (tmp_path / "a.html").write_text('<html><body typeof="FAQPage&#1;"></body></html>', "utf-8")
    (tmp_path / "b.html").write_text(page("Why is it so?", "So it is."), "utf-8")
    rows, rejected = read_all(open_source(f"html:{tmp_path}"))
    assert len(rows) == 1
    assert [row.reason for row in rejected] == ["page that cannot be read: ValueError"]


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n"])
def test_quads_end_in_any_line_end_and_a_quoted_triple_costs_its_line(
    read: Callable, end: str
) -> None:
    s, p = "http://schema.org/", "<http://a.example/1>"
    quads = [
        f"_:p <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{s}FAQPage> {p} .",
        f"_:p <{s}mainEntity> _:q {p} .",
        f"_:p <{s}mainEntity> <<( <http://a> <http://b> <http://c> )>> {p} .",
        f'_:q <{s}name> "Why?" {p} .',
        f"_:q <{s}acceptedAnswer> _:a {p} .",
        f'_:a <{s}text> "So it is." {p} .',
    ]
    rows, rejected = read(end.join(quads) + end, "a.nq")
    assert [(row["question"], row["answer"]) for row in rows] == [("Why?", "So it is.")]
    assert [(row.place, row.reason) for row in rejected] == [
        ("a.nq:3", "N-Quads line with a quoted triple")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<a " + "=" * 60_000,
        "<a " * 20_000 + " " * 60_000,
        "a" + "\u0301\u0327" * 100_000,
        "<div>x " * 20_000,
        "&amp;" * 50_000 + "lt;",
    ],
    ids=["signs", "spaces", "marks", "deep", "entities"],
)
def test_a_text_is_cleaned_in_linear_time(text: str) -> None:
    start = time.process_time()
    clean_answer(text)
    assert time.process_time() - start < SECONDS


def test_what_is_nested_deeply_is_not_lost() -> None:
    assert clean_answer("<b>x</b> " + "<div>y " * 300 + "END").endswith("END")
    assert clean_answer("<div>y " * 3_000 + "END").endswith("END")


NESTED = '<div itemscope itemtype="https://schema.org/FAQPage" itemprop="mainEntity">'
SAME = [
    {"@id": "x", "@type": "FAQPage", "mainEntity": [{"@id": f"q{n}{i}"} for i in range(30_000)]}
    for n in (1, 2)
]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", f"<html><body>{NESTED * 3_000}</body></html>"),
        ("a.html", f"<html><body>{NESTED * 300}</body></html>"),
        ("a.html", f'<script type="application/ld+json">{json.dumps(SAME)}</script>'),
        ("a.html", '<script type="application/ld+json">FAQPage' + "/*" * 50_000 + "</script>"),
        ("a.nq", '<http://a> <http://b> "x"@' + "a" * 16_000 + " <http://c> .\n"),
    ],
    ids=["elements", "items", "same-id", "comments", "tag"],
)
def test_a_page_is_read_in_linear_time(read: Callable, name: str, content: str) -> None:
    start = time.process_time()
    rows, rejected = read(content, name)
    assert rows == [] and rejected
    assert time.process_time() - start < SECONDS
