"""Recipe files: what differs from the default, or a refusal that says what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from webfaq_domains.engine.recipe import enabled, make, read_recipe
from webfaq_domains.ground.errors import RecipeError

DEFAULT = files("webfaq_domains.builders").joinpath("webfaq.toml").read_text("utf-8")


def read(folder: Path, text: str | bytes) -> dict[str, dict[str, object]]:
    path = folder / "mine.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_recipe(path, DEFAULT)


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    default = read_recipe(None, DEFAULT)
    mine = read(tmp_path, "[quota]\nenabled = true\nrows = 5\n")
    assert mine["quota"] == {"enabled": True, "rows": 5, "salt": "quota-1"}
    assert {**mine, "quota": None} == {**default, "quota": None}
    assert read_recipe(None, DEFAULT) == default


def test_a_whole_number_will_do_for_a_fraction(tmp_path: Path) -> None:
    assert read(tmp_path, "[near_duplicates]\nthreshold = 1\n")["near_duplicates"]["threshold"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[quotas]\nrows = 5\n", r"unknown table \[quotas\]; did you mean 'quota'\? known: about"),
        ("[zzz]\n", r"unknown table \[zzz\]; known: about, well_formed"),
        ("quota = 5\n", r"unknown table \[quota\]"),
        ("[quota]\nrow = 5\n", r"\[quota\] has no key 'row'; did you mean 'rows'\?"),
        ("[split]\nqqq = 5\n", r"\[split\] has no key 'qqq'; known: validation, test, salt"),
        ('[quota]\nrows = "5"\n', r"\[quota\] rows = '5': expected int, like the default 1000000"),
        ("[quota]\nrows = 5.5\n", r"\[quota\] rows = 5.5: expected int"),
        ("[quota]\nrows = true\n", r"\[quota\] rows = True: expected int"),
        ('[quota]\nenabled = "no"\n', r"\[quota\] enabled = 'no': expected bool"),
        ("[split]\ntest = true\n", r"\[split\] test = True: expected float"),
        ("[about]\nlicense = 4\n", r"\[about\] license = 4: expected str"),
        ('[configs]\nmin_rows = "many"\n', r"\[configs\] min_rows = 'many': expected int"),
        ("[language]\ncharacters = [3]\n", r"\[language\] characters = \[3\]: expected int"),
        ("[split]\ntest = nan\n", r"\[split\] test = nan: expected a number from 0 to 1e\+15"),
        ("[split]\ntest = inf\n", r"\[split\] test = inf: expected a number"),
        ("[quota]\nrows = -1\n", r"\[quota\] rows = -1: expected a number from 0"),
        (f"[quota]\nrows = {2**70}\n", r"\[quota\] rows = \d+: expected a number"),
        ("[quota\n", "mine.toml: not valid TOML"),
        (b"\xff", "mine.toml: not valid TOML"),
    ],
)
def test_a_recipe_that_is_not_meant_so_is_refused(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        read(tmp_path, text)


def test_a_recipe_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(RecipeError, match="cannot read the recipe"):
            read_recipe(path, DEFAULT)


@dataclass(frozen=True)
class Step:
    share: float = 0.5
    rows: int = 3
    name: str = "x"

    def __post_init__(self) -> None:
        if self.share > 1:
            raise RecipeError("the share is more than all")


def test_a_step_is_made_from_its_table() -> None:
    assert make(Step, {"share": 1, "enabled": True}, "step") == Step(share=1)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"shares": 1.0}, r"\[step\] has no key 'shares'; did you mean 'share'\?"),
        ({"rows": "3"}, r"\[step\] rows = '3': expected int, like the default 3"),
        ({"share": 1.5}, r"\[step\] the share is more than all"),
    ],
)
def test_a_step_that_cannot_be_made_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        make(Step, table, "step")


def test_a_table_is_enabled_unless_it_says_no() -> None:
    assert enabled({})
    assert enabled({"enabled": True})
    assert not enabled({"enabled": False})
