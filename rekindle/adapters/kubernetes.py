"""
A Kubernetes API, as far as rekindle speaks to it: paths, media types, preconditions, and what refusals mean.

Nothing here retries: who intended an action decides whether it is tried again.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from engine.world import CONFLICT, DENIED, INVALID, NOT_FOUND, TRANSIENT
from journal.learned import decoder
from phases.objects import Meta
from rekindle.adapters import settling
from rekindle.adapters.connection import Call, Connection, Response, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.world import Intent, Settlement
    from journal.entries import Json

FIELD_MANAGER = "rekindle"
READYZ_SECONDS = 3.0
WRITE_SECONDS = 30.0
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
_APPLY = "application/apply-patch+yaml"
_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_FORBIDDEN = 403
_DENIED = frozenset({401, _FORBIDDEN})
NO_STATUS = "(no Status object)"
_PAGE = 500
_PAGES_LIMIT = 100
_REFUSALS = {
    400: INVALID,
    401: DENIED,
    403: DENIED,
    404: NOT_FOUND,
    405: INVALID,
    409: CONFLICT,
    413: INVALID,
    415: INVALID,
    422: INVALID,
    429: TRANSIENT,
    503: TRANSIENT,
}
_INTERNAL_ERROR = 500
_READY, _NOT_READY = 200, frozenset({500, 503})
# A webhook is asked before anything is stored.
_BEFORE_STORING = re.compile(r"failed calling webhook|no endpoints available for service")
_FINE = range(200, 300)
_NOT_DECODED = (msgspec.MsgspecError, ValueError, RecursionError)

T = TypeVar("T")


class Status(msgspec.Struct, frozen=True):
    """The API's own error object."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """See Page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A page of a list. *kind* tells a list from whatever else might answer."""

    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: list[T] | None = None


class Partial(msgspec.Struct, frozen=True, rename="camel"):
    """An object's metadata. *kind* is PartialObjectMetadata where the server knows that form."""

    api_version: str = ""
    kind: str = ""
    metadata: Meta = Meta()


class RefusedError(Exception):
    """The API answered with an error: *status* is the HTTP status, *message* its own words."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status apart from the sentence."""
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message

    @property
    def is_the_apis_own(self) -> bool:
        """Say whether the API knows who asks, and does not let them: what stands before it refuses without a Status."""
        return self.status == _FORBIDDEN and self.message != NO_STATUS


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """Where objects of a kind are found."""

    group: str
    version: str
    resource: str
    kind: str = ""
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of an object, or of the list."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if namespace and self.namespaced:
            parts.append(f"namespaces/{namespace}")
        parts.append(self.resource)
        if name:
            parts.append(name)
        return "/".join(parts)


