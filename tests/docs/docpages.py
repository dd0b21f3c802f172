"""Run a page of the documentation: its blocks in order, in an empty folder.

`sh` and `python` blocks run, a block with a title is written as that file, and the lines of a `text`
block must be in what the blocks before it printed. `…` stands for anything.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield (language, title or nothing, text) of each block of a page."""
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        yield found[1], found[2] or "", found[3]


def run_page(page: Path, folder: Path, environment: dict[str, str]) -> None:
    """Run the blocks of a page; an error names the block that failed or the line that is missing."""
    scripts = str(Path(sys.executable).parent)
    variables = {**os.environ, **environment, "PATH": f"{scripts}:{os.environ['PATH']}"}
    shells = {"sh": ["bash", "-euc"], "python": [sys.executable, "-c"]}
    printed = ""
    for language, title, text in blocks(page):
        if title:
            (folder / title).write_text(text, encoding="utf-8")
        elif language in shells:
            done = subprocess.run(
                [*shells[language], text], cwd=folder, env=variables, capture_output=True, text=True
            )
            assert done.returncode == 0, (
                f"{page.name}: {text}\n{done.stdout}\n{done.stderr[-3000:]}"
            )
            printed += done.stdout
        elif language == "text":
            for line in filter(None, text.splitlines()):
                pattern = ".*".join(re.escape(part) for part in line.rstrip().split("…"))
                assert re.search(f"^{pattern}", printed, re.MULTILINE), (
                    f"{page.name} shows {line!r}; met:\n{printed[-3000:]}"
                )
