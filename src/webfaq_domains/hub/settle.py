"""Commit, verify, tag: the three moves of a release, each safe to make again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from webfaq_domains.errors import HubError, PublishError
from webfaq_domains.hub.plan import Plan, make_plan
from webfaq_domains.hub.release import Release
from webfaq_domains.hub.remote import MAIN, Remote
from webfaq_domains.hub.upload import operations


class Outcome(NamedTuple):
    """What came of a publish: in what state, which commit, where to look."""

    state: str
    sha: str
    address: str = ""


def unsure(error: HubError) -> bool:
    """Whether the work may have been done, or may be done next time: 409, 412, 5xx, no answer."""
    return error.passing or error.status == 412


def commit(plan: Plan, remote: Remote, words: tuple[str, str], look: Callable[[], Plan]) -> str:
    """Bring main from the plan's parent to the release by one commit, and return its sha.

    After a failure that leaves it open whether the commit was made, `look` plans anew: if nothing is
    left to change it was made, and if main is where it was it is tried again.

    :raises PublishError: if main holds something that was not planned against.
    """
    agreed = plan
    for attempt in range(1, remote.patience.attempts + 1):
        if not plan.changes:
            return str(plan.parent)
        made = operations(remote, plan.sent, plan.deleted)
        plan.release.check_unchanged()
        try:
            return remote.commit(made, str(plan.parent), words, MAIN)
        except HubError as error:
            if not unsure(error):
                raise
            remote.pause(error, attempt)
            plan = look()
            if plan.changes and plan.parent != agreed.parent:
                raise moved(agreed, plan) from error
            if plan.changes and attempt == remote.patience.attempts:
                raise
    return str(plan.parent)


def verify(release: Release, remote: Remote, sha: str) -> None:
    """Compare the tree of a commit with the release: every path, size and hash, and nothing more.

    :raises PublishError: if they differ; no tag is made then.
    """
    met = make_plan(release, sha, remote.tree(sha))
    if met.changes:
        first = met.changes[0]
        raise PublishError(
            f"commit {sha} of {release.target} is not what was planned ({first.path} is to "
            f"{first.act}; {met.summary()}), so no tag was made; publish again"
        )


def set_tag(release: Release, remote: Remote, sha: str) -> None:
    """Tag a commit that was verified. A tag is never moved: one that is there must be of the same.

    :raises PublishError: if the tag is there with other content.
    """
    for attempt in range(1, remote.patience.attempts + 1):
        try:
            remote.create_tag(release.tag, sha, release.words)
            return
        except HubError as error:
            if not unsure(error):
                raise
            there = _tagged(release, remote)
            if there is not None:
                return
            if attempt == remote.patience.attempts:
                raise
            remote.pause(error, attempt)


def _tagged(release: Release, remote: Remote) -> str | None:
    """Return the commit of the release's tag, if the tag is there."""
    refs = remote.refs()
    there = refs.tags.get(release.tag) if refs else None
    if there is not None:
        met = make_plan(release, there, remote.tree(there))
        if met.changes:
            raise refused(met)
    return there


def refused(met: Plan) -> PublishError:
    """Return the error for a tag that is there with other content."""
    release = met.release
    return PublishError(
        f"{release.tag} of {release.target} is published with other content, as {met.parent}; a "
        f"published version never changes. Against it this folder has: {met.summary()}. Choose "
        f"another --version; `webfaq-domains diff {release.target.repo_id}@{release.tag} "
        f"{release.folder}` suggests one"
    )


def moved(agreed: Plan, now: Plan) -> PublishError:
    """Return the error for a main branch that someone else moved meanwhile."""
    release = now.release
    return PublishError(
        f"{MAIN} of {release.target} was moved by someone else, from {agreed.parent} to "
        f"{now.parent}, while this was being published. What they published is untouched, and "
        f"{release.tag} is not published. Publishing on top of theirs would be: {now.summary()}. "
        f"Look at what they did with `webfaq-domains diff {release.target.repo_id}@{now.parent} "
        f"{release.folder}`; if yours is to take its place, run the same command again: what was "
        "sent is not sent twice"
    )
