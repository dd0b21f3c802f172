"""The LFS protocol: what is to be uploaded, the storage, and the check afterwards."""

from __future__ import annotations

import hashlib
from typing import Any

from hubserver.resolving import ranged, signature, storage_url
from hubserver.service import Service
from hubserver.store import Repo
from hubserver.wire import Refusal, Request, Response, answer


def batch(service: Service, request: Request) -> Response:
    """Say for each object where it goes; no `actions` means that it is already there."""
    repo = service.proposable(request)
    asked = request.json()
    if asked.get("operation") != "upload":
        raise Refusal(400, "only uploads are served")
    objects = [_object(service, repo, entry) for entry in asked.get("objects", [])]
    return answer({"transfer": "basic", "objects": objects})


def _object(service: Service, repo: Repo, entry: dict[str, Any]) -> dict[str, Any]:
    oid, size = str(entry["oid"]), int(entry["size"])
    if oid in repo.lfs:
        return {"oid": oid, "size": size}
    site = f"{service.endpoint}/{repo.path}.git/info/lfs/objects"
    upload: dict[str, Any] = {"href": storage_url(service, repo.path, oid), "header": {}}
    part_size = service.settings.part_size
    if 0 < part_size < size:
        parts = range(1, -(-size // part_size) + 1)
        urls = {f"{part:05}": storage_url(service, repo.path, oid, part) for part in parts}
        upload = {"href": f"{site}/complete", "header": {"chunk_size": str(part_size), **urls}}
    verify = {"href": f"{site}/verify", "header": {}}
    return {"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}


def put(service: Service, request: Request) -> Response:
    """Keep an object, or a part of one, under its sha256; other bytes are refused."""
    repo = _signed(service, request)
    oid = request.args["oid"]
    if request.args.get("part"):
        service.parts[f"{oid}/{int(request.args['part'])}"] = request.body
        digest = hashlib.sha256(request.body).hexdigest()
        return Response(200, b"", {"ETag": f'"{digest[:32]}"'})
    _keep(service, repo, oid, request.body)
    return Response(200, b"", {"ETag": f'"{oid[:32]}"'})


def complete(service: Service, request: Request) -> Response:
    """Put the parts of a multi-part upload together."""
    repo = _repo_of_path(service, request)
    asked = request.json()
    oid = str(asked.get("oid"))
    names = [f"{oid}/{part['partNumber']}" for part in asked.get("parts", [])]
    missing = [name for name in names if name not in service.parts]
    if missing or not names:
        raise Refusal(400, f"parts that were never sent: {missing}")
    _keep(service, repo, oid, b"".join(service.parts.pop(name) for name in names))
    return answer({})


def _keep(service: Service, repo: Repo, oid: str, content: bytes) -> None:
    if hashlib.sha256(content).hexdigest() != oid:
        raise Refusal(400, f"the content does not have the sha256 {oid}")
    service.store.contents.put(content)
    if oid not in repo.lfs:
        repo.lfs.append(oid)


def verify(service: Service, request: Request) -> Response:
    repo = service.proposable(request)
    asked = request.json()
    oid = str(asked.get("oid"))
    content = service.store.contents.get(oid) if oid in repo.lfs else None
    if content is None:
        raise Refusal(404, f"the object {oid} was never stored")
    if len(content) != asked.get("size"):
        raise Refusal(400, f"the object {oid} has {len(content)} bytes")
    return answer({})


def get(service: Service, request: Request) -> Response:
    """An object from the storage host."""
    _signed(service, request)
    content = service.store.contents.get(request.args["oid"])
    if content is None:
        raise Refusal(404, "NoSuchKey")
    return ranged(request, content, {"ETag": f'"{request.args["oid"][:32]}"'})


def _signed(service: Service, request: Request) -> Repo:
    """Return the repository of a signed address. Like S3, it refuses a token beside the signature."""
    path = request.query.get("repo", [""])[-1]
    if request.query.get("signature", [""])[-1] != signature(path, request.args["oid"]):
        raise Refusal(403, "SignatureDoesNotMatch")
    if "authorization" in request.headers:
        raise Refusal(400, "InvalidArgument: only one auth mechanism allowed")
    return _repo_at(service, path)


def _repo_of_path(service: Service, request: Request) -> Repo:
    kind, repo_id = request.args.get("kind"), request.args["repo"]
    return _repo_at(service, f"{kind}/{repo_id}" if kind else repo_id)


def _repo_at(service: Service, path: str) -> Repo:
    found = next((repo for repo in service.store.repos.values() if repo.path == path), None)
    if found is None:
        raise Refusal(404, "Repository not found", "RepoNotFound")
    return found
