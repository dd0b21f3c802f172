"""Which request goes to which function. Paths are matched as sent and unquoted part by part."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote

from hubserver import committing, discussing, lfs, reading, resolving, trees, writing
from hubserver.service import Service
from hubserver.wire import Refusal, Request, Response

Route = Callable[[Service, Request], Response]

_REPO = r"(?P<repo>[^/]+/[^/]+)"
_API = rf"/api/(?P<kind>models|datasets|spaces)/{_REPO}"
_SITE = rf"/(?:(?P<kind>datasets|spaces)/)?{_REPO}"
_REV = r"/(?P<rev>[^/]+)"
_NUM = r"/discussions/(?P<num>\d+)"

_TABLE: tuple[tuple[str, str, Route], ...] = (
    ("GET", "/api/whoami-v2", reading.whoami),
    ("POST", "/api/repos/create", writing.create_repo),
    ("DELETE", "/api/repos/delete", writing.delete_repo),
    ("POST", "/api/validate-yaml", writing.validate_yaml),
    ("GET", "/api/(?P<kind>models|datasets|spaces)", reading.list_repos),
    ("GET", _API, reading.repo_info),
    ("GET", f"{_API}/revision{_REV}", reading.repo_info),
    ("GET", f"{_API}/tree{_REV}(?:/(?P<path>.*))?", trees.tree),
    ("POST", f"{_API}/paths-info{_REV}", trees.paths_info),
    ("GET", f"{_API}/refs", reading.refs),
    ("GET", f"{_API}/commits{_REV}", reading.commits),
    ("GET", f"{_API}/auth-check(?:/(?P<write>write))?", reading.auth_check),
    ("PUT", f"{_API}/settings", writing.change_settings),
    ("POST", f"{_API}/preupload{_REV}", committing.preupload),
    ("POST", f"{_API}/commit{_REV}", committing.commit),
    ("POST", f"{_API}/tag{_REV}", writing.create_tag),
    ("DELETE", f"{_API}/tag{_REV}", writing.delete_tag),
    ("POST", f"{_API}/branch{_REV}", writing.create_branch),
    ("DELETE", f"{_API}/branch{_REV}", writing.delete_branch),
    ("POST", f"{_API}/super-squash{_REV}", writing.super_squash),
    ("POST", f"{_API}/discussions", discussing.create),
    ("GET", f"{_API}/discussions", discussing.listing),
    ("GET", f"{_API}{_NUM}", discussing.details),
    ("POST", f"{_API}{_NUM}/merge", discussing.merge),
    ("POST", f"{_API}{_NUM}/status", discussing.change_status),
    ("GET", rf"{_SITE}/resolve{_REV}/(?P<path>.+)", resolving.resolve),
    ("POST", rf"{_SITE}\.git/info/lfs/objects/batch", lfs.batch),
    ("POST", rf"{_SITE}\.git/info/lfs/objects/verify", lfs.verify),
    ("POST", rf"{_SITE}\.git/info/lfs/objects/complete", lfs.complete),
    ("GET", r"/storage/(?P<oid>[0-9a-f]{64})", lfs.get),
    ("PUT", r"/storage/(?P<oid>[0-9a-f]{64})(?:/(?P<part>\d+))?", lfs.put),
)
_ROUTES = tuple((method, re.compile(path), route) for method, path, route in _TABLE)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the function for a request and the named parts of its path; HEAD goes where GET does."""
    wanted = "GET" if method == "HEAD" else method
    for known, pattern, route in _ROUTES:
        match = pattern.fullmatch(path)
        if match is not None and known == wanted:
            args = {name: unquote(part) for name, part in match.groupdict().items() if part}
            return route, args
    return None


def work(service: Service, request: Request) -> Response:
    """Answer a request; after a change the state is saved before the answer goes out."""
    try:
        found = find(request.method, request.path)
        if found is None:
            raise Refusal(404, "Not served by this test server")
        route, request.args = found
        if not request.path.startswith("/storage/"):
            request.user = service.user(request.headers.get("authorization", ""))
        with service.store.lock:
            response = route(service, request)
            if request.method in ("POST", "PUT", "DELETE"):
                service.store.save()
        return response
    except Refusal as refusal:
        return refusal.response()
