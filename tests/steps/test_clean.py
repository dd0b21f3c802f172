from __future__ import annotations

import random
import unicodedata

import pyarrow as pa
import pytest

from webfaq_domains.steps.clean import Clean, clean_answer, clean_question, plain_text, strip_markup

#: Whatever has a rule in `steps/clean.py`, to be thrown together at random.
FRAGMENTS = [
    *(
        "Why",
        "A",
        "Q",
        "Frage",
        "问",
        "答案",
        "答",
        "प्रश्न",
        "سؤال",
        "ج",
        "שאלה",
        "คำถาม",
        "a.",
        "q.",
    ),
    *(
        "pertanyaan",
        ":",
        "：",
        ".",
        ")",
        "(",
        "、",
        "．",
        "1",
        "12",
        "123",
        "3.5",
        "１",
        "٢",
        "१",
        "#",
    ),
    *(
        " ",
        "  ",
        "\n",
        "\t",
        "\r\n",
        "\xa0",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u3000",
        "\u2028",
        "\x85",
    ),
    *(
        "\x0b",
        "\x00",
        "\x1f",
        "\u00ad",
        "\ufeff",
        "\ufe0f",
        '"',
        "“",
        "”",
        "„",
        "«",
        "»",
        "「",
        "」",
    ),
    *(
        "’",
        "‘",
        "- ",
        "• ",
        "– ",
        "* ",
        "▶",
        "😀",
        "👍🏽",
        "👨‍👩‍👧",
        "❤️",
        "1️⃣",
        "🇩🇪",
        "&amp;",
        "&lt;",
    ),
    *("&lt;p&gt;", "&nbsp;", "&", "<", "<b>", "</b>", "<p>", "<br>", "<li>", "<td>", "<!-- c -->"),
    *("<script>x</script>", "<App />", "a < b", "&copy=2", "?", "؟", "e\u0301", "か\u3099", "İ"),
    *("\u1112\u1161\u11ab", "می‌خواهم", "क्‍ष", "text", "of words"),
]


def generated(texts: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choices(FRAGMENTS, k=chance.randint(0, 12))) for _ in range(texts)]


def cleaned_column(texts: list[str], column: str) -> list[str]:
    table = pa.table({"question": texts, "answer": texts})
    return Clean()(table).kept[column].to_pylist()


def test_messy_pairs_of_15_scripts_become_what_a_reader_would_write(messy):
    scripts = {unicodedata.name(row["clean_answer"][0]).split()[0] for row in messy}
    assert len(scripts) >= 15, scripts
    for row in messy:
        assert clean_question(row["question"]) == row["clean_question"], row["what"]
        assert clean_answer(row["answer"]) == row["clean_answer"], row["what"]


def test_clean_texts_stay_as_they_are(messy):
    for row in messy:
        assert clean_question(row["clean_question"]) == row["clean_question"], row["what"]
        assert clean_answer(row["clean_answer"]) == row["clean_answer"], row["what"]


@pytest.mark.parametrize(
    "prefixed",
    [
        *(
            "Q: Why?",
            "q. Why?",
            "Q1. Why?",
            "Q 12: Why?",
            "Q3) Why?",
            "Question #4: Why?",
            "FAQ: Why?",
        ),
        *("Frage 3: Why?", "F: Why?", "Pregunta: Why?", "P: Why?", "Domanda: Why?", "Vraag: Why?"),
        *("Fråga: Why?", "Spørsmål: Why?", "Kysymys: Why?", "Pytanie: Why?", "Otázka: Why?"),
        *("Întrebare: Why?", "Kérdés: Why?", "Soru: Why?", "Вопрос: Why?", "Питання: Why?"),
        *(
            "Ερώτηση: Why?",
            "سؤال: Why?",
            "پرسش ۲: Why?",
            "שאלה: Why?",
            "प्रश्न १: Why?",
            "প্রশ্ন: Why?",
        ),
        *("คำถาม: Why?", "Câu hỏi 3: Why?", "Pertanyaan # 123 : Why?", "问题：Why?", "问:Why?"),
        *("質問：Why?", "질문: Why?", "Swali: Why?", "1. Why?", "(2) Why?", "3) Why?", "1.2. Why?"),
        *("４、Why?", "٥. Why?", "- Why?", "• Why?", '"1. Q: Why?"', "Q: “Why?”"),
    ],
)
def test_a_question_loses_its_number_its_prefix_and_its_quotes(prefixed):
    assert clean_question(prefixed) == "Why?"
    assert cleaned_column([prefixed], "question") == ["Why?"]


