"""A repository on the Hub as publishing sees it: heads, trees, tags, uploads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.release.calls import PATIENT, Patience, Patient, Target, bars
from webfaq_domains.release.plan import ReleaseFile, changed

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    Operation = CommitOperationAdd | CommitOperationDelete
    from huggingface_hub import CommitOperationAdd


MAIN = "main"


@dataclass(frozen=True)
class RemoteFile:
    """A file in a commit: its bytes, git's hash, and the sha256 of its content where it is LFS."""

    size: int
    git_sha1: str
    sha256: str | None = None


@dataclass(frozen=True)
class Refs:
    """The commits that names point to. Pull requests are by number."""

    branches: dict[str, str]
    tags: dict[str, str]
    pulls: dict[int, str]


class Remote(Patient):
    """One repository. What a call raises is a `HubError` in plain words, without the token.

    Calls that only read, and those that can be done twice, are tried again after a passing failure;
    a commit and a tag are not: who asked must look first whether the work was done.
    """

    def __init__(
        self,
        target: Target,
        api: HfApi | None = None,
        patience: Patience = PATIENT,
        quiet: bool = False,
    ) -> None:
        from huggingface_hub import HfApi as Api

        super().__init__(target, api or Api(), patience, quiet)
        self._named: dict[str, Any] = {"repo_id": target.repo_id, "repo_type": target.kind}

    def refs(self, pulls: bool = False) -> Refs | None:
        """Return where the branches and tags point, or None if there is no such repository."""
        try:
            found = self.patiently(
                lambda: self.api.list_repo_refs(**self._named, include_pull_requests=pulls)
            )
        except HubError as error:
            if _is_missing(error):
                return None
            raise
        return Refs(
            {ref.name: ref.target_commit for ref in found.branches},
            {ref.name: ref.target_commit for ref in found.tags},
            {
                int(ref.ref.rpartition("/")[2]): ref.target_commit
                for ref in found.pull_requests or ()
            },
        )

    def tree(self, revision: str) -> dict[str, RemoteFile]:
        """Return every file of a commit by its path."""
        from huggingface_hub import RepoFile

        def ask() -> dict[str, RemoteFile]:
            entries = self.api.list_repo_tree(**self._named, revision=revision, recursive=True)
            return {
                entry.path: RemoteFile(
                    entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None
                )
                for entry in entries
                if isinstance(entry, RepoFile)
            }

        return self.patiently(ask)

    def history(self, revision: str) -> list[str]:
        """Return the shas of a revision and its ancestors, newest first."""
        return self.patiently(
            lambda: [
                commit.commit_id
                for commit in self.api.list_repo_commits(**self._named, revision=revision)
            ]
        )

    def description(self, sha: str) -> str:
        """Return what the message of a commit says below its title."""
        commits = self.patiently(lambda: self.api.list_repo_commits(**self._named, revision=sha))
        return next((str(commit.message) for commit in commits if commit.commit_id == sha), "")

    def open_pulls(self, title: str) -> list[tuple[int, str]]:
        """Return number and address of the open pull requests with this title."""
        return self.patiently(
            lambda: [
                (pull.num, pull.url)
                for pull in self.api.get_repo_discussions(**self._named)
                if pull.is_pull_request and pull.status == "open" and pull.title == title
            ]
        )

    def create(self, private: bool) -> None:
        """Make the repository; that it is there already is fine."""
        sdk = "static" if self.target.kind == "space" else None
        self.patiently(
            lambda: self.api.create_repo(
                **self._named, private=private, exist_ok=True, space_sdk=sdk
            )
        )

    def upload(self, additions: Sequence[CommitOperationAdd], pull: bool = False) -> None:
        """Send the contents of files that git LFS keeps, if the Hub has them not yet."""
        with bars(self.quiet):
            self.patiently(
                lambda: self.api.preupload_lfs_files(
                    self.target.repo_id, additions, repo_type=self.target.kind, create_pr=pull,
                    gitignore_content="",  # one on the Hub must not leave files out
                )
            )  # fmt: skip

    def commit(
        self, operations: Sequence[Operation], parent: str, words: tuple[str, str], branch: str
    ) -> str:
        """Commit to a branch whose head is `parent` and return the sha; tried once."""
        made = self.once(lambda: self._commit(operations, parent, words, revision=branch))
        return str(made.oid)

    def propose(
        self, operations: Sequence[Operation], parent: str, words: tuple[str, str]
    ) -> tuple[str, str]:
        """Open a pull request with one commit and return its sha and address; tried once."""
        made = self.once(lambda: self._commit(operations, parent, words, create_pr=True))
        return str(made.oid), str(made.pr_url)

    def _commit(
        self, operations: Sequence[Operation], parent: str, words: tuple[str, str], **where: Any
    ) -> Any:
        title, body = words
        return self.api.create_commit(
            **self._named, operations=operations, parent_commit=parent, commit_message=title,
            commit_description=body, **where,
        )  # fmt: skip

    def create_tag(self, tag: str, sha: str, message: str) -> None:
        """Tag a commit; tried once, and a tag that is there is an error."""
        self.once(
            lambda: self.api.create_tag(
                **self._named, tag=tag, revision=sha, tag_message=message, exist_ok=False
            )
        )

    def create_branch(self, branch: str, sha: str) -> None:
        """Make a branch at a commit; that it is there already is fine."""
        self.patiently(
            lambda: self.api.create_branch(
                **self._named, branch=branch, revision=sha, exist_ok=True
            )
        )

    def delete_branch(self, branch: str) -> None:
        """Delete a branch; that it is not there is fine."""
        try:
            self.patiently(lambda: self.api.delete_branch(**self._named, branch=branch))
        except HubError as error:
            if error.status != 404:
                raise


