"""Propose a release as a pull request, for repositories that one may not write to."""

from __future__ import annotations

from webfaq_domains.errors import HubError
from webfaq_domains.hub.plan import Plan, make_plan
from webfaq_domains.hub.remote import Remote
from webfaq_domains.hub.settle import Outcome, unsure, verify
from webfaq_domains.hub.upload import operations


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
