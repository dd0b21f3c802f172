"""Routes that look: who am I, repository information, refs, commits."""

from __future__ import annotations

import hashlib
from typing import Any

from hubserver.service import Service, kind_of
from hubserver.store import Blob, Commit, Repo
from hubserver.trees import page
from hubserver.wire import Refusal, Request, Response, answer


def whoami(service: Service, request: Request) -> Response:
    user = request.user
    if user is None:
        raise Refusal(401, "Invalid username or password.")
    orgs = [{"type": "org", "name": name, "fullname": name} for name in user.orgs]
    access = {"displayName": user.name, "role": user.role}
    return answer(
        {
            "type": "user",
            "id": hashlib.sha256(user.name.encode()).hexdigest()[:24],
            "name": user.name,
            "fullname": user.name,
            "isPro": False,
            "orgs": orgs,
            "auth": {"type": "access_token", "accessToken": access},
        }
    )


def list_repos(service: Service, request: Request) -> Response:
    """The repositories of a kind that the user may see; `search` and `author` narrow it."""
    search, author = (request.query.get(name, [""])[-1] for name in ("search", "author"))
    return answer(
        [
            _info(repo, service.commit(repo, "main"))
            for repo in service.store.repos.values()
            if repo.kind == kind_of(request)
            and search in repo.id
            and repo.id.startswith(author)
            and (not repo.private or (request.user is not None and request.user.owns(repo.id)))
        ]
    )


def repo_info(service: Service, request: Request) -> Response:
    repo = service.readable(request)
    commit = service.commit(repo, request.args.get("rev", "main"))
    blobs = request.flag("blobs")
    siblings = [
        {"rfilename": path, **(_blob(blob) if blobs else {})} for path, blob in commit.files.items()
    ]
    return answer({**_info(repo, commit), "siblings": siblings})


def _info(repo: Repo, commit: Commit) -> dict[str, Any]:
    return {
        "_id": hashlib.sha256(repo.path.encode()).hexdigest()[:24],
        "id": repo.id,
        "author": repo.id.split("/")[0],
        "sha": commit.id,
        "private": repo.private,
        "gated": repo.gated or False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "createdAt": repo.date,
        "lastModified": commit.date,
        **({"sdk": repo.sdk} if repo.sdk else {}),
    }


def _blob(blob: Blob) -> dict[str, Any]:
    lfs = {"sha256": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    return {"size": blob.size, "blobId": blob.oid, **({"lfs": lfs} if blob.lfs else {})}


def refs(service: Service, request: Request) -> Response:
    repo = service.readable(request)

    def under(prefix: str) -> list[dict[str, str]]:
        return [
            {"name": ref.removeprefix(prefix), "ref": ref, "targetCommit": sha}
            for ref, sha in sorted(repo.refs.items())
            if ref.startswith(prefix)
        ]

    listed = {
        "branches": under("refs/heads/"),
        "tags": under("refs/tags/"),
        "converts": under("refs/convert/"),
    }
    pulls = {"pullRequests": under("refs/pr/")} if request.flag("include_prs") else {}
    return answer({**listed, **pulls})


def commits(service: Service, request: Request) -> Response:
    repo = service.readable(request)
    line = repo.history(service.commit(repo, request.args["rev"]))
    entries = [
        {
            "id": commit.id,
            "title": commit.title,
            "message": commit.message,
            "date": commit.date,
            "authors": [{"user": commit.author}],
        }
        for commit in line
    ]
    return page(service, request, entries)


def auth_check(service: Service, request: Request) -> Response:
    repo = service.readable(request)
    service.check_gate(request, repo)
    if request.args.get("write"):
        service.check_write(request, repo.id)
    return answer({})
