"""
Requests to a Kubernetes API, as raw bytes.

The official client reads the kubeconfig, wires TLS, runs exec plugins and refreshes tokens; that is all it is used
for. When the kubeconfig's own address does not answer (a VIP that is down), each control plane is asked at its own
address, under the same CA and the same name.
"""

from __future__ import annotations

import copy
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode, urlsplit

from rekindle.adapters.unanswered import UnansweredError, translate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from journal.entries import Json

__all__ = ["Call", "Connection", "Incoming", "Response", "Stream", "UnansweredError"]

REQUEST_SECONDS = 10.0
CONNECT_SECONDS = 3.0
_BODY_LIMIT_BYTES = 256 * 1024 * 1024
_PIECE_BYTES = 256 * 1024
_POOL_SIZE = 48  # a watch for each kind, and what asks beside them
_SHORTEST_SECONDS = 0.01
# A long list is a thirteenth of its size when packed. Even on loopback that is no loss: the server works for it half as
# much again, and we save as much in reads of a few kilobytes. A watch is never packed.
_PACKED: Mapping[str, str] = {"Accept-Encoding": "gzip"}
_AS_IS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whatever its status."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still on its way: *pieces* can be read once."""

    status: int
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Call:
    """A request. *query* values of None are left out."""

    method: str
    path: str
    query: Mapping[str, Json] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = "application/json"
    accept: str = "application/json"
    seconds: float = REQUEST_SECONDS

    def target(self) -> str:
        """Return path and query."""
        query = {name: value for name, value in self.query.items() if value is not None}
        return f"{self.path}?{urlencode(query)}" if query else self.path


class Stream(Protocol):
    """A body that comes piece by piece."""

    status: int

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes, until the end, an idle time, or ``stop``."""

    def stop(self) -> None:
        """End ``pieces`` from another thread."""


class Connection:
    """One kubeconfig, and the addresses at which its API may be found. Safe for many threads."""

    def __init__(self, kubeconfig: Path, addresses: Mapping[str, str] | None = None) -> None:
        """
        Read the kubeconfig, or raise UnansweredError.

        *addresses* maps control planes to their own base URLs.
        """
        self._lock = threading.Lock()
        self._configuration = _load(kubeconfig)
        host = str(self._configuration.host).rstrip("/")
        name = self._configuration.tls_server_name or urlsplit(host).hostname
        self._addresses = dict(addresses or {})
        self._pools = {host: self._pool(host, None)}
        for address in self._addresses.values():
            if address not in self._pools:
                self._pools[address] = self._pool(address, name)
        self._bases = tuple(self._pools)
        self._base = host

    @property
    def base(self) -> str:
        """Return the address that is asked at present."""
        return self._base

    @property
    def bases(self) -> tuple[str, ...]:
        """Return all addresses, the kubeconfig's own first."""
        return self._bases

    def use(self, base: str) -> None:
        """Ask this address from now on."""
        self._base = base

    def address_of(self, control_plane: str) -> str:
        """Return a control plane's own base URL."""
        return self._addresses[control_plane]

    def send(self, call: Call, base: str | None = None) -> Response:
        """Ask once, within the call's seconds whatever the server does; raise UnansweredError."""
        with self.receive(call, base) as incoming:
            return Response(incoming.status, b"".join(incoming.pieces))

    @contextmanager
    def receive(
        self, call: Call, base: str | None = None, limit: int | None = None
    ) -> Iterator[Incoming]:
        """Ask once and hand the body over as it comes, within the call's seconds; raise UnansweredError."""
        until = time.monotonic() + call.seconds
        raw = self._open(call, base or self._base, call.seconds, _PACKED)
        try:
            yield Incoming(raw.status, _until_the_end(raw, until, limit or _BODY_LIMIT_BYTES))
        finally:
            raw.close()
            raw.release_conn()

    def stream(self, call: Call, idle_seconds: float) -> Stream:
        """Ask for a body without end; raise UnansweredError."""
        return _Pieces(self._open(call, self._base, idle_seconds))

    def close(self) -> None:
        """Let go of all sockets."""
        for pool in self._pools.values():
            pool.clear()

    def _open(
        self, call: Call, base: str, read_seconds: float, more: Mapping[str, str] = _AS_IS
    ) -> Any:  # noqa: ANN401  urllib3's
        """Send a request and return when the head of the answer is there."""
        import urllib3

        connect = min(CONNECT_SECONDS, read_seconds)
        timeout = urllib3.Timeout(total=read_seconds, connect=connect, read=read_seconds)
        headers = {"Accept": call.accept, "User-Agent": "rekindle", **more, **self._credentials()}
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        try:
            return self._pools[base].request(
                call.method,
                base + call.target(),
                body=call.body,
                headers=headers,
                timeout=timeout,
                retries=False,
                preload_content=False,
            )
        except Exception as error:
            raise translate(error, sent=True) from error

    def _credentials(self) -> dict[str, str]:
        """Return the header that says who we are; the client refreshes a token when it is due."""
        with self._lock:
            try:
                token = self._configuration.get_api_key_with_prefix("BearerToken", "authorization")
            except Exception as error:
                raise UnansweredError("denied", f"no token: {error}", sent=False) from error
        if token:
            return {"Authorization": str(token)}
        if self._configuration.username:
            return {"Authorization": str(self._configuration.get_basic_auth_token())}
        return {}

    def _pool(self, host: str, server_name: str | None) -> Any:  # noqa: ANN401  urllib3's
        """Wire a pool as the client would. Addresses of nodes go by the name in the kubeconfig."""
        from kubernetes.client.rest import RESTClientObject

        configuration = copy.copy(self._configuration)
        configuration.host = host
        configuration.connection_pool_maxsize = _POOL_SIZE
        if server_name is not None:
            configuration.tls_server_name = server_name
        return RESTClientObject(configuration).pool_manager


