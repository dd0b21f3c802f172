from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from webfaq_domains.ground.errors import MissingExtra, SourceError
from webfaq_domains.sources.base import Rejected, Source
from webfaq_domains.sources.html import HtmlSource

pytestmark = pytest.mark.needs("html")


Rows = tuple[list[dict[str, Any]], list[Rejected]]
ReadAll = Callable[[Source], Rows]
ReadPage = Callable[..., Rows]


def question(name: str, text: str, **more: Any) -> dict[str, Any]:
    answer = {"@type": "Answer", "text": text}
    return {"@type": "Question", "name": name, "acceptedAnswer": answer, **more}


PURR = question("Do cats purr?", "They do.")
SWIM = question("Do cats swim?", "Rarely.")


def faqpage(*questions: Any, **more: Any) -> dict[str, Any]:
    return {
        "@context": "https://schema.org",
        "@type": "FAQPage",
        "mainEntity": list(questions),
        **more,
    }


def script(data: Any, kind: str = "application/ld+json") -> str:
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f'<script type="{kind}">{text}</script>'


@pytest.fixture
def read_page(tmp_path: Path, read_all: ReadAll) -> ReadPage:
    """Read one page made of these pieces of HTML."""

    def read(*body: str, head: str = "", attributes: str = "") -> Rows:
        path = tmp_path / "page.html"
        path.write_text(
            f"<!doctype html><html {attributes}><head><meta charset=utf-8>{head}</head>"
            f"<body>{''.join(body)}</body></html>",
            encoding="utf-8",
        )
        return read_all(HtmlSource.open(str(path)))

    return read


def pairs(rows: Rows) -> list[tuple[str, str]]:
    assert rows[1] == [], rows[1]
    return [(row["question"], row["answer"]) for row in rows[0]]


BOTH = [("Do cats purr?", "They do."), ("Do cats swim?", "Rarely.")]


def test_a_row_holds_all_that_is_known(read_page: ReadPage) -> None:
    head = '<link rel="canonical" href="https://www.Cats.example/faq">'
    rows, _ = read_page(script(faqpage(PURR, SWIM)), head=head, attributes='lang="de-CH"')
    assert rows[1] == {
        "language": "deu",
        "question": "Do cats swim?",
        "answer": "Rarely.",
        "origin": "www.cats.example",
        "url": "https://www.Cats.example/faq",
        "source_id": "page.html#1",
        "topic": None,
        "question_type": None,
        "semantic_similarity_score": None,
        "claimed_by": "page",
    }


@pytest.mark.parametrize(
    "data",
    [
        faqpage(PURR, SWIM),
        [faqpage(PURR), faqpage(SWIM)],
        {"@context": "https://schema.org", "@graph": [{"@type": "WebPage"}, faqpage(PURR, SWIM)]},
        {"@context": "http://schema.org/", "@type": "WebPage", "mainEntity": faqpage(PURR, SWIM)},
        faqpage({"@list": [PURR, SWIM]}),
        faqpage({"@type": "ItemList", "itemListElement": [{"item": PURR}, {"item": SWIM}]}),
        {**faqpage(PURR, SWIM), "@type": ["WebPage", "FAQPage"]},
        {**faqpage(PURR, SWIM), "@type": "https://www.schema.org/FAQPage"},
        {**faqpage(PURR, SWIM), "@context": None},
        {"type": "FAQPage", "mainEntity": [PURR, SWIM]},
        {"@type": "FAQpage", "mainentity": [PURR, SWIM]},
        {
            "@graph": [
                {"@id": "#faq", "@type": "FAQPage", "mainEntity": [{"@id": "#1"}, "#2"]},
                {**SWIM, "@id": "#2"},
                {**PURR, "@id": "#1"},
            ]
        },
    ],
    ids=lambda data: json.dumps(data)[:60],
)
def test_json_ld_in_the_forms_that_pages_have(data: Any, read_page: ReadPage) -> None:
    assert pairs(read_page(script(data))) == BOTH


