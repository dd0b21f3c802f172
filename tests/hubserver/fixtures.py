"""Pytest fixtures: `hub`, `hub_dataset`, and `make_hub` for servers that live longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from hubserver.server import HubServer


def pytest_configure(config: pytest.Config) -> None:
    """Let huggingface_hub 2.4 upload: it hands files to httpx2 in a way that httpx2 deprecates."""
    ignored = "ignore:Use 'content=<...>' to upload raw bytes:DeprecationWarning"
    config.addinivalue_line("filterwarnings", ignored)


class PublishDataset(Protocol):
    """What the fixture `hub_dataset` gives."""

    def __call__(self, repo_id: str, files: dict[str, bytes], tag: str = "") -> str: ...


@pytest.fixture(scope="session")
def make_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], HubServer]]:
    """Start servers that end with the session; each has a client's home of its own."""
    made: list[HubServer] = []
    with pytest.MonkeyPatch.context() as patch:
        _without_xet(patch)

        def make() -> HubServer:
            made.append(HubServer(tmp_path_factory.mktemp("hub")).start())
            return made[-1]

        yield make
    for server in made:
        _end(server)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A running Hub, empty, whose state is in `tmp_path/hub`; it ends with the test."""
    _without_xet(monkeypatch)
    server = HubServer(tmp_path / "client", root=tmp_path / "hub").start()
    yield server
    _end(server)


@pytest.fixture
def hub_dataset(hub: HubServer) -> PublishDataset:
    """Publish a dataset directly in the store: `hub_dataset("org/name", {path: bytes}) -> sha`."""

    def publish(repo_id: str, files: dict[str, bytes], tag: str = "") -> str:
        return hub.publish(repo_id, files, tag=tag)

    return publish


@pytest.fixture
def without_xet(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start servers of their own: clients in this process use LFS."""
    _without_xet(monkeypatch)


class _Hurried:
    """The module `time` for the Hub's client, whose waits between tries are cut short."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, 0.003))


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub's client in this process tries again at once, where it would wait for seconds."""
    monkeypatch.setattr("huggingface_hub.utils._http.time", _Hurried())


def _without_xet(patch: pytest.MonkeyPatch) -> None:
    """Clients in this process use LFS: the variable is read at import, which has happened."""
    patch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)


def _end(server: HubServer) -> None:
    server.stop()
    assert not server.failures, f"errors in the test server: {server.failures}"
