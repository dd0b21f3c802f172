"""The demo: the first thing a user runs, with the student that the package ships."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import partial
from importlib.resources import files
from pathlib import Path

import pytest
from toybuild import run_cli
from webfaq_domains.builders import demo
from webfaq_domains.builders.demo import Demo, build_demo

from webfaq_domains.dataset.check import check_dataset
from webfaq_domains.ground.languages import languages
from webfaq_domains.ground.manifest import LABELER_FILE
from webfaq_domains.ground.taxonomy import builtin_taxonomy
from webfaq_domains.labelers.load import builtin_folder

pytestmark = pytest.mark.skipif(
    not (builtin_folder() / LABELER_FILE).is_file(), reason="the builtin student is not there"
)

SAMPLE = Path(str(files("webfaq_domains.builders"))) / "sample"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo in this process, without loading every config."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.cpu_count", lambda: 1)
        patch.setattr(demo, "check_dataset", partial(check_dataset, load=False))
        return build_demo(tmp_path_factory.mktemp("demo") / "my-demo", quiet=True)


def test_the_sample_has_nine_domains_in_twelve_languages_and_six_scripts() -> None:
    cells = Counter[tuple[str, str]]()
    for path in sorted(SAMPLE.glob("*.jsonl")):
        for row in map(json.loads, path.read_text("utf-8").splitlines()):
            assert row["language"] == path.stem
            cells[row["language"], row["id"].split("-")[1]] += 1
    met = {language for language, _ in cells}
    assert len(met) >= 12
    assert len({languages()[language].script for language in met}) >= 6
    for language in met:
        assert {domain for tag, domain in cells if tag == language} >= set(builtin_taxonomy().slugs)


def test_it_builds_and_checks(made: Demo) -> None:
    assert made.checked.fine
    stats = made.built.stats()
    assert len(stats.languages) == 12
    assert len(stats.domains) == 9
    assert list(stats.splits) == ["train", "validation", "test"]
    assert stats.ledger.dropped, "the sample has dirty rows"
    assert made.agreement["agreement_with_intended_domain"] > 0.75


def test_it_ends_with_three_lines_that_work(
    made: Demo, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    text = made.text()
    assert ": fine (" in text
    lines = text.splitlines()[-3:]
    assert lines[0] == "from datasets import load_dataset"
    code = "\n".join(lines).replace("split=", f"cache_dir={str(tmp_path)!r}, split=")
    exec(code, {})
    question, _, domain = capsys.readouterr().out.strip().rpartition(" -> ")
    assert question
    assert domain in lines[1]


def test_its_result_is_one_document(made: Demo) -> None:
    shown = json.loads(json.dumps(made.to_json()))
    assert shown["check"]["fine"] is True
    assert shown["rows"] == made.built.manifest.rows
    assert 0 < shown["agreement_with_intended_domain"] <= 1


def test_a_second_demo_finds_the_first(made: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "check_dataset", partial(check_dataset, load=False))
    again = build_demo(made.built.out, quiet=True)
    assert again.built.already_there
    assert "nothing was done" in again.text()


@pytest.mark.slow
def test_the_command_takes_less_than_two_minutes(tmp_path: Path) -> None:
    """The whole of it, every config loaded; `run_cli` gives up after 120 seconds."""
    shown = run_cli("demo", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "webfaq-domains-demo: fine (" in shown.stdout
    assert shown.stdout.splitlines()[-3] == "from datasets import load_dataset"
    assert [path.name for path in tmp_path.iterdir()] == ["webfaq-domains-demo"]


def test_the_config_that_the_readme_loads_is_there(made: Demo) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (name,) = re.findall(r'load_dataset\("webfaq-domains-demo", "([^"]+)"', readme)
    assert name in (made.built.manifest.configs.names or ())
