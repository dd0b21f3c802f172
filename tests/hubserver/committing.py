"""Preupload and commit: one commit is applied as a whole or not at all."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from hubserver.discussing import open_pull_request
from hubserver.service import Service
from hubserver.store import Blob, Commit, Repo, is_lfs
from hubserver.wire import Refusal, Request, Response, answer

_STALE = "A commit has happened since. Please refresh and try again."


def preupload(service: Service, request: Request) -> Response:
    """Say for each file whether it goes up as LFS, and what stands at its path now."""
    pull = request.flag("create_pr")
    repo = service.proposable(request) if pull else service.writable(request)
    files = service.commit(repo, request.args["rev"]).files
    answers = []
    for asked in request.json().get("files", []):
        path, size = str(asked["path"]), int(asked["size"])
        mode = "lfs" if is_lfs(path, size) else "regular"
        now = {"oid": files[path].etag} if path in files else {}
        answers.append({"path": path, "uploadMode": mode, "shouldIgnore": False, **now})
    return answer({"files": answers, "commitOid": service.commit(repo, request.args["rev"]).id})


def commit(service: Service, request: Request) -> Response:
    """Apply a commit to a branch, or to a new pull request where `create_pr` is asked for."""
    pull = request.flag("create_pr")
    repo = service.proposable(request) if pull else service.writable(request)
    header, operations = _lines(request.body)
    revision = request.args["rev"]
    base, ref = _base(service, repo, revision, header.get("parentCommit"), pull)
    files = dict(base.files)
    for key, value in operations:
        _apply(service, repo, files, (key, value))
    title = str(header.get("summary") or "")
    if not title:
        raise Refusal(400, "a commit needs a summary")
    author = request.user.name if request.user else ""
    made = service.store.commit(
        repo, base.id, files, (title, author), str(header.get("description") or "")
    )
    extra = {}
    if pull:
        discussion = open_pull_request(service, repo, (title, made.message, author), made.id)
        extra["pullRequestUrl"] = f"{service.endpoint}/{repo.path}/discussions/{discussion.num}"
    else:
        repo.refs[ref] = made.id
    url = f"{service.endpoint}/{repo.path}/commit/{made.id}"
    return answer({"success": True, "commitOid": made.id, "commitUrl": url, **extra})


def _base(
    service: Service, repo: Repo, revision: str, parent: str | None, pull: bool
) -> tuple[Commit, str]:
    """Return the commit to build on and the ref to move; a moved branch is a 412."""
    head = service.commit(repo, revision)
    if pull:
        return (service.commit(repo, parent) if parent else head), ""
    ref = repo.ref(revision)
    if ref is None or not ref.startswith(("refs/heads/", "refs/pr/")):
        raise Refusal(400, f"{revision} is not a branch")
    if parent and not head.id.startswith(parent):
        raise Refusal(412, _STALE)
    return head, ref


def _lines(body: bytes) -> tuple[dict[str, Any], list[tuple[str, dict[str, Any]]]]:
    """Split the body into its header and its operations."""
    try:
        lines = [json.loads(line) for line in body.splitlines() if line.strip()]
        operations = [(str(line["key"]), dict(line["value"])) for line in lines]
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(400, f"a line of the commit cannot be read: {error}") from error
    if not operations or operations[0][0] != "header":
        raise Refusal(400, "the first line of a commit is its header")
    return operations[0][1], operations[1:]


def _apply(
    service: Service, repo: Repo, files: dict[str, Blob], operation: tuple[str, dict[str, Any]]
) -> None:
    key, value = operation
    path = str(value.get("path", ""))
    if key == "file":
        _check_path(path, files)
        try:
            content = base64.b64decode(value["content"], validate=True)
        except (KeyError, binascii.Error) as error:
            raise Refusal(400, f"{path}: the content is not base64") from error
        files[path] = service.store.blob(content)
    elif key == "lfsFile":
        _check_path(path, files)
        files[path] = _stored(service, repo, path, value)
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise Refusal(404, f"A file with this name doesn't exist: {path}", "EntryNotFound")
    elif key == "deletedFolder":
        below = [name for name in files if name.startswith(path.rstrip("/") + "/")]
        if not below:
            raise Refusal(404, f"A folder with this name doesn't exist: {path}", "EntryNotFound")
        for name in below:
            del files[name]
    else:
        raise Refusal(400, f"unknown operation {key!r}")


def _check_path(path: str, files: dict[str, Blob]) -> None:
    parts = path.split("/")
    if any(part in ("", ".", "..", ".git") for part in parts) or any(ord(c) < 32 for c in path):
        raise Refusal(400, f"{path!r} is not a path for a file")
    above = ("/".join(parts[:depth]) for depth in range(1, len(parts)))
    if any(folder in files for folder in above) or any(n.startswith(f"{path}/") for n in files):
        raise Refusal(400, f"{path!r} is a file and a folder")


def _stored(service: Service, repo: Repo, path: str, value: dict[str, Any]) -> Blob:
    """Return the blob of an LFS object that this repository holds; another one is a 400."""
    oid = str(value.get("oid"))
    content = service.store.contents.get(oid) if oid in repo.lfs else None
    if content is None or len(content) != value.get("size", len(content)):
        raise Refusal(400, f"{path}: the LFS object {oid} was never stored")
    return service.store.blob(content, lfs=True)