@pytest.mark.parametrize(
    "context",
    [
        {"@vocab": "https://schema.org"},
        [{"@vocab": "http://schema.org/"}, "https://other.example/context"],
        {"FAQ": "http://schema.org/FAQPage", "q": "schema:name", "main": {"@id": "mainEntity"}},
        {"s": "https://schema.org/"},
        "http://www.schema.org",
    ],
    ids=str,
)
def test_contexts_of_json_ld(context: Any, read_page: ReadPage) -> None:
    text = json.dumps({**faqpage(PURR, SWIM), "@context": context})
    if "main" in context:
        text = text.replace('"FAQPage"', '"FAQ"').replace('"name"', '"q"')
        text = text.replace('"mainEntity": [', '"main": [')
    if isinstance(context, dict) and "s" in context:
        text = text.replace('"name"', '"s:name"').replace('"Question"', '"s:Question"')
    assert pairs(read_page(script(text))) == BOTH


def test_another_vocabulary_is_not_schema_org(read_page: ReadPage) -> None:
    data = {**faqpage(PURR), "@context": {"@vocab": "https://other.example/"}}
    assert [row.reason for row in read_page(script(data))[1]] == ["page without a FAQPage"]


@pytest.mark.parametrize(
    "answer",
    [
        {"@type": "Answer", "text": "They do."},
        {"text": {"@value": "They do.", "@language": "en"}},
        [{"@type": "Answer", "text": "They do."}, {"@type": "Answer", "text": "Ask one."}],
        [{"@type": "Answer"}, "They do."],
        "They do.",
    ],
    ids=str,
)
def test_accepted_answers_as_object_list_or_text(answer: Any, read_page: ReadPage) -> None:
    data = faqpage({"@type": "Question", "name": "Do cats purr?", "acceptedAnswer": answer})
    assert pairs(read_page(script(data))) == BOTH[:1]


def test_a_suggested_answer_stands_in_for_a_missing_one(read_page: ReadPage) -> None:
    suggested = {"suggestedAnswer": [{"@type": "Answer", "text": "They do."}]}
    data = faqpage({**PURR, "acceptedAnswer": {"text": " "}, **suggested}, {**SWIM, **suggested})
    assert pairs(read_page(script(data))) == BOTH


def test_texts_stay_as_the_page_has_them(read_page: ReadPage) -> None:
    text = '<p>A &amp; B, "C"</p>\n&lt;b&gt; \U0001f408'
    plain = json.dumps(faqpage(question("<b>What?</b>", text)))
    assert "\\ud83d\\udc08" in plain
    assert pairs(read_page(script(plain))) == [("<b>What?</b>", text)]


def test_half_a_surrogate_does_not_break_the_row(read_page: ReadPage) -> None:
    data = json.dumps(faqpage(question("Cut?", "off \ud83d")))
    assert pairs(read_page(script(data))) == [("Cut?", "off \ufffd")]


GOOD = json.dumps(faqpage(PURR, SWIM))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + GOOD,
        f"<!--\n{GOOD}\n-->",
        f"<!-- Some SEO plugin -->{GOOD}",
        f"//<![CDATA[\n{GOOD}\n//]]>",
        f"/*<![CDATA[*/ {GOOD} /*]]>*/",
        f"<![CDATA[{GOOD}]]>",
        f"// FAQ\n{GOOD};",
        GOOD + "}",
        GOOD.replace('"Question",', '"Question", /* note */'),
        GOOD.replace('"@type": "FAQPage",', '"@type": "FAQPage", // "name": "old",\n'),
        GOOD.replace("}]}", "},]}").replace('do."}', 'do.",}'),
        GOOD.replace("}, {", "} {"),
        GOOD.replace('", "acceptedAnswer"', '" "acceptedAnswer"'),
        GOOD.replace("{", "{<br />\n"),
        json.dumps(faqpage(PURR)) + json.dumps(faqpage(SWIM)),
        GOOD.replace('"', "&quot;"),
    ],
    ids=lambda text: text[:40],
)
def test_json_that_is_not_quite_json(text: str, read_page: ReadPage) -> None:
    assert pairs(read_page(script(text))) == BOTH


