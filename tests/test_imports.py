"""Imports point downwards, and importing has no effect."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "webfaq_domains"

#: From the ground upwards; modules of one rung do not import each other's rooms.
LADDER = [
    {"ground"},
    {"sources", "labelers"},
    {"steps"},
    {"engine"},
    {"dataset"},
    {"retrieval"},
    {"release"},
    {"cli"},
    {"builders"},
]
RUNG = {name: number for number, names in enumerate(LADDER) for name in names}
#: Arrows that the ladder does not have: (from, to), each inside a function, by name, when asked for.
ALLOWED = {
    ("cli.data", "builders"),
    ("cli.build", "builders"),
    ("cli.labeler", "builders"),
}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield (name without the package, file) of every module of the distribution."""
    for folder, prefix in ((PACKAGE, ""), (ROOT / "builders", "builders.")):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = prefix + ".".join(part for part in parts if part != "__init__")
            yield name.rstrip("."), path


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module of ours that a file imports, and whether it does so on top."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("webfaq_domains."):
                yield name.removeprefix("webfaq_domains."), node in tree.body


@pytest.mark.parametrize(("name", "path"), [(n, p) for n, p in modules() if n])
def test_imports_point_downwards(name: str, path: Path) -> None:
    part = name.split(".")[0]
    assert part in RUNG, f"{part} has no place on the ladder"
    for imported, on_top in imports(path):
        other = imported.split(".")[0]
        if other == part:
            continue
        if (name, other) in ALLOWED:
            assert not on_top
        else:
            assert RUNG[other] < RUNG[part], f"{name} imports {imported}"


#: Imports a module or runs `--help`, and reports what that loaded, opened and asked of the network.
WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event == "open" and isinstance(args[0], str):
        # Installed packages read their own files; ours may not, whatever the clone is named.
        theirs = "/site-packages/" in args[0] or args[0].startswith((sys.prefix, sys.base_prefix))
        ours = "/webfaq_domains/" in args[0] or "/builders/" in args[0]
        if (ours or not theirs) and not args[0].endswith((".py", ".pyc")):
            seen.append(f"open {args[0]}")
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "logging.")):
        seen.append(f"{event} {args[:1]}")
sys.addaudithook(watch)
stdout, sys.stdout = sys.stdout, sys.stderr
try:
    if len(sys.argv) == 1:
        import webfaq_domains
    else:
        from webfaq_domains.cli import main
        main(sys.argv[1:] + ["--help"], prog_name="webfaq-domains")
except SystemExit as end:
    assert not end.code
json.dump({"modules": sorted(sys.modules), "seen": seen}, stdout)
"""

HEAVY = {
    "torch", "datasets", "fasttext", "setfit", "pyarrow.dataset", "matplotlib", "transformers",
    "sentence_transformers", "sklearn", "pandas", "huggingface_hub", "extruct", "rdflib",
}  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "",
        "build",
        "build webfaq",
        "build labeler",
        "build xtreme-r",
        "build retrieval",
        "build texts",
        "check",
        "stats",
        "label",
        "labeler",
        "demo",
        "diff",
        "remove",
        "versions",
    ],
)
def test_importing_and_help_have_no_effect(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *command.split()], cwd=tmp_path, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(HEAVY.intersection(found["modules"])) == []
    assert found["seen"] == []
    assert not list(tmp_path.iterdir())
