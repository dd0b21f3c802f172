"""The `webfaq-domains` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

from importlib import import_module

import click

from webfaq_domains.ground.errors import WebFAQError

#: Command name -> where it is. A new command is one line here.
COMMANDS = {
    "build": "webfaq_domains.cli.build:build",
    "check": "webfaq_domains.cli.data:check",
    "demo": "webfaq_domains.cli.data:demo",
    "diff": "webfaq_domains.cli.release:diff",
    "export": "webfaq_domains.cli.retrieval:export",
    "label": "webfaq_domains.cli.data:label",
    "labeler": "webfaq_domains.cli.labeler:labeler",
    "publish": "webfaq_domains.cli.release:publish",
    "remove": "webfaq_domains.cli.release:remove",
    "stats": "webfaq_domains.cli.data:stats",
    "versions": "webfaq_domains.cli.release:versions",
}


class LazyGroup(click.Group):
    """A group that imports a command when it is used, and shows our errors as one line."""

    def __init__(self, places: dict[str, str], **options: object) -> None:
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


main = LazyGroup(
    COMMANDS,
    name="webfaq-domains",
    help="Build, check, label and publish FAQ data sets by domain and language.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
main = click.version_option(package_name="webfaq-domains")(main)
