"""State: it survives a restart, a kill, and two writers; the same history has the same shas."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import httpx

from hubserver import Fault, HubServer

REPO = "org/faq"
TESTS = Path(__file__).resolve().parents[1]


def test_everything_is_there_after_a_restart_on_the_same_address(hub: HubServer):
    hub.publish(REPO, {"a.txt": b"a", "b.parquet": b"PAR1"}, tag="v1")
    api = hub.clients.api()
    api.create_commit(
        REPO,
        [CommitOperationAdd("c.txt", b"c")],
        commit_message="propose",
        repo_type="dataset",
        create_pr=True,
    )
    before, files, endpoint = hub.repo(REPO), hub.read(REPO), hub.endpoint
    hub.restart()
    assert hub.repo(REPO) == before and hub.repo(REPO) is not before
    assert (hub.read(REPO), hub.endpoint) == (files, endpoint)
    assert api.dataset_info(REPO, revision="refs/pr/1").sha == before.refs["refs/pr/1"]


def test_a_stopped_server_refuses_and_comes_back_by_itself(hub: HubServer):
    sha = hub.publish(REPO, {"a.txt": b"a"})
    api = hub.clients.api()
    hub.faults.add(Fault("stop", when="/api/datasets", restart_after=0.2))
    with pytest.raises(httpx.TransportError):
        api.dataset_info(REPO)
    assert not hub.running
    with pytest.raises(httpx.ConnectError):
        api.dataset_info(REPO)
    assert hub.wait() and api.dataset_info(REPO).sha == sha


def test_a_killed_process_loses_nothing_that_it_answered(tmp_path: Path):
    def serve() -> tuple[subprocess.Popen[str], HfApi]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubserver", str(tmp_path)],
            cwd=TESTS,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        return process, HfApi(endpoint=endpoint, token=HubServer.writer.value)

    first, api = serve()
    try:
        api.create_repo(REPO, repo_type="dataset")
        sha = api.upload_file(
            path_or_fileobj=b"a", path_in_repo="a.txt", repo_id=REPO, repo_type="dataset"
        ).oid
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate()
    second, api = serve()
    try:
        assert api.dataset_info(REPO).sha == sha
    finally:
        second.kill()
        second.communicate()


def test_of_two_commits_on_one_parent_exactly_one_is_made(hub: HubServer):
    parent = hub.publish(REPO, {"a.txt": b"a"})
    api = hub.clients.api()
    met: list[str] = []

    def write(name: str) -> None:
        operations = [CommitOperationAdd(name, name.encode())]
        try:
            api.create_commit(
                REPO,
                operations,
                commit_message=name,
                repo_type="dataset",
                parent_commit=parent,
            )
        except HfHubHTTPError as error:
            met.append(str(error.response.status_code))
        else:
            met.append(name)

    writers = [threading.Thread(target=write, args=(f"{n}.txt",)) for n in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    (winner,) = [name for name in met if name != "412"]
    assert met.count("412") == 3
    assert set(hub.read(REPO)) == {".gitattributes", "a.txt", winner}


def test_the_same_history_has_the_same_shas(tmp_path: Path):
    def shas(folder: str) -> list[str]:
        hub = HubServer(tmp_path / folder, root=tmp_path / folder)
        return [hub.publish(REPO, {"a.txt": str(n).encode()}) for n in range(3)]

    assert shas("one") == shas("two")
    assert len(set(shas("three"))) == 3


def test_an_end_leaves_no_thread_behind(tmp_path: Path):
    before = set(threading.enumerate())
    hub = HubServer(tmp_path).start()
    hub.clients.api().whoami()
    hub.faults.add(Fault("stop", restart_after=60))
    with pytest.raises(httpx.TransportError):
        hub.clients.api().whoami()
    hub.stop()
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(timeout=5)
    assert not [thread for thread in left if thread.is_alive()]
