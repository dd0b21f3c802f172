"""Faults: each kind does what its name says, at the place where it was put."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx

from hubserver import FAULT_KINDS, Fault, HubServer

REPO = "org/faq"
ROWS = bytes(range(256)) * 40
URL = f"/datasets/{REPO}/resolve/main/a.parquet"


@pytest.fixture
def sha(hub: HubServer) -> str:
    return hub.publish(REPO, {"a.parquet": ROWS})


@pytest.fixture
def get(hub: HubServer, sha: str) -> Callable[..., httpx.Response]:
    def get(method: str = "GET", **more) -> httpx.Response:
        return httpx.request(method, hub.endpoint + URL, trust_env=False, timeout=5, **more)

    return get


def commit(api: HfApi, files: dict[str, bytes], parent: str = "") -> str:
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return api.create_commit(
        REPO, operations, commit_message="m", repo_type="dataset", parent_commit=parent or None
    ).oid


@pytest.mark.parametrize("kind", ["412", "409", "429", "500", "503"])
def test_a_status_is_answered_instead_of_the_work(
    hub: HubServer, get: Callable[..., httpx.Response], kind: str
):
    hub.faults.add(Fault(kind, wait=7))
    answer = get()
    assert (str(answer.status_code), answer.headers.get("Retry-After")) == (
        kind,
        "7" if kind == "429" else None,
    )
    assert get().status_code == 200
    assert [(number, fault.kind) for number, fault in hub.faults.fired] == [(1, kind)]


@pytest.mark.parametrize("kind", ["reset", "lost", "stop_after"])
def test_a_broken_connection_shows_no_answer(
    hub: HubServer, get: Callable[..., httpx.Response], kind: str
):
    hub.faults.add(Fault(kind))
    with pytest.raises(httpx.TransportError):
        get()
    hub.start()
    assert get().content == ROWS


def test_a_truncated_answer_says_its_length_and_ends_halfway(
    hub: HubServer, get: Callable[..., httpx.Response]
):
    hub.faults.add(Fault("truncated"))
    with pytest.raises(httpx.RemoteProtocolError):
        get()
    assert hub.log.entries[-1].sent == len(ROWS) // 2


def test_a_slow_answer_arrives_whole(hub: HubServer, get: Callable[..., httpx.Response]):
    hub.faults.add(Fault("slow", seconds=0.4))
    start = time.monotonic()
    assert get().content == ROWS
    assert time.monotonic() - start >= 0.4


def test_a_wrong_etag_and_corrupt_bytes_have_the_right_length(
    hub: HubServer, get: Callable[..., httpx.Response]
):
    right = get("HEAD").headers["ETag"]
    hub.faults.add(Fault("wrong_etag"), Fault("corrupt", nth=2))
    wrong = get("HEAD")
    assert right != wrong.headers["ETag"] == wrong.headers["X-Linked-Etag"]
    corrupt = get()
    assert len(corrupt.content) == len(ROWS) and corrupt.content != ROWS
    assert get().content == ROWS


def test_faults_are_placed_by_number_pattern_and_repetition(
    hub: HubServer, get: Callable[..., httpx.Response]
):
    hub.faults.add(Fault("500", nth=2, when=r"^GET .*\.parquet", times=2), Fault("409", nth=6))
    methods = ["HEAD", "GET", "GET", "GET", "GET", "HEAD", "GET"]
    met = [get(method).status_code for method in methods]
    assert met == [200, 200, 500, 500, 200, 409, 200]
    hub.faults.add(Fault("503"))
    hub.faults.clear()
    assert get().status_code == 200


def test_a_fault_must_be_known_and_count_from_one():
    with pytest.raises(ValueError, match="known: 412"):
        Fault("earthquake")
    with pytest.raises(ValueError, match="from 1"):
        Fault("500", nth=0)
    with pytest.raises(ValueError, match="action"):
        Fault("action")


def test_an_action_comes_between_like_another_publisher(hub: HubServer, sha: str):
    other = Fault(
        "action", when="POST .*/commit/", action=lambda: hub.publish(REPO, {"c.txt": b"c"})
    )
    hub.faults.add(other)
    api = hub.clients.api()
    with pytest.raises(HfHubHTTPError, match="A commit has happened since"):
        commit(api, {"b.txt": b"b"}, parent=sha)
    commit(api, {"b.txt": b"b"}, parent=api.dataset_info(REPO).sha or "")
    assert {"b.txt", "c.txt"} <= set(hub.read(REPO))


def test_a_lost_commit_was_made_and_a_reset_one_was_not(hub: HubServer, sha: str):
    api = hub.clients.api()
    hub.faults.add(Fault("reset", when="POST .*/commit/"))
    with pytest.raises(httpx.TransportError):
        commit(api, {"b.txt": b"b"}, parent=sha)
    assert api.dataset_info(REPO).sha == sha
    hub.faults.add(Fault("lost", when="POST .*/commit/"))
    with pytest.raises(httpx.TransportError):
        commit(api, {"b.txt": b"b"}, parent=sha)
    assert api.dataset_info(REPO).sha != sha
    assert hub.read(REPO)["b.txt"] == b"b"


def test_the_stock_client_retries_storage_but_not_the_commit(hub: HubServer, sha: str):
    api = hub.clients.api()
    hub.faults.add(Fault("503", when="PUT /storage"))
    commit(api, {"b.parquet": ROWS[:300]})
    assert [entry.status for entry in hub.log.find("PUT /storage")] == [503, 200]
    hub.faults.add(Fault("503", when="POST .*/commit/"))
    with pytest.raises(HfHubHTTPError, match="503"):
        commit(api, {"c.txt": b"c"})


def test_the_stock_client_repeats_a_truncated_download(hub: HubServer, sha: str, tmp_path: Path):
    hub.faults.add(Fault("truncated", when="^GET .*a.parquet"))
    path = hub.clients.api().hf_hub_download(
        REPO, "a.parquet", repo_type="dataset", local_dir=tmp_path
    )
    assert Path(path).read_bytes() == ROWS
    sent = [entry.sent for entry in hub.log.find("^GET .*a.parquet")]
    assert sent == [len(ROWS) // 2, len(ROWS)]


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_under_every_fault_a_commit_is_whole_or_absent(hub: HubServer, sha: str, kind: str):
    """The plan of the publishing suite in small: after the fault, one of two trees is there."""
    old = hub.read(REPO)
    new = {**old, "b.txt": b"b", "a.parquet": ROWS[::-1]}
    hub.faults.add(Fault(kind, when="POST .*/commit/"))
    api = hub.clients.api()
    with suppress(HfHubHTTPError, httpx.TransportError, ValueError):
        commit(api, {"b.txt": b"b", "a.parquet": ROWS[::-1]}, parent=sha)
    assert hub.faults.fired
    hub.restart()
    assert hub.read(REPO) in (old, new)
    if hub.read(REPO) == old:
        commit(api, {"b.txt": b"b", "a.parquet": ROWS[::-1]}, parent=sha)
    assert hub.read(REPO) == new
    assert len(hub.log.find("^PUT /storage")) == 1