@pytest.mark.parametrize(
    "raw",
    [
        'say "purr", and "meow"',
        "two\nlines\tand a \x01 control",
        '<a href="https://cats.example/" class="x">all</a>',
        '12" long',
        'ends with a "quote"',
        'a ""double"" one',
        'go to "//cats.example" now',
        "C:\\cats",
    ],
)
def test_raw_characters_within_texts(raw: str, read_page: ReadPage) -> None:
    text = GOOD.replace("They do.", raw)
    assert pairs(read_page(script(text))) == [("Do cats purr?", raw), BOTH[1]]


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("They do.", 'braces {"k"} and ["l"] within'),
        GOOD.replace('do."}', 'do." junk, "url": "x"}'),
        GOOD.replace('"Do cats purr?"', "'Do cats purr?'"),
        GOOD.replace('"Do cats purr?"', '"Do cats purr?'),
    ],
)
def test_json_that_leaves_a_doubt_is_rejected(text: str, read_page: ReadPage) -> None:
    rows, rejected = read_page(script(text))
    assert rows == []
    assert rejected[0].reason.startswith("JSON-LD that cannot be read: ")


def test_a_block_that_is_cut_off_is_rejected_and_the_others_are_read(read_page: ReadPage) -> None:
    rows, rejected = read_page(script(GOOD[:-30]), script(faqpage(SWIM)))
    assert [row["question"] for row in rows] == ["Do cats swim?"]
    assert [(row.place, row.reason) for row in rejected] == [
        ("page.html#script-0", "JSON-LD that cannot be read: Unterminated string starting at")
    ]


def test_nesting_without_end_costs_one_block(read_page: ReadPage) -> None:
    deep = '{"question":' + '{"a":' * 5000 + "1" + "}" * 5001
    rows, rejected = read_page(script(deep), script(faqpage(PURR)))
    assert len(rows) == 1
    assert rejected[0].reason == "JSON-LD that cannot be read: RecursionError"


def test_blocks_of_other_things_are_not_looked_at(read_page: ReadPage) -> None:
    product = script('{"@type": "Product", broken')
    code = script("{broken question", kind="text/javascript")
    assert (
        pairs(read_page(product, code, script(GOOD, "Application/LD+JSON; charset=utf-8"))) == BOTH
    )


def test_references_reach_across_blocks(read_page: ReadPage) -> None:
    page = faqpage({"@id": "#1"}, {"@id": "#2"})
    first = {"@id": "#1", "@type": "Question", "name": "Do cats purr?"}
    rest = {"@id": "#1", "acceptedAnswer": {"@id": "#a"}}
    answer = {"@id": "#a", "@type": "Answer", "text": "They do."}
    blocks = [page, first, [rest, answer], {**SWIM, "@id": "#2"}]
    assert pairs(read_page(*map(script, blocks))) == BOTH


def test_one_identifier_for_every_question_mixes_nothing_up(read_page: ReadPage) -> None:
    data = faqpage(*({**q, "@id": "https://cats.example/#question"} for q in (PURR, SWIM)))
    for q in data["mainEntity"]:
        q["acceptedAnswer"] = {**q["acceptedAnswer"], "@id": "#answer"}
    assert pairs(read_page(script(data))) == BOTH


def test_several_faqpages_in_several_languages(read_page: ReadPage) -> None:
    german = faqpage(question("Schnurren Katzen?", "Ja."), inLanguage="de-AT")
    french = faqpage(
        question("Les chats ronronnent ?", "Oui."),
        question("Do cats purr?", "Yes.", inLanguage={"@type": "Language", "name": "en"}),
        inLanguage=["fr", "fr-FR"],
    )
    both = faqpage(PURR, inLanguage=["de", "fr"])
    tagged = {**faqpage(PURR), "@context": {"@language": "es"}}
    rows, _ = read_page(*map(script, (german, french, both, tagged)), attributes='lang="nl"')
    assert [row["language"] for row in rows] == ["deu", "fra", "eng", "nld", "spa"]


