"""Publish a folder as one release: one commit on top of what was planned against, then one tag.

At every moment `main` shows the old release or the new one, whole. Whatever is lost on the way, the
same call again finds out what was done and does the rest. `docs/publishing.md` has the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.ground.hub import missing
from webfaq_domains.release import transaction
from webfaq_domains.release.calls import PATIENT, Patience, Target
from webfaq_domains.release.plan import Plan, Release, kind_of, make_plan, read_release
from webfaq_domains.release.remote import MAIN, Refs, Remote
from webfaq_domains.release.transaction import (
    Outcome,
    commit,
    moved,
    propose,
    refused,
    set_tag,
    verify,
)
from webfaq_domains.release.versions import Version

if TYPE_CHECKING:
    from huggingface_hub import HfApi


@dataclass(frozen=True)
class PublishOptions:
    """What is asked for: a repository and a version.

    `kind` is `dataset`, `model` or `space`, None what the folder is. `create` is `private` or
    `public`, None to make no repository. `message` is the title of the commit or pull request.
    """

    repo: str
    version: str
    kind: str | None = None
    message: str = ""
    create: str | None = None
    create_pr: bool = False
    most: int = transaction.MOST
    load: bool = True
    quiet: bool = False


@dataclass(frozen=True)
class Published:
    """What came of it: `state` is `published`, `published already`, `proposed` or `tagged`."""

    plan: Plan
    state: str
    sha: str
    address: str = ""

    def to_json(self) -> dict[str, Any]:
        more = {"state": self.state, "sha": self.sha, "address": self.address}
        return {**self.plan.to_json(), **more}

    def text(self) -> str:
        release = self.plan.release
        line = f"{release.target} {release.tag}: {self.state}, commit {self.sha}"
        return "\n".join([line, *filter(None, [self.address]), *self.plan.notes])


def publish_folder(
    folder: Path,
    options: PublishOptions,
    go: bool = False,
    api: HfApi | None = None,
    patience: Patience = PATIENT,
) -> Plan | Published:
    """Plan the release that a folder makes and, with `go`, publish it.

    :raises PublishError: if the folder must not be published, or the Hub holds something else.
    :raises HubError: if the Hub refuses or cannot be reached; the same call again goes on.
    """
    target = Target(options.repo, options.kind or kind_of(folder))
    release = read_release(folder, target, options.version, options.load, options.quiet)
    remote = Remote(target, api, patience, options.quiet)
    if go:
        return publish_release(release, remote, options)
    plan = plan_release(release, remote, options)
    return replace(plan, notes=[*plan.notes, "nothing was changed; add --yes to publish"])


def plan_release(release: Release, remote: Remote, options: PublishOptions) -> Plan:
    """Compare a release with the Hub. Reads only.

    :raises PublishError: if the version is taken by other content, or older than a published one.
    """
    refs = remote.refs()
    if refs is None:
        if not options.create:
            raise PublishError(missing(release.target))
        note = f"the repository will be made, {options.create}"
        return replace(make_plan(release, None, {}), notes=[note])
    tagged = refs.tags.get(release.tag)
    if tagged is not None:
        plan = make_plan(release, tagged, remote.tree(tagged))
        if plan.changes:
            raise refused(plan)
        return replace(plan, tagged=tagged)
    _check_newest(release, refs)
    head = refs.branches.get(MAIN)
    if head is None:
        raise PublishError(f"{release.target} has no branch {MAIN}: make it on the Hub")
    plan = make_plan(release, head, remote.tree(head))
    if plan.changes and head not in refs.tags.values():
        _check_unfinished(release, remote, head)
    return plan


def _check_unfinished(release: Release, remote: Remote, head: str) -> None:
    """Refuse to commit on top of the same version with other content, which has no tag yet.

    Its publisher would tag it, while main would show this one under the same number.
    """
    said = remote.description(head).splitlines()
    if release.tag in said and release.pinned_by not in said:
        raise PublishError(
            f"{MAIN} of {release.target} holds {release.tag} with other content and without its "
            "tag: whoever publishes it is at work, or was stopped. Wait, then run the same command "
            "again; if nobody finishes it, choose another --version"
        )


def _check_newest(release: Release, refs: Refs) -> None:
    """Refuse a version below a published one: `main` would go back."""
    newest = max(filter(None, map(Version.find, refs.tags)), default=None)
    if newest is not None and newest > Version.parse(release.version):
        raise PublishError(
            f"{newest.tag} of {release.target} is published already, and {release.tag} would take "
            f"{MAIN} back; choose a version above it"
        )


def publish_release(release: Release, remote: Remote, options: PublishOptions) -> Published:
    """Publish a release, or find that it is there already.

    :raises PublishError: if main moved meanwhile, or the folder changed.
    :raises HubError: if the Hub refuses or cannot be reached.
    """
    plan = plan_release(release, remote, options)
    remote.say(plan.text())
    words = (options.message or release.title, release.words)
    if plan.tagged is not None:
        done = Outcome("published already", plan.tagged)
        return Published(plan, *(transaction.move_main(release, remote, words) or done))
    if plan.parent is None:
        plan = _made(release, remote, options)
    if options.create_pr:
        return Published(plan, *propose(plan, remote, words))
    if len(plan.changes) > options.most:
        return Published(plan, *transaction.publish(plan, remote, words, options.most))
    sha = commit(plan, remote, words, lambda: plan_release(release, remote, options))
    verify(release, remote, sha)
    set_tag(release, remote, sha)
    return Published(plan, "published", sha)


def _made(release: Release, remote: Remote, options: PublishOptions) -> Plan:
    """Make the repository and plan against its first commit."""
    for attempt in range(1, remote.patience.attempts + 1):
        remote.create(private=options.create == "private")
        plan = plan_release(release, remote, options)
        if plan.parent is not None:
            break
        busy = HubError(f"{release.target}: the Hub did not make it; publish again", passing=True)
        if attempt == remote.patience.attempts:
            raise busy
        remote.pause(busy, attempt)
    if plan.deleted:
        raise moved(make_plan(release, None, {}), plan)
    return plan
