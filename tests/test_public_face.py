"""The public functions of the package: documented, and their examples run."""

from __future__ import annotations

import doctest
import inspect

import pytest

import webfaq_domains
from webfaq_domains.labelers import base, load
from webfaq_domains.labelers.measuring import agreement

#: Examples share a folder, so they run in this order, as a reader would run them.
BEFORE = ("", "build", "load_labeler", "label_files", "check", "stats", "remove")
RELEASE = ("diff", "publish")


@pytest.mark.parametrize("name", webfaq_domains.__all__)
def test_every_public_function_has_an_example_and_types(name: str) -> None:
    function = getattr(webfaq_domains, name)
    assert ">>> " in (function.__doc__ or ""), f"{name} has no example"
    assert set(inspect.signature(function).parameters) <= set(function.__annotations__)
    assert name in BEFORE + RELEASE


def failed(names: tuple[str, ...]) -> int:
    """Run the examples of functions in one session; return how many failed."""
    found = doctest.DocTestFinder().find(webfaq_domains, "webfaq_domains")
    named = {example.name.removeprefix("webfaq_domains").strip("."): example for example in found}
    shared = dict(vars(webfaq_domains))
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for name in names:
        named[name].globs = shared
        runner.run(named[name], clear_globs=False)
    return runner.summarize(verbose=False).failed


def test_the_examples_run() -> None:
    assert failed(BEFORE) == 0


def test_the_examples_of_releases_run() -> None:
    pytest.importorskip("webfaq_domains.release.publish", exc_type=ImportError)
    assert failed(BEFORE + RELEASE) == 0


@pytest.mark.parametrize("module", [base, load, agreement])
def test_examples_of_the_labelers_run(module) -> None:
    assert doctest.testmod(module).failed == 0
