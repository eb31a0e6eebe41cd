"""
Looks as differences: each frame has what changed since the one before, by source.

A source is ``node/NAME``, ``api``, ``kubeconfig``, ``objects/KIND``, ``holders/SCOPE``, ``probes/KEY`` or
``logs/POD``. Values are JSON that has passed the redactor; a snapshot has nothing of a Secret but its metadata in the
first place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from journal.entries import Instant
from journal.redactor import redact_payload, redact_text
from phases.followed import Followed, Objects
from phases.pod_logs import LogLook
from phases.snapshot import (
    ALL_KINDS,
    ApiLook,
    Holder,
    KubeconfigLook,
    NodeLook,
    OperatorLook,
    Seen,
    Snapshot,
    Unseen,
)

T = TypeVar("T")
NODE, API, KUBECONFIG, OBJECTS, HOLDERS = "node", "api", "kubeconfig", "objects", "holders"
PROBES, LOGS, OPERATOR = "probes", "logs", "operator"
VALUES: dict[str, Any] = {
    NODE: NodeLook,
    API: ApiLook,
    KUBECONFIG: KubeconfigLook,
    HOLDERS: tuple[Holder, ...],
    PROBES: int,
    LOGS: LogLook,
    OPERATOR: OperatorLook,
}


FAMILIES = (NODE, API, KUBECONFIG, OBJECTS, HOLDERS, PROBES, LOGS, OPERATOR)
_DECODERS: dict[str, msgspec.json.Decoder[dict[str, Any]]] = {
    kind: msgspec.json.Decoder(dict[str, struct])  # type: ignore[valid-type]
    for kind, struct in ALL_KINDS.items()
}


class Changed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Objects of a kind by key: those that came or changed, and the keys of those that went."""

    found: msgspec.Raw
    gone: tuple[str, ...] = ()


class Frame(msgspec.Struct, frozen=True, tag="look", omit_defaults=True):
    """
    A look that was taken right after entry *after* of the run. *whole*: the first of a session, nothing before counts.

    *seen* are values by source, *objects* changes by kind, *unseen* what cannot be seen any more, *dropped* sources
    that are gone. What is seen is as old as the look, but for *ages*: other instants, with their sources.
    """

    after: int
    at: Instant
    whole: bool = False
    seen: dict[str, msgspec.Raw] = {}
    objects: dict[str, Changed] = {}
    unseen: dict[str, Unseen] = {}
    dropped: tuple[str, ...] = ()
    ages: tuple[tuple[Instant, tuple[str, ...]], ...] = ()
    revision: str = ""


class Diagnosed(msgspec.Struct, frozen=True, tag="diagnosed"):
    """The last look was diagnosed, too."""


class End(msgspec.Struct, frozen=True, tag="end"):
    """
    No more looks of this session. *why*: closed, full.

    *after* is the last entry that belongs to the last look; less than where that one began: it counts for nothing.
    """

    after: int
    why: str


Record = Frame | Diagnosed | End


