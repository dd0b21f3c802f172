"""One connection: read a request, let a fault befall it or work, and write the answer."""

from __future__ import annotations

import contextlib
import socket
import struct
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from hubserver.faults import Fault
from hubserver.requestlog import Entry
from hubserver.routes import find, work
from hubserver.wire import Refusal, Request, Response

if TYPE_CHECKING:
    from hubserver.server import Listener

_RESET = struct.pack("ii", 1, 0)
_WRONG = "0" * 40


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection, which is kept open between them."""

    protocol_version = "HTTP/1.1"
    server_version = "hubserver"
    sys_version = ""
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Listener

    def handle_any(self) -> None:
        hub = self.server.hub
        headers = {key.lower(): value for key, value in self.headers.items()}
        entry = hub.log.begin(self.command, self.path, headers)
        fault = hub.faults.take(entry.number, entry.target)
        entry.fault = fault.kind if fault else ""
        if fault and fault.kind in ("reset", "stop"):
            self._die(fault)
            return
        body = self._read_body(headers)
        if body is None:
            self.close_connection = True
            return
        hub.log.keep_body(entry, body)
        if fault and fault.action:
            fault.action()
        response = self._answer(entry, headers, body, fault)
        if response is None or (fault and fault.kind in ("lost", "stop_after")):
            self._die(fault)
            return
        self._send(entry, response, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any

    def _answer(
        self, entry: Entry, headers: dict[str, str], body: bytes, fault: Fault | None
    ) -> Response | None:
        """Do the work, unless a status is answered instead or the server was stopped meanwhile."""
        hub = self.server.hub
        if fault and fault.status:
            extra = {"Retry-After": str(fault.wait)} if fault.status == 429 else {}
            return Refusal(fault.status, f"injected {fault.status}", headers=extra).response()
        query = parse_qs(entry.query, keep_blank_values=True)
        request = Request(self.command, entry.path, query, headers, body)
        with hub.service.store.lock:
            if self.server.stopped.is_set():
                return None
            response = work(hub.service, request)
        entry.user = request.user.name if request.user else ""
        if find(self.command, entry.path) is None:
            hub.unserved.append(entry.target)
        return response

    def _read_body(self, headers: dict[str, str]) -> bytes | None:
        """Return the body, or None where the client broke off."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._read_chunks()
        size = int(headers.get("content-length", "0"))
        body = self.rfile.read(size)
        return body if len(body) == size else None

    def _read_chunks(self) -> bytes | None:
        parts: list[bytes] = []
        while True:
            line = self.rfile.readline(1000)
            if not line.endswith(b"\n"):
                return None
            size = int(line.split(b";")[0], 16)
            chunk = self.rfile.read(size)
            if len(chunk) != size or not self.rfile.readline(1000):
                return None
            if size == 0:
                return b"".join(parts)
            parts.append(chunk)

    def _send(self, entry: Entry, response: Response, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        body, headers = response.body, dict(response.headers)
        if kind == "wrong_etag":
            headers |= {name: f'"{_WRONG}"' for name in headers if name.lower().endswith("etag")}
        if kind == "corrupt":
            body = bytes(byte ^ 1 for byte in body)
        shown = b"" if self.command == "HEAD" else body
        if kind == "truncated":
            shown = shown[: len(shown) // 2]
            self.close_connection = True
        # Logged before it is sent: a test that has the answer looks at the log at once.
        entry.status, entry.sent = response.status, len(shown)
        self.send_response(response.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "slow" and fault:
            self._drip(shown, fault.seconds)
        else:
            self.wfile.write(shown)
        self.wfile.flush()

    def _drip(self, body: bytes, seconds: float) -> None:
        """Write a body in ten parts with pauses between; a stopped server stops this too."""
        step = max(1, -(-len(body) // 10))
        for start in range(0, max(len(body), 1), step):
            self.wfile.flush()
            if self.server.stopped.wait(seconds / 10):
                return
            self.wfile.write(body[start : start + step])

    def _die(self, fault: Fault | None) -> None:
        """Break the connection without an answer; a `stop` takes the whole server down."""
        self.close_connection = True
        if fault and fault.kind.startswith("stop"):
            self.server.hub.die(fault.restart_after)
        self._break_off()

    def _break_off(self) -> None:
        """Close so that the client sees a reset and not an end, and leave the handler."""
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        for stream in (self.rfile, self.wfile):
            with contextlib.suppress(OSError):
                stream.close()
        self.connection.close()
        raise ConnectionAbortedError("broken off on purpose")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the request log has it."""
