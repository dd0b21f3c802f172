"""Removal requests: which rows a request names, and the list that keeps them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.steps.remove import RemoveOnRequest, Requests

ROWS = pa.table(
    {
        "id": [f"{number:032x}" for number in range(6)],
        "origin": ["shop.example", "https://www.Shop.example:443/", "other.example", None, None, "x.example"],
        "url": [
            "https://shop.example/a", None, "http://www.shop.example/b", "https://shop.example/faq/#top",
            None, "https://x.example/faq",
        ],
    }
)  # fmt: skip


def kept(requests: Requests) -> list[int]:
    return [int(id_, 16) for id_ in RemoveOnRequest(requests)(ROWS).kept["id"].to_pylist()]


@pytest.mark.parametrize("host", ["shop.example", "WWW.shop.example", " https://shop.example/x?y "])
def test_an_origin_is_a_web_site_however_it_is_written(host: str) -> None:
    """A row goes if its origin or its URL is of the site."""
    assert kept(Requests.of([host], [], [])) == [4, 5]


@pytest.mark.parametrize(
    "url", ["https://x.example/faq", "http://x.example/faq/", "x.example/faq#1"]
)
def test_a_url_is_a_page(url: str) -> None:
    assert kept(Requests.of([], [url], [])) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("origins", "urls"),
    [
        (["xn--mller-kva.example"], []),
        (["www.MÜLLER.example."], []),
        ([], ["https://xn--mller-kva.example:443/h%C3%A4ufig"]),
    ],
)
def test_a_request_meets_every_spelling(origins: list[str], urls: list[str]) -> None:
    spelled = [
        "https://müller.example/häufig",
        "http://user@www.xn--mller-kva.example/h%c3%a4ufig/#a",
    ]
    rows = pa.table({"id": ["0", "1"], "origin": pa.nulls(2, pa.string()), "url": spelled})
    outcome = RemoveOnRequest(Requests.of(origins, urls, []))(rows)
    assert len(outcome.kept) == 0
    assert outcome.met == tuple(Requests.of(origins, urls, []).lines())


def test_what_a_step_met_names_the_requests_that_some_row_matched() -> None:
    outcome = RemoveOnRequest(Requests.of(["shop.example", "gone.example"], [], ["f" * 32]))(ROWS)
    assert outcome.met == ("origin shop.example",)


@pytest.mark.parametrize(
    "asked",
    [
        ([], ["https://a.example/x\norigin b.example"], []),
        (["a.example\r\norigin b.example"], [], []),
        ([], [], ["0" * 32 + "\norigin b.example"]),
    ],
)
def test_a_line_break_does_not_make_a_second_request(
    asked: tuple[list[str], list[str], list[str]],
) -> None:
    with pytest.raises(RecipeError, match="is not a"):
        Requests.of(*asked)


def test_a_page_is_not_its_site() -> None:
    assert kept(Requests.of([], ["https://shop.example/faq"], [])) == [0, 1, 2, 4, 5]


def test_a_subdomain_is_another_site() -> None:
    assert kept(Requests.of(["example", "www2.shop.example"], [], [])) == [0, 1, 2, 3, 4, 5]


def test_drops_are_counted_by_the_kind_of_request() -> None:
    requests = Requests.of(["shop.example"], ["x.example/faq"], [f"{4:032X}", f"{0:032x}"])
    dropped = RemoveOnRequest(requests)(ROWS).dropped
    assert {reason: len(rows) for reason, rows in dropped.items()} == {
        "origin_on_request": 4, "url_on_request": 1, "id_on_request": 1
    }  # fmt: skip


def test_requests_that_meet_a_row_are_told_apart() -> None:
    wanted = Requests.of(["shop.example", "gone.example"], ["x.example/faq"], ["f" * 32])
    met = wanted.met_in(ROWS)
    assert met == Requests.of(["shop.example"], ["x.example/faq"], [])
    assert (wanted - met).lines() == ["origin gone.example", f"id {'f' * 32}"]
    assert len(met | wanted) == len(wanted) == 4


def test_the_list_is_read_as_it_was_written(tmp_path: Path) -> None:
    wanted = Requests.of(["b.example", "a.example"], ["a.example/ü?q=1"], ["0" * 32])
    (tmp_path / "list").write_text(wanted.text(), "utf-8")
    assert Requests.read(tmp_path / "list") == wanted
    (tmp_path / "list").write_text(wanted.salted().text(), "utf-8")
    salted = Requests.read(tmp_path / "list")
    assert salted.lines() == wanted.lines() and salted.salted() == salted != wanted
    assert salted.sha256 != wanted.sha256 == (Requests() | wanted).sha256
    assert wanted.text().splitlines()[1:3] == ["origin a.example", "origin b.example"]


@pytest.mark.parametrize("line", ["host a.example", "origin", "origin  ", "id 123", "a.example"])
def test_a_line_that_is_no_request_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "list").write_text(f"# a comment\n\n{line}\n", "utf-8")
    with pytest.raises(RecipeError):
        Requests.read(tmp_path / "list")


@pytest.mark.parametrize(
    "asked", [([""], [], []), ([], [" "], []), ([], [], ["x"]), (["https://"], [], [])]
)
def test_a_name_that_is_none_is_refused(asked: tuple[list[str], list[str], list[str]]) -> None:
    with pytest.raises(RecipeError, match="removal requests"):
        Requests.of(*asked)


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="cannot read the removal requests"):
        Requests.read(tmp_path / "none")
