"""
What ``listing.py`` runs in processes of their own; the last line that each prints is JSON.

``ours``: everything that ``rekindle diagnose`` lists, diagnosed, and reduced against an inventory. ``typed``: the
official client's list of pods. ``steady``: a watch of each built-in kind that a run looks at, and what one
changed pod costs.
"""

from __future__ import annotations

import io
import json
import queue
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import manifests as m

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.recipe import Facts
    from rekindle.adapters.connection import Connection
    from rekindle.adapters.known import Known
    from rekindle.adapters.reports import Report

CHANGES = 30
ANSWER_SECONDS = 30.0
WATCH_SECONDS = (
    15  # instead of four minutes, so that watches end and begin again within the time measured
)


def plan_for(pods: int) -> Plan:
    """Return a plan whose inventory has every Deployment there is."""
    from engine.plan import of_parts
    from phases.recipe import recipe

    section = {
        "talos": {"talosconfig": "-", "nodes": {"cp-1": {"address": "192.0.2.1", "config": "-"}}},
        "kubernetes": {"kubeconfig": "-"},
        "cni": {"daemonset": "kube-system/cilium", "command": "cni"},
        "flux": {"roots": "-"},
        "commands": {"cni": {"argv": ["true"]}},
        "inventory": {
            "schema": "rekindle.inventory/1",
            "namespaces": sorted({space for space, _ in m.all_deployments(pods)}),
            "workloads": [
                {"kind": "Deployment", "key": f"{space}/{name}", "pods": m.PODS_OF_ONE}
                for space, name in m.all_deployments(pods)
            ],
            "pods": pods,
        },
    }
    return of_parts("bench", recipe().machine, section, recipe())


def ours(kubeconfig: str, pods: int) -> dict[str, Any]:
    """Look once at everything."""
    times = [time.perf_counter()]
    from rekindle.cli.diagnose import listed as look

    plans: list[Plan] = []
    with redirect_stderr(io.StringIO()):
        snapshot = look(Path(kubeconfig), lambda: plans.append(plan_for(pods)))
    from phases.diagnosis.scene import Scene
    from phases.facts import reduce
    from phases.snapshot import Seen
    from rekindle.diagnosed import of_scene

    times.append(time.perf_counter())
    found = of_scene(Scene(snapshot))
    times.append(time.perf_counter())
    facts = reduce(plans[0], snapshot)
    times.append(time.perf_counter())
    pods_seen = snapshot.objects["Pod"]
    assert isinstance(pods_seen, Seen), pods_seen
    assert not found.unseen, found.unseen
    assert facts["pods"].detail == {"ready": pods, "expected": pods}, facts["pods"]
    listed, diagnosed, reduced = (later - earlier for earlier, later in pairwise(times))
    return {
        "pods": len(pods_seen.value),
        "findings": len(found.findings),
        "parts": {"list": listed, "diagnose": diagnosed, "reduce": reduced},
    }


def typed(kubeconfig: str, _: int) -> dict[str, Any]:
    """List the pods as most programs do."""
    from kubernetes import client, config

    config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call,unused-ignore]
    return {"pods": len(client.CoreV1Api().list_pod_for_all_namespaces().items)}


