"""The command `publish`: shows the plan and, if told to, makes the release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from webfaq_domains.cli.options import Command, json_option, show

_OPTIONS = (
    click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path)),
    click.option("--repo", required=True, metavar="ORG/NAME", help="The repository on the Hub."),
    click.option("--version", required=True, metavar="X.Y.Z", help="The tag will be vX.Y.Z."),
    click.option("--dry-run/--yes", default=True, help="Show the plan, or do it.  [default: show]"),
    click.option("--create-pr", is_flag=True, help="Propose it as a pull request, without a tag."),
    click.option(
        "--create", type=click.Choice(("private", "public")),
        help="Make the repository if it is not there.",
    ),
    click.option("--message", default="", metavar="TEXT", help="The commit's title."),
    click.option(
        "--repo-type", "kind", type=click.Choice(("dataset", "model", "space")),
        help="[default: what the folder is]",
    ),
    click.option(
        "--most-per-commit", "most", type=click.IntRange(1, 25_000), default=25_000,
        show_default=True, help="Build up larger releases on a branch.",
    ),
    click.option("--no-load", is_flag=True, help="Do not load every config with datasets."),
)  # fmt: skip


def publish_options(command: Command) -> Command:
    """Add what `publish` takes."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command()
@publish_options
@json_option
def publish(folder: Path, dry_run: bool, no_load: bool, as_json: bool, **asked: Any) -> None:
    """Publish a folder as a version on the Hub: one commit, one tag. Shows the plan unless --yes.

    \b
    Example:
      webfaq-domains publish my-faq --repo my-org/my-faq --version 1.0.0
      webfaq-domains publish my-faq --repo my-org/my-faq --version 1.0.0 --create private --yes
    """
    from webfaq_domains.hub.publish import PublishOptions, publish_folder

    options = PublishOptions(**asked, load=not no_load, quiet=as_json)
    show(publish_folder(folder, options, go=not dry_run), as_json)
