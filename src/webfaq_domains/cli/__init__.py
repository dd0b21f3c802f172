"""The `webfaq-domains` command: a group whose commands are imported when they are asked for."""

from __future__ import annotations

import click

from webfaq_domains.ground.commands import LazyGroup

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

main = LazyGroup(
    COMMANDS,
    name="webfaq-domains",
    help="Build, check, label and publish FAQ data sets by domain and language.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
main = click.version_option(package_name="webfaq-domains")(main)
