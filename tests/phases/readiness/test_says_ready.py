"""
What says Ready=True of itself and is not: whoever wakes it knows that it does, and is not refused for it.

Mutants: leave ``says_ready`` out where something denies Ready; tell it of what itself says that it is not Ready.
"""

from __future__ import annotations

import pytest

from journal.entries import Fact
from phases.objects import ExternalSecret, Flux, Source
from phases.readiness.flux import kustomization
from phases.readiness.releases import helm_release
from phases.readiness.secrets import external_secret
from phases.readiness.sources import source
from tests.phases.readiness.given import made

READY, FAILED = "Ready=True/x", "Ready=False/x no"
BROKEN = Fact("Blocked", "no such host")


def a_release(*conditions: str, last: str = "deployed", tests: bool = False) -> Fact:
    status = {"observedGeneration": 1, "history": [{"status": last}]}
    spec = {"test": {"enable": tests}}
    return helm_release(made(Flux, *conditions, spec=spec, status=status, generation=1))


def a_kustomization(*conditions: str) -> Fact:
    found: Flux = made(Flux, *conditions, status={"observedGeneration": 1}, generation=1)
    return kustomization(found, "", suspended=False, source=BROKEN)


def a_secret(*conditions: str, target: frozenset[str] | None = None) -> Fact:
    found: ExternalSecret = made(ExternalSecret, *conditions)
    return external_secret(found, "vault", target=target, keys=frozenset({"a"}))


DENIED = {
    "a Kustomization whose source failed": a_kustomization(READY),
    "a release that Helm calls failed": a_release(READY, last="failed"),
    "a release that was not made": a_release(READY, "Released=False/x"),
    "a release whose tests failed": a_release(READY, "TestSuccess=False/x", tests=True),
    "a source whose last fetch failed": source(
        made(Source, READY, "FetchFailed=True/x", status={"artifact": {"revision": "a"}})
    ),
    "a secret that was deleted": a_secret("Ready=True/SecretDeleted"),
    "a secret that is not there": a_secret(READY, target=frozenset()),
    "a secret without a key": a_secret(READY, target=frozenset({"b"})),
}
ADMITTED = {
    "a Kustomization": a_kustomization(FAILED),
    "a release": a_release(FAILED),
    "a source": source(made(Source, FAILED)),
    "a secret": a_secret(FAILED),
}


@pytest.mark.parametrize("fact", DENIED.values(), ids=DENIED.keys())
def test_what_is_denied_although_it_says_ready_tells_so(fact: Fact) -> None:
    assert fact.code == "Blocked"
    assert fact.detail["says_ready"] is True


@pytest.mark.parametrize("fact", ADMITTED.values(), ids=ADMITTED.keys())
def test_what_says_itself_that_it_is_not_ready_tells_no_such_thing(fact: Fact) -> None:
    assert fact.code == "Blocked"
    assert "says_ready" not in fact.detail
