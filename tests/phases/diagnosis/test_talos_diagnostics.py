"""
What Talos itself finds wrong: one id is understood, everything else is handed on and holds up nobody that is known.

Mutants, each killed here: a machine that is ready, or whose kubelet is heard from, is held up; any id may be part of a
subject; what T9 reads better is said twice; an old look counts.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Answer, Stuck, Wait
from engine.memory import Memory
from phases import codes
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.graph import roots_of
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.sentence import STANDING_SECONDS, sentenced
from phases.snapshot import NodeLook, Seen
from tests.phases.diagnosis.scenes import AT, dangers, found_by, made, said, scene

OVERLAP = ("address-overlap", "host and Kubernetes pod/service CIDR addresses overlap")
UNSIGNED = (
    "kubelet-csr",
    "kubelet server certificate rotation is enabled, but CSR is not approved",
)
TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyz"
REQUEST = "CertificateSigningRequest"


def look(*told: tuple[str, str], ready: bool = True) -> NodeLook:
    return NodeLook("running", ready=ready, diagnostics=told)


def test_overlapping_networks_are_one_cause_however_many_machines_have_it() -> None:
    nodes = {"b": look(OVERLAP), "a": look(OVERLAP), "c": look(), "d": NodeLook("running")}

    (told,) = found_by("T10", scene(nodes=dict(nodes)))

    assert "all addresses of 2 machines (a, b) are in the pod or service networks" in told.message
    assert (told.subject, told.clears_itself) == ("talos-diagnostic/address-overlap", "no")
    assert told.evidence == tuple(f"nodes[{n}].diagnostics address-overlap" for n in "ab")
    assert dangers(told) == {"look", "reversible", "never"}
    assert "cluster.network" in told.remedies[0].text


@pytest.mark.parametrize(
    ("ready", "node", "held"),
    [
        (False, None, ("node/a",)),
        (False, "Unknown", ("node/a", "k8s-node/a")),
        (False, "False", ()),
        (False, "True", ()),
        (True, None, ()),
        (True, "Unknown", ()),
    ],
)
def test_only_a_machine_that_is_not_ready_and_not_heard_of_is_held_up(
    ready: bool,  # noqa: FBT001
    node: str | None,
    held: tuple[str, ...],
) -> None:
    nodes = [made("Node", "a", said("Ready", node))] if node else []

    (told,) = found_by("T10", scene(*nodes, nodes={"a": look(OVERLAP, ready=ready), "b": look()}))

    assert told.blocks == held


@pytest.mark.parametrize(("ready", "ends"), [(False, True), (True, False)])
def test_a_run_ends_by_it_only_where_the_machine_is_not_ready_as_well(
    ready: bool,  # noqa: FBT001
    ends: bool,  # noqa: FBT001
) -> None:
    looked_at = scene(nodes={"a": look(OVERLAP, ready=ready)})
    (root,) = roots_of(diagnose(looked_at), blocking(looked_at))
    findings = {root.id: replace(root.finding, root=True, victims=root.victims)}
    waits: dict[str, Answer] = {codes.node("a"): Wait("not yet")}

    told = sentenced(waits, findings, Memory(now=AT, found_at={root.id: AT - STANDING_SECONDS}))

    assert isinstance(told.get(root.finding.subject), Stuck) is ends
    assert ends or told == waits


def test_what_else_talos_says_is_told_in_its_own_words() -> None:
    (told,) = found_by("T10", scene(nodes={"a": look(("clock-drift", "the clock\n drifts"))}))

    assert told.message == 'Talos itself warns on machine a (clock-drift): "the clock drifts"'
    assert (told.subject, told.clears_itself) == ("talos-diagnostic/clock-drift", "unknown")
    assert (told.blocks, dangers(told)) == ((), {"look"})


def test_each_thing_is_a_finding_of_its_own() -> None:
    nodes = {"a": look(OVERLAP, ("x", "one")), "b": look(("x", "another"))}

    overlap, other = found_by("T10", scene(nodes=dict(nodes)))

    assert "machine a " in overlap.message
    assert other.message.endswith('2 machines (a, b) (x): "another", "one"')


@pytest.mark.parametrize(("unlisted", "count"), [((), 0), ((REQUEST,), 1)])
def test_what_a_rule_reads_for_itself_is_not_said_twice(
    unlisted: tuple[str, ...], count: int
) -> None:
    looked_at = scene(nodes={"a": look(UNSIGNED)}, unlisted=unlisted)

    found = found_by("T10", looked_at)

    assert [f.subject for f in found] == ["talos-diagnostic/kubelet-csr"] * count
    assert all(UNSIGNED[1] in f.message for f in found)


@pytest.mark.parametrize("told", [(TOKEN, "x"), ("x", f"Authorization: Bearer {TOKEN}")])
def test_neither_an_id_nor_a_message_hands_on_a_secret(told: Any) -> None:  # noqa: ANN401
    """Mutant: any id is part of the subject, which no redactor reads."""
    found = diagnose(scene(nodes={"a": look(told)}))

    assert len(found) == 1
    assert TOKEN not in str(found)


@pytest.mark.parametrize("told", [None, ()])
def test_nothing_told_is_nothing_wrong(told: Any) -> None:  # noqa: ANN401
    assert found_by("T10", scene(nodes={"a": NodeLook("running", diagnostics=told)})) == []


def test_an_old_look_says_nothing() -> None:
    old = replace(scene().snapshot, nodes={"a": Seen(look(OVERLAP), AT - 11)})

    assert found_by("T10", Scene(old)) == []
