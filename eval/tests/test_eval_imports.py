"""Imports point downwards, of the other package only its ground is used, and importing has no effect."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "webfaq_eval"
#: From the ground upwards; modules of one rung do not import each other's rooms.
LADDER = [
    {"errors"},
    {"identity", "places", "rows"},
    {"results", "row_files"},
    {"benchmark"},
    {"models"},
    {"statistics"},
    {"scoring"},
    {"pairs"},
    {"training"},
    {"mining"},
    {"intermediate"},
    {"report"},
    {"experiment"},
    {"export"},
    {"cli"},
]
RUNG = {name: number for number, names in enumerate(LADDER) for name in names}


def modules() -> Iterator[tuple[str, Path]]:
    """Yield (name without the package, file) of every module but the package's own."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        if name:
            yield name, path


MODULES = list(modules())


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Yield each module or name of ours that a file imports, and whether it does so on top."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("webfaq_"):
                yield name, node in tree.body


@pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_imports_point_downwards(name: str, path: Path) -> None:
    room = name.split(".")[0]
    assert room in RUNG, f"{room} has no place on the ladder"
    for imported, _ in imports(path):
        if imported.startswith("webfaq_domains"):
            assert imported.startswith("webfaq_domains.ground."), f"{name} imports {imported}"
            continue
        other = imported.split(".")[1]
        assert other == room or RUNG[other] < RUNG[room], f"{name} imports {imported}"


def test_no_modules_import_each_other() -> None:
    known = {name for name, _ in MODULES}
    arrows: dict[str, set[str]] = {}
    for name, path in MODULES:
        ours = [i.removeprefix("webfaq_eval.") for i, on_top in imports(path) if on_top]
        # `from room.module import name` is given as room.module.name.
        found = {one if one in known else one.rpartition(".")[0] for one in ours}
        arrows[name] = found & known - {name}
    while free := [name for name, needs in arrows.items() if not needs]:
        for name in free:
            del arrows[name]
        for needs in arrows.values():
            needs.difference_update(free)
    assert not arrows, f"these import each other in a circle: {sorted(arrows)}"


#: Imports the package or runs `--help`, and reports what that loaded, opened and asked of the network.
WATCHED = """
import json, sys
seen = []
ours = sys.argv.pop(1)
def watch(event, args):
    if event == "open" and isinstance(args[0], str):
        library = args[0].startswith((sys.prefix, sys.base_prefix)) or "site-packages" in args[0]
        code = args[0].endswith((".py", ".pyc"))
        if not code and (args[0].startswith(ours) or not library):
            seen.append(f"open {args[0]}")
    elif event.startswith(("socket.", "subprocess.", "os.mkdir", "logging.")):
        seen.append(f"{event} {args[:1]}")
sys.addaudithook(watch)
stdout, sys.stdout = sys.stdout, sys.stderr
try:
    if len(sys.argv) == 1:
        import webfaq_eval
    else:
        from webfaq_eval.cli import main
        main(sys.argv[1:] + ["--help"], prog_name="webfaq-eval")
except SystemExit as end:
    assert not end.code
json.dump({"modules": sorted(sys.modules), "seen": seen}, stdout)
"""
HEAVY = {
    "torch", "datasets", "pyarrow", "matplotlib", "transformers", "sentence_transformers", "sklearn",
    "pandas", "huggingface_hub", "mteb", "bm25s", "faiss", "peft", "accelerate",
}  # fmt: skip
COMMANDS = [
    "", "score", "verify", "compare", "report", "export", "experiment", "experiment plan",
    "experiment run", "experiment status", "experiment report", "conditions", "mine", "train",
    "intermediate",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_importing_and_help_have_no_effect(command: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, str(PACKAGE), *command.split()], cwd=tmp_path,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(HEAVY.intersection(found["modules"])) == []
    assert found["seen"] == []
    assert not list(tmp_path.iterdir())
