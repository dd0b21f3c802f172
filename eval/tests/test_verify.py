"""Scores are held against a table; OK and FAIL are told apart, a missing subset is not OK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from webfaq_eval.cli import main
from webfaq_eval.errors import EvalError
from webfaq_eval.models.encoder import Settings
from webfaq_eval.scoring.score import Request, score
from webfaq_eval.scoring.verify import read_expected, verify


def table(place: Path, **values: float) -> Path:
    lines = [f"{name} = {value}" for name, value in values.items()]
    head = '[[scores]]\nmetric = "accuracy"\nwithin = 0.03\nsource = "here"\n[scores.values]\n'
    place.write_text(head + "\n".join(lines))
    return place


@pytest.fixture
def request_(bench_folder: Path, tmp_path: Path) -> Request:
    return Request(Settings("random"), str(bench_folder), tmp_path / "results")


def test_ok_fail_and_missing(request_: Request, tmp_path: Path) -> None:
    scored = score(Request(**{**vars(request_), "patterns": ("tatoeba_*",)}), quiet=True)
    met = {
        r.subset.name: r.main.value for _, r in scored.results if r.subset.direction == "forward"
    }
    near, far = met["tatoeba_deu"] + 0.02, (met["tatoeba_swa"] + 0.5) % 1
    result = verify(
        request_,
        table(tmp_path / "t.toml", tatoeba_deu=near, tatoeba_swa=far, tatoeba_xxx=0.5),
        quiet=True,
    )
    assert [line.word for line in result.lines] == ["OK", "FAIL", "MISSING"]
    assert not result.fine
    assert "1 OK, 1 FAIL, 1 MISSING" in result.text()
    assert verify(request_, table(tmp_path / "u.toml", tatoeba_deu=near), quiet=True).fine


def test_the_command_exits_1_on_fail(request_: Request, tmp_path: Path) -> None:
    arguments: list[Any] = [
        "verify",
        "--model",
        "random",
        "--benchmark",
        request_.benchmark,
        "--out",
        tmp_path / "r",
    ]
    wrong = table(tmp_path / "t.toml", tatoeba_deu=0.99)
    shown = CliRunner().invoke(main, [*map(str, arguments), "--expected", str(wrong)])
    assert shown.exit_code == 1 and "FAIL" in shown.output


def test_a_table_that_cannot_be_used_is_refused(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "t.toml").write_text("[[scores]]\nmetric = 'accuracy'\n")
    with pytest.raises(EvalError, match="cannot be read as a table"):
        read_expected(tmp_path / "t.toml")
    (tmp_path / "t.toml").write_text("scores = []\n")
    with pytest.raises(EvalError, match="expects nothing"):
        read_expected(tmp_path / "t.toml")
    with pytest.raises(EvalError, match="none of the subsets"):
        verify(request_, table(tmp_path / "u.toml", tatoeba_xxx=0.5), quiet=True)


def test_the_package_s_table_names_xtreme_r_s_languages_with_their_source() -> None:
    entries, note = read_expected()
    languages = {entry.subset.removeprefix("tatoeba_") for entry in entries}
    assert len(languages) == 41 and {"deu", "swa", "zho"} <= languages
    assert all(entry.within == 0.03 and 0.5 < entry.value < 1 and entry.source for entry in entries)
    assert "query: " in note
