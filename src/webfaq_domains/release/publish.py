"""Publish a folder as one release: one commit on top of what was planned against, then one tag.

At every moment `main` shows the old release or the new one, whole. Whatever is lost on the way, the
same call again finds out what was done and does the rest. `docs/publishing.md` has the rules.

The way of a folder: `publish_folder` asks the Hub whether it may be written, `read_release` checks and
hashes the files, `plan_release` compares them with the Hub, `publish_release` commits, compares, tags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.ground.hub import RepositoryFile
from webfaq_domains.ground.hub_errors import missing
from webfaq_domains.ground.kinds import description_file
from webfaq_domains.release.commit import (
    commit,
    main_moved,
    open_pull_request,
    other_content,
    set_tag,
    verify,
)
from webfaq_domains.release.contents import Release, Target, read_release
from webfaq_domains.release.data import DataSet
from webfaq_domains.release.kinds import open_artifact
from webfaq_domains.release.plan import Plan, make_plan
from webfaq_domains.release.remote import MAIN, Refs, Remote, RetryPolicy
from webfaq_domains.release.semver import Version

if TYPE_CHECKING:
    from huggingface_hub import HfApi

#: As many files as the Hub takes in one commit.
MOST_CHANGES = 25_000


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
    load: bool = True
    quiet: bool = False


@dataclass(frozen=True)
class Published:
    """What came of it: `state` is `published`, `published already`, `proposed` or `merged, not tagged`."""

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
    policy: RetryPolicy | None = None,
) -> Plan | Published:
    """Plan the release that a folder makes and, with `go`, publish it.

    The Hub is asked first whether it may be written. The configs of a data set are loaded with `go`
    only: a plan alone is made without that, which takes most of the time.

    :raises PublishError: if the folder must not be published, or the Hub holds something else.
    :raises HubError: if the Hub refuses or cannot be reached; the same call again goes on.
    """
    Version.parse(options.version)
    artifact = open_artifact(folder)
    target = Target(options.repo, options.kind or artifact.repo_type)
    remote = Remote(target, api, policy, options.quiet)
    remote.check_access(options.create is not None, options.create_pr)
    load = options.load and go
    release = read_release(artifact, target, options.version, load, options.quiet)
    if go:
        return publish_release(release, remote, options)
    plan = plan_release(release, remote, options)
    notes = [*plan.notes, "nothing was changed; add --yes to publish"]
    if options.load and isinstance(artifact, DataSet):
        notes.insert(0, "the folder is fine; its configs were not loaded: --yes loads them first")
    return replace(plan, notes=notes)


def plan_release(release: Release, remote: Remote, options: PublishOptions) -> Plan:
    """Compare a release with the Hub. Reads only.

    :raises PublishError: if the version is taken by other content, or older than a published one, or
        more files change than the Hub takes in one commit.
    """
    plan = _compare(release, remote, options)
    if len(plan.changes) > MOST_CHANGES:
        raise PublishError(
            f"{len(plan.changes):,} files would change, and the Hub takes {MOST_CHANGES:,} in one commit: "
            "build the folder with fewer, larger files (fewer languages, or several data sets)"
        )
    return plan


def _compare(release: Release, remote: Remote, options: PublishOptions) -> Plan:
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
            raise other_content(plan)
        return replace(plan, tagged=tagged)
    head = refs.branches.get(MAIN)
    if head is None:
        raise PublishError(f"{release.target} has no branch {MAIN}: make it on the Hub")
    _check_above_tags(release, refs)
    tree = remote.tree(head)
    plan = make_plan(release, head, tree)
    if plan.changes and not any(refs.tags[tag] == head for tag in refs.tags if Version.find(tag)):
        _check_above_untagged(release, remote, head, tree)
    return plan


def _check_above_tags(release: Release, refs: Refs) -> None:
    """Refuse a version below a published one: `main` would go back."""
    newest = max(filter(None, map(Version.find, refs.tags)), default=None)
    if newest is not None and newest > Version.parse(release.version):
        raise PublishError(
            f"{newest.tag} of {release.target} is published already, and {release.tag} would take "
            f"{MAIN} back; choose a version above it"
        )


def _check_above_untagged(
    release: Release, remote: Remote, head: str, tree: dict[str, RepositoryFile]
) -> None:
    """Refuse to commit on top of the same or a higher version that has no tag yet.

    Its publisher will tag it. Until then no tag tells that `main` holds it.
    """
    held = _described_version(remote, head, tree)
    if held is not None and held > Version.parse(release.version):
        raise PublishError(
            f"{MAIN} of {release.target} holds {held.tag}, without its tag yet: whoever publishes it is "
            f"at work, or was stopped. {release.tag} would take {MAIN} back; choose a version above "
            f"{held.tag}"
        )
    said = remote.description(head).splitlines()
    if release.tag in said and release.pinned_by not in said:
        raise PublishError(
            f"{MAIN} of {release.target} holds {release.tag} with other content and without its "
            "tag: whoever publishes it is at work, or was stopped. Wait, then run the same command "
            "again; if nobody finishes it, choose another --version"
        )


def _described_version(
    remote: Remote, head: str, tree: dict[str, RepositoryFile]
) -> Version | None:
    """Return the version that the description in a commit holds, if it holds one."""
    name = description_file(tree)
    if name is None:
        return None
    try:
        described = json.loads(remote.read(name, head, tree[name]))
    except ValueError:
        return None  # not one of ours
    version = described.get("version") if isinstance(described, dict) else None
    return Version.find(version) if isinstance(version, str) else None


def publish_release(release: Release, remote: Remote, options: PublishOptions) -> Published:
    """Publish a release, or find that it is there already.

    :raises PublishError: if main moved meanwhile, or the folder changed.
    :raises HubError: if the Hub refuses or cannot be reached.
    """
    plan = plan_release(release, remote, options)
    remote.tell(plan.text())
    message = release.message(options.message)
    if plan.tagged is not None:
        return Published(plan, "published already", plan.tagged)
    if plan.parent is None:
        plan = _create(release, remote, options)
    if options.create_pr:
        if not plan.changes:
            return Published(plan, "merged, not tagged", str(plan.parent))
        return Published(plan, "proposed", *open_pull_request(plan, remote, message))
    sha = commit(plan, remote, message, lambda: plan_release(release, remote, options))
    verify(release, remote, sha)
    set_tag(release, remote, sha)
    return Published(plan, "published", sha)


def _create(release: Release, remote: Remote, options: PublishOptions) -> Plan:
    """Make the repository and plan against its first commit."""
    for attempt in range(1, remote.policy.attempts + 1):
        remote.create(private=options.create == "private")
        plan = plan_release(release, remote, options)
        if plan.parent is not None:
            break
        failed = HubError(f"{release.target}: the Hub did not make it; publish again", passing=True)
        if attempt == remote.policy.attempts:
            raise failed
        remote.wait(failed, attempt)
    if plan.deleted:
        raise main_moved(make_plan(release, None, {}), plan)
    return plan
