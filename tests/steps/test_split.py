from __future__ import annotations

import pyarrow as pa
import pytest

from webfaq_domains.ground.addresses import sites_of
from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.schema import SPLITS
from webfaq_domains.steps.partition import AssignId, AssignSplit


def splits_of(origins: list[str | None], step: AssignSplit | None = None, **columns) -> list[str]:
    rows = len(origins)
    table = pa.table(
        {
            "id": pa.array(columns.get("ids", [str(n) for n in range(rows)]), pa.string()),
            "origin": pa.array(origins, pa.string()),
            "url": pa.array(columns.get("urls", [None] * rows), pa.string()),
            "source_id": pa.array(columns.get("source_ids", [None] * rows), pa.string()),
        }
    )
    return (step or AssignSplit())(table).kept["split"].to_pylist()


def address_of(origin: str) -> pa.Table:
    return pa.table({"origin": [origin], "url": pa.nulls(1, pa.string())})


@pytest.mark.parametrize(
    "origin",
    [
        *("example.com", "www.example.com", "WWW.Example.COM", "example.com:8080", "//example.com"),
        *("http://example.com", "https://www.example.com/", "https://example.com:443/faq?x=1"),
        *("example.com/a:80/b", "HTTPS://EXAMPLE.COM#top", "example.com?x=http://other.org"),
    ],
)
def test_scheme_case_port_path_and_www_do_not_make_another_site(origin):
    assert sites_of(address_of(origin)).to_pylist() == ["example.com"]


@pytest.mark.parametrize(
    "origin", ["faq.example.com", "example.org", "wwwexample.com", "www2.a.de"]
)
def test_another_host_is_another_site(origin):
    assert sites_of(address_of(origin)).to_pylist() == [origin]


def test_spellings_of_a_site_are_in_one_split():
    half = AssignSplit(validation=0.3, test=0.3)
    for number in range(50):
        site = f"site{number}.org"
        spelled = [site, f"www.{site}", f"https://{site.upper()}:443/", f"http://www.{site}/faq"]
        assert len(set(splits_of(spelled, half))) == 1


def test_the_shares_of_20_000_sites_are_right():
    splits = splits_of([f"site{n}.example" for n in range(20_000)])
    shares = {name: splits.count(name) / 20_000 for name in SPLITS}
    # Three standard errors of a share of 0.05 among 20,000 are 0.0046.
    assert shares["test"] == pytest.approx(0.05, abs=0.0046)
    assert shares["validation"] == pytest.approx(0.05, abs=0.0046)
    assert sum(shares.values()) == 1


def test_a_share_of_zero_is_empty_and_other_shares_hold():
    origins = [f"site{n}.example" for n in range(2_000)]
    assert set(splits_of(origins, AssignSplit(validation=0, test=0))) == {"train"}
    assert set(splits_of(origins, AssignSplit(validation=0.5, test=0))) == {"train", "validation"}
    mostly = splits_of(origins, AssignSplit(validation=0.1, test=0.8))
    assert mostly.count("test") / 2_000 == pytest.approx(0.8, abs=0.03)


def test_a_larger_test_share_keeps_the_sites_of_a_smaller_one():
    origins = [f"site{n}.example" for n in range(2_000)]
    small, large = (splits_of(origins, AssignSplit(test=share)) for share in (0.05, 0.1))
    assert {o for o, s in zip(origins, small, strict=True) if s == "test"} < {
        o for o, s in zip(origins, large, strict=True) if s == "test"
    }


def test_another_salt_is_another_split():
    origins = [f"site{n}.example" for n in range(500)]
    assert splits_of(origins, AssignSplit(salt="split-2")) != splits_of(origins)


def test_without_an_origin_the_url_decides_and_without_both_the_id():
    half = AssignSplit(validation=0, test=0.5)
    nobody = [None] * 200
    urls = [f"https://a{n // 2}.de/{n}" for n in range(200)]
    by_url = splits_of(nobody, half, urls=urls)
    assert by_url[::2] == by_url[1::2]
    assert set(by_url) == {"train", "test"}
    by_id = splits_of(nobody, half)
    assert set(by_id) == {"train", "test"}
    assert by_id == splits_of(nobody, half, ids=[str(n) for n in range(200)])
    assert by_url == splits_of(nobody, half, urls=urls, ids=["x"] * 200)


def test_pairs_of_a_page_without_an_address_are_in_one_split():
    half = AssignSplit(validation=0, test=0.5)
    pages = [f"crawl/{n // 4}.html#{n % 4}" for n in range(200)]
    splits = splits_of([None] * 200, half, source_ids=pages)
    assert all(len(set(splits[n : n + 4])) == 1 for n in range(0, 200, 4))
    assert set(splits) == {"train", "test"}
    rows = [f"faq.jsonl:{n}" for n in range(200)]
    assert set(splits_of([None] * 200, half, source_ids=rows)) == {"train", "test"}


def test_the_split_of_a_site_does_not_depend_on_its_neighbours():
    origins = [f"site{n}.example" for n in range(100)]
    assert splits_of(origins[::-1])[::-1] == splits_of(origins)
    assert [splits_of([origin])[0] for origin in origins] == splits_of(origins)
    assert splits_of([]) == []


@pytest.mark.parametrize(
    ("validation", "test"), [(-0.1, 0.1), (0.1, -0.1), (0.5, 0.5), (0.9, 0.2), (0, 1)]
)
def test_shares_that_leave_nothing_for_train_are_refused(validation, test):
    with pytest.raises(RecipeError, match="leave something for train"):
        AssignSplit(validation=validation, test=test)


def test_ids_are_a_column_of_hashes():
    table = pa.table({"language": ["deu", None], "question": ["a", "a"], "answer": ["b", "b"]})
    ids = AssignId()(table).kept["id"].to_pylist()
    assert [len(value) for value in ids] == [32, 32]
    assert ids[0] != ids[1]