def test_a_language_that_is_not_known_is_null(read_page: ReadPage) -> None:
    rows, _ = read_page(script(faqpage(PURR, inLanguage="Catish")), attributes='lang="x-cat"')
    assert rows[0]["language"] is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"@type": "Question", "name": "Why?"}, "question without an answer"),
        (question(" ", "x"), "question without a name"),
        (question("Why?", ""), "answer without text"),
        ({"@type": "Organization", "name": "Cats"}, "mainEntity that is not a Question"),
        ({"@id": "#nowhere"}, "mainEntity that the page does not describe"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_pair_is_rejected_with_reason_and_place(
    bad: Any, reason: str, read_page: ReadPage
) -> None:
    rows, rejected = read_page(script(faqpage(PURR, bad, SWIM)))
    assert [row["source_id"] for row in rows] == ["page.html#0", "page.html#2"]
    assert [(row.place, row.reason) for row in rejected] == [("page.html#1", reason)]


def test_questions_outside_a_faqpage_are_rejected(read_page: ReadPage) -> None:
    thread = {"@type": "QAPage", "mainEntity": question("My cat is ill, what now?", "See a vet.")}
    rows, rejected = read_page(script([faqpage(PURR), thread]))
    assert len(rows) == 1
    assert [(row.reason, row.row) for row in rejected] == [
        ("question outside every FAQPage", "My cat is ill, what now?")
    ]


@pytest.mark.parametrize("body", ["<p>Nothing.", "<p>FAQPage is a type.", script(faqpage())])
def test_a_page_without_questions_is_rejected_once(body: str, read_page: ReadPage) -> None:
    _, (rejected,) = read_page(body)
    assert rejected.reason in ("page without a FAQPage", "FAQPage without questions")


MICRODATA = """
<div itemscope itemtype="https://schema.org/FAQPage">
  <div itemprop="mainEntity" itemscope itemtype="https://schema.org/Question">
    <h3><a itemprop="name" href="#x">Do cats <i>purr</i>?</a></h3>
    <div itemprop="acceptedAnswer" itemscope itemtype="https://schema.org/Answer">
      <div itemprop="text">They <b>do</b>.<script>x()</script></div>
    </div>
  </div>
  <div itemprop="mainEntity" itemscope itemtype="https://schema.org/Question" itemref="swim">
    <h3 itemprop="name">Do cats swim?</h3>
  </div>
</div>
<div id="swim" itemprop="acceptedAnswer" itemscope itemtype="https://schema.org/Answer">
  <meta itemprop="text" content="Rarely.">
</div>
"""


def test_microdata(read_page: ReadPage) -> None:
    assert pairs(read_page(MICRODATA)) == BOTH


def test_microdata_without_a_text_is_rejected(read_page: ReadPage) -> None:
    rows, rejected = read_page(MICRODATA.replace('<meta itemprop="text"', "<meta"))
    assert len(rows) == 1
    assert [row.reason for row in rejected] == ["answer without text"]


def test_rdfa_lite_keeps_the_order_of_the_page(read_page: ReadPage) -> None:
    questions = "".join(
        f'<dt property="mainEntity" typeof="Question"><b property="name">Number {n}?</b>'
        f'<span property="schema:acceptedAnswer" typeof="schema:Answer">'
        f'<span property="text">It is {n}.</span></span></dt>'
        for n in range(20)
    )
    head = '<meta property="og:title" content="Cats"><meta property="og:url" content="http://c.d/">'
    rows = read_page(
        questions, head=head, attributes='vocab="https://schema.org/" typeof="FAQPage"'
    )
    assert pairs(rows) == [(f"Number {n}?", f"It is {n}.") for n in range(20)]
    assert rows[0][0]["url"] == "http://c.d/"


def test_json_ld_and_microdata_of_one_page_are_both_read(read_page: ReadPage) -> None:
    assert pairs(read_page(MICRODATA, script(GOOD))) == BOTH * 2


@pytest.mark.parametrize("href", ["/faq", "", "ftp://cats.example/", "http://[broken/"])
def test_a_canonical_link_that_is_no_address_leaves_the_origin_unknown(
    href: str, read_page: ReadPage
) -> None:
    rows, _ = read_page(script(GOOD), head=f'<link rel="canonical" href="{href}">')
    assert rows[0]["origin"] is None


@pytest.mark.parametrize(
    "data",
    [
        "é".join(("<meta charset=iso-8859-1>", script(GOOD.replace("purr", "mi\u00e8v")))).encode(
            "latin-1"
        ),
        script(GOOD.replace("purr", "mi\u00e8v")).encode("utf-8"),
        script(GOOD.replace("purr", "mi\u00e8v")).encode("cp1252"),
        script(GOOD.replace("purr", "mi\u00e8v")).encode("utf-16"),
        script(GOOD.replace("purr", "mi\u00e8v")).encode("utf-8-sig"),
    ],
    ids=["declared", "utf-8", "windows-1252", "utf-16", "utf-8 with mark"],
)
def test_encodings(data: bytes, tmp_path: Path, read_all: ReadAll) -> None:
    text = GOOD.replace("purr", "mi\u00e8v")
    assert "\\u" not in text
    (tmp_path / "a.htm").write_bytes(data)
    rows, _ = read_all(HtmlSource.open(str(tmp_path)))
    assert rows[0]["question"] == "Do cats mièv?"


def test_a_folder_is_read_with_its_subfolders(tmp_path: Path, read_all: ReadAll) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "z.HTML").write_text(script(GOOD))
    (tmp_path / "de" / "a.html.gz").write_bytes(gzip.compress(script(GOOD).encode(), mtime=0))
    (tmp_path / "note.txt").write_text(script(GOOD))
    source = HtmlSource.open(str(tmp_path))
    assert [file.name for file in source.files] == ["de/a.html.gz", "z.HTML"]
    rows, _ = read_all(source)
    assert [row["source_id"] for row in rows] == [
        "de/a.html.gz#0",
        "de/a.html.gz#1",
        "z.HTML#0",
        "z.HTML#1",
    ]


