"""What every route needs: the store, who is asking, and what a test has set."""

from __future__ import annotations

from dataclasses import dataclass, field

from hubserver.access import TOKENS, Token
from hubserver.store import Commit, Repo, Store
from hubserver.wire import Refusal, Request


@dataclass
class Settings:
    """What a test may change while the server runs.

    `page_size` is the number of entries on a page of a listing; `redirect_lfs` sends readers of LFS
    files to the storage host, as the Hub does; `part_size` > 0 makes larger uploads multi-part;
    `yaml_errors` are what the check of a card's YAML complains about; `gate_info` hides a gated
    repository's listings too, where the Hub hides only its files.
    """

    page_size: int = 1000
    redirect_lfs: bool = False
    part_size: int = 0
    yaml_errors: list[str] = field(default_factory=list)
    gate_info: bool = False


@dataclass
class Service:
    """The state that the routes work on."""

    store: Store
    settings: Settings = field(default_factory=Settings)
    tokens: dict[str, Token] = field(
        default_factory=lambda: {token.value: token for token in TOKENS}
    )
    endpoint: str = ""
    storage: str = ""
    parts: dict[str, bytes] = field(default_factory=dict)

    def user(self, authorization: str) -> Token | None:
        """Return whose token it is; none given is nobody."""
        if not authorization:
            return None
        token = self.tokens.get(authorization.removeprefix("Bearer "))
        if token is None:
            raise Refusal(401, "Invalid credentials in Authorization header")
        return token

    def readable(self, request: Request) -> Repo:
        """Return the repository that a request names, if the user may know of it."""
        kind, repo_id = kind_of(request), request.args["repo"]
        repo = self.store.repo(kind, repo_id)
        user = request.user
        hidden = repo is not None and repo.private and not (user and user.owns(repo_id))
        if repo is None or hidden:
            status = 404 if user else 401
            raise Refusal(status, "Repository not found", "RepoNotFound")
        if self.settings.gate_info:
            self.check_gate(request, repo)
        return repo

    def check_gate(self, request: Request, repo: Repo) -> None:
        """Refuse the files of a gated repository to others."""
        if repo.gated and not (request.user and request.user.owns(repo.id)):
            raise Refusal(
                403 if request.user else 401,
                f"Access to {repo.kind} {repo.id} is restricted and you are not in the authorized list",
                "GatedRepo",
            )

    def writable(self, request: Request) -> Repo:
        """Return the repository that a request names, if the user may write to it."""
        repo = self.readable(request)
        self.check_write(request, repo.id)
        return repo

    def check_write(self, request: Request, repo_id: str) -> None:
        if request.user is None:
            raise Refusal(401, "Invalid username or password.")
        if not request.user.may_write(repo_id):
            raise Refusal(403, f"You don't have the rights to write to {repo_id}")

    def proposable(self, request: Request) -> Repo:
        """Return the repository, if the user may open a pull request on it."""
        repo = self.readable(request)
        if request.user is None:
            raise Refusal(401, "Invalid username or password.")
        if request.user.role != "write":
            raise Refusal(403, "The token may only read")
        return repo

    def commit(self, repo: Repo, revision: str) -> Commit:
        """Return the commit that a revision names."""
        commit = repo.find(revision)
        if commit is None:
            raise Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit


def kind_of(request: Request) -> str:
    """Return `model`, `dataset` or `space`; a path without a prefix is a model's."""
    return request.args.get("kind", "models").removesuffix("s")
