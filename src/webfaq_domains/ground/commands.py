"""A command group that imports a command when it is used: `--help` stays fast, extras stay optional."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from webfaq_domains.ground.errors import WebFAQError


class LazyGroup(click.Group):
    """A group of commands known by name alone; our errors are shown as one line, with exit status 1.

    `places` maps a command's name to where it is: `package.module:function`.
    """

    def __init__(self, places: Mapping[str, str], **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.places = places

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.places:
            return None
        module, _, name = self.places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except WebFAQError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except OSError as error:  # a full disk, a folder that may not be written
            what = f"{error.strerror or error} ({error.filename})" if error.filename else str(error)
            raise click.ClickException(f"{what}; mend it and run the same command again") from error
