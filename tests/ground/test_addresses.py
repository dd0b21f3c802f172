"""One site, one page: however an address is written."""

from __future__ import annotations

import pyarrow as pa
import pytest

from webfaq_domains.ground.addresses import host_of, page_of, pages, site_of, sites, sites_of

SITES = [
    [
        *("müller.example", "xn--mller-kva.example", "MÜLLER.example", "www.müller.example"),
        *("https://müller.example/faq", "http://XN--MLLER-KVA.example:80/", "müller.example."),
        *("mu\u0308ller.example", "https://user:pw@müller.example/p", " müller.example "),
    ],
    ["shop.example", "shop.example:443", "ｓｈｏｐ.example", "shop。example", "shop.example?x=//b"],
    ["straße.example", "xn--strae-oqa.example"],
    ["[::1]", "http://[::1]:80/x"],
    ["a_b.example", "http://a_b.example/"],
    ["президент.рф", "xn--d1abbgf6aiiy.xn--p1ai"],
    ["strasse.example"],
    ["faq.shop.example"],
]
PAGES = [
    [
        *("https://www.shop.example/faq", "http://shop.example/faq/", "shop.example/faq"),
        *("https://SHOP.example:443/faq#q1", "https://shop.example./faq", "//shop.example/./faq"),
    ],
    ["https://bücher.example/h%C3%A4ufig", "https://xn--bcher-kva.example/häufig"],
    ["https://shop.example/%7Euser", "https://shop.example/~user"],
    ["https://shop.example/a%20b", "https://shop.example/a b"],
    ["https://shop.example/FAQ"],
    ["https://shop.example/faq?b=2&a=1"],
    ["https://shop.example/faq?a=1&b=2"],
    ["https://shop.example/x?q=a%26b"],
    ["https://shop.example/x?q=a&b"],
    ["shop.example/http://other.example"],
    ["shop.example", "https://www.shop.example/"],
]
NOTHING = ["", " ", "https://", "/faq", "javascript:alert(1)", "http://[::1", "two words", "#top"]


@pytest.mark.parametrize("groups", [SITES, PAGES], ids=["sites", "pages"])
def test_spellings_of_one_address_are_one_and_others_are_others(groups: list[list[str]]) -> None:
    rule, column = (site_of, sites) if groups is SITES else (page_of, pages)
    found = [{rule(text) for text in group} for group in groups]
    assert all(len(forms) == 1 for forms in found)
    assert None not in set.union(*found) and len(set.union(*found)) == len(groups)
    for group in groups:
        assert column(pa.array(group)).to_pylist() == [rule(text) for text in group]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_address_names_nothing(text: str) -> None:
    assert host_of(text) is site_of(text) is page_of(text) is None


def test_a_column_keeps_nulls_and_compares_what_is_no_address_as_it_is_written() -> None:
    odd = pa.chunked_array([["two Words", None], ["", "https://"]], pa.string())
    assert sites(odd).to_pylist() == ["two words", None, None, None]
    assert pages(odd).to_pylist() == ["two Words", None, None, "https://"]
    assert sites(pa.array([], pa.string())).to_pylist() == []


def test_the_site_of_a_pair_is_that_of_its_origin_else_of_its_url() -> None:
    pairs = pa.table(
        {
            "origin": pa.array(["www.a.example", None, None]),
            "url": pa.array(["https://b.example/", "https://b.example:443/x", None]),
        }
    )
    assert sites_of(pairs).to_pylist() == ["a.example", "b.example", None]


def test_the_host_of_an_address_keeps_its_www() -> None:
    assert host_of("https://WWW.Shop.example.:443/faq") == "www.shop.example"