def _is_missing(error: HubError) -> bool:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    cause = error.__cause__
    return isinstance(cause, RepositoryNotFoundError) and not isinstance(cause, GatedRepoError)


#: The Hub keeps every file from 10 MiB on in LFS. Smaller ones are read whole, so that the bytes that
#: are sent are those that were checked; of larger ones the client's own hash is compared.
_WHOLE = 10 << 20
BATCH_FILES = 64
BATCH_BYTES = 1 << 30


def operations(
    remote: Remote, files: Sequence[ReleaseFile], deleted: Sequence[str], pull: bool = False
) -> list[Operation]:
    """Send what the Hub has not, and return the operations of one commit, deletions first.

    Sent contents stay on the Hub also if no commit follows, so a second run sends none twice.

    :raises PublishError: if a file is not the one that was hashed, or holds the token.
    """
    from huggingface_hub import CommitOperationDelete

    made: list[Operation] = [CommitOperationDelete(path, is_folder=False) for path in deleted]
    size = sum(file.size for file in files)
    with tqdm(desc="upload", total=size, unit="B", unit_scale=True, disable=remote.quiet) as bar:
        for batch in batches(files):
            additions = [_addition(remote, file) for file in batch]
            remote.upload(additions, pull)
            for file, addition in zip(batch, additions, strict=True):
                if addition.upload_info.sha256.hex() != file.sha256 or not file.unchanged():
                    raise changed(file.path)
            made += additions
            bar.update(sum(file.size for file in batch))
    return made


def _addition(remote: Remote, file: ReleaseFile) -> CommitOperationAdd:
    from huggingface_hub import CommitOperationAdd

    if file.size >= _WHOLE and not isinstance(file.source, bytes):
        return CommitOperationAdd(file.path, file.source)
    content = file.content()
    if remote.holds(content):
        raise PublishError(f"{file.path} holds the Hub token: take it out, and make a new token")
    return CommitOperationAdd(file.path, content)


def batches(files: Sequence[ReleaseFile]) -> Iterator[list[ReleaseFile]]:
    """Yield files in batches of bounded number and size.

    Of files with the same content, the second comes in a later batch: then the Hub has it already.
    """
    firsts: dict[str, ReleaseFile] = {}
    repeats = []
    for file in files:
        if firsts.setdefault(file.sha256, file) is not file:
            repeats.append(file)
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
