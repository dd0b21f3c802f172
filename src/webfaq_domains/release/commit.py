"""Bring a plan to the Hub: send contents, commit once, compare, tag; or open a pull request.

Each step can be made again: after a failure that leaves it open whether the Hub did the work, what is
there is looked at first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tqdm import tqdm

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.release.contents import Message, Release, ReleaseFile, changed_meanwhile
from webfaq_domains.release.plan import Plan, make_plan
from webfaq_domains.release.remote import MAIN, Remote

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd

    from webfaq_domains.release.remote import Operation

#: The Hub keeps every file from 10 MiB on in LFS. Smaller ones are read whole, so that the bytes that
#: are sent are those that were checked; of larger ones the client's own hash is compared.
_READ_WHOLE = 10 << 20
#: The contents of so many files, or bytes, are sent before the next are looked at.
BATCH_FILES = 64
BATCH_BYTES = 1 << 30


def commit(plan: Plan, remote: Remote, message: Message, plan_again: Callable[[], Plan]) -> str:
    """Bring main from the plan's parent to the release by one commit, and return its sha.

    After a failure that leaves it open whether the commit was made, `plan_again` looks: if nothing is
    left to change it was made, and if main is where it was it is tried again.

    :raises PublishError: if main holds something that was not planned against.
    """
    agreed = plan
    for attempt in range(1, remote.policy.attempts + 1):
        if not plan.changes:
            return str(plan.parent)
        try:
            return _send(plan, remote, message)[0]
        except HubError as error:
            if not _may_have_happened(error):
                raise
            remote.wait(error, attempt)
            plan = plan_again()
            if plan.changes and plan.parent != agreed.parent:
                raise main_moved(agreed, plan) from error
            if plan.changes and attempt == remote.policy.attempts:
                raise
    return str(plan.parent)


def open_pull_request(plan: Plan, remote: Remote, message: Message) -> tuple[str, str]:
    """Open a pull request that holds the release as one commit, or find the one that is open.

    The tag comes when the owner, after the merge, publishes the same folder.

    :return: the sha of its commit, and its address.
    """
    for attempt in range(1, remote.policy.attempts + 1):
        found = _find_pull_request(plan, remote, message.title)
        if found is not None:
            return found
        try:
            sha, address = _send(plan, remote, message, pull=True)
        except HubError as error:
            if not _may_have_happened(error):
                raise
            remote.wait(error, attempt)
            last = error
            continue
        verify(plan.release, remote, sha)
        return sha, address
    found = _find_pull_request(plan, remote, message.title)
    if found is None:
        raise last
    return found


def verify(release: Release, remote: Remote, sha: str) -> None:
    """Compare the tree of a commit with the release: every path, size and hash, and nothing more.

    :raises PublishError: if they differ; no tag is made then.
    """
    found = make_plan(release, sha, remote.tree(sha))
    if found.changes:
        first = found.changes[0]
        raise PublishError(
            f"commit {sha} of {release.target} is not what was planned ({first.path} is to "
            f"{first.act}; {found.summary()}), so no tag was made; publish again"
        )


def set_tag(release: Release, remote: Remote, sha: str) -> None:
    """Tag a commit that was verified. A tag is never moved: one that is there must be of the same.

    :raises PublishError: if the tag is there with other content.
    """
    for attempt in range(1, remote.policy.attempts + 1):
        try:
            remote.create_tag(release.tag, sha, release.message().body)
            return
        except HubError as error:
            if not _may_have_happened(error):
                raise
            if _is_tagged(release, remote):
                return
            if attempt == remote.policy.attempts:
                raise
            remote.wait(error, attempt)


def _send(plan: Plan, remote: Remote, message: Message, pull: bool = False) -> tuple[str, str]:
    """Send what the Hub has not, then commit once, deletions first; return sha and address.

    Sent contents stay on the Hub also if no commit follows, so a second run sends none twice.

    :raises PublishError: if a file is not the one that was hashed, or holds the token.
    """
    from huggingface_hub import CommitOperationDelete

    operations: list[Operation] = [CommitOperationDelete(p, is_folder=False) for p in plan.deleted]
    size = sum(file.size for file in plan.sent)
    with tqdm(desc="upload", total=size, unit="B", unit_scale=True, disable=remote.quiet) as bar:
        for batch in batches(plan.sent):
            additions = [_addition(file, remote.token) for file in batch]
            remote.upload(additions, pull)
            for file, addition in zip(batch, additions, strict=True):
                if addition.upload_info.sha256.hex() != file.sha256 or not file.unchanged():
                    raise changed_meanwhile(file.path)
            operations += additions
            bar.update(sum(file.size for file in batch))
    plan.release.check_unchanged()
    return remote.commit(operations, str(plan.parent), message, pull)


def _addition(file: ReleaseFile, token: str) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd

    if file.size >= _READ_WHOLE and not isinstance(file.source, bytes):
        return CommitOperationAdd(file.path, file.source)
    content = file.content()
    if token and token.encode() in content:
        raise PublishError(f"{file.path} holds the Hub token: take it out, and make a new token")
    return CommitOperationAdd(file.path, content)


def batches(files: Sequence[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    """Yield files in batches of bounded number and size.

    Of files with the same content, the second comes in a later batch: then the Hub has it already.
    """
    firsts: dict[str, ReleaseFile] = {}
    repeats = [file for file in files if firsts.setdefault(file.sha256, file) is not file]
    for group in (list(firsts.values()), repeats):
        batch: list[ReleaseFile] = []
        for file in group:
            full = len(batch) == BATCH_FILES or sum(f.size for f in batch) + file.size > BATCH_BYTES
            if batch and full:
                yield batch
                batch = []
            batch.append(file)
        if batch:
            yield batch


def _may_have_happened(error: HubError) -> bool:
    """Whether the work may have been done, or may be done next time: 409, 412, 5xx, no answer."""
    return error.passing or error.status == 412


def _is_tagged(release: Release, remote: Remote) -> bool:
    """Whether the release's tag is there.

    :raises PublishError: if it is there with other content.
    """
    refs = remote.refs()
    there = refs.tags.get(release.tag) if refs else None
    if there is None:
        return False
    found = make_plan(release, there, remote.tree(there))
    if found.changes:
        raise other_content(found)
    return True


def _find_pull_request(plan: Plan, remote: Remote, title: str) -> tuple[str, str] | None:
    """Return the open pull request with this title whose tree is the release's, if there is one."""
    pulls = remote.open_pulls(title)
    refs = remote.refs(pulls=True) if pulls else None
    for number, address in pulls:
        sha = refs.pulls.get(number) if refs else None
        if sha is not None and not make_plan(plan.release, sha, remote.tree(sha)).changes:
            return sha, address
    return None


def other_content(found: Plan) -> PublishError:
    """Return the error for a tag that is there with other content; `found` is against its commit."""
    release = found.release
    return PublishError(
        f"{release.tag} of {release.target} is published with other content, as {found.parent}; a "
        f"published version never changes. Against it this folder has: {found.summary()}. Choose "
        f"another --version; `webfaq-domains diff {release.target.repo_id}@{release.tag} "
        f"{release.folder}` suggests one"
    )


def main_moved(agreed: Plan, now: Plan) -> PublishError:
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
