"""
Lists one kind, page by page, in the first version that is served.

A list is all or nothing: a page that cannot be had makes the whole unknown, never shorter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from phases.snapshot import LISTED_KINDS
from rekindle.adapters.connection import Call, Response, UnansweredError
from rekindle.adapters.decoding import Decoder, Listed
from rekindle.adapters.kubernetes import RefusedError, ResourcePath, status_of
from rekindle.adapters.resources import BUILT_IN, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rekindle.adapters.connection import Connection

PAGE_SIZE = 2000  # an item is decoded as it comes, so a page costs no memory, but a round trip
LIST_SECONDS = 30.0
PAGE_LIMIT_BYTES = 4 * 1024**3  # what has gone by; a list without pages may be long
_RELISTS = 3
_GONE, _NOT_FOUND, _ERRORS_FROM = 410, 404, 400


class ForgottenError(Exception):
    """The server no longer knows the resourceVersion that we asked from: list again."""


class NotInstalledError(Exception):
    """The API has no such kind."""


class Lister:
    """*stopped* ends a list between two pages. *place* is where the kind was found last."""

    def __init__(
        self,
        connection: Connection,
        kind: str,
        stopped: Callable[[], bool] = lambda: False,
        *,
        page_size: int = PAGE_SIZE,
    ) -> None:
        """Prepare; nothing is asked yet."""
        self.kind = kind
        self.decoder = Decoder(kind, LISTED_KINDS[kind])
        self.place = RESOURCES[kind][0]
        self._connection = connection
        self._stopped = stopped
        self._page_size = page_size

    def list(self) -> Listed:
        """List; raise NotInstalledError, RefusedError or UnansweredError."""
        for place in RESOURCES[self.kind]:
            try:
                listed = self._list_all(place)
            except NotInstalledError:
                continue
            self.place = place
            return listed
        raise NotInstalledError(self.kind)

    def check(self, status: int, response: Response | None) -> None:
        """Raise what an error status means for whoever lists or watches."""
        if status == _GONE:
            raise ForgottenError
        if status == _NOT_FOUND:
            if self.kind in BUILT_IN:
                raise UnansweredError(
                    "odd",
                    f"what answers has no {self.kind}: it may be no Kubernetes API",
                    sent=True,
                )
            raise NotInstalledError(self.kind)
        if status >= _ERRORS_FROM:
            raise RefusedError(status, status_of(response).message if response else "")

    def _list_all(self, place: ResourcePath) -> Listed:
        """List page by page; a token that the server forgot means to begin again, at last without pages."""
        for attempt in range(_RELISTS):
            size = self._page_size if attempt < _RELISTS - 1 else None
            try:
                return self._list_pages(place, size)
            except ForgottenError:
                continue
        raise UnansweredError("odd", f"the list of {self.kind} never came to an end", sent=True)

    def _list_pages(self, place: ResourcePath, size: int | None) -> Listed:
        """List once, from the first page to the last."""
        found: dict[str, Any] = {}
        token = ""
        while True:
            query = {"limit": size, "continue": token or None}
            call = Call("GET", place.path(), query, seconds=LIST_SECONDS)
            page = self._page(call)
            found.update(page.objects)
            if not page.token:
                return Listed(found, page.version, "")
            if page.token == token or self._stopped():
                raise UnansweredError("odd", "the list goes round in circles", sent=True)
            token = page.token

    def _page(self, call: Call) -> Listed:
        """Ask for a page and decode it as it comes."""
        with self._connection.receive(call, limit=PAGE_LIMIT_BYTES) as incoming:
            if incoming.status >= _ERRORS_FROM:
                body = b"".join(incoming.pieces)
                self.check(incoming.status, Response(incoming.status, body))
            return self.decoder.page(incoming.pieces)
