from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from webfaq_domains.labelers.base import Labeler, LabelerId
from webfaq_domains.steps import label
from webfaq_domains.steps.label import LabelDomain

DOMAINS = ("technology", "health", "travel")
THRESHOLDS = np.array([0.5, 0.6, 0.3], np.float32)


class ToyLabeler(Labeler):
    """Finds a domain by its first letter in the text; remembers what it was given."""

    def __init__(self, fallback: str) -> None:
        super().__init__(LabelerId("student", "toy", "", ""), DOMAINS, THRESHOLDS, fallback, 12)
        vars(self)["read"] = []

    def probabilities(self, texts: list[str]) -> np.ndarray:
        self.read.extend(texts)
        rows = [[0.9 if name[0] in text else 0.2 for name in self.domains] for text in texts]
        return np.array(rows, np.float32).reshape(-1, len(self.domains))


@pytest.mark.parametrize(
    ("probabilities", "domains", "score"),
    [
        ([0.9, 0.1, 0.0], ["technology"], 0.9),
        ([0.7, 0.8, 0.1], ["health", "technology"], 0.8),
        ([0.5, 0.1, 0.3], ["technology", "travel"], 0.5),
        ([0.49, 0.59, 0.29], ["other"], 0.41),
        ([0.4, 0.55, 0.35], ["travel"], 0.35),
        ([0.0, 0.0, 0.0], ["other"], 1.0),
        ([0.6, 0.6, 0.6], ["technology", "health", "travel"], 0.6),
        ([1.0, 1.0, 0.0], ["technology", "health"], 1.0),
    ],
)
def test_a_pair_has_every_domain_that_reaches_its_threshold(probabilities, domains, score):
    found = ToyLabeler("other").assign(np.array([probabilities], np.float32))
    assert found.domains == [domains]
    assert found.domain == domains[:1]
    assert found.score[0] == pytest.approx(score, abs=1e-6)
    assert found.score.dtype == np.float32


def test_no_pairs_have_no_domains():
    found = ToyLabeler("other").assign(np.zeros((0, 3), np.float32))
    assert (found.domain, found.domains, found.score.shape) == ([], [], (0,))


@pytest.fixture
def toy(monkeypatch) -> ToyLabeler:
    labeler = ToyLabeler("rest")
    monkeypatch.setattr(label, "_labeler", lambda address, cascade: labeler)
    return labeler


def test_the_step_adds_four_columns_and_reads_one_line_of_bounded_length(toy):
    table = pa.table({"question": ["t?", "zz?", "th"], "answer": ["a\nb", "z", "x" * 50]})
    kept = LabelDomain()(table).kept
    assert toy.read == ["t? a b", "zz? z", "th xxxxxxxxx"]
    assert kept.column_names[2:] == ["domain", "domain_score", "domains", "labeler"]
    assert kept["domain"].to_pylist() == ["technology", "rest", "technology"]
    assert kept["domains"].to_pylist() == [["technology", "travel"], ["rest"], [*DOMAINS[:1], "health", "travel"]]  # fmt: skip
    assert kept["domain_score"].to_pylist() == pytest.approx([0.9, 0.8, 0.9])
    assert kept["labeler"].to_pylist() == ["student"] * 3
    assert kept.schema.field("domains").type == pa.list_(pa.string())
    assert kept.schema.field("domain_score").type == pa.float32()


def test_an_empty_table_gets_the_same_columns(toy):
    empty = pa.table({"question": pa.array([], pa.string()), "answer": pa.array([], pa.string())})
    full = pa.table({"question": ["t"], "answer": ["t"]})
    assert LabelDomain()(empty).kept.schema == LabelDomain()(full).kept.schema
