"""
What still holds a namespace or a CRD that is Terminating.

The conditions of a namespace name resource types, but not always: with only a pod left that has a finalizer, all five
are False. So pods are always looked at, and everything else when the conditions name nothing. Metadata only.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phases.objects import CustomResourceDefinition, Namespace
from phases.snapshot import Holder, Seen, Unseen
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, ResourcePath

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from journal.entries import Instant
    from rekindle.adapters.discovery import Discovery
    from rekindle.adapters.kubernetes import Api, Partial

Holders = dict[str, Seen[tuple[Holder, ...]] | Unseen]
POLL_SECONDS = 5.0
_PODS = ResourcePath("", "v1", "pods", "Pod")
_REMAINING = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")
_NOT_LISTED = frozenset({403, 404, 405})
# Made anew by controllers all the time, never held by anything, and there in numbers.
_SKIPPED = frozenset({"events", "endpoints", "endpointslices"})


@dataclass(frozen=True, slots=True)
class Terminating:
    """Something that is on its way out. *places* is where its objects are, as far as it says."""

    key: str
    namespace: str = ""
    named: tuple[tuple[str, str], ...] = ()
    places: tuple[ResourcePath, ...] = ()


def terminating(
    namespaces: Mapping[str, Namespace], crds: Mapping[str, object]
) -> list[Terminating]:
    """Pick out what is Terminating."""
    found = [
        Terminating(f"namespace/{name}", name, _named(namespace))
        for name, namespace in namespaces.items()
        if namespace.metadata.deletion_timestamp is not None
    ]
    return found + [
        Terminating(f"crd/{name}", places=_instances(crd))
        for name, crd in crds.items()
        if isinstance(crd, CustomResourceDefinition) and crd.metadata.deletion_timestamp is not None
    ]


def find(what: Terminating, api: Api, discovery: Discovery) -> tuple[Holder, ...]:
    """
    List the holders of one; raise RefusedError or UnansweredError when that cannot be told.

    All that is served is listed only when neither a condition nor a pod is the answer.
    """
    if not what.namespace:
        return _list(what, what.places, api)
    named = (discovery.of_resource(group, resource) for resource, group in what.named)
    places = dict.fromkeys((_PODS, *(place for place in named if place is not None)))
    found = _list(what, places, api)
    if found or what.named:
        return found
    served = (place for place in discovery.namespaced() if place.resource not in _SKIPPED)
    return _list(what, served, api)


def _list(what: Terminating, places: Iterable[ResourcePath], api: Api) -> tuple[Holder, ...]:
    """List the holders at these places; one that cannot be listed by anybody holds nothing."""
    held: dict[str, Holder] = {}
    for place in places:
        try:
            objects = api.list_metadata(place.path(what.namespace))
        except RefusedError as error:
            if error.status in _NOT_LISTED:
                continue
            raise
        held.update({holder.uid: holder for holder in _holding(place, objects)})
    return tuple(sorted(held.values(), key=lambda h: (h.kind, h.namespace, h.name)))


def _named(namespace: Namespace) -> tuple[tuple[str, str], ...]:
    """Read the resource types (plural, group) that a namespace's conditions name."""
    return tuple(
        (match.group(1), match.group(2))
        for condition in namespace.status.conditions
        if condition.status == "True"
        for match in _REMAINING.finditer(condition.message)
    )


def _instances(crd: CustomResourceDefinition) -> tuple[ResourcePath, ...]:
    """Say where the objects of a CRD are: any served version shows all of them."""
    spec = crd.spec
    served = [version.name for version in spec.versions if version.served]
    return tuple(
        ResourcePath(spec.group, version, spec.names.plural, spec.names.kind)
        for version in served[:1]
    )


def _holding(place: ResourcePath, objects: Iterable[Partial]) -> Iterable[Holder]:
    """Pick out what waits for a finalizer."""
    for found in objects:
        metadata = found.metadata
        if metadata.deletion_timestamp is not None and metadata.finalizers:
            yield Holder(
                group=place.group,
                version=place.version,
                resource=place.resource,
                kind=place.kind,
                namespace=metadata.namespace,
                name=metadata.name,
                uid=metadata.uid,
                finalizers=metadata.finalizers,
                deletion=metadata.deletion_timestamp.timestamp(),
            )


class HolderPoller:
    """Looks for holders in a thread, while anything is Terminating, at most every few seconds."""

    def __init__(
        self,
        api: Api,
        discovery: Discovery,
        report: Callable[[Holders], None],
        *,
        clock: Callable[[], float] = time.time,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        """Prepare; ``start`` begins."""
        self._api = api
        self._discovery = discovery
        self._report = report
        self._clock = clock
        self._poll = poll_seconds
        self._wanted: tuple[Terminating, ...] = ()
        self._seen: dict[str, Instant] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holders", daemon=True)

    @property
    def started(self) -> bool:
        """Tell whether it was started."""
        return self._thread.ident is not None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def want(self, wanted: Iterable[Terminating]) -> None:
        """Say what is Terminating now."""
        self._wanted = tuple(wanted)
        if self._wanted:
            self._wake.set()

    def stop(self) -> None:
        """Ask to end; ``join`` waits for it."""
        self._stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        """Look while there is something to look for."""
        while not self._stopping.is_set():
            self._wake.wait()
            self._wake.clear()
            while self._wanted and not self._stopping.is_set():
                self._report({what.key: self._look(what) for what in self._wanted})
                self._stopping.wait(self._poll)

    def _look(self, what: Terminating) -> Seen[tuple[Holder, ...]] | Unseen:
        """Look at one; what cannot be told is unknown, not empty."""
        at = self._clock()
        try:
            found = find(what, self._api, self._discovery)
        except (RefusedError, UnansweredError) as error:
            code = error.code if isinstance(error, UnansweredError) else "odd"
            return Unseen(self._seen.get(what.key, 0.0), code, str(error))
        self._seen[what.key] = at
        return Seen(found, at)
