"""
Services, and the endpoints behind them: what webhooks and aggregated APIs stand on.

What brings a workload brings its Service, and takes it along: every Deployment and StatefulSet has one of its own name,
and what a scenario registers has one for as long as its backend exists. Slices are the endpoint controller's: the
addresses of the pods, ready or not, as they are at this instant. Nobody is asked and nothing is late here; a Service
that somebody deletes comes back only with its workload.
"""

from __future__ import annotations

import zlib
from functools import partial
from typing import Any

from phases.more_objects import (
    Endpoint,
    EndpointConditions,
    EndpointSlice,
    Service,
    ServiceSpec,
)
from phases.objects import Pod, condition
from rekindle.simulator.api import Api, terminating
from rekindle.simulator.labels import SERVICE_NAME
from rekindle.simulator.pods import Pods, owner_of
from rekindle.simulator.shapes import meta_of

SERVICE, SLICE = "Service", "EndpointSlice"
SERVED = ("Deployment", "StatefulSet")
Ref = tuple[str, str]
Said = tuple[str, bool]


class Services:
    """The Services of workloads, and the endpoint slice controller."""

    def __init__(self, api: Api, pods: Pods) -> None:
        self._api = api
        self._pods = pods
        self._behind: dict[str, Ref] = {}  # which workload a Service selects
        self._named: dict[Ref, list[str]] = {}  # Services that are not called as their workload
        for kind in SERVED:
            api.watch(kind, partial(self._workload_changed, kind))
        api.watch("Pod", self._pod_changed)
        api.watch(SERVICE, self._service_changed)

    def select(self, service: str, deployment: str) -> None:
        """Say that a Service selects the pods of a Deployment, and make it if that is there."""
        ref = (SERVED[0], deployment)
        self._named.setdefault(ref, []).append(service)
        self._behind[service] = ref
        found = self._api.get(*ref)
        if self._api.get(SERVICE, service) is not None:
            self._write(service)
        elif found is not None:
            self._make(service, found)

    def exists(self, service: str) -> bool:
        """Say whether there is such a Service."""
        return self._api.get(SERVICE, service) is not None

    def answers(self, service: str) -> bool:
        """Say whether a ready endpoint is behind a Service."""
        found: EndpointSlice | None = self._api.get(SLICE, _slice_of(service))
        ready = [end for end in (found.endpoints or ()) if end.conditions.ready] if found else []
        return bool(ready)

    # --- Services --------------------------------------------------------------------------------

    def _of(self, ref: Ref) -> list[str]:
        own = [ref[1]] if self._behind.get(ref[1], ref) == ref else []
        return list(dict.fromkeys((*own, *self._named.get(ref, ()))))

    def _workload_changed(self, kind: str, key: str, old: Any, new: Any) -> None:  # noqa: ANN401
        ref = (kind, key)
        if old is None:
            for service in self._of(ref):
                self._behind[service] = ref
                if not self.exists(service):
                    self._make(service, new)
        elif new is None:
            for service in self._of(ref):
                self._api.delete(SERVICE, service)

    def _make(self, service: str, workload: Any) -> None:  # noqa: ANN401  a workload
        meta = meta_of(service, labels=workload.metadata.labels)
        number = zlib.crc32(service.encode())
        spec = ServiceSpec(cluster_ip=f"10.96.{number >> 8 & 255}.{number & 255}")
        self._api.derive(SERVICE, Service(meta, spec))

    # --- endpoints -------------------------------------------------------------------------------

    def _service_changed(self, key: str, old: Service | None, new: Service | None) -> None:
        if new is None:
            self._api.remove(SLICE, _slice_of(key))
        elif old is None:
            self._write(key)

    def _pod_changed(self, _key: str, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        if pod is None or _said(old) == _said(new):
            return
        for service in self._of(owner_of(pod)):
            self._write(service)

    def _write(self, service: str) -> None:
        """Bring a Service's slice up to date."""
        if not self.exists(service):
            return
        ref = self._behind.get(service)
        names = self._pods.by_owner.get(ref, {}) if ref is not None else {}
        told = (_said(self._api.get("Pod", name)) for name in names)
        ends = tuple(
            Endpoint((address,), EndpointConditions(ready)) for address, ready in told if address
        )
        key = _slice_of(service)
        if self._api.get(SLICE, key) is None:
            labels = {SERVICE_NAME: service.partition("/")[2]}
            self._api.derive(SLICE, EndpointSlice(meta_of(key, labels=labels), ends))
        else:
            self._api.update(SLICE, key, endpoints=ends)


def _slice_of(service: str) -> str:
    """Name the slice of a Service; one is enough for a hundred endpoints."""
    return f"{service}-{zlib.crc32(service.encode()) & 0xFFFFF:05x}"


def _said(pod: Pod | None) -> Said:
    """Return a pod's address, and whether it is ready for calls: one that is going is not."""
    if pod is None:
        return "", False
    ready = condition(pod.status.conditions, "Ready")
    return pod.status.pod_ip, ready is not None and ready.status == "True" and not terminating(pod)
