"""`labeler.json` and `measured.json`: what is read, what is refused, and the card made of both."""

from __future__ import annotations

import copy
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from webfaq_domains.ground.errors import LabelerError
from webfaq_domains.ground.files import value_sha256
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.cascade import Cascade
from webfaq_domains.labelers.folder import read_labeler_file, write_labeler_file
from webfaq_domains.labelers.load import builtin_folder, load_labeler
from webfaq_domains.labelers.measuring.report import read_measured
from webfaq_domains.labelers.training.card import write_card

SHIPPED = json.loads((builtin_folder() / "labeler.json").read_text("utf-8"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(builtin_folder(), tmp_path / "labeler"))


def test_what_is_read_is_written_with_the_same_bytes(folder: Path) -> None:
    write_labeler_file(folder, read_labeler_file(folder))
    ours = (folder / "labeler.json").read_bytes()
    assert ours == (builtin_folder() / "labeler.json").read_bytes()


def test_the_card_is_what_the_two_files_say(folder: Path) -> None:
    write_card(folder, builtin_taxonomy())
    shipped = (builtin_folder() / "README.md").read_text("utf-8")
    assert (folder / "README.md").read_text("utf-8") == shipped, "make it anew with write_card"


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("thresholds", {**SHIPPED["thresholds"], "health": None}, "thresholds"),
        ("thresholds", {**SHIPPED["thresholds"], "health": float("nan")}, "NaN is no number"),
        ("thresholds", {**SHIPPED["thresholds"], "health": 1e9}, "thresholds"),
        ("thresholds", {"health": 0.5}, "thresholds must name"),
        ("calibration", {"slope": [1.0], "intercept": [0.0]}, "one slope and one intercept"),
        ("calibration", {"slope": [1e300] * 8, "intercept": [0.0] * 8}, r"calibration\.slope"),
        ("domains", ["health", "health"], "must all differ"),
        ("domains", ["../health"], r"domains\[0\]"),
        ("characters", 0, "characters"),
        ("characters", 10**30, "characters"),
        ("model", "../other/model.bin", "model"),
        ("model_sha256", "abc", "model_sha256"),
        ("files", {"/etc/passwd": "0" * 64}, "files"),
        ("files", ["model.ftz"], "files"),
        ("format", 2, "format"),
        ("surprise", 1, "surprise"),
    ],
)
def test_a_tampered_description_is_refused_with_file_and_key(
    folder: Path, key: str, value: Any, told: str
) -> None:
    (folder / "labeler.json").write_text(json.dumps({**SHIPPED, key: value}))
    with pytest.raises(LabelerError, match=rf"labeler\.json.*{told}"):
        load_labeler(folder)


def test_figures_of_another_form_are_refused(folder: Path) -> None:
    measured = json.loads((folder / "measured.json").read_text("utf-8"))
    measured["evaluations"]["annotations"]["rows"] = "many"
    (folder / "measured.json").write_text(json.dumps(measured))
    with pytest.raises(LabelerError, match=r"measured\.json.*rows"):
        read_measured(folder)


def test_a_folder_without_a_switch_point_has_no_cascade(folder: Path) -> None:
    with pytest.raises(LabelerError, match="holds a student only"):
        load_labeler(folder, cascade=True)
    teacher = {key: value for key, value in SHIPPED.items() if key not in ("model", "characters")}
    reading = {"characters": 400, "tokens": 96, "prefix": "", "batch": 64}
    files: dict[str, str] = {}
    teacher |= {"kind": "teacher", "reading": reading, "model_sha256": value_sha256(files)}
    (folder / "labeler.json").write_text(json.dumps({**teacher, "files": files}))
    with pytest.raises(LabelerError, match="no switch point"):
        Cascade.load(folder)
    teacher["reading"] = {**reading, "batch": 0}
    (folder / "labeler.json").write_text(json.dumps(teacher))
    with pytest.raises(LabelerError, match=r"labeler\.json.*batch is 0"):
        Cascade.load(folder)


WORDS: list[Any] = [
    None, True, -1, 0, 2**63, 10**30, 1e308, float("nan"), float("inf"), "", "a/../b", "\x00", "é",
    [], {}, [[]], {"": None}, "0" * 64,
]  # fmt: skip


def mutated(value: Any, chance: random.Random) -> Any:
    """Return a copy of a JSON value with one place changed, added or taken away."""
    value = copy.deepcopy(value)
    place = value
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return value
        key = chance.choice(keys)
        inner = place[key]
        if isinstance(inner, (dict, list)) and inner and chance.random() < 0.7:
            place = inner
            continue
        action = chance.random()
        if action < 0.2:
            del place[key]
        elif action < 0.3 and isinstance(place, dict):
            place[str(chance.choice(WORDS))] = inner
        else:
            place[key] = chance.choice(WORDS)
        return value


def survive(folder: Path, name: str, rounds: int) -> None:
    shipped = json.loads((folder / name).read_text("utf-8"))
    chance = random.Random(7)
    read = {"labeler.json": read_labeler_file, "measured.json": read_measured}[name]
    for _ in range(rounds):
        text = json.dumps(mutated(shipped, chance))
        if chance.random() < 0.1:
            text = text[: chance.randrange(len(text))]
        (folder / name).write_text(text)
        try:
            read(folder)
        except LabelerError as error:
            assert name in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("name", ["labeler.json", "measured.json"])
def test_any_change_is_read_or_refused_in_one_line(folder: Path, name: str) -> None:
    survive(folder, name, 300)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["labeler.json", "measured.json"])
def test_ten_thousand_changes_are_read_or_refused_in_one_line(folder: Path, name: str) -> None:
    survive(folder, name, 10_000)
