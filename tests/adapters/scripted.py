"""A Kubernetes API that does what a test tells it: an HTTP server on loopback with a script for each path."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from journal.entries import Json

Object = dict[str, Any]
HANG_SECONDS = 20.0


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Json:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    body: bytes = b"{}"
    status: int = 200
    delay: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Streamed:
    """A chunked answer; *end*: clean, cut (in the middle of the body), or hang."""

    pieces: Iterable[bytes] = ()
    end: str = "hang"
    status: int = 200


Reply = Answer | Streamed | None


@dataclass
class Script:
    """Replies of one path, in order; the last one is repeated."""

    replies: list[Reply | Callable[[Asked], Reply]]
    at: int = 0

    def next(self, asked: Asked) -> Reply:
        reply = self.replies[min(self.at, len(self.replies) - 1)]
        self.at += 1
        return reply(asked) if callable(reply) else reply


@dataclass
class ScriptedApi:
    """Paths (with ``?watch`` for watches) and their scripts; what was asked is kept."""

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    down: threading.Event = field(default_factory=threading.Event)
    address: str = "127.0.0.1"

    def on(
        self, path: str, *replies: Reply | Callable[[Asked], Reply], method: str = "GET"
    ) -> None:
        self.scripts[f"{method} {path}"] = Script(list(replies))

    def asked_for(self, path: str, method: str = "GET") -> list[Asked]:
        return [a for a in list(self.asked) if a.path == path and a.method == method]

    @property
    def url(self) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{self.address}:{self.port}"

    def __enter__(self) -> Self:
        self.server = _Server((self.address, 0), _handler(self))
        if self.tls:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.port: int = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.down.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        watch = "?watch" if asked.query.get("watch") else ""
        script = self.scripts.get(f"{asked.method} {asked.path}{watch}")
        if script is None:
            return Answer(status_object(404, "not found"), 404)
        return script.next(asked)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Json, client_address: Json) -> None:
        """A client that hangs up is what these tests are about."""


def _handler(api: ScriptedApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Be quiet."""

        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(length)
            reply = api.reply(Asked(self.command, parts.path, query, headers, body))
            if reply is None:
                api.down.wait(HANG_SECONDS)
                self.close_connection = True
            elif isinstance(reply, Answer):
                self.whole(reply)
            else:
                self.stream(reply)

        def whole(self, reply: Answer) -> None:
            api.down.wait(reply.delay)
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def stream(self, reply: Streamed) -> None:
            self.send_response(reply.status)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in reply.pieces:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
                api.down.wait(0.01)
            if reply.end == "hang":
                api.down.wait(HANG_SECONDS)
            if reply.end != "cut":
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = True

        do_GET = do_PATCH = do_DELETE = do_POST = do_PUT = handle_any  # noqa: N815

    return Handler


def status_object(code: int, message: str) -> bytes:
    return json.dumps({"kind": "Status", "code": code, "message": message, "reason": "X"}).encode()


def refused(code: int, message: str = "no") -> Answer:
    return Answer(status_object(code, message), code)


def node(name: str, version: int = 1, **more: Json) -> Object:
    metadata = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    return {"kind": "Node", "apiVersion": "v1", "metadata": metadata, **more}


def listed(kind: str, items: list[Object], version: int = 10, token: str = "") -> Answer:
    metadata = {"resourceVersion": str(version), "continue": token}
    body = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": items}
    return Answer(json.dumps(body).encode())


def event(change: str, found: Object) -> bytes:
    return json.dumps({"type": change, "object": found}).encode() + b"\n"
