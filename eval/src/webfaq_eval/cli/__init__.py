"""The `webfaq-eval` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

import click

from webfaq_domains.ground.commands import LazyGroup

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

main = LazyGroup(
    COMMANDS,
    name="webfaq-eval",
    help="Train and score retrievers on domain subsets, with intervals and paired tests.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
main = click.version_option(package_name="webfaq-eval")(main)
