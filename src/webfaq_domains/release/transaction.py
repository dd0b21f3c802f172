"""Commit, verify, tag, or propose: the moves of a release, each safe to make again.

The Hub can neither fast-forward a branch nor move it, so main gets one commit of its own. All
contents are on the Hub by then, and that commit holds a pointer for each file and no data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.release.plan import Plan, Release, make_plan
from webfaq_domains.release.remote import MAIN, Refs, Remote, operations


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


def propose(plan: Plan, remote: Remote, words: tuple[str, str]) -> Outcome:
    """Open a pull request that holds the release as one commit, or find the one that is open.

    The tag comes when the owner, after the merge, publishes the same folder.
    """
    release = plan.release
    if not plan.changes:
        return Outcome("merged, not tagged", str(plan.parent))
    for attempt in range(1, remote.patience.attempts + 1):
        found = _proposed(plan, remote, words[0])
        if found is not None:
            return found
        made = operations(remote, plan.sent, plan.deleted, pull=True)
        release.check_unchanged()
        try:
            sha, address = remote.propose(made, str(plan.parent), words)
        except HubError as error:
            if not unsure(error):
                raise
            remote.pause(error, attempt)
            last = error
            continue
        verify(release, remote, sha)
        return Outcome("proposed", sha, address)
    found = _proposed(plan, remote, words[0])
    if found is None:
        raise last
    return found


def _proposed(plan: Plan, remote: Remote, title: str) -> Outcome | None:
    """Return the open pull request with this title whose tree is the release's, if there is one."""
    pulls = remote.open_pulls(title)
    refs = remote.refs(pulls=True) if pulls else None
    for number, address in pulls:
        sha = refs.pulls.get(number) if refs else None
        if sha is not None and not make_plan(plan.release, sha, remote.tree(sha)).changes:
            return Outcome("proposed", sha, address)
    return None


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
