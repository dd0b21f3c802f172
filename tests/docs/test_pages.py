"""Links of the pages lead somewhere, their blocks can be read, and the made pages can be made."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from docpages import DOCS, blocks

ROOT = DOCS.parent
WRITTEN = sorted(
    [*DOCS.rglob("*.md"), *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md"))]
)


def made_pages() -> dict[str, str]:
    """Return the pages that are made when the site is built."""
    spec = importlib.util.spec_from_file_location("docs_reference", DOCS / "reference.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    try:
        found: dict[str, str] = module.pages()
    finally:
        sys.path[:] = before
    return found


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    made = {
        DOCS / "reference" / name for name in ("webfaq-domains.md", "webfaq-eval.md", "python.md")
    }
    made |= {DOCS / "reference" / name for name in ("builders.md", "using-webfaq-eval.md")}
    made |= {DOCS / "changelog.md", DOCS / "contributing.md"}
    for target in re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            place = (page.parent / target).resolve()
            assert place.exists() or place in made, f"{page.name} links to {target}"


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_blocks_can_be_read(page: Path) -> None:
    for language, title, text in blocks(page):
        if language == "toml":
            tomllib.loads(text)
        elif language == "python" and not text.startswith(" "):
            ast.parse(text)
        elif language == "json" and not title:
            json.loads(text)


@pytest.mark.needs("webfaq-eval")
def test_every_command_is_in_the_reference() -> None:
    pages = made_pages()
    assert "## webfaq-domains build\n" in pages["reference/webfaq-domains.md"]
    assert "### webfaq-eval experiment run\n" in pages["reference/webfaq-eval.md"]
    assert "`webfaq_domains.steps.clean`" in pages["reference/python.md"]