class _Pieces:
    """A streamed body."""

    def __init__(self, raw: Any) -> None:  # noqa: ANN401  urllib3's
        """Take over the open answer."""
        self._raw = raw
        self.status = int(raw.status)

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes; raise UnansweredError when it breaks or idles."""
        try:
            while piece := self._raw.read1(_PIECE_BYTES):
                yield piece
        except GeneratorExit:
            raise
        except Exception as error:
            raise translate(error, sent=True) from error
        finally:
            self._raw.close()

    def stop(self) -> None:
        """Shut the socket down, which wakes a blocked reader."""
        try:
            self._raw.shutdown()
        except Exception:  # noqa: BLE001  it may be closed already, in many ways
            self._raw.close()


def _load(kubeconfig: Path) -> Any:  # noqa: ANN401  the client's
    """Let the client read a kubeconfig."""
    from kubernetes import client, config

    configuration = client.Configuration()
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call,unused-ignore]
            config_file=str(kubeconfig), client_configuration=configuration, persist_config=False
        )
    except Exception as error:
        why = f"{kubeconfig} is no usable kubeconfig: {_fault(error)}"
        raise UnansweredError("denied", why, sent=False) from error
    if not configuration.verify_ssl:
        import urllib3

        # Whose kubeconfig this is has said so (insecure-skip-tls-verify): not at each request once more.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    return configuration


def _fault(error: Exception) -> str:
    """Say in one line what is wrong with a kubeconfig; what the client trips over is no sentence for people."""
    from kubernetes.config import ConfigException
    from yaml import YAMLError

    if isinstance(error, ConfigException | OSError):
        return " ".join(str(error).split())
    if isinstance(error, YAMLError):
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        return f"{where}{getattr(error, 'problem', None) or 'it is not YAML'}"
    return "its content has not the form of one"


def _until_the_end(raw: Any, until: float, limit: int) -> Iterator[bytes]:  # noqa: ANN401  urllib3's
    """Read a body to its end; neither a drip nor a silence after the head outlasts the deadline."""
    size = 0
    socket = getattr(raw.connection, "sock", None)
    try:
        while True:
            if socket is not None:
                socket.settimeout(max(until - time.monotonic(), _SHORTEST_SECONDS))
            if not (piece := raw.read1(_PIECE_BYTES)):
                return
            size += len(piece)
            _check(size, limit, until)
            yield piece
    except GeneratorExit:
        raise
    except Exception as error:
        raise translate(error, sent=True) from error


def _check(size: int, limit: int, until: float) -> None:
    """Refuse what is too much or too slow."""
    if size > limit:
        raise UnansweredError("odd", f"an answer of more than {limit} bytes", sent=True)
    if time.monotonic() > until:
        raise UnansweredError("silent", "the answer came too slowly", sent=True)
