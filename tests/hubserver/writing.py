"""Routes that change a repository apart from its files: create, settings, tags, branches."""

from __future__ import annotations

import re
from typing import Any

from hubserver.service import Service
from hubserver.store import KINDS
from hubserver.wire import Refusal, Request, Response, answer

_NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_][\w.-]{0,95}(?<!\.git)(?<![.-])")
_REF = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$))[^\s~^:?*\[\\/.-][^\s~^:?*\[\\]*(?<![./])")


def create_repo(service: Service, request: Request) -> Response:
    asked = request.json()
    kind, repo_id = _asked_repo(request, asked)
    service.check_write(request, repo_id)
    if kind not in KINDS or not _NAME.fullmatch(repo_id.split("/")[-1]):
        raise Refusal(400, f"{repo_id!r} is no name for a {kind}")
    existing = service.store.repo(kind, repo_id)
    if existing is not None:
        url = {"url": f"{service.endpoint}/{existing.path}"}
        raise Refusal(409, f"You already created this {kind} repo: {repo_id}", extra=url)
    if kind == "space" and not asked.get("sdk"):
        raise Refusal(400, "a Space needs an sdk")
    repo = service.store.create(kind, repo_id, request.user.name if request.user else "")
    repo.private = bool(asked.get("private")) or asked.get("visibility") == "private"
    repo.sdk = str(asked.get("sdk") or "")
    return answer({"url": f"{service.endpoint}/{repo.path}", "name": repo_id, "id": repo_id})


def delete_repo(service: Service, request: Request) -> Response:
    kind, repo_id = _asked_repo(request, request.json())
    if service.store.repo(kind, repo_id) is None:
        raise Refusal(404, "Repository not found", "RepoNotFound")
    service.check_write(request, repo_id)
    del service.store.repos[f"{kind}s/{repo_id}"]
    return answer({})


def _asked_repo(request: Request, asked: dict[str, Any]) -> tuple[str, str]:
    namespace = asked.get("organization") or (request.user.name if request.user else "")
    return str(asked.get("type") or "model"), f"{namespace}/{asked.get('name')}"


def change_settings(service: Service, request: Request) -> Response:
    repo = service.writable(request)
    asked = request.json()
    if "gated" in asked:
        repo.gated = asked["gated"] or ""
    if "private" in asked or "visibility" in asked:
        repo.private = bool(asked.get("private")) or asked.get("visibility") == "private"
    return answer({"private": repo.private, "gated": repo.gated or False})


def create_tag(service: Service, request: Request) -> Response:
    repo = service.writable(request)
    commit = service.commit(repo, request.args["rev"])
    asked = request.json()
    tag = _ref_name(str(asked.get("tag") or ""))
    if f"refs/tags/{tag}" in repo.refs:
        raise Refusal(409, f"Tag reference already exists: {tag}")
    repo.refs[f"refs/tags/{tag}"] = commit.id
    repo.tag_messages[tag] = str(asked.get("message") or "")
    return answer({})


def delete_tag(service: Service, request: Request) -> Response:
    repo = service.writable(request)
    if repo.refs.pop(f"refs/tags/{request.args['rev']}", None) is None:
        raise Refusal(404, f"Invalid rev id: {request.args['rev']}", "RevisionNotFound")
    repo.tag_messages.pop(request.args["rev"], None)
    return answer({})


def create_branch(service: Service, request: Request) -> Response:
    repo = service.writable(request)
    ref = f"refs/heads/{_ref_name(request.args['rev'])}"
    if ref in repo.refs:
        raise Refusal(409, f"Reference already exists: {ref}")
    repo.refs[ref] = service.commit(repo, request.json().get("startingPoint") or "main").id
    return answer({})


def delete_branch(service: Service, request: Request) -> Response:
    repo = service.writable(request)
    branch = request.args["rev"]
    if branch == "main":
        raise Refusal(403, "the branch main cannot be deleted")
    if repo.refs.pop(f"refs/heads/{branch}", None) is None:
        raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
    return answer({})


def super_squash(service: Service, request: Request) -> Response:
    """Replace a branch's history by one commit; what tags point at stays."""
    repo = service.writable(request)
    branch = request.args["rev"]
    ref = f"refs/heads/{branch}"
    if ref not in repo.refs:
        raise Refusal(404, f"Invalid rev id: {branch}", "RevisionNotFound")
    head = service.commit(repo, branch)
    title = str(request.json().get("message") or "Super-squash")
    author = request.user.name if request.user else ""
    repo.refs[ref] = service.store.commit(repo, "", head.files, (title, author)).id
    return answer({})


def validate_yaml(service: Service, request: Request) -> Response:
    """Look whether a card has front matter; its keys are not judged here (see README.md)."""
    errors = [{"message": message} for message in service.settings.yaml_errors]
    content = str(request.json().get("content") or "").replace("\r\n", "\n")
    has_yaml = content.startswith("---\n") and "\n---" in content[4:]
    warnings = [] if has_yaml else [{"message": "empty or missing yaml metadata in repo card"}]
    return answer({"errors": errors, "warnings": warnings}, 400 if errors else 200)


def _ref_name(name: str) -> str:
    """Return a branch's or tag's name if git would take it."""
    if not _REF.fullmatch(name) or name.startswith("refs/"):
        raise Refusal(400, f"{name!r} is not a name for a branch or tag")
    return name
