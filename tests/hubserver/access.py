"""Who may do what: a token has a user, a role and organisations."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Token:
    """An access token of a user; `role` is `read` or `write`, as on the Hub's token page."""

    value: str
    name: str
    role: str = "write"
    orgs: tuple[str, ...] = ()

    def owns(self, repo_id: str) -> bool:
        """Whether the repository lies in the user's own namespace or organisations."""
        return repo_id.split("/")[0] in (self.name, *self.orgs)

    def may_write(self, repo_id: str) -> bool:
        return self.role == "write" and self.owns(repo_id)


#: What every server knows at the start: a writer, the same user with a read token, a stranger.
WRITER = Token("hf_loopback_writer", "tester", orgs=("org",))
READER = Token("hf_loopback_reader", "tester", role="read", orgs=("org",))
STRANGER = Token("hf_loopback_stranger", "stranger")
TOKENS = (WRITER, READER, STRANGER)
