"""
Etcd's own data in the way of etcd: the wipe of exactly that is offered, where nothing else can be lost by it.

Mutants, killed here: a refused recovery is no refusal; what is left of a lost etcd is wiped where no recovery follows,
while another control plane may have data too, where two are left, or without a copy of its own since the loss.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Stuck, Wait
from engine.memory import Memory
from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry, Fact, Outcome
from phases import left_data, talos_ready
from phases.lives import RESET
from tests.phases.making import START, given, plan
from tests.phases.resetting import (
    LAST,
    RECOVER,
    UNSEEN,
    WAITING,
    allowing,
    asked_for,
    bootstrapped,
    nodes,
    told,
    wiped,
)


def left_behind(for_plan: Plan, known: dict[str, Fact], *more: AnyEntry) -> Answer:
    refused = bootstrapped(1, "failed", "already-exists")
    late = e.Note(at=START + 4000, text="", actor="")
    memory = asked_for(for_plan, known, *refused, *more, late, names=())
    return talos_ready.decide(for_plan, known, {}, memory)["etcd"]


def test_left_data_is_wiped_only_where_the_plan_allows_it_and_a_person_says_so() -> None:
    known = nodes(cp_1=WAITING, cp_2=WAITING, cp_3=WAITING)

    stuck = left_behind(plan(), known)
    assert isinstance(stuck, Stuck)
    assert stuck.reference == "etcd-data-left"
    offered = left_behind(allowing(), known)
    assert isinstance(offered, Act)
    assert (offered.verb, offered.target) == (RESET, "node/cp-1")
    assert offered.arguments["scope"] == ["EPHEMERAL"]
    assert offered.approval is not None
    assert offered.approval.typed == "cp-1"
    gone = wiped("cp-1", 3000.0, scope=["EPHEMERAL"])
    begun = left_behind(allowing(), known, *gone)
    assert isinstance(begun, Act)
    assert begun.verb == "etcd.bootstrap"


def test_left_data_is_not_wiped_while_a_control_plane_does_not_say_that_it_waits() -> None:
    the_plan = allowing()
    stuck = Stuck("etcd-data-left", "", "")
    known = nodes(cp_1=WAITING, cp_2=WAITING, cp_3=UNSEEN)
    late = e.Note(at=START + 4000, text="", actor="")
    refused = bootstrapped(1, "failed", "already-exists")
    memory = asked_for(the_plan, known, *refused, late, names=())

    assert left_data.or_wipe(the_plan, known, memory, stuck) is stuck


@pytest.mark.parametrize(
    ("refusals", "name"),
    [
        (bootstrapped(1, "failed", "already-exists", RECOVER), "cp-1"),
        # the latest, whichever of the two it was
        (
            [
                *bootstrapped(1, "failed", "already-exists", node="cp-2"),
                *bootstrapped(2, "failed", "already-exists", RECOVER),
            ],
            "cp-1",
        ),
        (
            [
                *bootstrapped(1, "failed", "already-exists", RECOVER),
                *bootstrapped(2, "failed", "already-exists", node="cp-2"),
            ],
            "cp-2",
        ),
    ],
)
def test_data_that_refused_a_recovery_is_wiped_the_same_way(
    refusals: list[AnyEntry], name: str
) -> None:
    the_plan = allowing(verbs=(RESET, RECOVER))
    known = nodes(cp_1=WAITING, cp_2=WAITING, cp_3=WAITING)
    memory = asked_for(
        the_plan, known, *refusals, e.Note(at=START + 4000, text="", actor=""), names=()
    )

    offered = talos_ready.decide(the_plan, known, {}, memory)["etcd"]

    assert isinstance(offered, Act)
    assert (offered.verb, offered.target) == (RESET, f"node/{name}")
    assert offered.arguments["scope"] == ["EPHEMERAL"]
    assert "none could be taken" in offered.arguments["snapshot"]["none"]


# --- what is left of a lost quorum ---------------------------------------------------------------

BOTH_VERBS = (RESET, RECOVER)
LOST_AT = 100.0
IS_LEFT = {"cp_1": LAST, "cp_2": WAITING, "cp_3": WAITING}
FIVE = {
    "talos": {
        "nodes": {
            f"cp-{n}": {"address": f"192.0.2.1{n}", "config": f"cp-{n}.yaml", "sha256": f"sha-{n}"}
            for n in (4, 5)
        }
    }
}


def copied(name: str, at: float) -> list[AnyEntry]:
    """A snapshot, taken without a quorum."""
    target, action = f"node/{name}", f"s-{at:g}"
    begun = e.ActionIntended(
        at=START + at,
        action=action,
        verb="etcd.snapshot",
        target=target,
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
        arguments={"node": name, "quorum": "lost"},
    )
    ended = e.ActionSettled(
        at=START + at,
        action=action,
        verb="etcd.snapshot",
        target=target,
        outcome=Outcome.DONE,
        evidence={"path": "/j/x.snapshot", "sha256": "abc", "bytes": 32},
    )
    return [begun, ended]


def lost(for_plan: Plan, said: dict[str, Any], *entries: AnyEntry) -> Memory:
    known = {**nodes(**said), "etcd": Fact("lost", "", START + LOST_AT)}
    late = e.Note(at=START + 4000, text="", actor="")
    return asked_for(for_plan, known, *entries, late, names=())


def etcd_of(for_plan: Plan, memory: Memory) -> Answer:
    return talos_ready.decide(for_plan, memory.facts, {}, memory)["etcd"]


def test_what_is_left_of_a_lost_etcd_is_wiped_by_a_persons_word_where_a_recovery_follows() -> None:
    the_plan = allowing(verbs=BOTH_VERBS)
    memory = lost(the_plan, IS_LEFT, *copied("cp-1", 160))

    offered = etcd_of(the_plan, memory)

    assert isinstance(offered, Act)
    assert (offered.verb, offered.target) == (RESET, "node/cp-1")
    assert (offered.arguments["scope"], offered.arguments["graceful"]) == (["EPHEMERAL"], False)
    assert offered.arguments["snapshot"]["path"] == "/j/x.snapshot"
    ask = offered.approval
    assert ask is not None
    assert ask.typed == "cp-1"
    for said in ("EPHEMERAL", "lost its quorum", "another yes", "bring back a lost machine"):
        assert said in ask.consequence
    after = etcd_of(the_plan, given(memory, "etcd", ask))
    assert isinstance(after, Act)
    assert after.verb == RESET


@pytest.mark.parametrize(
    ("verbs", "said"),
    [
        ((RESET,), IS_LEFT),  # and then nothing
        ((RECOVER,), IS_LEFT),
        # its data may be there still, whatever keeps it from running
        (BOTH_VERBS, {**IS_LEFT, "cp_3": {"code": "running", "detail": {"etcd": "Failed"}}}),
        (BOTH_VERBS, {**IS_LEFT, "cp_1": {**LAST, "detail": {**LAST["detail"], "uuid": ""}}}),
    ],
)
def test_where_anything_else_may_be_lost_it_stays_stuck(
    verbs: tuple[str, ...], said: dict[str, Any]
) -> None:
    the_plan = allowing(verbs=verbs)

    found = etcd_of(the_plan, lost(the_plan, said, *copied("cp-1", 160)))

    assert isinstance(found, Stuck)
    assert found.reference == "etcd-quorum-lost"
    assert "rekindle run PLAN --reset cp-1,cp-2,cp-3 --reset-scope EPHEMERAL" in found.hint


def test_of_two_that_are_left_a_person_chooses() -> None:
    the_plan = allowing(FIVE, verbs=BOTH_VERBS)
    said = {**IS_LEFT, "cp_2": LAST, "cp_4": WAITING, "cp_5": WAITING}

    found = etcd_of(the_plan, lost(the_plan, said, *copied("cp-1", 160)))

    assert isinstance(found, Stuck)
    assert "empty the EPHEMERAL partition of cp-1, cp-2" in found.hint


@pytest.mark.parametrize("copy", [copied("cp-1", 99), copied("cp-2", 160)])
def test_it_is_copied_itself_after_the_yes_where_the_copy_is_older_than_the_loss(
    copy: list[AnyEntry],
) -> None:
    the_plan = allowing(verbs=BOTH_VERBS)
    memory = lost(the_plan, IS_LEFT, *copy)
    offered = etcd_of(the_plan, memory)
    assert isinstance(offered, Act)
    assert offered.verb == RESET, "it is asked for at once"

    first = etcd_of(the_plan, given(memory, "etcd", offered.approval))

    assert isinstance(first, Act)
    assert (first.verb, first.target) == ("etcd.snapshot", "node/cp-1")


@pytest.mark.parametrize(
    ("boot", "outcome", "offered"),
    [
        ("old", "done", False),
        ("old", "unsettled", False),
        ("", "done", False),
        ("later", "done", True),  # what was accepted is gone with its boot
        ("old", "failed", True),
    ],
)
def test_beside_an_etcd_that_may_just_be_late_nothing_is_wiped(
    boot: str,
    outcome: str,
    offered: bool,  # noqa: FBT001
) -> None:
    """A person had it begun without the one that came back. Mutant: ``_may_still_begin`` says no."""
    the_plan = allowing(verbs=BOTH_VERBS)
    late = {**WAITING, "detail": {"etcd": "Preparing", "boot_id": boot}}
    begun = bootstrapped(50, outcome, node="cp-2")
    memory = lost(the_plan, {**IS_LEFT, "cp_2": late}, *begun, *copied("cp-1", 160))

    assert isinstance(etcd_of(the_plan, memory), Act if offered else Stuck)


def test_while_the_wipe_of_it_is_under_way_nothing_else_is_offered() -> None:
    the_plan = allowing(verbs=BOTH_VERBS)
    begun = told("cp-1", 3900.0, scope=["EPHEMERAL"])

    found = etcd_of(the_plan, lost(the_plan, IS_LEFT, *copied("cp-1", 160), *begun))

    assert isinstance(found, Wait)
    assert "was told to reset itself" in found.reason


def test_nothing_is_offered_before_what_is_left_was_copied_at_all() -> None:
    the_plan = allowing(verbs=BOTH_VERBS)

    first = etcd_of(the_plan, lost(the_plan, IS_LEFT))

    assert isinstance(first, Act)
    assert first.verb == "etcd.snapshot"


def test_what_this_run_began_on_the_very_one_that_is_left_keeps_nobody_from_offering_its_wipe() -> (
    None
):
    """Mutant: let ``_may_still_begin`` ask of all control planes."""
    the_plan = allowing(verbs=BOTH_VERBS)
    here = {**IS_LEFT["cp_1"], "detail": {**IS_LEFT["cp_1"].get("detail", {}), "boot_id": "old"}}
    memory = lost(the_plan, {**IS_LEFT, "cp_1": here}, *bootstrapped(50), *copied("cp-1", 160))

    assert isinstance(etcd_of(the_plan, memory), Act)


def test_nobody_knows_since_when_it_is_lost_and_nothing_is_offered() -> None:
    """Mutant: take an unknown instant for one."""
    the_plan = allowing(verbs=BOTH_VERBS)
    memory = lost(the_plan, IS_LEFT, *copied("cp-1", 160))
    undated = {**memory.facts, "etcd": replace(memory.facts["etcd"], since=None)}
    stuck = Stuck("etcd-quorum-lost", "lost", "")

    offered = left_data.or_wipe(the_plan, memory.facts, memory, stuck)
    assert isinstance(offered, Act)
    assert left_data.or_wipe(the_plan, undated, memory, stuck) is stuck
