"""Whether something answers behind a Service: what webhooks and aggregated APIs stand on."""

from __future__ import annotations

from typing import Final

from phases.diagnosis.scene import Scene
from phases.more_objects import ServiceReference

SERVICE_NAME: Final = "kubernetes.io/service-name"
ABSENT, EMPTY, SERVED, UNSEEN = "absent", "empty", "served", "unseen"


def backend_of(scene: Scene, service: ServiceReference) -> str:
    """Return absent (no such Service), empty (no ready endpoint), served or unseen."""
    found = scene.get("Service", f"{service.namespace}/{service.name}")
    if found is None and scene.seen("Service"):
        return ABSENT
    if not scene.seen("EndpointSlice") or (found is not None and found.spec.type == "ExternalName"):
        return UNSEEN
    slices = _slices(scene).get((service.namespace, service.name), 0)
    return SERVED if slices else EMPTY


def _slices(scene: Scene) -> dict[tuple[str, str], int]:
    """Count the ready endpoints of each Service; a Service may have several slices, and unknown counts as ready."""

    def count() -> dict[tuple[str, str], int]:
        counted: dict[tuple[str, str], int] = {}
        for found in scene.of("EndpointSlice").values():
            key = (found.metadata.namespace, found.metadata.labels.get(SERVICE_NAME, ""))
            ready = [e for e in found.endpoints or () if e.conditions.ready is not False]
            counted[key] = counted.get(key, 0) + len(ready)
        return counted

    return scene.once("endpoints", count)


def name_of(service: ServiceReference) -> str:
    """Write a Service as people do."""
    return f"Service {service.namespace}/{service.name}"