@pytest.mark.parametrize(
    "prefixed",
    [
        *(
            "A: Yes.",
            "a. Yes.",
            "Answer: Yes.",
            "Antwort: Yes.",
            "R: Yes.",
            "Réponse : Yes.",
            "Svar: Yes.",
        ),
        *(
            "Odpowiedź: Yes.",
            "Válasz: Yes.",
            "Cevap: Yes.",
            "Ответ: Yes.",
            "Απάντηση: Yes.",
            "جواب: Yes.",
        ),
        *(
            "پاسخ: Yes.",
            "תשובה: Yes.",
            "उत्तर: Yes.",
            "คำตอบ: Yes.",
            "Trả lời: Yes.",
            "답변: Yes.",
            "1. Yes.",
        ),
        *("答：Yes.", "回答： Yes.", "(1) Yes.", "- Yes.", "„Yes.“", "A: 1. Yes."),
    ],
)
def test_an_answer_loses_its_prefix_and_a_lone_number(prefixed):
    assert clean_answer(prefixed) == "Yes."
    assert cleaned_column([prefixed], "answer") == ["Yes."]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2.4 GHz is faster.",
            "65.535 letters fit.",
            "0.7.0 and later do.",
            "(26. March 2020) It closed.",
        ),
        *("３．５％です。", "1、2階にあります。"),
        *("C:\\Windows is the folder.", "S:t Eriks is in Stockholm.", "D:\\ is the drive."),
        *(
            "1. One\n2. Two",
            "१. एक\n२. दो",
            "١. واحد\n٢. اثنان",
            "(1) one (2) two",
            "１、一\n２、二",
        ),
        *("- One\n- Two", "• One\n• Two", "* One\n* Two", "– One\n– Two"),
        *("«One» and «two»", '"One" or "two"', "Dogs' toys", "Q&A", "AT&T; R&D", "Tom &amp Jerry"),
        *(
            "a < b and c > d",
            "if a<b or b>c, stop",
            "Use <App /> here",
            "x <y> z",
            "<3 cats",
            "1 <2> 3",
        ),
        *("see page?x=1&copy=2", "می‌خواهم بروم", "क्‍ष", "Größe 10 m²", "٣ أيام", "™ and © stay"),
    ],
)
def test_what_only_looks_like_noise_is_left_alone(text):
    assert clean_answer(text) == text
    assert cleaned_column([text], "answer") == [text]


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("<p>One</p><p>Two</p>", "One\nTwo"),
        ("One<br>two<br/>three", "One\ntwo\nthree"),
        ("<ul><li>One</li><li>Two</li></ul>Three", "One\nTwo\nThree"),
        ("<h2>Head</h2>Text", "Head\nText"),
        ("<b>bold</b>ly <a href='/x'>linked</a>.", "boldly linked."),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("One <!-- a <b>comment</b> --> two", "One two"),
        ("<script>var a = '<p>no</p>';</script>Yes", "Yes"),
        ("<p>if a &lt; b &amp;&amp; c</p>", "if a < b && c"),
        ("<p>unclosed <b>tags", "unclosed tags"),
        ("wrongly </b> closed<br></p>", "wrongly closed"),
        ("<P CLASS=big>capitals</P>", "capitals"),
        ("&lt;p&gt;escaped &amp;amp; twice&lt;/p&gt;", "escaped & twice"),
        ("<p>control\x00\x08 \x0bcharacters &amp; more</p>", "control\ncharacters & more"),
        ("<!-- nothing else -->", ""),
        ("", ""),
    ],
)
def test_markup_becomes_its_visible_text(fragment, text):
    assert plain_text(fragment) == text


def test_deeply_nested_markup_is_no_danger():
    assert "end" in strip_markup("<div>" * 100 + "x" + "</div>" * 100 + "end")
    clean_answer("<div>" * 20_000 + "x")
    clean_answer("<a " * 20_000)


@pytest.mark.parametrize(
    ("entities", "text"),
    [
        ("caf&eacute; &amp; bar", "café & bar"),
        ("&#39;x&#x27;", "'x'"),
        ("1&nbsp;000&thinsp;€", "1 000 €"),
        ("a&#8203;b&shy;c&zwnj;d", "abc\u200cd"),
        ("&unknown; stays", "&unknown; stays"),
        ("?x=1&copy=2 &amp; more", "?x=1&copy=2 & more"),
    ],
)
def test_entities_become_characters_but_only_with_their_semicolon(entities, text):
    assert plain_text(entities) == text


@pytest.mark.parametrize(
    ("odd", "text"),
    [
        ("  a \t b\xa0c\u3000d\u2009e ", "a b c d e"),
        ("a\r\nb\rc\x0bd\x0ce\x85f\u2028g\u2029h", "a\nb\nc\nd\ne\nf\ng\nh"),
        ("a\n\n \n\tb", "a\nb"),
        ("\ufeffa\u200bb\u2060c\u00add\u200ee\u202cf\x07g", "abcdefg"),
        ("e\u0301 e\u200b\u0301", "é é"),
        ("می\u200cروم", "می\u200cروم"),
        ("क्\u200dष", "क्\u200dष"),
        ("no\x1fseparator", "noseparator"),
    ],
)
def test_white_space_is_plain_and_only_joiners_are_invisible(odd, text):
    assert plain_text(odd) == text


