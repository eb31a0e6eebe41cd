"""
What a run is stuck on ends its session as soon as all that is left waits behind it; what is independent comes first.

Mutants, each killed here: leave ``behind`` out of the recipe; ask it after the deadline only; a rule of
``phases.hopeless`` that holds nothing (nodes, etcd, the kubeconfig, commands, the root, CRDs, what is suspended); what
is suspended holds what it was Ready for, while a worker is still at it, or as a source that serves; a rehearsal does
not wait for its own people.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.replay import replay
from engine.runner import Ended
from phases import codes
from phases.lives import RESET
from phases.recipe import recipe
from rekindle.simulator.faults import Faults
from rekindle.simulator.happenings import OF_MACHINES
from rekindle.simulator.scenario import find_scenario, load_scenario
from tests.properties.clusters import never_early, scenario, story
from tests.properties.suspending import Pred, at_once, says, suspended

ROOK, ESO = "storage/rook", "external-secrets/external-secrets"


def stuck(ended: Ended | None, seconds: float) -> dict[str, str]:
    """Return what it is stuck on, by subject: it ended so, in this time, and keeps no other hope."""
    assert ended is not None
    assert ended.outcome == "stuck"
    assert ended.memory.now - ended.memory.opened_at <= seconds
    said = ended.memory.answers
    assert {b["can_clear"] for b in said.values() if b["answer"] == "wait"} <= {"no"}
    return {s: b["reference"] for s, b in said.items() if b["answer"] == "stuck"}


def without(name: str, verb: str) -> Ended | None:
    run, _ = story(name, machine={"verbs": {verb: {"enabled": False}}})
    return run.session()


CRD = "crd/externalsecrets.external-secrets.io"
NODES = ("node/n1", "node/n2", "node/n3")


@pytest.mark.parametrize(
    ("name", "verb", "subjects", "seconds"),
    [
        ("cold", "talos.apply", NODES, 1.0),
        ("cold", "etcd.bootstrap", ("etcd",), 180.0),
        ("cold", "kubeconfig.fetch", ("kubeconfig",), 240.0),
        ("cold", "command.run", ("command/cni",), 240.0),
        ("cold", "root.apply", ("root",), 300.0),
        ("cold", "crd.preapply", (CRD,), 300.0),
    ],
)
def test_a_verb_that_is_forbidden_is_waited_for_by_nobody(
    name: str, verb: str, subjects: tuple[str, ...], seconds: float
) -> None:
    """They were 1,200 to 3,828 seconds: the deadline of the state."""
    assert stuck(without(name, verb), seconds) == dict.fromkeys(subjects, "verb-disabled")


@pytest.mark.parametrize(("name", "seconds"), [("june", 120.0), ("cold", 300.0)])
def test_a_kind_that_nobody_can_bring_ends_the_wait_when_it_is_said(
    name: str, seconds: float
) -> None:
    run, _ = story(name, found=never_early(scenario(name)))

    assert stuck(run.session(), seconds) == {CRD: "crd-missing"}


def test_the_night_itself_without_the_crd_ends_in_minutes() -> None:
    """It was an hour and 47 seconds, and the way out stood below a hundred objects that were out of time."""
    found = load_scenario(find_scenario("june-12"))
    run, _ = story("june-12", found=never_early(found), seed=found.seed, operator=found.operator)

    assert stuck(run.session(), 300.0) == {CRD: "crd-missing"}
    assert replay(recipe(), run.book.entries())[1] == ()


def test_a_command_that_fails_for_good_is_waited_for_by_no_node() -> None:
    run, _ = story("cold", faults=Faults(command_failures=(("cni", 1), ("cni", 2), ("cni", 3))))

    assert stuck(run.session(), 300.0) == {"command/cni": "attempts-exhausted"}


def test_a_quorum_that_is_lost_on_the_way_ends_the_wait_with_its_way_out() -> None:
    """It was said after 327 seconds, and a deadline stood in its place after 1,351."""
    found = load_scenario(find_scenario("wipe"))
    reset = {RESET: {"nodes": ["k8s-2"], "scope": ["STATE", "EPHEMERAL"]}}
    run, cluster = story("wipe", found=replace(found, request=reset), seed=8)
    lost = cluster.machines.by_name["k8s-1"]
    cluster.loop.at(cluster.start + 102.0, lambda: OF_MACHINES["empty"](cluster, lost))

    ended = run.session()

    assert stuck(ended, 400.0) == {"etcd": "etcd-quorum-lost"}
    assert ended is not None
    assert "2 members are enough" in ended.memory.answers["etcd"]["hint"]


def test_a_rehearsal_waits_for_its_own_people() -> None:
    """Mutant: ``expects`` is not asked, and nobody empties the survivor of the lost quorum before the run gives up."""
    found = load_scenario(find_scenario("quorum-lost"))
    run, _ = story("quorum-lost", found=found, seed=found.seed, operator=found.operator)
    ended = run.session()
    assert ended is not None
    assert ended.outcome == "done"

    alone = replace(found, events=found.events[:2])
    run, _ = story("quorum-lost", found=alone, seed=found.seed, operator=found.operator)
    assert stuck(run.session(), 200.0) == {"etcd": "etcd-quorum-lost"}


# --- suspended ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "key", "behind", "beside"),
    [
        ("Kustomization", ROOK, "kustomization/storage/pools", "store/onepassword"),
        ("HelmRelease", "storage/rook-ceph", "kustomization/storage/rook", "store/onepassword"),
        ("Kustomization", ESO, "store/onepassword", "kustomization/storage/pools"),
    ],
)
def test_what_is_suspended_before_it_was_ready_holds_its_dependents_and_nobody_else(
    kind: str, key: str, behind: str, beside: str
) -> None:
    run, cluster = story("cold")
    suspended(cluster, kind, key, at_once)

    ended = run.session()

    assert stuck(ended, 400.0) == {codes.subject(kind, key): "suspended-in-cluster"}
    assert ended is not None
    assert ended.memory.answers[behind]["can_clear"] == "no"
    assert ended.memory.facts[beside].code == codes.READY


@pytest.mark.parametrize(
    ("kind", "key", "when"),
    [
        ("Kustomization", ROOK, says("Ready", "True")),
        ("Kustomization", ROOK, says("Reconciling", "True", "Progressing")),
        ("HelmRelease", ESO, says("Ready", "True")),
        ("HelmRelease", ESO, says("Ready", "Unknown")),
        ("GitRepository", "flux-system/flux-system", at_once),
    ],
)
def test_what_is_suspended_and_good_enough_for_its_dependents_holds_nobody(
    kind: str, key: str, when: Pred
) -> None:
    """What was Ready stays so for them, a worker ends its attempt, and a source serves what it has."""
    run, cluster = story("cold")
    suspended(cluster, kind, key, when)

    ended = run.session()

    assert stuck(ended, 400.0) == {codes.subject(kind, key): "suspended-in-cluster"}
    assert ended is not None
    assert ended.memory.answers.keys() == {codes.subject(kind, key)}
