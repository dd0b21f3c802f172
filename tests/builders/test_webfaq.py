"""The recipe of the data set: what it runs, and what is hashed into its identity."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import MISSING, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from toybuild import Toy, lines, write_faq
from webfaq_domains.builders.webfaq import steps_of

from webfaq_domains.dataset.check import check_dataset
from webfaq_domains.engine.recipe import read_recipe
from webfaq_domains.ground.schema import RAW
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.steps.base import check_chain
from webfaq_domains.steps.contamination.step import Decontaminate
from webfaq_domains.steps.languages import IdentifyLanguage, ResolveLanguage
from webfaq_domains.steps.near_duplicates import DropNearDuplicates
from webfaq_domains.steps.partition import AssignSplit, TakeQuota
from webfaq_domains.steps.wellformed import KeepWellFormed

BUILDERS = files("webfaq_domains.builders")
DEFAULT = BUILDERS.joinpath("webfaq.toml").read_text("utf-8")


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [
        row
        for path in sorted(folder.glob("data/*/*/*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]


def recipe(folder: Path, *texts: str) -> Path:
    path = folder / "mine.toml"
    path.write_text("\n".join(texts), "utf-8")
    return path


def test_a_builder_is_thin() -> None:
    for name in ("webfaq.py", "demo.py"):
        assert len(BUILDERS.joinpath(name).read_text("utf-8").splitlines()) <= 120


@pytest.mark.parametrize(
    ("near", "quota", "without"),
    [
        (True, True, []),
        (False, True, ["DropNearDuplicates"]),
        (True, False, ["TakeQuota"]),
        (False, False, ["DropNearDuplicates", "TakeQuota"]),
    ],
)
def test_the_chain_connects_and_labels_what_is_left(
    toy: Toy, tmp_path: Path, near: bool, quota: bool, without: Sequence[str]
) -> None:
    sections = read_recipe(None, DEFAULT)
    sections["near_duplicates"]["enabled"] = near
    sections["quota"]["enabled"] = quota
    chain = steps_of(sections, toy.options(tmp_path))
    check_chain([*RAW.names, "source"], chain)
    names = [type(step).__name__ for step in chain]
    expected = [
        "Clean", "KeepWellFormed", "RankRows", "DropDuplicates", "IdentifyLanguage",
        "ResolveLanguage", "KeepLanguages", "DropNearDuplicates", "LabelDomain", "AssignId",
        "AssignSplit", "TakeQuota",
    ]  # fmt: skip
    assert names == [name for name in expected if name not in without]


def test_what_the_recipe_says_reaches_the_steps(toy: Toy, tmp_path: Path) -> None:
    mine = recipe(
        tmp_path,
        "[well_formed]\nmin_question = 40\ndrop_asking_answers = false",
        "[near_duplicates]\nenabled = false",
        "[split]\nvalidation = 0.0\ntest = 0.0",
    )
    out = toy.build(tmp_path / "out", recipe=mine)
    dropped = out.manifest.ledger.dropped
    assert dropped["KeepWellFormed"]["question_too_short"] > 20
    assert "answer_asks" not in dropped["KeepWellFormed"]
    assert "DropNearDuplicates" not in dropped
    assert list(out.stats().splits) == ["train"]


def test_every_row_has_what_the_schema_promises(built: Path) -> None:
    rows = rows_of(built)
    claimed = {row["id"]: row for row in map(json.loads, filter(_is_pair, lines()))}
    domains = set(builtin_taxonomy().slugs)
    for row in rows:
        source = claimed[row["source_id"]]
        assert row["source"] == "faq"
        assert (row["origin"], row["url"]) == (source["origin"], source["url"])
        assert row["topic"] == source.get("topic")
        assert row["semantic_similarity_score"] == source.get("semantic_similarity_score")
        assert row["domain"] == row["domains"][0]
        assert set(row["domains"]) <= domains
        assert 0 <= row["domain_score"] <= 1
    by_id = {row["source_id"]: row for row in rows}
    assert by_id["dirty-markup-0"]["question"] == "How do I clear the cache of my browser?"
    assert by_id["dirty-markup-1"]["answer"].startswith("Hold the button for ten seconds & wait")
    assert by_id["dirty-unclaimed-0"]["language"] == "eng"


def _is_pair(line: str) -> bool:
    return line.startswith("{") and line.endswith("}")


def test_the_student_is_right_on_what_it_learnt(built: Path) -> None:
    """So that the golden files do not hang on rounding."""
    clean = [row for row in rows_of(built) if not row["source_id"].startswith("dirty-")]
    assert all(row["source_id"].split("-")[1] == row["domain"] for row in clean)


def test_how_a_build_runs_is_not_in_its_recipe(toy: Toy, tmp_path: Path) -> None:
    how = {"shard_rows": 50, "keep_dropped": True}
    out = toy.build(tmp_path / "out", limit=30, **how).manifest
    text = json.dumps(out.recipe.values)
    assert not [
        key for key in ("workers", "shard_rows", "keep_dropped", "out") if key in out.recipe.values
    ]
    assert str(tmp_path) not in text
    assert str(toy.student) not in text


@pytest.mark.parametrize(
    "changed",
    [{"limit": 29}, {"languages": ("eng", "rus")}, {"recipe": None}, {"sources": "two"}],
)
def test_what_changes_the_rows_changes_the_recipe_hash(
    toy: Toy, tmp_path: Path, changed: dict[str, Any]
) -> None:
    if "sources" in changed:
        changed = {"sources": (str(toy.faq), str(toy.faq / "part-0.jsonl"))}
    first, out = (
        toy.build(tmp_path / str(number), **{"limit": 30, **changes}).manifest.recipe_hash
        for number, changes in enumerate(({}, changed))
    )
    assert first != out


def test_two_sources_with_the_same_pairs_give_them_once(toy: Toy, tmp_path: Path) -> None:
    other = write_faq(tmp_path, lines()).rename(tmp_path / "again")
    english = {"languages": ("eng",)}
    out = toy.build(tmp_path / "out", sources=(str(toy.faq), str(other)), **english)
    assert out.manifest.ledger.rows_in == 2 * 298
    assert [source.name for source in out.manifest.sources] == ["faq", "again"]
    met = {row["source"] for row in rows_of(out.out)}
    assert met == {"faq", "again"}
    assert out.manifest.rows == toy.build(tmp_path / "one", **english).manifest.rows


def test_a_taxonomy_of_the_users_own_is_staged_and_checked(toy: Toy, tmp_path: Path) -> None:
    text = builtin_taxonomy().text.replace('version = "1.0.0"', 'version = "9.9.9"')
    (tmp_path / "mine.toml").write_text(text, "utf-8")
    out = toy.build(tmp_path / "out", taxonomy=tmp_path / "mine.toml", limit=60)
    assert out.manifest.taxonomy.version == "9.9.9"
    assert (out.out / "taxonomy.toml").read_text("utf-8") == text
    assert check_dataset(out.out, load=False).problems == []


def test_the_recipe_shows_every_default_of_the_steps() -> None:
    """A parameter has one default: the file lists the steps' own, and no others."""
    sections = read_recipe(None, DEFAULT)
    steps: dict[str, tuple[type, ...]] = {
        "well_formed": (KeepWellFormed,),
        "language": (IdentifyLanguage, ResolveLanguage),
        "near_duplicates": (DropNearDuplicates,),
        "decontaminate": (Decontaminate,),
        "split": (AssignSplit,),
        "quota": (TakeQuota,),
    }
    said = {"model", "indexes"}  # by an option of the command
    for name, kinds in steps.items():
        own = {field.name: field.default for kind in kinds for field in fields(kind)}  # type: ignore[arg-type]
        listed = {key: value for key, value in sections[name].items() if key != "enabled"}
        assert listed.keys() == own.keys() - said, name
        assert {key: own[key] for key in listed if own[key] is not MISSING} == {
            key: value for key, value in listed.items() if own[key] is not MISSING
        }
    assert sections.keys() - steps.keys() == {"about", "configs"}
