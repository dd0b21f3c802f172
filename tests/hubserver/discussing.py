"""Pull requests: opened by a commit or empty, read, merged, closed. Comments are not kept."""

from __future__ import annotations

from typing import Any

from hubserver.service import Service
from hubserver.store import Discussion, Repo
from hubserver.wire import Refusal, Request, Response, answer


def open_pull_request(
    service: Service, repo: Repo, words: tuple[str, str, str], commit: str, draft: bool = False
) -> Discussion:
    """Open a pull request at a commit; `words` are title, description and author."""
    num = len(repo.discussions) + 1
    status = "draft" if draft else "open"
    made = Discussion(num, *words, service.store.now(), "refs/heads/main", status)
    repo.discussions.append(made)
    repo.refs[f"refs/pr/{num}"] = commit
    return made


def create(service: Service, request: Request) -> Response:
    repo = service.proposable(request)
    asked = request.json()
    author = request.user.name if request.user else ""
    words = (str(asked.get("title")), str(asked.get("description") or ""), author)
    if asked.get("pullRequest"):
        main = service.commit(repo, "main").id
        made = open_pull_request(service, repo, words, main, draft=True)
    else:
        made = Discussion(len(repo.discussions) + 1, *words, service.store.now())
        repo.discussions.append(made)
    return answer({"num": made.num, "pullRequest": bool(made.base)})


def listing(service: Service, request: Request) -> Response:
    repo = service.readable(request)
    page = [_fields(repo, discussion) for discussion in repo.discussions]
    return answer({"discussions": page, "count": len(page), "start": 0})


def details(service: Service, request: Request) -> Response:
    repo, discussion = _asked(service, request)
    head = repo.refs.get(f"refs/pr/{discussion.num}")
    line = repo.history(repo.commits[head]) if head else []
    known = {commit.id for commit in repo.history(service.commit(repo, "main"))}
    events = [
        {
            "id": commit.id[:15],
            "type": "commit",
            "createdAt": commit.date,
            "author": {"name": commit.author},
            "data": {"subject": commit.title, "oid": commit.id},
        }
        for commit in reversed(line)
        if commit.id not in known
    ]
    changes = {"base": discussion.base, "mergeCommitId": discussion.merged or None}
    pull = {"changes": changes, "filesWithConflicts": []} if discussion.base else {}
    return answer({**_fields(repo, discussion), "events": events, **pull})


def merge(service: Service, request: Request) -> Response:
    """Merge a pull request whose base has not moved; a moved one is a conflict here."""
    service.writable(request)
    repo, discussion = _asked(service, request)
    head = repo.refs.get(f"refs/pr/{discussion.num}")
    if head is None or discussion.status not in ("open", "draft"):
        raise Refusal(400, "nothing to merge")
    if repo.refs["refs/heads/main"] not in {c.id for c in repo.history(repo.commits[head])}:
        raise Refusal(409, "main has moved: the pull request cannot be merged here")
    repo.refs["refs/heads/main"] = discussion.merged = head
    discussion.status = "merged"
    return answer({})


def change_status(service: Service, request: Request) -> Response:
    service.writable(request)
    _, discussion = _asked(service, request)
    discussion.status = str(request.json().get("status"))
    event = {
        "id": f"status-{discussion.num}",
        "type": "status-change",
        "createdAt": service.store.now(),
        "author": {"name": request.user.name if request.user else ""},
        "data": {"status": discussion.status},
    }
    return answer({"newStatus": event})


def _asked(service: Service, request: Request) -> tuple[Repo, Discussion]:
    repo = service.readable(request)
    for discussion in repo.discussions:
        if str(discussion.num) == request.args["num"]:
            return repo, discussion
    raise Refusal(404, "Discussion not found")


def _fields(repo: Repo, discussion: Discussion) -> dict[str, Any]:
    return {
        "num": discussion.num,
        "title": discussion.title,
        "author": {"name": discussion.author},
        "createdAt": discussion.date,
        "status": discussion.status,
        "repo": {"name": repo.id, "type": repo.kind},
        "isPullRequest": bool(discussion.base),
    }
