"""The public names: each is there, is imported late, and its example gives what it says."""

from __future__ import annotations

import doctest
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import webfaq_eval
from tinypairs import standard
from tinyresults import write_results

EXPERIMENT = """
name = "toy"
domains = ["health"]
conditions = ["none"]
[starts.toy]
[train]
mode = "head"
[score]
subsets = ["webfaq_deu"]
max_length = 32
"""


@pytest.fixture(scope="module")
def names(
    tmp_path_factory: pytest.TempPathFactory, bench_folder: Path, sentence_model: Path
) -> dict[str, Any]:
    """What the examples call `benchmark`, `pairs`, `encoder`, `results`, `experiment`."""
    base = tmp_path_factory.mktemp("face")
    (base / "toy.toml").write_text(EXPERIMENT)
    return {
        "benchmark": str(bench_folder),
        "encoder": str(sentence_model),
        "pairs": str(standard(base / "pairs")),
        "results": write_results(base / "results", bench_folder, "org/one", 1.5, ("webfaq_deu",)),
        "other_results": write_results(base / "r2", bench_folder, "org/two", 1, ("webfaq_deu",)),
        "experiment": base / "toy.toml",
    }


def test_every_public_name_is_there_and_documented() -> None:
    for name in webfaq_eval.__all__:
        assert getattr(webfaq_eval, name).__doc__, name
    assert dir(webfaq_eval) == webfaq_eval.__all__ == sorted(webfaq_eval.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = webfaq_eval.nothing


def test_names_are_imported_when_they_are_asked_for() -> None:
    code = "import webfaq_eval, sys; assert not [m for m in sys.modules if m.startswith('webfaq_eval.')]"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "name", ["", "compare", "export_results", "run_experiment", "score", "write_report"]
)
def test_the_examples_run(
    name: str, names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    subject = getattr(webfaq_eval, name) if name else webfaq_eval
    module = import_module(subject.__module__) if name else webfaq_eval
    given = {**vars(module), **names, "Path": Path}
    found = doctest.DocTestFinder(recurse=False).find(subject, name or "webfaq_eval", globs=given)
    runner = doctest.DocTestRunner()
    examples = 0
    for one in found:
        examples += len(one.examples)
        runner.run(one)
    assert examples and not runner.failures
