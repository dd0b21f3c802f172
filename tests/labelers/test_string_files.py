"""Readers of translatable strings: what each format's file says, by the identity of its strings."""

import importlib.util

import pytest

from webfaq_domains.labelers.training.string_files import READERS, plain

ANDROID = """<?xml version="1.0" encoding="utf-8"?>
<resources>
  <string name="rain">It\\'s going to <b>rain</b> today</string>
  <plurals name="days"><item quantity="one">a day</item></plurals>
</resources>"""

PROPERTIES = "# weather\nrain = It will rain\\n today\nsun=S\\u00f6nne\nlong = one \\\n two\n"

PAGE = """---
title: Weather
---
# Rain

Take a coat.

```
# no heading
```
## Sun
Take a hat.
"""


def read(kind: str, text: str, language: str = "en") -> dict[str, str]:
    return READERS[kind](text, language)


def test_nested_json_is_known_by_its_path() -> None:
    text = '{"app": {"title": "Rain", "days": ["one", "two"], "count": 3}}'
    assert read("json", text) == {"/app/title": "Rain", "/app/days/0": "one", "/app/days/1": "two"}


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_top_key_that_is_the_language_does_not_count(kind: str) -> None:
    assert read(kind, '{"pt-BR": {"rain": "Chuva"}}', "pt_BR") == {"/rain": "Chuva"}
    assert read(kind, '{"weather": {"rain": "Chuva"}}', "pt") == {"/weather/rain": "Chuva"}


def test_yaml_that_asks_for_an_object_is_refused() -> None:
    with pytest.raises(ValueError, match="python/object"):
        read("yaml", "a: !!python/object/apply:os.getcwd []")


@pytest.mark.skipif(importlib.util.find_spec("polib") is None, reason="polib is in [teacher]")
def test_gettext_knows_a_string_by_its_original_and_leaves_out_the_fuzzy() -> None:
    text = (
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        'msgid "Rain"\nmsgstr "Regen"\n\n'
        '#, fuzzy\nmsgid "Sun"\nmsgstr "Mond"\n\n'
        'msgid "Wind"\nmsgstr ""\n\n#~ msgid "Snow"\n#~ msgstr "Schnee"\n'
    )
    assert read("gettext", text) == {"Rain": "Regen"}


def test_android_strings_keep_their_inner_text() -> None:
    assert read("android", ANDROID) == {"rain": "It's going to rain today"}


def test_properties_undo_escapes_and_join_lines() -> None:
    assert read("properties", PROPERTIES) == {
        "rain": "It will rain  today", "sun": "Sönne", "long": "one   two",
    }  # fmt: skip


def test_a_page_is_its_sections_and_pages_of_another_shape_share_none() -> None:
    sections = read("markdown", PAGE)
    assert list(sections.values()) == ["Rain\n\nTake a coat.", "Sun\nTake a hat."]
    assert not sections.keys() & read("markdown", PAGE + "## Wind\nHold on.").keys()


@pytest.mark.parametrize(
    ("kind", "text"), [("json", "{"), ("yaml", "a: ["), ("android", "<resources>")]
)
def test_broken_files_are_value_errors(kind: str, text: str) -> None:
    with pytest.raises(ValueError):
        read(kind, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi %(name)s, you have %d <b>new</b> mails", "Hi , you have new mails"),
        ("See [the page](/help) or https://a.example now", "See the page or now"),
        ("Pay {{ amount }} to ${who}", "Pay to"),
    ],
)
def test_markup_and_placeholders_go(text: str, expected: str) -> None:
    assert plain(text) == expected
