"""Every command explains itself, and every command is a thin shell."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from webfaq_domains.cli import main

README = Path(__file__).parents[2] / "README.md"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command, such as `("build", "webfaq")`."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def command_of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    return command


ALL = [" ".join(path) for path in commands(main)]


def test_the_commands_of_the_readme_are_there() -> None:
    assert {"build webfaq", "check", "stats", "label", "demo"} <= set(ALL)


@pytest.mark.parametrize("path", ALL)
def test_help_has_a_sentence_an_example_and_every_option(path: str) -> None:
    shown = CliRunner().invoke(main, [*path.split(), "--help"], prog_name="webfaq-domains")
    assert shown.exit_code == 0
    assert f"Usage: webfaq-domains {path} " in shown.stdout
    assert f"  webfaq-domains {path}" in shown.stdout.partition("Example:")[2]
    assert max(map(len, shown.stdout.splitlines())) <= 100
    command = command_of(tuple(path.split()))
    assert command.get_short_help_str(200).endswith(".")
    for option in command.params:
        if isinstance(option, click.Option):
            assert any(name in shown.stdout for name in option.opts)


@pytest.mark.parametrize("path", ["", *sorted({p.split()[0] for p in ALL if " " in p})])
def test_groups_list_their_commands(path: str) -> None:
    shown = CliRunner().invoke(main, [*path.split(), "--help"])
    assert shown.exit_code == 0
    for name in (p.removeprefix(path).split()[0] for p in ALL if p.startswith(path)):
        assert f"\n  {name} " in shown.stdout


@pytest.mark.parametrize("path", ALL)
def test_every_command_has_a_page(path: str) -> None:
    pages = [README, *(README.parent / "docs").rglob("*.md")]
    assert any(f"webfaq-domains {path}" in page.read_text("utf-8") for page in pages)


@pytest.mark.parametrize("path", ALL)
def test_a_command_is_short(path: str) -> None:
    callback = command_of(tuple(path.split())).callback
    assert callback is not None
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(callback)))
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert function.end_lineno is not None
    assert function.end_lineno - function.lineno + 1 < 25


@pytest.mark.parametrize("path", ALL)
def test_every_command_can_print_json(path: str) -> None:
    assert any("--json" in option.opts for option in command_of(tuple(path.split())).params)


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    shown = CliRunner().invoke(main, ["--version"], prog_name="webfaq-domains")
    assert shown.stdout.strip() == f"webfaq-domains, version {version('webfaq-domains')}"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["build", "nonsense"],
        ["build", "webfaq"],
        ["build", "webfaq", "--source", "x"],
        ["build", "webfaq", "--source", "x", "--out", "y", "--workers", "0"],
        ["build", "webfaq", "--source", "x", "--out", "y", "--limit", "none"],
        ["build", "webfaq", "--source", "x", "--out", "y", "--shard-rows", "0"],
        ["build", "webfaq", "--nonsense"],
        ["check"],
        ["check", "there-is-no-such-folder"],
        ["stats", "there-is-no-such-folder"],
        ["label"],
        ["label", "there-is-no-such-file.jsonl", "--out", "x.jsonl"],
        ["demo", "too", "many"],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 2
    assert shown.stdout == ""
    assert "Usage: " in shown.stderr
