"""
A nudge whose answer was lost is looked for on the object itself.

Found by killing rehearsals: a run that died between a nudge's intent and its start waited an hour for a retry that
nothing had asked for. Mutant: take the probe off ``flux.nudge``; ``test_a_nudge_that_was_never_sent_is_sent`` and the
killed rehearsals go red.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.recipe import Happened
from engine.world import Intent
from journal.entries import Fact
from phases.objects import Condition, Flux, FluxStatus, Meta
from phases.readiness.flux import kustomization
from phases.verbs import nudge_happened

TOKEN = "2025-06-12T17:07:09+00:00#run-1#kind:Widget.example.com"
PLAN: Any = None


def _intent() -> Intent:
    arguments = {
        "kind": "Kustomization",
        "namespace": "flux-system",
        "name": "apps",
        "requested_at": TOKEN,
    }
    return Intent("a1", "flux.nudge", "kustomization/flux-system/apps", 1, 1, 15.0, 0.0, arguments)


def _seen(annotations: dict[str, str]) -> Fact:
    now = datetime(2025, 6, 12, tzinfo=UTC)
    failed = Condition("Ready", "False", "ReconciliationFailed", "no", now)
    found = Flux(
        Meta(name="apps", namespace="flux-system", uid="u1", generation=1, annotations=annotations),
        status=FluxStatus(conditions=(failed,)),
    )
    return kustomization(found, "", suspended=False)


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ({"reconcile.fluxcd.io/requestedAt": TOKEN}, Happened.YES),
        ({}, Happened.NO),
        ({"reconcile.fluxcd.io/requestedAt": "2025-06-12T17:00:00Z"}, Happened.NO),
        ({"reconcile.fluxcd.io/requestedAt": TOKEN.replace("run-1", "run-0")}, Happened.NO),
    ],
)
def test_the_token_on_the_object_says_whether_a_nudge_arrived(
    annotations: dict[str, str], said: Happened
) -> None:
    facts = {"kustomization/flux-system/apps": _seen(annotations)}

    assert nudge_happened(PLAN, facts, _intent()) is said


def test_an_object_that_is_not_seen_says_nothing() -> None:
    assert nudge_happened(PLAN, {}, _intent()) is Happened.UNKNOWN


def test_a_store_has_no_namespace_and_is_found_all_the_same() -> None:
    """Mutant: join its empty namespace and its name, and a lost answer stays in doubt for ever."""
    found = _intent()
    arguments = {**found.arguments, "kind": "ClusterSecretStore", "namespace": "", "name": "vault"}
    touched = Fact("Blocked", detail={"uid": "u1", "requested_at": TOKEN})
    intent = Intent("a1", "flux.nudge", "store/vault", 1, 1, 15.0, 0.0, arguments)

    assert nudge_happened(PLAN, {"store/vault": touched}, intent) is Happened.YES
