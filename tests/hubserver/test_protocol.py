"""The wire itself, without a client library between: statuses, headers, ranges, refusals."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
from typing import Any

import pytest

from hubserver import HubServer

REPO = "org/faq"
API = f"/api/datasets/{REPO}"
FILES = f"/datasets/{REPO}/resolve"


class Answer:
    """Status, headers and body of one answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    def __init__(self, hub: HubServer) -> None:
        self.hub = hub

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        own = {"Authorization": f"Bearer {self.hub.writer.value}"}
        sent = {
            name.replace("_", "-"): value for name, value in {**own, **headers}.items() if value
        }
        content = json.dumps(body) if isinstance(body, dict) else body
        connection = http.client.HTTPConnection(self.hub.host, timeout=10)
        try:
            connection.request(method, path, content, sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def commit(self, *lines: tuple[str, dict[str, Any]], parent: str = "") -> Answer:
        header = {"summary": "m", "description": "", **({"parentCommit": parent} if parent else {})}
        body = [{"key": key, "value": value} for key, value in (("header", header), *lines)]
        return self("POST", f"{API}/commit/main", "\n".join(map(json.dumps, body)))


@pytest.fixture
def wire(hub: HubServer) -> Wire:
    hub.publish(REPO, {"a.txt": b"0123456789", "b.parquet": b"PAR1"}, tag="v1")
    return Wire(hub)


def test_a_file_answers_with_etag_and_commit(hub: HubServer, wire: Wire):
    head = wire("HEAD", f"{FILES}/v1/a.txt")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["X-Repo-Commit"] == hub.repo(REPO).refs["refs/tags/v1"]
    assert head.headers["Content-Length"] == "10"
    assert head.headers["Accept-Ranges"] == "bytes"
    git = hashlib.sha1(b"blob 10\x000123456789").hexdigest()
    assert head.headers["ETag"] == f'"{git}"'
    large = wire("HEAD", f"{FILES}/main/b.parquet").headers
    sha256 = hashlib.sha256(b"PAR1").hexdigest()
    assert (large["X-Linked-Etag"], large["X-Linked-Size"]) == (f'"{sha256}"', "4")


@pytest.mark.parametrize(
    ("asked", "status", "body", "where"),
    [
        ("bytes=2-4", 206, b"234", "bytes 2-4/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
    ],
)
def test_a_range_is_cut_out(wire: Wire, asked: str, status: int, body: bytes, where: str | None):
    met = wire("GET", f"{FILES}/main/a.txt", Range=asked)
    assert (met.status, met.body, met.headers["Content-Range"]) == (status, body, where)


def test_a_range_outside_is_refused(wire: Wire):
    met = wire("GET", f"{FILES}/main/a.txt", Range="bytes=10-")
    assert (met.status, met.headers["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        (f"{FILES}/main/none.txt", True, 404, "EntryNotFound"),
        (f"{FILES}/v9/a.txt", True, 404, "RevisionNotFound"),
        (f"{API}/tree/v9", True, 404, "RevisionNotFound"),
        ("/api/datasets/org/none", True, 404, "RepoNotFound"),
        ("/api/datasets/org/none", False, 401, "RepoNotFound"),
        ("/api/models/org/faq", True, 404, "RepoNotFound"),
    ],
)
def test_an_absence_is_named(wire: Wire, path: str, token: bool, status: int, code: str):
    met = wire("GET", path, **({} if token else {"Authorization": ""}))
    assert (met.status, met.headers["X-Error-Code"]) == (status, code)
    assert ("X-Repo-Commit" in met.headers) == (code == "EntryNotFound")


def test_a_write_without_a_token_or_with_an_unknown_one_is_401(wire: Wire):
    for token in ("", "Bearer hf_unknown"):
        met = wire("POST", f"{API}/tag/main", {"tag": "v2"}, Authorization=token)
        assert met.status == 401


def test_an_lfs_file_that_was_never_stored_is_a_400(hub: HubServer, wire: Wire):
    before = hub.read(REPO)
    oid = hashlib.sha256(b"elsewhere").hexdigest()
    hub.publish("org/other", {"x.parquet": b"elsewhere"})
    for value in ({"oid": "0" * 64, "size": 9}, {"oid": oid, "size": 9}):
        met = wire.commit(("lfsFile", {"path": "c.parquet", "algo": "sha256", **value}))
        assert met.status == 400 and "never stored" in met.json["error"]
    assert hub.read(REPO) == before


def test_a_commit_with_one_bad_line_changes_nothing(hub: HubServer, wire: Wire):
    before = hub.repo(REPO).refs["refs/heads/main"]
    good = ("file", {"path": "c.txt", "content": base64.b64encode(b"c").decode()})
    for bad in (
        ("deletedFile", {"path": "none"}),
        ("file", {"path": "d", "content": "no base64!"}),
        ("renamed", {"path": "a.txt"}),
    ):
        assert wire.commit(good, bad).status in (400, 404)
    assert wire.commit(good, parent="1" * 40).status == 412
    assert wire("POST", f"{API}/commit/main", "not json").status == 400
    assert (
        wire("POST", f"{API}/commit/v1", '{"key":"header","value":{"summary":"m"}}').status == 400
    )
    assert hub.repo(REPO).refs["refs/heads/main"] == before
    assert wire.commit(good, parent=before).status == 200


def test_storage_takes_signed_addresses_the_right_bytes_and_no_token(hub: HubServer, wire: Wire):
    oid = hashlib.sha256(b"12345").hexdigest()
    asked = {"operation": "upload", "objects": [{"oid": oid, "size": 5}]}
    batch = f"/datasets/{REPO}.git/info/lfs/objects/batch"
    actions = wire("POST", batch, asked).json["objects"][0]["actions"]
    path = actions["upload"]["href"].split(hub.host.split(":")[1])[1]
    assert wire("PUT", path, b"54321", Authorization="").status == 400
    assert wire("PUT", path, b"12345").status == 400
    assert wire("PUT", path.split("&signature")[0], b"12345", Authorization="").status == 403
    for _ in range(2):
        assert wire("PUT", path, b"12345", Authorization="").status == 200
    assert "actions" not in wire("POST", batch, asked).json["objects"][0]


def test_a_chunked_body_is_read(hub: HubServer, wire: Wire):
    chunks = iter([b'{"tag": ', b'"v2"}'])
    assert wire("POST", f"{API}/tag/main", chunks).status == 200
    assert "refs/tags/v2" in hub.repo(REPO).refs
    assert hub.log.entries[-1].headers["transfer-encoding"] == "chunked"


@pytest.mark.parametrize("tag", ["", "a b", "v1..2", "-v1", "refs/tags/v1", "v1/", "x.lock"])
def test_names_that_git_would_not_take_are_refused(wire: Wire, tag: str):
    assert wire("POST", f"{API}/tag/main", {"tag": tag}).status == 400


def test_a_route_that_is_not_served_is_noted(hub: HubServer, wire: Wire):
    assert wire("GET", "/api/agent-harnesses").status == 404
    assert hub.unserved == ["GET /api/agent-harnesses"]


def test_the_log_tells_what_was_sent_but_not_the_token(hub: HubServer, wire: Wire):
    hub.log.clear()
    wire("POST", f"{API}/tag/main", {"tag": "v2"}, X_Own="yes")
    wire("GET", API, Authorization="")
    first, second = hub.log.entries
    assert (first.target, first.status) == (f"POST {API}/tag/main", 200)
    assert (first.authorized, first.user, first.headers["x-own"]) == (True, "tester", "yes")
    assert (first.body, first.body_size) == (b'{"tag": "v2"}', 13)
    assert (second.authorized, second.user, second.host) == (False, "", hub.host)
    assert hub.writer.value not in repr(hub.log.entries)
    assert hub.log.leaks(hub.host, hub.writer.value) == []
    wire("GET", f"{API}?token={hub.writer.value}")
    wire("GET", API, Host="elsewhere.example")
    assert len(hub.log.leaks(hub.host, hub.writer.value)) == 2
