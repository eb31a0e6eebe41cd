"""
What still holds a namespace or a CRD that is Terminating.

The conditions of a namespace name resource types, but not always: with only a pod left that has a finalizer, all five
are False. So pods are always looked at, and everything else when the conditions name nothing. Metadata only.

A list that is refused is not an empty one: that nothing holds a namespace any more proves that a finalizer was
released, so it is Seen only when every place was listed (404 and 405 alone say that there is nothing of a kind). But
one dead APIService refuses for ever, and what else holds the namespace must not hide behind it. So an incomplete look
is two: the namespace's own key is Unseen, naming what was not listed, and what was found is Seen under ``KEY/listed``.
Whoever looks for holders finds them; whoever takes an absence for a proof asks the first key, and learns nothing.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from phases.objects import CustomResourceDefinition, Namespace
from phases.snapshot import Holder, Seen, Unseen
from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, ResourcePath, code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from journal.entries import Instant
    from rekindle.adapters.discovery import Discovery
    from rekindle.adapters.kubernetes import Api, Partial

Holders = dict[str, Seen[tuple[Holder, ...]] | Unseen]
Refusal = RefusedError | UnansweredError
POLL_SECONDS = 5.0
_PODS = ResourcePath("", "v1", "pods", "Pod")
_REMAINING = re.compile(r"([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances")
_NOTHING_THERE = frozenset({404, 405})
_FAILURES = frozenset({"NamespaceDeletionDiscoveryFailure", "NamespaceDeletionContentFailure"})
_LISTED = "/listed"
_NAMED_AT_MOST = 5
# Made anew by controllers all the time, never held by anything, and there in numbers.
_SKIPPED = frozenset({"events", "endpoints", "endpointslices"})


@dataclass(frozen=True, slots=True)
class Terminating:
    """
    Something that is on its way out.

    *named* and *places* say where its objects are, as far as it tells; *blind* says why that may not be all.
    """

    key: str
    namespace: str = ""
    named: tuple[tuple[str, str], ...] = ()
    places: tuple[ResourcePath, ...] = ()
    blind: str = ""


def terminating(
    namespaces: Mapping[str, Namespace], crds: Mapping[str, object]
) -> list[Terminating]:
    """Pick out what is Terminating."""
    found = [
        Terminating(f"namespace/{name}", name, _named(namespace), blind=_blind(namespace))
        for name, namespace in namespaces.items()
        if namespace.metadata.deletion_timestamp is not None
    ]
    return found + [
        Terminating(f"crd/{name}", places=_instances(crd))
        for name, crd in crds.items()
        if isinstance(crd, CustomResourceDefinition) and crd.metadata.deletion_timestamp is not None
    ]


@dataclass(slots=True)
class Listing:
    """What holds something, by uid, and the places that could not be listed."""

    held: dict[str, Holder] = field(default_factory=dict)
    untold: list[tuple[str, Refusal]] = field(default_factory=list)

    def holders(self) -> tuple[Holder, ...]:
        """Return what was found, in order."""
        return tuple(sorted(self.held.values(), key=lambda h: (h.kind, h.namespace, h.name)))

    def why(self) -> str:
        """Name what could not be listed."""
        names = [f"{name} ({error})" for name, error in self.untold[:_NAMED_AT_MOST]]
        more = len(self.untold) - len(names)
        return f"not listed: {', '.join(names)}" + (f" and {more} more" if more else "")

    def code(self) -> str:
        """Return the code of the first that could not be listed."""
        return code_of(self.untold[0][1])


def find(what: Terminating, api: Api, discovery: Discovery) -> Listing:
    """
    List the holders of one, as far as they can be listed.

    All that is served is listed only when neither a condition nor a pod is the answer.
    """
    found = Listing()
    try:
        if what.namespace:
            _find_in_namespace(what, api, discovery, found)
        elif what.places:
            _list(what, what.places, api, found)
        else:
            found.untold.append((what.key, RefusedError(404, "no version is served")))
    except (RefusedError, UnansweredError) as error:
        found.untold.append((what.key, error))
    return found


def _find_in_namespace(what: Terminating, api: Api, discovery: Discovery, found: Listing) -> None:
    """Look at pods and at what the conditions name, and only then at everything."""
    places = [_PODS]
    for resource, group in what.named:
        try:
            place = discovery.of_resource(group, resource)
        except RefusedError as error:
            found.untold.append((f"{resource}.{group}", error))
            continue
        if place is not None:
            places.append(place)
    _list(what, dict.fromkeys(places), api, found)
    if found.held or what.named:
        if what.blind:
            found.untold.append((what.key, RefusedError(503, what.blind)))
        return
    served = discovery.namespaced()
    found.untold.extend(served.untold)
    _list(what, (place for place in served.places if place.resource not in _SKIPPED), api, found)


def _list(what: Terminating, places: Iterable[ResourcePath], api: Api, found: Listing) -> None:
    """List the holders at these places; an API that does not answer at all is asked no further."""
    for place in places:
        try:
            objects = api.list_metadata(place.path(what.namespace))
        except RefusedError as error:
            if error.status not in _NOTHING_THERE:
                found.untold.append((f"{place.resource}.{place.group}", error))
            continue
        except UnansweredError as error:
            if error.code != ODD:
                raise
            found.untold.append((f"{place.resource}.{place.group}", error))
            continue
        found.held.update({holder.uid: holder for holder in _holding(place, objects)})


def _named(namespace: Namespace) -> tuple[tuple[str, str], ...]:
    """Read the resource types (plural, group) that a namespace's conditions name."""
    return tuple(
        (match.group(1), match.group(2))
        for condition in namespace.status.conditions
        if condition.status == "True"
        for match in _REMAINING.finditer(condition.message)
    )


def _blind(namespace: Namespace) -> str:
    """Say why the namespace controller itself does not see everything, and so does not name it."""
    failed = (c for c in namespace.status.conditions if c.status == "True" and c.type in _FAILURES)
    return next((condition.message for condition in failed), "")


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
                found: Holders = {}
                for what in self._wanted:
                    found.update(self._look(what))
                self._report(found)
                self._stopping.wait(self._poll)

    def _look(self, what: Terminating) -> Holders:
        """Look at one, and remember when it could be told whole."""
        at = self._clock()
        looked = look_at(what, self._api, self._discovery, at, self._seen.get(what.key, 0.0))
        if isinstance(looked[what.key], Seen):
            self._seen[what.key] = at
        return looked


def look_at(
    what: Terminating, api: Api, discovery: Discovery, at: Instant, since: Instant
) -> Holders:
    """Look at one at the instant *at*, last told whole at *since*; what cannot be told is unknown, not empty."""
    looked: Holders = {}
    with outliving(lambda why: looked.update({what.key: Unseen(since, ODD, why)})):
        found = find(what, api, discovery)
        if not found.untold:
            return {what.key: Seen(found.holders(), at)}
        looked[what.key] = Unseen(since, found.code(), found.why())
        if found.held:
            looked[what.key + _LISTED] = Seen(found.holders(), at)
    return looked


def wanted_of(known: Holders, wanted: Iterable[str], otherwise: Unseen) -> Holders:
    """Pick out what is known of the keys that are *wanted*, incomplete looks among them."""
    picked: Holders = {}
    for key in wanted:
        picked[key] = known.get(key, otherwise)
        if key + _LISTED in known:
            picked[key + _LISTED] = known[key + _LISTED]
    return picked
