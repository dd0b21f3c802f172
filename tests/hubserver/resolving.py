"""The route of files: HEAD and GET of `resolve`, whole or by range."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote

from hubserver.service import Service
from hubserver.store import Blob
from hubserver.wire import Refusal, Request, Response

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def resolve(service: Service, request: Request) -> Response:
    """A file at a revision. LFS files come from here or, if so set, from the storage host."""
    repo = service.readable(request)
    commit = service.commit(repo, request.args["rev"])
    commit_header = {"X-Repo-Commit": commit.id}
    path = request.args["path"]
    service.check_gate(request, repo)
    blob = commit.files.get(path)
    if blob is None:
        raise Refusal(404, "Entry not found", "EntryNotFound", headers=commit_header)
    name = path.rsplit("/", 1)[-1]
    headers = {
        **commit_header,
        "ETag": f'"{blob.etag}"',
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(name)}; filename=\"{quote(name)}\";",
    }
    if blob.lfs:
        headers |= {"X-Linked-Size": str(blob.size), "X-Linked-Etag": f'"{blob.sha256}"'}
        if service.settings.redirect_lfs:
            location = storage_url(service, repo.path, blob.sha256)
            return Response(302, b"", {**headers, "Location": location})
    return ranged(request, content_of(service, blob), headers)


def content_of(service: Service, blob: Blob) -> bytes:
    content = service.store.contents.get(blob.sha256)
    if content is None:
        raise Refusal(500, f"the content {blob.sha256} is gone")
    return content


def storage_url(service: Service, repo_path: str, sha256: str, part: int = 0) -> str:
    """Return a signed address on the storage host, which takes no token."""
    rest = f"/{part}" if part else ""
    query = f"repo={quote(repo_path, safe='')}&signature={signature(repo_path, sha256)}"
    return f"{service.storage}/storage/{sha256}{rest}?{query}"


def signature(repo_path: str, sha256: str) -> str:
    """Return a stand-in for a signed URL's signature; it outlives a restart."""
    return hashlib.sha256(f"{repo_path} {sha256}".encode()).hexdigest()[:16]


def ranged(request: Request, content: bytes, headers: dict[str, str]) -> Response:
    """Return all of a content, or the one range of it that was asked for."""
    size = len(content)
    headers = {
        **headers,
        "Accept-Ranges": "bytes",
        "Content-Type": "application/octet-stream",
    }
    match = _RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or match.groups() == ("", ""):
        return Response(200, content, headers)
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start > end:
        headers |= {"Content-Range": f"bytes */{size}"}
        raise Refusal(416, "Requested range not satisfiable", headers=headers)
    headers |= {"Content-Range": f"bytes {start}-{end}/{size}"}
    return Response(206, content[start : end + 1], headers)
