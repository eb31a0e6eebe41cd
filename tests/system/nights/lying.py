"""A Kubernetes API that is well, and tells the lie of the night on top of that."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rekindle.adapters.resources import RESOURCES
from tests.adapters.scripted import Answer, Asked, Reply, ScriptedApi, Streamed, event
from tests.adapters.talos_nodes import BOOT_ID

Object = dict[str, Any]
Lie = Callable[[Asked], Reply]
NODE = "cp-1"
PATHS = {place.path(): kind for kind, (place, *_) in RESOURCES.items()}
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")


@dataclass
class LyingApi(ScriptedApi):
    """
    Lists and watches what *objects* has, by kind and key, and streams what ``put`` changes.

    *lies* are tried in their order before that: the first that answers something counts.
    """

    objects: dict[str, dict[str, Object]] = field(default_factory=dict)
    lies: list[Lie] = field(default_factory=list)
    changes: list[tuple[str, str, Object]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def put(self, kind: str, *objects: Object) -> None:
        """Add or change objects, and tell who watches."""
        with self.changed:
            for given in objects:
                known = self.objects.setdefault(kind, {})
                change = "MODIFIED" if given["metadata"]["uid"] in known else "ADDED"
                version = str(100 + len(self.changes))
                found = {**given, "metadata": {**given["metadata"], "resourceVersion": version}}
                known[found["metadata"]["uid"]] = found
                self.changes.append((kind, change, found))
            self.changed.notify_all()

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        for lie in list(self.lies):
            told = lie(asked)
            if told is not Truth:
                return told
        if asked.path == "/readyz":
            return Answer(b"ok")
        kind = PATHS.get(asked.path)
        if kind is None or asked.method != "GET":
            return Answer(b'{"kind":"Status","code":404,"message":"not found"}', 404)
        if asked.query.get("watch"):
            return Streamed(self._following(kind, int(asked.query.get("resourceVersion") or 0)))
        return self._listed(kind)

    def _listed(self, kind: str) -> Answer:
        with self.changed:
            version, items = 99 + len(self.changes), list(self.objects.get(kind, {}).values())
        metadata = {"resourceVersion": str(version)}
        body = {"kind": f"{kind}List", "apiVersion": "v1", "metadata": metadata, "items": items}
        return Answer(json.dumps(body).encode())

    def _following(self, kind: str, version: int) -> Iterator[bytes]:
        """Stream what came after a version, as it comes."""
        at, until = max(0, version - 99), time.monotonic() + 20.0
        while not self.down.is_set() and time.monotonic() < until:
            with self.changed:
                news, at = self.changes[at:], len(self.changes)
                if not news:
                    self.changed.wait(0.1)
            yield from (event(change, found) for of, change, found in news if of == kind)


class _Truth(Streamed):
    """See Truth."""


# What a lie answers where it does not lie.
Truth = _Truth()


def of_kind(kind: str, reply: Reply, *, watch: bool = False) -> Lie:
    """Lie about the list (or the watch) of a kind."""

    def lie(asked: Asked) -> Reply:
        mine = PATHS.get(asked.path) == kind and bool(asked.query.get("watch")) == watch
        return reply if mine else Truth

    return lie


def of_all(reply: Reply) -> Lie:
    """Lie whatever is asked."""
    return lambda _asked: reply


def well(api: LyingApi) -> None:
    """Put in what a cluster of this plan has before its network: one node, and Flux's controllers."""
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    status = {"conditions": [ready], "nodeInfo": {"bootID": BOOT_ID}}
    api.put("Node", {"metadata": meta(NODE), "spec": {}, "status": status})
    api.put("Deployment", *(deployment(f"flux-system/{name}") for name in CONTROLLERS))


def meta(key: str) -> Object:
    namespace, _, name = key.rpartition("/")
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, "uid": f"uid-{key}", "generation": 1}


def network(nodes: int = 1) -> Object:
    """The DaemonSet of the plan, complete."""
    counted = ("desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled")
    counts = dict.fromkeys((*counted, "numberReady", "numberAvailable"), nodes)
    status = {"observedGeneration": 1, **counts}
    return {"metadata": meta("kube-system/cilium"), "spec": {}, "status": status}


def deployment(key: str) -> Object:
    counts = dict.fromkeys(("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1)
    available = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
    status = {"observedGeneration": 1, **counts, "conditions": [available]}
    return {"metadata": meta(key), "spec": {"replicas": 1}, "status": status}
