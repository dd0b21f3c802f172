from __future__ import annotations

import hashlib

import pytest

from webfaq_domains.ground.errors import RecipeError
from webfaq_domains.ground.taxonomy import (
    CROSSWALKS,
    builtin_taxonomy,
    load_taxonomy,
    read_taxonomy,
)

SLUGS = (
    "technology", "health", "travel", "finance", "legal", "education", "entertainment", "commerce",
    "other",
)  # fmt: skip

ANIMALS = """
version = "3"
fallback = "rest"
[[domain]]
slug = "cats"
title = "Cats"
definition = "All about cats."
includes = ["lions"]
webfaq = ["Pets"]
[[domain]]
slug = "dogs"
title = "Dogs"
definition = "All about dogs."
webfaq = ["Pets"]
[[domain]]
slug = "rest"
title = "Rest"
definition = "Whatever else there is."
"""


def test_the_builtin_taxonomy_has_the_nine_domains_of_the_design():
    taxonomy = builtin_taxonomy()
    assert taxonomy.slugs == SLUGS
    assert taxonomy.fallback == "other"
    assert taxonomy.claimable == SLUGS[:-1]
    assert builtin_taxonomy() is load_taxonomy(None)


def test_each_builtin_domain_says_what_is_in_and_what_is_out():
    for domain in builtin_taxonomy().domains:
        assert domain.title and domain.definition.endswith(".")
        assert domain.slug == "other" or (domain.includes and domain.excludes)


@pytest.mark.parametrize(
    ("scheme", "labels"),
    [
        ("webfaq", 8),
        ("nvidia", 26),
        ("weborganizer", 24),
        ("sib200", 7),
    ],
)
def test_each_foreign_label_belongs_somewhere(scheme, labels):
    met = {label for domain in builtin_taxonomy().domains for label in domain.crosswalk[scheme]}
    assert len(met) == labels
    assert all(builtin_taxonomy().from_foreign(scheme, label) for label in met)


def test_webfaq_has_no_technology_class():
    taxonomy = builtin_taxonomy()
    for label in taxonomy.domains[0].crosswalk["webfaq"]:
        assert len(taxonomy.from_foreign("webfaq", label)) > 1


def test_a_taxonomy_of_ones_own_is_read(tmp_path):
    path = tmp_path / "animals.toml"
    path.write_text(ANIMALS, encoding="utf-8")
    taxonomy = load_taxonomy(path)
    assert (taxonomy.version, taxonomy.slugs) == ("3", ("cats", "dogs", "rest"))
    assert taxonomy.claimable == ("cats", "dogs")
    assert taxonomy.domains[0].includes == ("lions",)
    assert taxonomy.from_foreign("webfaq", "Pets") == ("cats", "dogs")
    assert taxonomy.from_foreign("webfaq", "Cars") == taxonomy.from_foreign("none", "Pets") == ()
    assert set(taxonomy.domains[1].crosswalk) == set(CROSSWALKS)
    assert taxonomy.sha256 == hashlib.sha256(ANIMALS.encode()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('slug = "dogs"', 'slug = "cats"', "unique"),
        ('fallback = "rest"', 'fallback = "none"', "fallback 'none'"),
        ('slug = "dogs"', 'slug = "Big Dogs"', "'Big Dogs': use lower-case letters"),
        ('slug = "dogs"', 'slug = "../dogs"', "lower-case letters"),
        ('slug = "dogs"', 'slug = "default"', "'default' is a name that the Hub's client"),
        ('slug = "dogs"', 'slug = "con"', "'con' is a name that"),
        ('slug = "dogs"', 'slug = "deu"', "'deu' is a language code"),
        ('slug = "dogs"', 'slug = "dogs_pool"', "ends as the names of domain pools"),
        ('slug = "dogs"', "slug = 7", "slug must be text; met 7"),
        ('slug = "dogs"', "", "lacks slug"),
        ('title = "Dogs"', 'title = ""', "lacks title"),
        ('definition = "All about dogs."', "", "lacks definition"),
        ('includes = ["lions"]', 'includes = "lions"', "includes of cats must be a list of texts"),
        ('webfaq = ["Pets"]', "webfaq = [1]", "webfaq of cats must be a list of texts"),
        ('fallback = "rest"', "fallback = ", "not valid TOML"),
    ],
)
def test_a_wrong_taxonomy_is_refused_with_its_file_and_place(old, new, message):
    with pytest.raises(RecipeError, match=rf"animals\.toml: .*{message}"):
        read_taxonomy(ANIMALS.replace(old, new), "animals.toml")


@pytest.mark.parametrize(
    "text", ["", 'domain = "cats"', 'domain = ["cats", "rest"]', '[domain]\nslug = "a"']
)
def test_a_file_without_a_list_of_domains_is_refused(text):
    with pytest.raises(RecipeError, match=r"x\.toml"):
        read_taxonomy(text, "x.toml")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"cannot read the taxonomy .*: No such file"):
        load_taxonomy(tmp_path / "missing.toml")
    with pytest.raises(RecipeError, match="cannot read the taxonomy"):
        load_taxonomy(tmp_path)
    (tmp_path / "latin.toml").write_bytes('title = "ü"'.encode("latin-1"))
    with pytest.raises(RecipeError, match=r"latin\.toml: .*not UTF-8"):
        load_taxonomy(tmp_path / "latin.toml")
