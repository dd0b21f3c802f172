"""A small build that many tests share: 298 rows in 6 scripts, and a student trained on them.

`data/faq.jsonl` is fixed, so that golden files are; 28 of its rows are there to be dropped and 3
lines to be quarantined. An id names the domain that a row was written for (`eng-health-3`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from webfaq_domains.builders.webfaq import build

from webfaq_domains.dataset.build import BuildOptions, Built

FAQ = Path(__file__).parent / "data" / "faq.jsonl"
GOLDEN = Path(__file__).parent / "golden"
DOMAINS = [
    "technology",
    "health",
    "travel",
    "finance",
    "legal",
    "education",
    "entertainment",
    "commerce",
]

#: What a collection this small needs: several splits, several cell configs, a quota that bites.
RECIPE = """
[about]
pretty_name = "A toy of FAQ pairs"
license = "apache-2.0"
contact = "toys@example.org"
[split]
validation = 0.15
test = 0.15
[quota]
enabled = true
rows = 4
[configs]
min_rows = 5
most = 3
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--refresh-golden", action="store_true", help="Write tests/golden/ anew.")


def lines() -> list[str]:
    """Return the lines of the collection."""
    return FAQ.read_text(encoding="utf-8").splitlines()


def write_faq(folder: Path, rows: Sequence[str], files: int = 1) -> Path:
    """Write lines to `files` files of a source folder named `faq`; return the folder."""
    source = folder / "faq"
    source.mkdir(parents=True)
    share = -(-len(rows) // files)
    for number in range(files):
        part = rows[number * share : (number + 1) * share]
        text = "".join(f"{line}\n" for line in part)
        (source / f"part-{number}.jsonl").write_text(text, encoding="utf-8")
    return source


def sha256_of(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file under a folder, hidden ones included, by path."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def data_of(folder: Path) -> dict[str, str]:
    """Return the sha256 of the data files alone."""
    return {name: sha for name, sha in sha256_of(folder).items() if name.startswith("data/")}


def command(*args: object) -> list[str]:
    """Return the command line of the installed `webfaq-domains`."""
    script = Path(sysconfig.get_path("scripts")) / "webfaq-domains"
    return [str(script), *map(str, args)]


def run_cli(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `webfaq-domains` in a process of its own."""
    return subprocess.run(command(*args), cwd=cwd, capture_output=True, text=True, timeout=120)


@dataclass(frozen=True)
class Toy:
    """What a toy build needs: the source folder, the labeler, the recipe."""

    faq: Path
    student: Path
    recipe: Path

    def options(self, out: Path, **changed: Any) -> BuildOptions:
        """Return the options of the toy build in this process, with some changed."""
        values: dict[str, Any] = {
            "sources": (str(self.faq),), "labeler": str(self.student), "recipe": self.recipe,
            "quiet": True,
        }  # fmt: skip
        return BuildOptions(out=out, **{**values, **changed})

    def build(self, out: Path, **changed: Any) -> Built:
        return build(self.options(out, **changed))

    def arguments(self, out: Path) -> list[object]:
        """Return the arguments of `webfaq-domains` for the same build."""
        return [
            "build", "webfaq", "--source", self.faq, "--out", out, "--labeler", self.student,
            "--recipe", self.recipe,
        ]  # fmt: skip


@pytest.fixture(scope="session")
def refresh_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--refresh-golden"))


@pytest.fixture(scope="session")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labeler folder whose fastText model knows the collection by heart."""
    import fasttext

    folder = tmp_path_factory.mktemp("student")
    text = folder / "train.txt"
    with text.open("w", encoding="utf-8") as file:
        for row in map(json.loads, filter(_is_clean, lines())):
            words = f"{row['question']} {row['answer']}".lower()
            file.write(f"__label__{row['id'].split('-')[1]} {words}\n")
    model = fasttext.train_supervised(
        str(text), loss="softmax", dim=10, minn=1, maxn=2, bucket=30_000, epoch=100, lr=3.0, thread=1,
        verbose=0,
    )  # fmt: skip
    text.unlink()
    model.save_model(str(folder / "model.bin"))
    about = {
        "kind": "student",
        "name": "toy",
        "model": "model.bin",
        "model_sha256": hashlib.sha256((folder / "model.bin").read_bytes()).hexdigest(),
        "domains": DOMAINS,
        "taxonomy_version": "1.0.0",
        "thresholds": dict.fromkeys(DOMAINS, 0.5),
        "calibration": {"slope": [1.0] * len(DOMAINS), "intercept": [0.0] * len(DOMAINS)},
        "characters": 500,
    }
    (folder / "labeler.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def _is_clean(line: str) -> bool:
    return '"id": "dirty-' not in line and line.startswith('{"id": "') and line.count("-") >= 2


@pytest.fixture(scope="session")
def toy(student: Path, tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """The collection as one file in a folder, the student and the recipe."""
    folder = tmp_path_factory.mktemp("toy")
    recipe = folder / "toy.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    return Toy(write_faq(folder, lines()), student, recipe)


@pytest.fixture(scope="session")
def built(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staged folder of the toy build: one shard, one worker. Not to be changed."""
    return toy.build(tmp_path_factory.mktemp("built") / "toy-faq").out


@pytest.fixture(scope="session")
def small(toy: Toy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The staged folder of a build of two languages. Not to be changed."""
    return toy.build(tmp_path_factory.mktemp("small") / "small", languages=("eng", "rus")).out


@pytest.fixture
def staged(small: Path, tmp_path: Path) -> Path:
    """A copy of the small folder, to be tampered with."""
    folder = tmp_path / "staged"
    shutil.copytree(small, folder)
    return folder
