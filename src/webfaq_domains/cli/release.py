"""Commands over releases: publish, versions, diff, remove. Each is a thin shell over one library call."""

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
    from webfaq_domains.release.publish import PublishOptions, publish_folder

    options = PublishOptions(**asked, load=not no_load, quiet=as_json)
    show(publish_folder(folder, options, go=not dry_run), as_json)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("repo", metavar="ORG/NAME")
@json_option
def versions(repo: str, as_json: bool) -> None:
    """List the versions of a repository: tags, commits, dates, rows, and what changed.

    A data set is looked for first, then a model, then a Space; models/ORG/NAME says which.

    \b
    Example:
      webfaq-domains versions org/webfaq-domains
    """
    from webfaq_domains.release.versions import list_versions

    show(list_versions(repo), as_json)


@click.command()
@click.argument("one", metavar="OLD")
@click.argument("other", metavar="NEW")
@json_option
def diff(one: str, other: str, as_json: bool) -> None:
    """Compare two staged folders or ORG/NAME@REVISION, and suggest the next version.

    \b
    Example:
      webfaq-domains diff org/webfaq-domains@v1.0.0 my-faq
    """
    from webfaq_domains.release.diff import diff as compare

    show(compare(one, other, quiet=as_json), as_json)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--origin", "origins", multiple=True, metavar="HOST", help="All rows of a web site.")
@click.option("--url", "urls", multiple=True, metavar="URL", help="All rows of a page.")
@click.option("--id", "ids", multiple=True, metavar="ID", help="One row.")
@click.option(
    "--removals", type=_PATH, metavar="FILE",
    help="The list of requests: read if it is there, and the new ones put in "
    "[default: OUT.removals.txt].",
)  # fmt: skip
@click.option("--out", type=_PATH, required=True, help="The staged folder to make.")
@json_option
def remove(
    folder: Path, origins: tuple[str, ...], urls: tuple[str, ...], ids: tuple[str, ...],
    removals: Path | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Answer removal requests: a new folder without these rows. Each option is repeatable.

    \b
    Example:
      webfaq-domains remove my-faq --origin example.org --out my-faq-2
    """
    from webfaq_domains.release.remove import remove_rows
    from webfaq_domains.steps.remove import Requests

    asked = Requests.of(origins, urls, ids)
    show(remove_rows(folder, out, asked, removals, quiet=as_json), as_json)