@pytest.mark.parametrize(
    "emoji",
    [
        "😀",
        "👍🏽",
        "👨‍👩‍👧",
        "❤️",
        "🇩🇪",
        "✅",
        "☎",
        "⏰",
        "⭐",
        "🏴\U000e0067\U000e007f",
        "😀😀👋🏿",
    ],
)
def test_emoji_go_with_their_joiners_and_modifiers(emoji):
    assert plain_text(f"Yes {emoji} we can{emoji}") == "Yes we can"
    assert plain_text(f"Yes{emoji}we can") == "Yes we can"


def test_keycaps_keep_their_digit():
    assert plain_text("1️⃣ press 2️⃣") == "1 press 2"


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ("“It’s open”", "It’s open"),
        ("„Ja“", "Ja"),
        ("„Igen”", "Igen"),
        ("»Ja«", "Ja"),
        ("«Да»", "Да"),
        ("「はい」", "はい"),
        ("『はい』", "はい"),
        ("‘Yes’", "Yes"),
        ("”Kyllä”", "Kyllä"),
        ('"A" and "B"', '"A" and "B"'),
        ('"Unfinished', '"Unfinished'),
        ('""', '""'),
    ],
)
def test_quotes_go_only_where_one_pair_embraces_the_whole_text(quoted, text):
    assert clean_answer(quoted) == text


def test_a_question_is_one_line():
    assert clean_question("Why\nnot?") == "Why not?"
    assert cleaned_column(["Why\nnot?"], "question") == ["Why not?"]
    assert cleaned_column(["Why\nnot?"], "answer") == ["Why\nnot?"]


def test_a_prefix_with_nothing_after_it_is_the_text():
    assert clean_question("Q:") == "Q:"
    assert clean_answer("1.") == "1."


def test_cleaning_twice_is_cleaning_once_on_generated_texts():
    for text in generated(5_000, seed=1):
        question, answer = clean_question(text), clean_answer(text)
        assert clean_question(question) == question, repr(text)
        assert clean_answer(answer) == answer, repr(text)


def test_a_column_is_cleaned_exactly_as_its_rows_on_generated_texts():
    texts = generated(6_000, seed=2)
    assert cleaned_column(texts, "question") == [clean_question(text) for text in texts]
    assert cleaned_column(texts, "answer") == [clean_answer(text) for text in texts]


@pytest.mark.parametrize("kind", ["Nd", "Zs", "Zl", "Cc", "Cf", "So", "Pi", "Pf", "Ps", "Pd", "Sm"])
def test_a_column_is_cleaned_exactly_as_its_rows_for_every_character_of_a_kind(kind):
    signs = [chr(n) for n in range(0x1FB00) if unicodedata.category(chr(n)) == kind]
    texts = [
        text
        for sign in signs
        for text in (
            f"{sign}a b",
            f"{sign} a",
            f"a{sign}b",
            f"a b{sign}",
            f"{sign}. a",
            f"{sign}、a",
        )
    ]
    assert cleaned_column(texts, "question") == [clean_question(text) for text in texts]
    assert cleaned_column(texts, "answer") == [clean_answer(text) for text in texts]


def test_real_pairs_are_cleaned_once_for_all_and_alike_in_rows_and_columns(real_pairs):
    table = pa.Table.from_pylist(
        [{"question": row["question"], "answer": row["answer"]} for row in real_pairs]
    )
    once = Clean()(table).kept
    for column, clean in (("question", clean_question), ("answer", clean_answer)):
        assert once[column].to_pylist() == [clean(row[column]) for row in real_pairs]
    assert Clean()(once).kept.equals(once)


def test_clean_keeps_rows_columns_and_chunks():
    chunks = pa.chunked_array([["<b>a</b>"], [], ["b", "e\u0301"]])
    table = pa.table({"url": ["1", "2", "3"], "question": chunks, "answer": chunks})
    outcome = Clean()(table)
    assert outcome.dropped == {}
    assert outcome.kept.column_names == ["url", "question", "answer"]
    assert outcome.kept["answer"].to_pylist() == ["a", "b", "é"]


def test_clean_takes_an_empty_table():
    table = pa.table({"question": pa.array([], pa.string()), "answer": pa.array([], pa.string())})
    assert len(Clean()(table).kept) == 0
    assert len(Clean()(table.schema.empty_table()).kept) == 0
