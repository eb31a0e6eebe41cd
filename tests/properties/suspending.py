"""Somebody suspends an object of Flux on a simulated cluster, at the moment when it looks like this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from rekindle.simulator.cluster import SimCluster

Pred = Callable[[Any], bool]


def suspended(cluster: SimCluster, kind: str, key: str, when: Pred) -> None:
    """Somebody suspends an object as soon as it looks like this."""
    done: list[str] = []

    def suspend() -> None:
        found = cluster.api.get(kind, key)
        if found is None:
            return
        metadata = replace(found.metadata, generation=found.metadata.generation + 1)
        spec = replace(found.spec, suspend=True)
        cluster.api.put(kind, replace(found, spec=spec, metadata=metadata))

    def look(name: str, _old: Any, new: Any) -> None:  # noqa: ANN401  any object
        if name == key and new is not None and not done and when(new):
            done.append(name)
            cluster.loop.after(0.0, suspend)

    cluster.api.watch(kind, look)


def at_once(found: Any) -> bool:  # noqa: ANN401  any object of Flux
    return found is not None


def says(kind: str, status: str, reason: str = "") -> Pred:
    return lambda found: any(
        c.type == kind and c.status == status and c.reason.startswith(reason)
        for c in found.status.conditions
    )
