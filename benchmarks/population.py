"""
A cluster's worth of objects on a bare API server: pods as kubelets leave them, and what owns and serves them.

Of each kind one object is made through the API, so that defaults, tokens and managed fields are the server's; the
others are copies of what the server stored, put into etcd: names, uids, addresses and instants have the same length in
all of them, so that the stored form holds. Twenty pods are a Deployment with a Service and an EndpointSlice; forty
Deployments are a namespace, a hundred pods a node. One pod in two hundred is in a crash loop: a diagnosis has
something to find.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import manifests as m
import urllib3
from manifests import Body, Words

from tests.testbed.api import MERGE, ApiError
from tests.testbed.bare import BareApi
from tests.testbed.waiting import until

CRASHING_EVERY = 200
ANSWER_SECONDS = 30.0
SEEN_SECONDS = 300.0
PUTS_OF_ONE = 64  # etcd refuses requests of more than 1.5 MiB


@dataclass(frozen=True)
class First:
    """What the server stored of the first object of a kind, and the words that tell it from its copies."""

    key: str
    value: bytes
    words: Words

    def copy(self, words: Words) -> tuple[str, bytes]:
        """Return key and value of another."""
        key, value = self.key, self.value
        for name, word in self.words.items():
            other = words[name]
            assert len(word) == len(other), f"{word} and {other} have not the same length"
            key = key.replace(word, other)
            value = value.replace(word.encode("latin-1"), other.encode("latin-1"))
        return key, value


class Population:
    """Fills an API server."""

    def __init__(self, bare: BareApi) -> None:
        """Make the first of each kind."""
        self.pods = 0
        self._api = bare.api
        self._etcd = bare.etcd
        self._http = urllib3.PoolManager(timeout=ANSWER_SECONDS)
        core, apps = "/api/v1/namespaces/team-000", "/apis/apps/v1/namespaces/team-000"
        slices = "/apis/discovery.k8s.io/v1/namespaces/team-000/endpointslices"
        space, words = {"metadata": {"name": "team-000"}}, m.shared_words(0)
        self._space = self._make("/api/v1/namespaces", "namespaces", space, m.space_words(0))
        self._api.call("POST", f"{core}/serviceaccounts", {"metadata": {"name": "default"}})
        self._node = self._make("/api/v1/nodes", "minions", m.a_node(), m.node_words(0))
        self._owners = (
            self._make(f"{apps}/deployments", "deployments/team-000", m.a_deployment(), words),
            self._make(f"{core}/services", "services/specs/team-000", m.a_service(), words),
            self._make(slices, "endpointslices/team-000", m.a_slice(), words),
        )
        runs, crashes = m.a_pod(0, crashing=False), m.a_pod(1, crashing=True)
        self._kinds_of_pods = (
            self._make(f"{core}/pods", "pods/team-000", runs, m.pod_words(0)),
            self._make(f"{core}/pods", "pods/team-000", crashes, m.pod_words(1)),
        )

    def fill(self, pods: int) -> None:
        """Make what is missing, until there are so many pods."""
        copies = self._copies(self.pods, pods)
        while batch := list(islice(copies, PUTS_OF_ONE)):
            puts = [{"requestPut": {"key": _b64(k.encode()), "value": _b64(v)}} for k, v in batch]
            self._ask("txn", {"success": puts})
        self.pods = pods
        until("the API server has seen it all", self._is_seen, SEEN_SECONDS)

    def _is_seen(self) -> bool:
        """Whether the server's own cache has caught up with etcd."""
        try:
            page = self._api.call("GET", "/api/v1/pods?limit=1")
        except ApiError:
            return False
        return bool(page["metadata"].get("remainingItemCount", 0) + 1 == self.pods)

    def _copies(self, already: int, pods: int) -> Iterator[tuple[str, bytes]]:
        """Return everything that so many pods need and that the pods that are there did not."""
        size = m.PODS_OF_ONE * m.DEPLOYMENTS_OF_ONE
        for number in range(-(-already // size), -(-pods // size)):
            yield self._space.copy(m.space_words(number))
        for number in range(already // m.PODS_A_NODE, pods // m.PODS_A_NODE):
            yield self._node.copy(m.node_words(number))
        for number in range(already // m.PODS_OF_ONE, pods // m.PODS_OF_ONE):
            for owner in self._owners:
                yield owner.copy(m.shared_words(number))
        for number in range(already, pods):
            crashing = number % CRASHING_EVERY == CRASHING_EVERY - 1
            yield self._kinds_of_pods[crashing].copy(m.pod_words(number))

    def _make(self, path: str, place: str, body: Body, words: Words) -> First:
        """Make an object and give it its status, through the API; return what is stored."""
        made = self._api.call("POST", f"{path}?fieldManager=manager", body)
        name = body["metadata"]["name"]
        if "status" in body:
            status = f"{path}/{name}/status?fieldManager=reporter"
            self._api.call("PATCH", status, {"status": body["status"]}, MERGE)
        key, value = self._read(f"/registry/{place}/{name}")
        words = {**words, "uid": made["metadata"]["uid"]}
        if "created" in words:
            words["created"] = m.stored_instant(made["metadata"]["creationTimestamp"])
        return First(key, value, words)

    def _read(self, key: str) -> tuple[str, bytes]:
        found = self._ask("range", {"key": _b64(key.encode())})["kvs"][0]
        return key, base64.b64decode(found["value"])

    def _ask(self, what: str, body: Body) -> Body:
        """Ask etcd."""
        answer = self._http.request("POST", f"{self._etcd}/v3/kv/{what}", json=body)
        assert answer.status == 200, answer.data[:300]
        told: Body = answer.json()
        return told


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
