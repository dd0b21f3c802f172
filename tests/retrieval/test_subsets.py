"""Labels per item, duplicates, memberships and the subsets that come of them, on hand-made tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.ground.duplicates import duplicate_pairs, equal_candidates, plain
from webfaq_domains.ground.errors import SourceError
from webfaq_domains.labelers.base import Labeler, LabelerId, Probabilities
from webfaq_domains.retrieval import labels
from webfaq_domains.retrieval.labels import LABELS, Labelling, compare, label_items, membership
from webfaq_domains.retrieval.readers.base import (
    CANDIDATE,
    ITEM,
    QUERY,
    RIGHT,
    SIDE,
    About,
    Part,
    Pool,
    Task,
    strings,
)
from webfaq_domains.retrieval.subsets import Counted, Members, Subset, assemble, plan_subsets, union

ABOUT = About("toy", "Toy", "accuracy", "CC0-1.0", True, "https://example.org", "none")


class Words(Labeler):
    """A labeler that gives 0.9 to each domain whose name stands in the text, 0.1 to the others."""

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return np.array([[0.9 if d in t else 0.1 for d in self.domains] for t in texts], np.float32)


WORDS = Words(
    LabelerId("student", "words", "0" * 64, "1"), ("finance", "health", "legal"),
    np.full(3, 0.5, np.float32), "other", 100,
)  # fmt: skip
LABELLING = Labelling(WORDS, "other", quiet=True)


def test_an_item_is_labelled_once_on_its_deciding_side() -> None:
    items = strings(ITEM, [("a", "health and legal"), ("b", "nothing"), ("c", "legal")])
    sides = strings(
        SIDE,
        [("a", "deu", "health"), ("b", "deu", "health"), ("c", "deu", "legal"), ("c", "fra", "x")],
    )
    found, agreements = label_items(items, sides, LABELLING, "toys")
    assert found.schema == LABELS
    assert found["domain"].to_pylist() == ["health", "other", "legal"]
    assert found["membership"].to_pylist() == ["health+legal", "other", "legal"]
    assert found["domain_score"].to_pylist() == pytest.approx([0.9, 0.9, 0.9])
    by_side = {entry.side: entry for entry in agreements}
    assert (by_side["deu"].items, by_side["deu"].share, by_side["deu"].claimed) == (
        3,
        0.6667,
        0.6667,
    )
    assert (by_side["fra"].items, by_side["fra"].share, by_side["fra"].claimed) == (1, 0.0, 0.0)
    # Pooled: a (0.9, 0.9 and 0.1 legal) health, b 0.5 health, c (0.9, 0.9, 0.1) legal.
    assert by_side["pooled"].share == 0.6667


def test_labelling_goes_on_over_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "_AT_ONCE", 2)
    items = strings(ITEM, [(str(n), "health" if n % 2 else "legal") for n in range(5)])
    found, agreements = label_items(items, strings(SIDE, ()), LABELLING, "toys")
    assert found["domain"].to_pylist() == ["legal", "health", "legal", "health", "legal"]
    assert agreements == []


def test_agreement_leaves_what_both_call_other_out_of_the_claimed() -> None:
    found = compare(
        "x", ["other", "other", "health", "health"], ["other", "other", "health", "legal"], "other"
    )
    assert (found.share, found.claimed) == (0.75, 0.5)
    # Chance: 0.5 * 0.5 + 0.5 * 0.25 = 0.375; (0.75 - 0.375) / 0.625.
    assert found.kappa == 0.6
    assert compare("x", ["other"], ["other"], "other").claimed is None


def test_memberships_are_sorted_and_united() -> None:
    assert membership(["legal", "finance"]) == "finance+legal"
    assert union("finance+legal", "health", "other") == "finance+health+legal"
    assert union("other", "health", "other") == "health"
    assert union("other", "other", "other") == "other"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Wait for me!", "Wait for me.", True),
        ("Caf\u00e9", "Cafe\u0301", False),  # folded code point by code point; texts come in NFC
        ("A  b", "a b", True),
        ("!?", "!?", True),
        ("!?", "...", False),
        ("Use C.", "Use C++.", False),
    ],
)  # fmt: skip
def test_candidates_are_equal_when_they_say_the_same(one: str, other: str, same: bool) -> None:
    candidates = strings(CANDIDATE, [("1", "", one, "eng", "i"), ("2", "", other, "eng", "j")])
    assert equal_candidates(candidates)["corpus-id"].to_pylist() == (["1", "2"] if same else [])
    assert plain("a\u0301  b\n") == "\u00e1 b"


def test_title_and_text_must_both_be_equal() -> None:
    rows = [("1", "t", "x", "eng", "i"), ("2", "t", "y", "eng", "i"), ("3", "t", "x", "eng", "i")]
    assert equal_candidates(strings(CANDIDATE, rows))["corpus-id"].to_pylist() == ["1", "3"]


def test_duplicates_are_what_equals_a_right_one_and_is_not_named() -> None:
    rows = [
        (name, "", text, "eng", "i")
        for name, text in (("a", "x"), ("b", "X!"), ("c", "x."), ("d", "y"))
    ]
    right = strings(RIGHT, [("q", "a"), ("q", "b"), ("r", "d"), ("s", "c")])
    found = duplicate_pairs(equal_candidates(strings(CANDIDATE, rows)), right)
    assert sorted(zip(*found.to_pydict().values(), strict=True)) == [
        ("q", "c"),
        ("s", "a"),
        ("s", "b"),
    ]


def toy_task(texts: Sequence[str]) -> tuple[Task, pa.Table]:
    """Return a task with one pair per text, query `q<n>`, candidate `c<n>`, item `i<n>`; and labels."""
    names = [str(n) for n in range(len(texts))]
    queries = strings(
        QUERY, ((f"q{n}", t, "deu", f"i{n}") for n, t in zip(names, texts, strict=True))
    )
    corpus = strings(
        CANDIDATE, ((f"c{n}", "", t, "eng", f"i{n}") for n, t in zip(names, texts, strict=True))
    )
    right = strings(RIGHT, ((f"q{n}", f"c{n}") for n in names))
    items = strings(ITEM, ((f"i{n}", t) for n, t in zip(names, texts, strict=True)))
    part = Part("deu", "test", "deu", queries, right)
    task = Task(ABOUT, [Pool("deu", "test", corpus)], [part], items, strings(SIDE, ()), {})
    return task, label_items(items, task.sides, LABELLING, "toys")[0]


def subsets_of(texts: Sequence[str], least: int) -> dict[str, Subset]:
    task, found = toy_task(texts)
    tables = assemble(task, found, "other")
    (part,) = tables.parts
    counted = Counted.of(part, Members.of(tables.pools[part.pool]))
    return {s.name: s for s in plan_subsets("toy", part, counted, WORDS.domains, least)}


TEXTS = ["health 1", "health 2", "finance and health", "legal", "nothing", "health 2!"]


def test_subsets_by_domain_membership_and_pool() -> None:
    found = subsets_of(TEXTS, least=2)
    counts = {name: (s.queries, s.corpus, s.qrels, s.duplicates) for name, s in found.items()}
    assert counts == {
        "toy_deu": (6, 6, 6, 2),
        # `finance and health` is finance first (equal probabilities: the first domain).
        "toy_deu_health": (3, 6, 3, 2),
        "toy_deu_health_pool": (3, 4, 3, 2),
        "toy_deu_health_multi": (4, 6, 4, 2),
        "toy_deu_health_multi_pool": (4, 4, 4, 2),
    }
    assert found["toy_deu_health_pool"].filters == {
        "corpus": [("membership", "in", ("finance+health", "health"))],
        "unpaired": [("membership", "in", ("health",))],
        "queries": [("domain", "==", "health")],
        "qrels": [("domain", "==", "health")],
    }


def test_a_domain_with_too_few_queries_has_no_subset() -> None:
    assert "toy_deu_legal" in subsets_of(TEXTS, least=1)
    assert set(subsets_of(TEXTS, least=7)) == {"toy_deu"}


def test_multi_is_left_out_where_it_is_the_same() -> None:
    assert "toy_deu_legal_multi" not in subsets_of(TEXTS, least=1)


def test_a_candidate_belongs_to_what_it_answers() -> None:
    task, found = toy_task(["health", "legal"])
    crossed = strings(RIGHT, [("q0", "c1"), ("q1", "c1")])
    part = Part("deu", "test", "deu", task.parts[0].queries, crossed)
    tables = assemble(Task(ABOUT, task.pools, [part], task.items, task.sides, {}), found, "other")
    pool = tables.pools["deu", "test"]
    assert pool["membership"].to_pylist() == ["health", "health+legal"]
    assert pool["domain"].to_pylist() == ["health", "legal"]


def test_right_pairs_and_items_must_be_known() -> None:
    task, found = toy_task(["health", "legal"])
    part = Part("deu", "test", "deu", task.parts[0].queries, strings(RIGHT, [("q0", "c9")]))
    with pytest.raises(SourceError, match="unknown query or candidate"):
        assemble(Task(ABOUT, task.pools, [part], task.items, task.sides, {}), found, "other")
    with pytest.raises(SourceError, match="item i1 has no text"):
        assemble(task, found.slice(0, 1), "other")
