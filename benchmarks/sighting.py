"""
What a watch shows of a recovery, and the critical path in it: nothing of it comes from the program that is measured.

Instants are seconds of this machine's clock at which an event came; the API's own have no fractions. An attempt begins
when the controller says that it is at work. Each object is followed until it is ready for the first time.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import fleet
import urllib3

PATHS = {
    "gitrepository": "/apis/source.toolkit.fluxcd.io/v1/gitrepositories",
    "kustomization": "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations",
    "crd": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "namespace": "/api/v1/namespaces",
}
WATCH_SECONDS, AGAIN_SECONDS = 300, 0.2
QUEUED, AT_WORK, WAITS, FAILED, READY = "queued", "at work", "waits", "failed", "ready"
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
ROOT, SOURCE = f"kustomization/{fleet.ROOT}", f"gitrepository/{fleet.SYSTEM}"
START, DEPENDENCY, CAUSE = "start", "dependency", "cause"
SOMEBODY = "somebody"  # who brings what nothing in Git brings
ALL = tuple(f"kustomization/{name}" for name in fleet.names())


@dataclass(slots=True)
class Seen:
    """One object's course: *steps* has each state with the instant at which it began."""

    steps: list[tuple[float, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)  # each value that the annotation has had

    @property
    def appeared(self) -> float:
        """When it was there."""
        return self.steps[0][0]

    @property
    def ready(self) -> float | None:
        """When it was ready for the first time."""
        return next((at for at, state in self.steps if state == READY), None)

    @property
    def failed(self) -> float | None:
        """When it failed for the first time."""
        return next((at for at, state in self.steps if state == FAILED), None)

    @property
    def blocked(self) -> int:
        """How often it was held up: by a dependency or by a failure."""
        return sum(state in {WAITS, FAILED} for _, state in self.steps)

    @property
    def parked_seconds(self) -> float:
        """How long it lay after failed attempts until the next one began."""
        spells = (after - at for (at, state), (after, _) in pairwise(self.steps) if state == FAILED)
        return sum(spells)

    def begun(self, by: float) -> float:
        """Return when the attempt began that was at work at *by*; *by* itself where none was seen."""
        return next((at for at, state in reversed(self.steps) if state == AT_WORK and at <= by), by)


class Eye:
    """
    Lists and watches four kinds in threads, until the process ends.

    A watch alone would never tell what was deleted between its end and the next one's beginning.
    """

    def __init__(self, kubeconfig: str) -> None:
        """Begin to look."""
        from kubernetes import client, config

        config.load_kube_config(kubeconfig)  # type: ignore[no-untyped-call,unused-ignore]
        api = client.ApiClient()
        self._pool: urllib3.PoolManager = api.rest_client.pool_manager
        self._seen: dict[str, Seen] = {}
        self._there: dict[str, set[str]] = {family: set() for family in PATHS}
        for family, path in PATHS.items():
            url = f"{api.configuration.host}{path}"
            threading.Thread(target=self._follow, args=(family, url), daemon=True).start()

    @property
    def there(self) -> set[str]:
        """Return what is there of all four kinds."""
        return set().union(*map(set.copy, self._there.values()))

    def forget(self) -> None:
        """Begin a new pass."""
        self._seen = {}

    def of(self, subject: str) -> Seen:
        """Return what is known of an object."""
        return self._seen.setdefault(subject, Seen())

    @property
    def begun(self) -> float | None:
        """When the root was applied."""
        return self.of(ROOT).appeared if self.of(ROOT).steps else None

    def was_ready(self, subject: str) -> bool:
        """Say whether an object has been ready in this pass."""
        return self.of(subject).ready is not None

    def _follow(self, family: str, url: str) -> None:
        """List a kind and watch it; where a watch ends or cannot go on, begin anew."""
        while True:
            try:
                version = self._list(family, url)
                self._watch(family, f"{url}?watch=true&resourceVersion={version}")
            except urllib3.exceptions.HTTPError:
                time.sleep(AGAIN_SECONDS)

    def _list(self, family: str, url: str) -> str:
        """Take all that is there, and nothing else is; return the version that a watch goes on from."""
        answer = self._pool.request("GET", url, timeout=WATCH_SECONDS)
        if answer.status != HTTPStatus.OK:
            raise urllib3.exceptions.ResponseError(f"{url}: {answer.status}")
        body = json.loads(answer.data)
        found = {f"{family}/{item['metadata']['name']}": item for item in body["items"]}
        self._there[family] = set(found)
        for subject, item in found.items():
            self._take(family, subject, item)
        return str(body["metadata"]["resourceVersion"])

    def _watch(self, family: str, url: str) -> None:
        stream = self._pool.request(
            "GET",
            f"{url}&timeoutSeconds={WATCH_SECONDS}",
            preload_content=False,
            timeout=WATCH_SECONDS,
        )
        rest = b""
        for piece in stream.stream(65536):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                event = json.loads(line)
                if event.get("type") not in {"ADDED", "MODIFIED", "DELETED"}:
                    return  # the version is too old, or the server refuses
                subject = f"{family}/{event['object']['metadata']['name']}"
                if event["type"] == "DELETED":
                    self._there[family].discard(subject)
                else:
                    self._there[family].add(subject)
                    self._take(family, subject, event["object"])

    def _take(self, family: str, subject: str, found: dict[str, Any]) -> None:
        seen, state = self.of(subject), _state(family, found)
        if not seen.steps or seen.steps[-1][1] != state:
            seen.steps.append((time.time(), state))
        token = (found["metadata"].get("annotations") or {}).get(REQUESTED_AT, "")
        if token and token not in seen.tokens:
            seen.tokens.append(token)


def _condition(found: dict[str, Any], kind: str) -> dict[str, str]:
    conditions = (found.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c["type"] == kind), {})


