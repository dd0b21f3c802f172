"""The server: start, stop, restart, publish directly, and look at what was asked."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from hubserver.access import READER, STRANGER, WRITER, Token
from hubserver.clients import Clients
from hubserver.faults import Faults
from hubserver.handler import Handler
from hubserver.requestlog import RequestLog
from hubserver.service import Service, Settings
from hubserver.store import Repo, Store, is_lfs


class Listener(ThreadingHTTPServer):
    """One life of the server on its port; `stopped` is set when it ends."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, hub: HubServer, port: int) -> None:
        self.hub = hub
        self.stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._open.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Keep what went wrong in a handler; a client that went away is no error."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            self.hub.failures.append(repr(error))

    def end(self) -> None:
        """Stop listening and break off every connection."""
        self.stopped.set()
        self.shutdown()
        self.server_close()
        with self._guard:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class HubServer:
    """A Hub on 127.0.0.1. With a `root` folder it keeps its state over a restart.

    `log` holds every request, `faults` what goes wrong and when, `settings` what else can be
    changed, `unserved` the requests that no route knows, `failures` errors of the server's own.
    """

    writer, reader, stranger = WRITER, READER, STRANGER

    def __init__(self, home: Path, root: Path | None = None, port: int = 0) -> None:
        self.log, self.faults = RequestLog(), Faults()
        self.service = Service(Store(root))
        self.failures: list[str] = []
        self.unserved: list[str] = []
        self.clients = Clients(self, home)
        self._port = port
        self._listener: Listener | None = None
        self._up = threading.Event()
        self._timers: list[threading.Timer] = []
        self._guard = threading.RLock()

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}"

    @property
    def host(self) -> str:
        """The Host header that requests to the endpoint carry."""
        return f"127.0.0.1:{self._port}"

    @property
    def settings(self) -> Settings:
        return self.service.settings

    @property
    def running(self) -> bool:
        return self._up.is_set()

    def wait(self, seconds: float = 10) -> bool:
        """Wait until the server is up (again) and return whether it is."""
        return self._up.wait(seconds)

    def start(self) -> HubServer:
        """Listen on a free port, or on the one that was used before."""
        with self._guard:
            if self._listener is None:
                with self.service.store.lock:
                    self.service.store.load()
                listener = Listener(self, self._port)
                self._port = listener.server_address[1]
                self.service.endpoint = self.endpoint
                # Another origin, as the real Hub's storage is: a token must not go there.
                self.service.storage = f"http://localhost:{self._port}"
                self._listener = listener
                loop = {"poll_interval": 0.02}
                threading.Thread(target=listener.serve_forever, kwargs=loop, daemon=True).start()
                self._up.set()
        return self

    def stop(self) -> None:
        """Go away for good: also a restart that a fault has planned is called off."""
        with self._guard:
            for timer in self._timers:
                timer.cancel()
            self._timers = []
            self.die(None)

    def die(self, restart_after: float | None) -> None:
        """End as a killed process does; come back on the same port where a time is given."""
        with self._guard:
            listener, self._listener = self._listener, None
            self._up.clear()
            if listener is not None:
                listener.end()
            if listener is not None and restart_after is not None:
                timer = threading.Timer(restart_after, self.start)
                timer.daemon = True
                self._timers.append(timer)
                timer.start()

    def restart(self) -> None:
        """Die and come back with what was saved."""
        self.die(None)
        self.start()

    def add_token(self, token: Token) -> None:
        self.service.tokens[token.value] = token

    def repo(self, repo_id: str, kind: str = "dataset") -> Repo:
        """Return a repository's state, to be looked at or changed by a test."""
        repo = self.service.store.repo(kind, repo_id)
        if repo is None:
            raise KeyError(f"no {kind} {repo_id}")
        return repo

    def publish(
        self, repo_id: str, files: dict[str, bytes], kind: str = "dataset", tag: str = ""
    ) -> str:
        """Commit files directly to main, making the repository if need be; return the sha."""
        store = self.service.store
        with store.lock:
            repo = store.repo(kind, repo_id) or store.create(kind, repo_id)
            head = repo.commits[repo.refs["refs/heads/main"]]
            blobs = {
                path: store.blob(content, is_lfs(path, len(content)))
                for path, content in files.items()
            }
            repo.lfs += [blob.sha256 for blob in blobs.values() if blob.lfs]
            words = (f"publish {len(files)} files", repo_id.split("/")[0])
            commit = store.commit(repo, head.id, {**head.files, **blobs}, words)
            repo.refs["refs/heads/main"] = commit.id
            if tag:
                repo.refs[f"refs/tags/{tag}"] = commit.id
            store.save()
        return commit.id

    def read(self, repo_id: str, revision: str = "main", kind: str = "dataset") -> dict[str, bytes]:
        """Return the files of a revision, as the store holds them."""
        commit = self.repo(repo_id, kind).find(revision)
        if commit is None:
            raise KeyError(f"{repo_id} has no revision {revision}")
        contents = self.service.store.contents
        return {path: contents.get(blob.sha256) or b"" for path, blob in commit.files.items()}