class Api:
    """The operations. All block, all raise RefusedError or UnansweredError."""

    def __init__(self, connection: Connection, until: float | None = None) -> None:
        """Speak through this connection, and not later than *until* (of the monotonic clock)."""
        self.connection = connection
        self._until = until

    def within(self, seconds: float) -> Api:
        """Speak for an action that must end in so many seconds: the engine takes a later answer for none."""
        return Api(self.connection, time.monotonic() + seconds)

    def ask(self, call: Call, base: str | None = None) -> bytes:
        """Send, and raise on every status but success: a redirection is no answer either."""
        response = self.connection.send(self._in_time(call), base)
        if response.status not in _FINE:
            raise RefusedError(response.status, status_of(response).message)
        return response.body

    def _in_time(self, call: Call) -> Call:
        """Give a call no more time than is left."""
        if self._until is None:
            return call
        left = self._until - time.monotonic()
        if left <= 0:
            raise UnansweredError("silent", "the action's deadline has passed", sent=False)
        return replace(call, seconds=min(call.seconds, left))

    def readyz(self, control_plane: str) -> bool | None:
        """
        Ask a control plane's own address whether it is ready; None when that is not known.

        Only the server's own words count: who does not know us, is busy, or is a proxy says nothing of readiness.
        """
        call = Call("GET", "/readyz", seconds=READYZ_SECONDS, accept="*/*")
        try:
            base = self.connection.address_of(control_plane)
            response = self.connection.send(call, base)
        except UnansweredError:
            return None
        if response.status in _NOT_READY:
            return False
        return True if response.status == _READY and response.body.strip() == b"ok" else None

    def serves(self, base: str) -> bool:
        """Tell whether a list is answered with our credentials at this address; raise when it is not."""
        call = Call("GET", "/api/v1/namespaces", {"limit": 1}, seconds=READYZ_SECONDS)
        page = decode(self.ask(call, base), Page[msgspec.Raw])
        if page.kind != "NamespaceList":
            raise UnansweredError("odd", f"asked for namespaces, got {page.kind!r}", sent=True)
        return True

    def metadata(self, path: str) -> Meta:
        """Get an object's metadata, and nothing else of it."""
        return decode(self.ask(Call("GET", path, accept=_METADATA)), Partial).metadata

    def get(self, path: str) -> bytes:
        """Get an object."""
        return self.ask(Call("GET", path))

    def log(self, path: str, query: Mapping[str, Json], limit: int, seconds: float) -> bytes:
        """Get as much of a log as *limit* bytes; what is longer all the same is refused."""
        asked = {**query, "limitBytes": limit}
        call = self._in_time(Call("GET", path, asked, accept="*/*", seconds=seconds))
        with self.connection.receive(call, limit=limit) as incoming:
            body = b"".join(incoming.pieces)
        if incoming.status not in _FINE:
            raise RefusedError(incoming.status, status_of(Response(incoming.status, body)).message)
        return body

    def list_metadata(self, path: str) -> list[Partial]:
        """List metadata, page by page; what has no end is no list."""
        found: list[Partial] = []
        token = ""
        for _ in range(_PAGES_LIMIT):
            query = {"limit": _PAGE, "continue": token or None}
            page = decode(self.ask(Call("GET", path, query, accept=_METADATA_LIST)), Page[Partial])
            if not page.kind.endswith("List"):
                raise UnansweredError("odd", f"asked for a list, got {page.kind!r}", sent=True)
            found.extend(page.items or [])
            token = page.metadata.continue_
            if not token:
                return found
        raise UnansweredError("odd", f"a list of more than {_PAGES_LIMIT} pages", sent=True)

    def apply(self, path: str, document: bytes) -> None:
        """Apply server-side, under our field manager."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        self._write("PATCH", path, query, document, _APPLY)

    def merge(self, path: str, change: Json) -> None:
        """Merge a change into an object; put a resourceVersion in it."""
        query = {"fieldManager": FIELD_MANAGER}
        self._write("PATCH", path, query, msgspec.json.encode(change), _MERGE)

    def patch(self, path: str, operations: list[Json]) -> None:
        """Change an object by a JSON patch; put tests in it."""
        query = {"fieldManager": FIELD_MANAGER}
        self._write("PATCH", path, query, msgspec.json.encode(operations), _JSON_PATCH)

    def delete(self, path: str, uid: str) -> None:
        """Delete the object of this uid, and no other."""
        options = {
            "kind": "DeleteOptions",
            "apiVersion": "v1",
            "propagationPolicy": "Background",
            "preconditions": {"uid": uid},
        }
        self._write("DELETE", path, {}, msgspec.json.encode(options), "application/json")

    def store(self, method: str, path: str, body: bytes) -> None:
        """Create or replace an object as a whole; a resourceVersion in it makes that conditional."""
        self._write(method, path, {"fieldManager": FIELD_MANAGER}, body, "application/json")

    def _write(self, method: str, path: str, query: Json, body: bytes, content_type: str) -> None:
        """Change something; the answer's body is of no interest."""
        self.ask(Call(method, path, query, body, content_type, seconds=WRITE_SECONDS))


def decode(body: bytes, kind: type[T]) -> T:
    """Decode an answer; what is not of that shape is odd."""
    try:
        return decoder(kind).decode(body)
    except _NOT_DECODED as error:
        why = f"the API answered something else than was asked: {error}"
        raise UnansweredError("odd", why, sent=True) from error


def status_of(response: Response) -> Status:
    """
    Read the error object of an answer.

    A body that is no Status is not quoted: it may hold anything.
    """
    try:
        found = decoder(Status).decode(response.body)
    except _NOT_DECODED:
        return Status(message=NO_STATUS)
    return found if found.kind == "Status" else Status(message=NO_STATUS)


def settle_refusal(intent: Intent, error: RefusedError) -> Settlement:
    """Say what an error status promises about an action."""
    code = _REFUSALS.get(error.status)
    if code is None and error.status == _INTERNAL_ERROR and _BEFORE_STORING.search(error.message):
        code = TRANSIENT
    if code is None:
        return settling.unsettled(intent, status=error.status, why=error.message)
    return settling.failed(intent, code, status=error.status, why=error.message)


def code_of(error: RefusedError | UnansweredError) -> str:
    """Say in one word why something could not be seen."""
    if isinstance(error, UnansweredError):
        return error.code
    return "denied" if error.status in _DENIED else "odd"


def settle_look(intent: Intent, error: RefusedError | UnansweredError) -> Settlement:
    """Say what failed before anything was sent that could change something: no answer to a question is no doubt."""
    if isinstance(error, UnansweredError):
        return settle_silence(intent, UnansweredError(error.code, str(error), sent=False))
    code = _REFUSALS.get(error.status, TRANSIENT)
    return settling.failed(intent, code, status=error.status, why=error.message)


def settle_silence(intent: Intent, error: UnansweredError) -> Settlement:
    """Say what a missing answer promises about an action."""
    if error.sent:
        return settling.unsettled(intent, why=str(error))
    code = DENIED if error.code in {"foreign", "denied"} else TRANSIENT
    return settling.failed(intent, code, why=str(error))
