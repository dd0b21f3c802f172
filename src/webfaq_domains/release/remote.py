"""One repository on the Hub as publishing meets it: each call tried again where that helps."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

from webfaq_domains.ground.errors import HubError, PublishError
from webfaq_domains.ground.hub import RepositoryFile, files_of_tree
from webfaq_domains.ground.hub_errors import explain, missing
from webfaq_domains.release.contents import Message, Target, is_content

if TYPE_CHECKING:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    Operation = CommitOperationAdd | CommitOperationDelete

Answer = TypeVar("Answer")

MAIN = "main"


@dataclass(frozen=True)
class RetryPolicy:
    """How long to wait for a Hub that is slow, busy or away. Times are in seconds.

    A request is tried `attempts` times, with waits of `first_wait`, twice that and so on, or as long
    as the Hub asks for, but not longer than `longest_wait`. `timeout` is how long a connection may be
    silent: the Hub itself gives up on a commit after 60 s.
    """

    attempts: int = 6
    first_wait: float = 1.0
    longest_wait: float = 600.0
    timeout: float = 180.0


@dataclass(frozen=True)
class Refs:
    """The commits that names point to. Pull requests are by number."""

    branches: dict[str, str]
    tags: dict[str, str]
    pulls: dict[int, str]


class Remote:
    """One repository. What a call raises is a `HubError` in plain words, without the token.

    Calls that only read, and those that can be done twice, are tried again after a passing failure;
    a commit and a tag are not: the caller must look first whether the work was done.
    """

    def __init__(
        self,
        target: Target,
        api: HfApi | None = None,
        policy: RetryPolicy | None = None,
        quiet: bool = False,
    ) -> None:
        from huggingface_hub import HfApi as Api
        from huggingface_hub import get_token

        self.target, self.api, self.quiet = target, api or Api(), quiet
        self.policy = policy or RetryPolicy()
        self.token = self.api.token if isinstance(self.api.token, str) else (get_token() or "")
        self._named: dict[str, Any] = {"repo_id": target.repo_id, "repo_type": target.repo_type}

    # How calls are made

    def retry(self, call: Callable[[], Answer]) -> Answer:
        """Call, and call again while what goes wrong may pass."""
        for attempt in range(1, self.policy.attempts):
            try:
                return self.once(call)
            except HubError as error:
                if not error.passing:
                    raise
                self.wait(error, attempt)
        return self.once(call)

    def once(self, call: Callable[[], Answer]) -> Answer:
        """Call, and raise what goes wrong in plain words."""
        from huggingface_hub.utils import httpx  # type: ignore[attr-defined]

        try:
            with _timeout(self.policy.timeout):
                return call()
        except (httpx.HTTPError, OSError, ValueError, LookupError, RuntimeError) as error:
            raise explain(error, self.target, self.token) from error

    def wait(self, error: HubError, attempt: int) -> None:
        """Wait as long as the Hub asks, or longer each time; raise `error` where that is too long."""
        asked = error.wait if error.wait is not None else 0.0
        seconds = max(asked, self.policy.first_wait * 2 ** (attempt - 1))
        if seconds > self.policy.longest_wait:
            raise error
        then = f"trying again ({attempt + 1} of {self.policy.attempts})"
        if attempt == self.policy.attempts:
            then = "looking a last time whether it was done"
        self.tell(f"{error}\nwaiting {seconds:.0f} s, then {then}")
        time.sleep(seconds)

    def tell(self, message: str) -> None:
        """Say on stderr, past any progress bar, what a waiting user should know."""
        if not self.quiet:
            tqdm.write(message, file=sys.stderr)

    # Reading

    def refs(self, pulls: bool = False) -> Refs | None:
        """Return where the branches and tags point, or None if there is no such repository."""
        try:
            found = self.retry(
                lambda: self.api.list_repo_refs(**self._named, include_pull_requests=pulls)
            )
        except HubError as error:
            if error.missing:
                return None
            raise
        numbers = {ref.ref.rpartition("/")[2]: ref for ref in found.pull_requests or ()}
        return Refs(
            {ref.name: ref.target_commit for ref in found.branches},
            {ref.name: ref.target_commit for ref in found.tags},
            {int(number): ref.target_commit for number, ref in numbers.items()},
        )

    def tree(self, revision: str) -> dict[str, RepositoryFile]:
        """Return every file of a commit by its path."""
        return self.retry(
            lambda: files_of_tree(
                self.api.list_repo_tree(**self._named, revision=revision, recursive=True)
            )
        )

    def read(self, path: str, sha: str, expected: RepositoryFile) -> bytes:
        """Return the content of a small file of a commit, once its hash is the one of the tree."""

        def download() -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                place = self.api.hf_hub_download(
                    filename=path, revision=sha, local_dir=folder, **self._named
                )
                content = Path(place).read_bytes()
            if not is_content(content, expected):
                raise HubError(
                    f"{self.target}: {path} arrived damaged; publish again", passing=True
                )
            return content

        return self.retry(download)

    def description(self, sha: str) -> str:
        """Return what the message of a commit says below its title."""
        commits = self.retry(lambda: self.api.list_repo_commits(**self._named, revision=sha))
        return next((str(commit.message) for commit in commits if commit.commit_id == sha), "")

    def open_pulls(self, title: str) -> list[tuple[int, str]]:
        """Return number and address of the open pull requests with this title."""
        return self.retry(
            lambda: [
                (pull.num, pull.url)
                for pull in self.api.get_repo_discussions(**self._named)
                if pull.is_pull_request and pull.status == "open" and pull.title == title
            ]
        )

    def check_access(self, create: bool, pull: bool = False) -> None:
        """Ask whether a release can be brought here, before anything takes time.

        :param create: make the repository where it is not there.
        :param pull: propose the release, for which reading is enough.
        :raises PublishError: if it is not there, and is not to be made.
        :raises HubError: if the token may not write to it, or may not make it, as far as the Hub tells.
        """
        there = self.refs() is not None
        if not there and not create:
            raise PublishError(missing(self.target))
        if there and pull:
            return
        try:
            if there:
                self.retry(lambda: self.api.auth_check(**self._named, write=True))
            else:
                self._check_owner(self.retry(self.api.whoami))
        except HubError as error:
            if error.status not in _NO_SUCH_ROUTE:
                raise

    def _check_owner(self, token: dict[str, Any]) -> None:
        """Hold what the Hub says of the token against the repository that is to be made."""
        role = ((token.get("auth") or {}).get("accessToken") or {}).get("role")
        owner = self.target.repo_id.partition("/")[0]
        members = {token.get("name"), *(org.get("name") for org in token.get("orgs") or ())}
        if role == "read":
            what = "the token may only read; use one with write access"
        elif "orgs" in token and owner not in members:
            what = f"the token is that of {token.get('name')}, who is no member of {owner}"
        else:
            return
        raise HubError(f"{self.target} cannot be made: {what}", status=403)

    # Writing

    def create(self, private: bool) -> None:
        """Make the repository; that it is there already is fine."""
        sdk = "static" if self.target.repo_type == "space" else None
        self.retry(
            lambda: self.api.create_repo(
                **self._named, private=private, exist_ok=True, space_sdk=sdk
            )
        )

    def upload(self, additions: Sequence[CommitOperationAdd], pull: bool = False) -> None:
        """Send the contents of files that git LFS keeps, if the Hub has them not yet."""
        with _client_bars(not self.quiet):
            self.retry(
                lambda: self.api.preupload_lfs_files(
                    self.target.repo_id, additions, repo_type=self.target.repo_type,
                    create_pr=pull,
                    gitignore_content="",  # one on the Hub must not leave files out
                )
            )  # fmt: skip

    def commit(
        self, operations: Sequence[Operation], parent: str, message: Message, pull: bool = False
    ) -> tuple[str, str]:
        """Commit to main, whose head is `parent`, or as a new pull request; tried once.

        :return: the sha, and the address of the pull request or "".
        """
        where: dict[str, Any] = {"create_pr": True} if pull else {"revision": MAIN}
        made = self.once(
            lambda: self.api.create_commit(
                **self._named, operations=operations, parent_commit=parent,
                commit_message=message.title, commit_description=message.body, **where,
            )
        )  # fmt: skip
        return str(made.oid), str(made.pr_url or "")

    def create_tag(self, tag: str, sha: str, message: str) -> None:
        """Tag a commit; tried once, and a tag that is there is an error."""
        self.once(
            lambda: self.api.create_tag(
                **self._named, tag=tag, revision=sha, tag_message=message, exist_ok=False
            )
        )


#: What a Hub-compatible server answers that does not know a question.
_NO_SUCH_ROUTE = (404, 405, 501)


@contextmanager
def _client_bars(wanted: bool) -> Iterator[None]:
    """Keep the client's own progress bars away where none are wanted."""
    from huggingface_hub import utils

    hide = not wanted and not utils.are_progress_bars_disabled()  # type: ignore[attr-defined]
    if hide:
        utils.disable_progress_bars()  # type: ignore[attr-defined]
    try:
        yield
    finally:
        if hide:
            utils.enable_progress_bars()  # type: ignore[attr-defined]


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Give the client's session a time-out; by default it waits for a silent server for ever."""
    from huggingface_hub.utils import get_session, httpx  # type: ignore[attr-defined]

    session = get_session()
    before, session.timeout = session.timeout, httpx.Timeout(seconds)
    try:
        yield
    finally:
        session.timeout = before