class Watched:
    """The kinds that this API has, watched as a run watches them; every request and every byte is counted."""

    def __init__(self, kubeconfig: str, pods: int) -> None:
        """Wire; nothing is asked yet."""
        from phases.snapshot import ALL_KINDS
        from rekindle.adapters import watch
        from rekindle.adapters.known import Known
        from rekindle.adapters.resources import BUILT_IN

        watch.WATCH_SECONDS = WATCH_SECONDS
        self.requests = {"list": 0, "watch": 0, "bytes": 0}
        self.connection = _counted(Path(kubeconfig), self.requests)
        self.kinds = [kind for kind in ALL_KINDS if kind in BUILT_IN]
        self.known: Known = Known(())
        self.reports: queue.Queue[Report] = queue.Queue()
        self.watchers = [
            watch.Watcher(self.connection, kind, self.reports.put) for kind in self.kinds
        ]
        self.plan = plan_for(pods)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Watch until the block ends."""
        for watcher in self.watchers:
            watcher.start()
        try:
            yield
        finally:
            for watcher in self.watchers:
                watcher.stop()
            for watcher in self.watchers:
                watcher.join(3.0)
            self.connection.close()

    def reports_until(self, until: float) -> Iterator[Report]:
        """Hand out what the watchers put, until the instant of the monotonic clock."""
        while (left := until - time.monotonic()) > 0:
            with suppress(queue.Empty):
                yield self.reports.get(timeout=left)

    def facts(self) -> Facts:
        """Reduce what is known."""
        from phases.facts import reduce

        return reduce(self.plan, self.known.snapshot(time.time()))


def _counted(kubeconfig: Path, requests: dict[str, int]) -> Connection:
    from rekindle.adapters.connection import Call, Connection, Incoming, Stream

    class Counted(Connection):
        """Counts what is asked, and what watches bring."""

        @contextmanager
        def receive(
            self, call: Call, base: str | None = None, limit: int | None = None
        ) -> Iterator[Incoming]:
            requests["list"] += call.method == "GET"
            with super().receive(call, base, limit) as incoming:
                yield incoming

        def stream(self, call: Call, idle_seconds: float) -> Stream:
            requests["watch"] += 1
            found = super().stream(call, idle_seconds)
            pieces = found.pieces

            def counted() -> Iterator[bytes]:
                for piece in pieces():
                    requests["bytes"] += len(piece)
                    yield piece

            found.pieces = counted  # type: ignore[method-assign]
            return found

    return Counted(kubeconfig)


def steady(kubeconfig: str, pods: int, seconds: float) -> dict[str, Any]:
    """Watch a while in which nothing happens; then change one pod a number of times."""
    from rekindle.adapters.reports import Whole

    watched = Watched(kubeconfig, pods)
    with watched.running():
        listed = set()
        for report in watched.reports_until(time.monotonic() + 10 * ANSWER_SECONDS):
            watched.known.take(report)
            listed |= {report.kind} if isinstance(report, Whole) else set()
            if len(listed) == len(watched.kinds):
                break
        begun = time.perf_counter()
        watched.facts()
        cold = time.perf_counter() - begun
        quiet = _quiet(watched, seconds)
        changed = _changes(watched, cold)
    return {"quiet": quiet, "changed": changed}


def _quiet(watched: Watched, seconds: float) -> dict[str, float]:
    """Count what a quiet time costs, a minute."""
    before, cpu = dict(watched.requests), time.process_time()
    for report in watched.reports_until(time.monotonic() + seconds):
        if watched.known.take(report):
            watched.facts()
    asked = {name: float(watched.requests[name] - count) for name, count in before.items()}
    spent = {**asked, "cpu_seconds": time.process_time() - cpu}
    return {name: value * 60 / seconds for name, value in spent.items()}


def _changes(watched: Watched, cold: float) -> dict[str, float]:
    """Restart one pod's container a number of times; what each costs from its event to the facts."""
    name = m.pod_words(m.PODS_OF_ONE)
    key = f"{name['space']}/{name['name']}{name['pod']}"
    costs, before = [], watched.requests["list"]
    for _ in range(CHANGES):
        restarts = int(watched.facts()["restarts"].code)
        _restart(watched, *key.split("/"))
        for report in watched.reports_until(time.monotonic() + ANSWER_SECONDS):
            begun = time.perf_counter()
            watched.known.take(report)
            facts = watched.facts()
            if int(facts["restarts"].code) == restarts + 1:
                costs.append(time.perf_counter() - begun)
                break
        else:
            raise TimeoutError(f"{key} did not change")
    asked = watched.requests["list"] - before - CHANGES  # each change reads the pod first
    return {"milliseconds": statistics.median(costs) * 1000, "list": asked, "all": cold * 1000}


def _restart(watched: Watched, space: str, name: str) -> None:
    """Count one restart more, as a kubelet would."""
    from rekindle.adapters.kubernetes import Api

    api, path = Api(watched.connection), f"/api/v1/namespaces/{space}/pods/{name}"
    statuses = json.loads(api.get(path))["status"]["containerStatuses"]
    statuses[0]["restartCount"] += 1
    api.merge(f"{path}/status", {"status": {"containerStatuses": statuses}})


def main() -> None:
    """Run what is asked for."""
    what, kubeconfig, pods, *more = sys.argv[1:]
    if what == "steady":
        found = steady(kubeconfig, int(pods), float(more[0]))
    else:
        found = {"ours": ours, "typed": typed}[what](kubeconfig, int(pods))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
