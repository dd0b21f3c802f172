"""Releases of more files than one commit should change: built up on a branch, tagged, then main.

The Hub can neither fast-forward a branch nor move it, so main gets one commit of its own. All
contents are on the Hub by then, and that commit holds a pointer for each file and no data.
"""

from __future__ import annotations

from dataclasses import replace

from webfaq_domains.errors import HubError, PublishError
from webfaq_domains.hub.plan import Plan, make_plan
from webfaq_domains.hub.release import Release
from webfaq_domains.hub.remote import MAIN, Refs, Remote
from webfaq_domains.hub.settle import Outcome, commit, set_tag, unsure, verify
from webfaq_domains.hub.upload import operations

#: As many files as the Hub takes in one commit.
MOST = 25_000


def branch_of(release: Release) -> str:
    """Return the branch on which a release is built up."""
    return f"release-{release.tag}"


def publish(plan: Plan, remote: Remote, words: tuple[str, str], most: int) -> Outcome:
    """Commit at most `most` files at a time to a branch, tag its verified head, then move main."""
    release, branch = plan.release, branch_of(plan.release)
    refs = _refs(remote)
    if branch in refs.branches and plan.parent not in remote.history(branch):
        remote.delete_branch(branch)  # left by a run that was planned against another main
    sha = _fill(plan, remote, words, most)
    verify(release, remote, sha)
    set_tag(release, remote, sha)
    return move_main(release, remote, words) or Outcome("published", sha)


def _fill(plan: Plan, remote: Remote, words: tuple[str, str], most: int) -> str:
    """Commit to the branch, which is made from the plan's parent, until nothing is left to change.

    :return: the head of the branch.
    """
    failures = 0
    while True:
        try:
            left = _left(plan, remote)
            if not left.changes:
                return str(left.parent)
            _step(replace(left, changes=left.changes[:most]), remote, words)
            failures = 0
        except HubError as error:
            failures += 1
            if not unsure(error) or failures == remote.patience.attempts:
                raise
            remote.pause(error, failures)


def _left(plan: Plan, remote: Remote) -> Plan:
    """Return what is left to do on the branch; make the branch if it is not there."""
    branch = branch_of(plan.release)
    head = _refs(remote).branches.get(branch)
    if head is None:
        remote.create_branch(branch, str(plan.parent))
        head = _refs(remote).branches.get(branch)
    if head is None:
        raise HubError(f"{remote.target}: the Hub did not make the branch {branch}", passing=True)
    return make_plan(plan.release, head, remote.tree(head))


def _step(part: Plan, remote: Remote, words: tuple[str, str]) -> None:
    made = operations(remote, part.sent, part.deleted)
    part.release.check_unchanged()
    title = f"{words[0]}, {len(part.changes)} files of it"
    remote.commit(made, str(part.parent), (title, words[1]), branch_of(part.release))


def move_main(release: Release, remote: Remote, words: tuple[str, str]) -> Outcome | None:
    """Bring main to a release that was tagged on its branch; None if there is no such branch.

    Main stays where it is if it has moved on since the branch was made.
    """
    refs = _refs(remote)
    branch = branch_of(release)
    sha = refs.tags.get(release.tag)
    if branch not in refs.branches or sha is None:
        return None

    def look() -> Plan:
        head = _refs(remote).branches[MAIN]
        return make_plan(release, head, remote.tree(head))

    plan = look()
    if plan.changes and plan.parent not in remote.history(branch):
        return Outcome("tagged", sha, f"{MAIN} has moved on since and stays where it is")
    if len(plan.changes) > MOST:
        why = f"{MAIN} stays where it is: it takes one commit of at most {MOST:,} files"
        return Outcome("tagged", sha, why)
    verify(release, remote, commit(plan, remote, words, look))
    remote.delete_branch(branch)  # the tag keeps its commits
    return Outcome("published", sha)


def _refs(remote: Remote) -> Refs:
    refs = remote.refs()
    if refs is None:
        raise PublishError(f"{remote.target} is gone from the Hub; publish again to make it anew")
    return refs
