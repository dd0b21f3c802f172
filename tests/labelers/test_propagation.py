"""A label of an English text, carried over to its translations."""

import numpy as np
import pytest

from webfaq_domains.labelers.training.pseudo_labels import (
    TaughtText,
    TranslationRule,
    even_cells,
    joined,
    propagate,
    sample_texts,
)
from webfaq_domains.labelers.training.translations import TextSource, Translated

DOMAINS = ("finance", "legal")


def text(
    english: str, domain: str = "finance", repository: str = "o/bank", **others: str
) -> Translated:
    return Translated(english, others, TextSource(repository, "", "MIT", domain, "json", ""))


def test_a_sure_label_reaches_every_language() -> None:
    found = propagate(
        [text("A loan", deu="Ein Kredit")], np.array([[0.9, 0.7]]), DOMAINS, 0.6, TranslationRule()
    )
    assert [(row.language, row.text, row.domains) for row in found] == [
        ("eng", "A loan", ("finance", "legal")),
        ("deu", "Ein Kredit", ("finance", "legal")),
    ]


@pytest.mark.parametrize(
    ("probabilities", "expected"),
    [
        ((0.2, 0.1), [("finance",)]),  # not sure, but its project is about it
        ((0.1, 0.5), []),  # likely another subject than its project's: says nothing
        ((0.1, 0.7), [("legal",)]),  # sure, whatever the project is about
        ((0.0, 0.0), []),  # no domain at all teaches nothing
    ],
)
def test_the_project_s_subject_is_a_second_vote(
    probabilities: tuple[float, float], expected: list[tuple[str, ...]]
) -> None:
    found = propagate([text("A loan")], np.array([probabilities]), DOMAINS, 0.6, TranslationRule())
    assert [row.domains for row in found] == expected


def test_projects_of_a_subject_share_its_texts() -> None:
    plan = TranslationRule(per_domain=6, least=1)
    large = [text(f"large {n}", repository="o/large") for n in range(50)]
    small = [text(f"small {n}", repository="o/small") for n in range(2)]
    law = [text(f"law {n}", "legal", "o/law") for n in range(50)]
    kept = sample_texts([*large, *small, *law], plan)
    counts = {
        name: sum(t.source.repository == name for t in kept)
        for name in ("o/large", "o/small", "o/law")
    }
    assert counts == {"o/large": 3, "o/small": 2, "o/law": 6}
    assert sample_texts([*reversed(law), *small, *large], plan) == sample_texts(
        [*small, *law, *reversed(large)], plan
    )


def rows(language: str, domain: str, project: str, count: int) -> list[TaughtText]:
    return [TaughtText(f"{project}{n}", language, (domain,), project) for n in range(count)]


def test_a_cell_takes_its_projects_in_turn() -> None:
    taught = [
        *rows("deu", "legal", "a", 5),
        *rows("deu", "legal", "b", 1),
        *rows("fra", "legal", "a", 1),
    ]
    cells = even_cells(taught, TranslationRule(per_cell=3))
    assert [[row.text for row in cell] for cell in cells] == [["a0", "b0", "a1"], ["a0"]]


def test_joined_texts_keep_to_their_cell_and_lose_nothing() -> None:
    taught = [*rows("deu", "legal", "a", 20), *rows("deu", "finance", "b", 20)]
    found = joined(taught, TranslationRule(together=4), seed=1)
    words = [word for row in found for word in row.text.split()]
    assert sorted(words) == sorted(row.text for row in taught)
    assert max(len(row.text.split()) for row in found) > 1
    assert all({word[0] for word in row.text.split()} == {row.project} for row in found)
    assert found == joined(taught, TranslationRule(together=4), seed=1)