class Differ:
    """Remembers what was written, and says what is new; a Differ a session."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}  # by source: an Unseen, or a value

    def frame(self, snapshot: Snapshot, after: int) -> Frame:
        """Return what a look has that the last one had not."""
        seen: dict[str, msgspec.Raw] = {}
        objects: dict[str, Changed] = {}
        unseen: dict[str, Unseen] = {}
        ages: dict[Instant, list[str]] = {}
        whole, known, self._last = not self._last, self._last, {}
        for source, look in _sources(snapshot):
            before = known.get(source)
            if isinstance(look, Unseen):
                self._last[source] = look
                if before != look:
                    unseen[source] = replace(look, why=redact_text(look.why))
                continue
            if look.at != snapshot.at:
                ages.setdefault(look.at, []).append(source)
            self._last[source] = look.value
            family, _, name = source.partition("/")
            if family == OBJECTS:
                changed = _changed(before, look.value)
                if changed is not None:
                    objects[name] = changed
            elif isinstance(before, Unseen) or source not in known or before != look.value:
                seen[source] = _raw(look.value)
        return Frame(
            after=after,
            at=snapshot.at,
            whole=whole,
            seen=seen,
            objects=objects,
            unseen=unseen,
            dropped=tuple(known.keys() - self._last.keys()),
            ages=tuple((at, tuple(names)) for at, names in ages.items()),
            revision=snapshot.revision,
        )


def _sources(snapshot: Snapshot) -> Iterator[tuple[str, Seen[Any] | Unseen]]:
    for name, look in snapshot.nodes.items():
        yield f"{NODE}/{name}", look
    yield API, snapshot.api
    yield KUBECONFIG, snapshot.kubeconfig
    for kind, listed in snapshot.objects.items():
        if kind in ALL_KINDS:
            yield f"{OBJECTS}/{kind}", listed
    for scope, held in snapshot.holders.items():
        yield f"{HOLDERS}/{scope}", held
    for key, said in snapshot.probes.items():
        yield f"{PROBES}/{key}", said
    for pod, log in snapshot.logs.items():
        yield f"{LOGS}/{pod}", log
    if snapshot.operator is not None:
        yield OPERATOR, snapshot.operator


def _changed(before: object, now: Objects) -> Changed | None:
    """Say what of a kind is new; None: nothing. The same object is known without being compared."""
    if before is now:
        return None
    old: Objects = before if isinstance(before, Mapping) else {}
    keys = now.changed_since(before) if isinstance(now, Followed) else None
    found: dict[str, Any] = {}
    for key in now if keys is None else filter(now.__contains__, keys):
        was = old.get(key)
        if was is not now[key] and was != now[key]:
            found[key] = now[key]
    gone = tuple(
        key for key in (old if keys is None else filter(old.__contains__, keys)) if key not in now
    )
    if not found and not gone and isinstance(before, Mapping):
        return None
    return Changed(_raw(found), gone)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(redact_payload(msgspec.json.encode(value)))


class Joiner:
    """Puts looks together again. A kind that did not change keeps its very mapping, and what rests on it stays."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def snapshot(self, frame: Frame) -> Snapshot:
        """Return the whole look. Raises ``msgspec.MsgspecError`` for what is no look."""
        known = {} if frame.whole else self._known
        for source in frame.dropped:
            known.pop(source, None)
        known.update(frame.unseen)
        for source, raw in frame.seen.items():
            known[source] = msgspec.json.decode(raw, type=VALUES[source.partition("/")[0]])
        for kind, changed in frame.objects.items():
            source = f"{OBJECTS}/{kind}"
            before = known.get(source)
            known[source] = _joined(
                kind, before if isinstance(before, Followed) else Followed(), changed
            )
        self._known = known
        return _snapshot(known, frame)


def _joined(kind: str, before: Followed, changed: Changed) -> Followed:
    found = _DECODERS[kind].decode(changed.found)
    gone: list[tuple[str, Any]] = [(key, None) for key in changed.gone]
    return before.after([*found.items(), *gone])


def _snapshot(known: dict[str, Any], frame: Frame) -> Snapshot:
    instants = {source: at for at, sources in frame.ages for source in sources}
    parts: dict[str, dict[str, Any]] = {family: {} for family in FAMILIES}
    for source, value in known.items():
        family, _, name = source.partition("/")
        is_seen = not isinstance(value, Unseen)
        parts[family][name] = Seen(value, instants.get(source, frame.at)) if is_seen else value
    never = Unseen(0.0, "not-asked")
    return Snapshot(
        at=frame.at,
        nodes=parts[NODE],
        api=parts[API].get("", never),
        kubeconfig=parts[KUBECONFIG].get("", never),
        objects=parts[OBJECTS],
        holders=parts[HOLDERS],
        revision=frame.revision,
        probes=parts[PROBES],
        logs=parts[LOGS],
        operator=parts[OPERATOR].get(""),
    )
