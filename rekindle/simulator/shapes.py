"""Small pieces of objects: stamps, metadata, conditions, durations as Go prints them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from journal.entries import Instant
from phases.api_struct import ApiStruct
from phases.objects import Condition, Meta

MINUTE = 60
HOUR = 3600


class Plain(ApiStruct, frozen=True, rename="camel"):
    """An object of which nothing but its metadata matters here."""

    metadata: Meta


def stamp(when: Instant) -> datetime:
    """Return an API time stamp: UTC, whole seconds."""
    return datetime.fromtimestamp(int(when), UTC)


def go_duration(seconds: float) -> str:
    """Write seconds as Go does: 1h0m0s, 59m30s, 30s."""
    whole = int(seconds)
    rest = seconds - whole
    hours, minutes, second = whole // HOUR, whole % HOUR // MINUTE, whole % MINUTE
    tail = f"{second + rest:.9f}".rstrip("0").rstrip(".") if rest else str(second)
    if hours:
        return f"{hours}h{minutes}m{tail}s"
    return f"{minutes}m{tail}s" if minutes else f"{tail}s"


def meta_of(key: str, **fields: Any) -> Meta:  # noqa: ANN401  Meta's own fields
    """Return metadata for a key: ``namespace/name`` or ``name``."""
    namespace, _, name = key.rpartition("/")
    return Meta(name=name, namespace=namespace, **fields)


def with_meta(value: Any, **fields: Any) -> Any:  # noqa: ANN401  any object of the snapshot
    """Return the object with some of its metadata changed."""
    return replace(value, metadata=replace(value.metadata, **fields))


def with_condition(
    conditions: tuple[Condition, ...], new: Condition, now: Instant
) -> tuple[Condition, ...]:
    """Set a condition as Kubernetes does: its time moves only with its status; its place stays."""
    for index, old in enumerate(conditions):
        if old.type == new.type:
            moved = old.status != new.status
            when = stamp(now) if moved else old.last_transition_time
            kept = replace(new, last_transition_time=when)
            return (*conditions[:index], kept, *conditions[index + 1 :])
    return (*conditions, replace(new, last_transition_time=stamp(now)))


_FLUX_ORDER = {"Reconciling": 0, "Stalled": 1, "Ready": 2}


def flux_conditions(
    conditions: tuple[Condition, ...],
    now: Instant,
    new: tuple[Condition, ...],
    drop: tuple[str, ...] = (),
) -> tuple[Condition, ...]:
    """
    Set conditions as Flux does: negative ones first, then Ready, then the rest.

    A condition's time moves with its status, its reason or its message.
    """
    kept = {found.type: found for found in conditions if found.type not in drop}
    for wanted in new:
        old = kept.get(wanted.type)
        same = old is not None and (old.status, old.reason, old.message) == (
            wanted.status,
            wanted.reason,
            wanted.message,
        )
        when = old.last_transition_time if same and old is not None else stamp(now)
        kept[wanted.type] = replace(wanted, last_transition_time=when)
    return tuple(
        sorted(kept.values(), key=lambda found: (_FLUX_ORDER.get(found.type, 3), found.type))
    )
