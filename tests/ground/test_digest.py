"""The digest of rows: the same for the same rows in any order, another for other rows."""

from __future__ import annotations

import pyarrow as pa
import pytest

from webfaq_domains.ground.schema import PUBLISHED, combined, rows_digest
from webfaq_domains.ground.text import content_id

ROWS = [
    {name: f"{name} {number}" for name in PUBLISHED.names}
    | {"domains": ["health", "legal"], "domain_score": 0.5, "semantic_similarity_score": None}
    for number in range(4)
]


def digest(rows: list[dict[str, object]]) -> int:
    return rows_digest(pa.Table.from_pylist(rows, schema=PUBLISHED))


def test_order_and_files_do_not_matter() -> None:
    whole = combined([digest(ROWS)])
    assert len(whole) == 32
    assert combined([digest(ROWS[::-1])]) == whole
    assert combined([digest(ROWS[3:]), digest(ROWS[:3])]) == whole
    assert combined([]) == "0" * 32


TEXT = ("language", "question", "answer")


@pytest.mark.parametrize("name", [name for name in PUBLISHED.names if name not in TEXT])
def test_every_column_matters(name: str) -> None:
    other: object = {"domains": ["legal", "health"], "domain_score": 0.25}.get(name, "3")
    if name == "semantic_similarity_score":
        other = 0.75
    assert digest([{**ROWS[0], name: other}, *ROWS[1:]]) != digest(ROWS)


def test_a_row_twice_is_not_a_row_once() -> None:
    assert digest([ROWS[0], ROWS[0]]) not in (digest([ROWS[0]]), digest([]))


@pytest.mark.parametrize("name", TEXT)
def test_the_id_stands_for_the_text(name: str) -> None:
    def identified(row: dict[str, object]) -> dict[str, object]:
        table = pa.Table.from_pylist([row], schema=PUBLISHED)
        return {**row, "id": content_id(*(table[column] for column in TEXT))[0].as_py()}

    assert digest([identified({**ROWS[0], name: "else"})]) != digest([identified(ROWS[0])])


def test_columns_are_kept_apart() -> None:
    one = {**ROWS[0], "topic": "ab", "question_type": "c"}
    assert digest([one]) != digest([{**one, "topic": "a", "question_type": "bc"}])
