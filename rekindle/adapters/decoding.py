"""
Bytes of lists and watch events, decoded into the structs of ``phases.snapshot``.

Only the fields that are read are decoded. What is not of the kind that was asked for is refused: a proxy's error page
and another resource's list are no empty list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from journal.learned import decoder
from phases.objects import key_of
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.items import head_of, items_of
from rekindle.adapters.kubernetes import Page, Status
from rekindle.adapters.sharing import shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Besides msgspec's own: text that is no UTF-8, an integer of thousands of digits, a depth without end.
_NOT_DECODED = (msgspec.MsgspecError, ValueError, RecursionError)
_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})


class EventFailedError(Exception):
    """The stream said that something is wrong (*status*, an HTTP code), or said nothing that we understand (0)."""

    def __init__(self, why: str, status: int = 0) -> None:
        """Keep the code apart from the sentence."""
        super().__init__(why)
        self.status = status


class Listed(msgspec.Struct, frozen=True):
    """A page of a list, or all of it: objects by key, the version to watch from, the token of the next page."""

    objects: dict[str, Any]
    version: str
    token: str


class WatchEvent(msgspec.Struct, frozen=True):
    """A line of a watch. *object* is None where it was deleted; a bookmark has no key."""

    key: str
    object: Any
    version: str


class _Line(msgspec.Struct, frozen=True):
    """The envelope of an event."""

    type: str
    object: msgspec.Raw


class _VersionOnly(msgspec.Struct, frozen=True, rename="camel"):
    """What a bookmark has."""

    resource_version: str = ""


class _Kinded(msgspec.Struct, frozen=True):
    """What an event is about."""

    kind: str = ""
    metadata: _VersionOnly = _VersionOnly()


class Decoder:
    """Decodes one kind."""

    def __init__(self, kind: str, struct: Any) -> None:  # noqa: ANN401  any of KINDS
        """Prepare the decoders: they are faster than decoding by type each time."""
        self._kind = kind
        self._struct = struct
        self._pages = decoder(Page[struct])
        self._rough_pages = decoder(Page[msgspec.Raw])
        self._objects = decoder(struct)
        self._lines = decoder(_Line)
        self._kinds = decoder(_Kinded)

    def page(self, pieces: Iterable[bytes]) -> Listed:
        """Decode a page of a list as it comes; raise UnansweredError when it is none of this kind."""
        try:
            page = self._page(iter(pieces))
        except _NOT_DECODED as error:
            why = f"no list of {self._kind}: {error}"
            raise UnansweredError("odd", why, sent=True) from error
        if page.kind != f"{self._kind}List" or not page.metadata.resource_version:
            why = f"asked for a list of {self._kind}, got {page.kind[:64]!r}"
            raise UnansweredError("odd", why, sent=True)
        objects = {key_of(found.metadata): found for found in page.items or ()}
        if "" in objects:
            raise UnansweredError("odd", f"a {self._kind} without a name", sent=True)
        return Listed(objects, page.metadata.resource_version, page.metadata.continue_)

    def event(self, line: bytes) -> WatchEvent:
        """Decode a line of a watch."""
        try:
            envelope = self._lines.decode(line)
            if envelope.type == "ERROR":
                status = decoder(Status).decode(envelope.object)
                raise EventFailedError(f"the watch ended: {status.message}", status.code or 500)
            head = self._kinds.decode(envelope.object)
            if head.kind != self._kind:
                raise EventFailedError(f"an event about {head.kind[:64]!r}, not {self._kind}")
            if envelope.type == "BOOKMARK":
                return WatchEvent("", None, head.metadata.resource_version)
            found = self._object(envelope.object)
        except _NOT_DECODED as error:
            raise EventFailedError(f"a line that is no event: {error}") from error
        key = key_of(found.metadata)
        if envelope.type not in _CHANGES or not key:
            raise EventFailedError(f"an event of type {envelope.type[:32]!r}")
        gone = envelope.type == "DELETED"
        return WatchEvent(key, None if gone else found, head.metadata.resource_version)

    def _page(self, pieces: Iterator[bytes]) -> Page[Any]:
        """Decode a page item by item where its head comes first."""
        head, begun = head_of(pieces)
        if head is None:
            return self._whole(b"".join((begun, *pieces)))
        return Page(head.kind, head.metadata, items_of(begun, pieces, self._object))

    def _whole(self, body: bytes) -> Page[Any]:
        """Decode a page at once; where a null stands for nothing, object by object."""
        try:
            return self._pages.decode(body)
        except msgspec.ValidationError:
            rough = self._rough_pages.decode(body)
            items = [self._object(item) for item in rough.items or ()]
            return Page(rough.kind, rough.metadata, items)

    def _object(self, raw: bytes | msgspec.Raw) -> Any:  # noqa: ANN401  any of KINDS
        """Decode an object; of the kind that there are ten thousand of, with the words that all have in common."""
        found = self._decoded(raw)
        return shared(found) if self._kind == "Pod" else found

    def _decoded(self, raw: bytes | msgspec.Raw) -> Any:  # noqa: ANN401  any of KINDS
        """Decode it; some controllers write null for what they do not have."""
        try:
            return self._objects.decode(raw)
        except msgspec.ValidationError:
            return msgspec.convert(
                without_nulls(msgspec.json.decode(raw)), self._struct, strict=False
            )


def without_nulls(value: Any) -> Any:  # noqa: ANN401  JSON
    """Leave out what is null: to the API it is the same as nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value if item is not None]
    return value