def _state(family: str, found: dict[str, Any]) -> str:
    """Say in a word what an object is; the same words for all kinds."""
    if family == "namespace":
        return READY if found["status"].get("phase") == "Active" else AT_WORK
    if family == "crd":
        return READY if _condition(found, "Established").get("status") == "True" else AT_WORK
    ready, busy = _condition(found, "Ready"), _condition(found, "Reconciling")
    if (busy.get("status"), busy.get("reason")) == ("True", "Progressing"):
        return AT_WORK
    if ready.get("status") == "True":
        return READY
    if ready.get("status") == "False":
        return WAITS if ready.get("reason") == "DependencyNotReady" else FAILED
    return QUEUED


@dataclass(frozen=True, slots=True)
class Hop:
    """
    *subject* could begin at *due*, was begun at *begun* and had done what the path goes on from at *end*.

    *after* says what it had waited for: that it was there (``start``), a ``dependency``, or its ``cause`` to clear.
    """

    subject: str
    due: float
    begun: float
    end: float
    after: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The path that decided; seconds. *total* is *work* (the critical path) and what nobody worked on it."""

    hops: tuple[Hop, ...]
    total: float
    parked: float

    @property
    def work(self) -> float:
        """The critical path: attempts that succeeded, and the waits for causes that came from outside."""
        return sum(hop.end - hop.begun for hop in self.hops)

    def idle(self, after: str) -> float:
        """How long the path lay after one kind of wait was over, until the next attempt began."""
        return sum(hop.begun - hop.due for hop in self.hops if hop.after == after)


def critical_path(eye: Eye) -> Chain:
    """Walk back from what was ready last, through what it could not begin before."""
    opened = eye.begun or 0.0
    end, subject = max((eye.of(name).ready or 0.0, name) for name in ALL)
    total, hops = end - opened, list[Hop]()
    while subject:
        due, need, after = max(_needs(eye, subject, opened))
        begun = due if subject in {SOURCE, SOMEBODY} else max(due, eye.of(subject).begun(end))
        hops.append(Hop(subject, due, begun, end, after))
        subject, end = need, due
    failed = (eye.of(hop.subject).parked_seconds for hop in hops if hop.after == CAUSE)
    return Chain(tuple(reversed(hops)), total, sum(failed))


def _needs(eye: Eye, subject: str, opened: float) -> list[tuple[float, str, str]]:
    """Return what had to be there before: since when it was, what brought it, and what kind it is."""
    family, _, name = subject.partition("/")
    if subject == ROOT:
        return [(eye.of(SOURCE).ready or opened, SOURCE, START)]
    if family != "kustomization":
        return [(opened, "", START)]
    found = [(eye.of(subject).appeared, ROOT, START)]
    if fleet.needed(name):
        needed = f"kustomization/{fleet.needed(name)}"
        found.append((eye.of(needed).ready or opened, needed, DEPENDENCY))
    if name in fleet.LATE:
        late = fleet.LATE[name]
        provider = f"kustomization/{late.provider}" if late.provider else SOMEBODY
        found.append((eye.of(late.subject).ready or opened, provider, CAUSE))
    return found
