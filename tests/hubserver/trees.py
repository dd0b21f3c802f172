"""Routes that list: a tree by level or whole, and information on some of its paths."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from hubserver.service import Service
from hubserver.store import Blob, Commit, Repo
from hubserver.wire import Refusal, Request, Response, answer


def tree(service: Service, request: Request) -> Response:
    repo = service.readable(request)
    commit = service.commit(repo, request.args["rev"])
    folder = (request.args.get("path") or "").strip("/")
    entries = _entries(commit, folder, request.flag("recursive"))
    if folder and not entries:
        raise Refusal(404, f"{folder} does not exist on {request.args['rev']}", "EntryNotFound")
    if request.flag("expand"):
        _add_last_commits(repo, commit, entries)
    return page(service, request, entries)


def _entries(commit: Commit, folder: str, recursive: bool) -> list[dict[str, Any]]:
    """Return the files and folders below a folder, sorted by path."""
    prefix = f"{folder}/" if folder else ""
    folders: dict[str, list[str]] = {}
    files = []
    for path, blob in commit.files.items():
        if not path.startswith(prefix):
            continue
        parts = path[len(prefix) :].split("/")
        for depth in range(1, len(parts)):
            folders.setdefault(prefix + "/".join(parts[:depth]), []).append(blob.oid)
        if len(parts) == 1 or recursive:
            files.append(_file_entry(path, blob))
    shown = {path for path in folders if recursive or "/" not in path[len(prefix) :]}
    return sorted(files + [_folder_entry(path, folders[path]) for path in shown], key=_path)


def _path(entry: dict[str, Any]) -> str:
    return str(entry["path"])


def _file_entry(path: str, blob: Blob) -> dict[str, Any]:
    lfs = {"oid": blob.sha256, "size": blob.size, "pointerSize": len(blob.pointer)}
    extra = {"lfs": lfs} if blob.lfs else {}
    return {"type": "file", "path": path, "size": blob.size, "oid": blob.oid, **extra}


def _folder_entry(path: str, oids: Iterable[str]) -> dict[str, Any]:
    oid = hashlib.sha1("\n".join((path, *oids)).encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "path": path, "size": 0, "oid": oid}


def _add_last_commits(repo: Repo, commit: Commit, entries: list[dict[str, Any]]) -> None:
    line = repo.history(commit)
    for entry in entries:
        at = next(
            (
                newer
                for newer, older in pairwise(line)
                if _under(newer, entry["path"]) != _under(older, entry["path"])
            ),
            line[-1],
        )
        entry["lastCommit"] = {"id": at.id, "title": at.title, "date": at.date}


def _under(commit: Commit, path: str) -> dict[str, Blob]:
    return {
        met: blob for met, blob in commit.files.items() if met == path or met.startswith(f"{path}/")
    }


def paths_info(service: Service, request: Request) -> Response:
    """Information on some paths; those that do not exist are left out."""
    repo = service.readable(request)
    commit = service.commit(repo, request.args["rev"])
    form = request.form()
    known = {entry["path"]: entry for entry in _entries(commit, "", recursive=True)}
    asked = dict.fromkeys(path.strip("/") for path in form.get("paths", []))
    entries = [known[path] for path in asked if path in known]
    if form.get("expand", [""])[-1].lower() in ("1", "true"):
        _add_last_commits(repo, commit, entries)
    return answer(entries)


def page(service: Service, request: Request, entries: list[dict[str, Any]]) -> Response:
    """Return one page of a listing and, in the Link header, where the next one is."""
    size = min(request.number("limit", service.settings.page_size), service.settings.page_size)
    start = request.number("cursor", 0)
    headers = {"X-Total-Count": str(len(entries))}
    if start + size < len(entries):
        query = {key: values[-1] for key, values in request.query.items()}
        following = urlencode({**query, "cursor": start + size})
        headers["Link"] = f'<{service.endpoint}{request.path}?{following}>; rel="next"'
    return answer(entries[start : start + size], headers=headers)
