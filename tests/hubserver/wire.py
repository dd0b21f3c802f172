"""A request as the routes see it, an answer, and a refusal with the Hub's error headers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from hubserver.access import Token


@dataclass
class Request:
    """One request; `args` holds the parts of its path, unquoted, by the names in the route."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    user: Token | None = None
    args: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """Return the body as an object; an empty body is an empty object."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise Refusal(400, f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Refusal(400, "the body is not an object")
        return value

    def form(self) -> dict[str, list[str]]:
        """Return a form-encoded or JSON body as lists of values."""
        if "json" in self.headers.get("content-type", ""):
            return {
                key: value if isinstance(value, list) else [str(value)]
                for key, value in self.json().items()
            }
        return parse_qs(self.body.decode(), keep_blank_values=True)

    def flag(self, name: str) -> bool:
        """Whether a query parameter is given and means yes."""
        return self.query.get(name, [""])[-1].lower() in ("1", "true", "yes")

    def number(self, name: str, default: int) -> int:
        """Return a query parameter as a number."""
        text = self.query.get(name, [""])[-1]
        return int(text) if text.isdigit() else default


@dataclass
class Response:
    """What is sent back; `body` is also given for HEAD, where only its length is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Response(status, json.dumps(value).encode(), {**kind, **(headers or {})})


class Refusal(Exception):
    """The server says no: `code` is the Hub's X-Error-Code, `extra` joins the JSON body."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        headers: dict[str, str] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.headers, self.extra = headers or {}, extra or {}

    def response(self) -> Response:
        headers = {"X-Error-Message": self.message, **self.headers}
        if self.code:
            headers["X-Error-Code"] = self.code
        return answer({"error": self.message, **self.extra}, self.status, headers)
