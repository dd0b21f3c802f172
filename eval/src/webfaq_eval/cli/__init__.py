"""The `webfaq-eval` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

from importlib import import_module

import click

from webfaq_eval.errors import EvalError

#: Command name -> where it is. A new command is one line here.
COMMANDS: dict[str, str] = {
    "score": "webfaq_eval.cli.score:score",
    "verify": "webfaq_eval.cli.score:verify",
    "compare": "webfaq_eval.cli.results:compare",
    "experiment": "webfaq_eval.cli.experiment:experiment",
    "export": "webfaq_eval.cli.results:export",
    "report": "webfaq_eval.cli.results:report",
    "conditions": "webfaq_eval.cli.train:conditions",
    "mine": "webfaq_eval.cli.train:mine",
    "train": "webfaq_eval.cli.train:train",
    "intermediate": "webfaq_eval.cli.intermediate:intermediate",
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
        except EvalError as error:
            raise click.ClickException(str(error)) from error


main = LazyGroup(
    COMMANDS,
    name="webfaq-eval",
    help="Train and score retrievers on domain subsets, with intervals and paired tests.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
main = click.version_option(package_name="webfaq-eval")(main)
