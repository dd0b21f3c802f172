"""Pages of the site that are made when it is built, so that they cannot differ from what they describe.

A hook of mkdocs. The commands' pages come from click, the page of Python names from docstrings, and
some pages are files that stand elsewhere in the repository.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
#: Program -> (its package, the folder that holds the package).
PROGRAMS = {
    "webfaq-domains": ("webfaq_domains", ROOT / "src"),
    "webfaq-eval": ("webfaq_eval", ROOT / "eval" / "src"),
}
#: Page -> the file of the repository that it shows.
ELSEWHERE = {
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "reference/builders.md": "builders/README.md",
    "reference/using-webfaq-eval.md": "eval/README.md",
}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made to those in `docs/`; mkdocs calls this."""
    from mkdocs.structure.files import File

    for name, text in pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def pages() -> dict[str, str]:
    """Return every page that is made, by its path in the site."""
    made = {f"reference/{program}.md": commands_page(program) for program in PROGRAMS}
    made["reference/python.md"] = names_page()
    return made | {page: shown(page, name) for page, name in ELSEWHERE.items()}


def shown(page: str, name: str) -> str:
    """Return a file of the repository as a page: its links to pages of the site are kept."""
    here = (ROOT / name).parent

    def link(found: re.Match[str]) -> str:
        label, target = found[1], found[2]
        if "://" in target or target.startswith("#"):
            return found[0]
        path, _, anchor = target.partition("#")
        place = (here / path).resolve()
        if not place.exists():
            raise FileNotFoundError(f"{name} links to {target}, which is not there")
        back = "../" * page.count("/")
        inside = {ROOT / source: made for made, source in ELSEWHERE.items()}
        if place in inside:
            path = inside[place]
        elif place.is_relative_to(ROOT / "docs"):
            path = place.relative_to(ROOT / "docs").as_posix()
        else:  # a file that the site does not show
            return label if label.startswith("`") else f"{label} (`{place.relative_to(ROOT)}`)"
        return f"[{label}]({back}{path}{'#' + anchor if anchor else ''})"

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", link, (ROOT / name).read_text("utf-8"))


def commands_page(program: str) -> str:
    """Return the page of one program: the help of every command, as the program prints it."""
    package, folder = PROGRAMS[program]
    if importlib.util.find_spec(package) is None:
        sys.path.insert(0, str(folder))
    main = import_module(f"{package}.cli").main
    parts = [f"# {program}\n\nMade from `{program} --help` of every command.\n"]
    for name, command, context in walk(program, main):
        help_text = command.get_help(context)
        parts.append(f"{'#' * min(2 + name.count(' '), 4)} {name}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def walk(
    name: str, command: click.Command, parent: click.Context | None = None
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield a command and all below it with their full names, in the order of the help."""
    context = click.Context(
        command, parent, info_name=name.split()[-1], terminal_width=100, **command.context_settings
    )
    yield name, command, context
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found is not None, f"{name} lists {below} and does not have it"
            yield from walk(f"{name} {below}", found, context)


def names_page() -> str:
    """Return the page of Python names: the public face of both packages, then their modules."""
    parts = [
        "# Python names\n\nMade from the docstrings. The names under *Public* stay as they are within a "
        "major version. The rest is internal: it is listed so that you find your way in the code.\n"
    ]
    for package, folder in PROGRAMS.values():
        parts.append(f"## {package}\n\n{' '.join(docstring(folder / package / '__init__.py'))}\n")
        public = list(public_names(package, folder))
        if public:
            parts.append("### Public\n\n" + "\n".join(public))
        parts.append("### Modules\n\n| module | what is in it |\n|---|---|")
        for path in sorted((folder / package).rglob("*.py")):
            said = docstring(path)
            if said:
                place = (
                    path.relative_to(folder).with_suffix("").as_posix().removesuffix("/__init__")
                )
                parts.append(
                    f"| `{place.replace('/', '.')}` | {said[0].replace('|', chr(92) + '|')} |"
                )
        parts.append("")
    return "\n".join(parts)


def docstring(path: Path) -> list[str]:
    """Return the first paragraph of a module's docstring as one text in a list, or nothing."""
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return [" ".join(said.split("\n\n")[0].split())] if said else []


def public_names(package: str, folder: Path) -> Iterator[str]:
    """Yield a section for each name in the package's `__all__`: its signature and its docstring."""
    if importlib.util.find_spec(package) is None:
        sys.path.insert(0, str(folder))
    face = import_module(package)
    for name in getattr(face, "__all__", ()):
        if name.startswith("__"):
            continue
        thing = getattr(face, name)
        if not callable(thing):
            continue
        said = inspect.cleandoc(thing.__doc__ or "")
        said = re.sub(r":(raises|param)\s+(\w+):", r"\n\1 `\2`: ", said)
        said = re.sub(r"(?m)((?:^>>>.*\n?(?:^(?!>>>)\S.*\n?)*)+)", r"```pycon\n\1\n```\n", said)
        signature = f"{name}{inspect.signature(thing)}"
        yield f"#### {name}\n\n```python\n{signature}\n```\n\n{said}\n"