def test_a_page_beyond_the_bound_is_rejected(tmp_path: Path, read_all: ReadAll) -> None:
    (tmp_path / "a.html.gz").write_bytes(gzip.compress(script(GOOD).encode(), mtime=0))
    files = HtmlSource.open(str(tmp_path)).files
    rows, rejected = read_all(HtmlSource(files, page_bytes=100))
    assert (rows, [row.reason for row in rejected]) == ([], ["page larger than the bound"])


def test_a_page_of_nothing_but_a_comment_is_rejected(tmp_path: Path, read_all: ReadAll) -> None:
    (tmp_path / "a.html").write_text("<!-- FAQPage -->")
    _, rejected = read_all(HtmlSource.open(str(tmp_path)))
    assert [row.reason for row in rejected] == ["page that cannot be read: ParserError"]


def test_a_folder_without_pages_and_a_missing_one_are_refused(tmp_path: Path) -> None:
    for path in (str(tmp_path), str(tmp_path / "nowhere"), ""):
        with pytest.raises(SourceError):
            HtmlSource.open(path)


def test_the_missing_parser_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "extruct", None)
    with pytest.raises(MissingExtra, match=r"webfaq-domains\[html\]"):
        HtmlSource.open("page.html")


def test_real_pages_agree_with_their_manifest(shared_data: Path, read_all: ReadAll) -> None:
    """See docs/sources.md; the addresses differ, since each page names its canonical one."""
    folder = shared_data / "faq_html"
    if not folder.is_dir():
        pytest.skip("the pages with FAQs are not among the real data")
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    expected = {entry["file"]: entry for entry in map(json.loads, lines)}
    rows, rejected = read_all(HtmlSource.open(str(folder)))
    assert (len(rows), rejected) == (585, [])
    counts = Counter(row["source_id"].partition("#")[0] for row in rows)
    assert counts == {name: entry["n_questions"] for name, entry in expected.items()}
    first = {row["source_id"].removesuffix("#0"): row for row in rows}
    for name, entry in expected.items():
        assert first[name]["question"] == entry["first_question"]
        assert first[name]["language"] == entry["lang"]
        assert first[name]["origin"] == "xposedornot.com"
