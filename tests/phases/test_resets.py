"""
Resets as tables: who is wiped when, who never, and what shows that it was.

Mutants, killed here: control planes go at once, or before the workers; one that is unseen does not hold the others;
the request is forgotten with a changed plan.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.allowing import allowed
from engine.answer import Act, Answer, Ask, Done, Stuck, Wait
from engine.folding import fold_all
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Happened
from engine.world import Intent
from journal import entries as e
from journal.entries import AnyEntry
from phases import lives, node_maintenance, resets
from phases.lives import RESET
from tests.phases.making import START, given, plan
from tests.phases.resetting import (
    BARE,
    BOTH,
    LIVING,
    MEMBER,
    NAMES,
    UNSEEN,
    WORKER,
    allowing,
    asked_for,
    nodes,
    told,
    wiped,
)


def answer(for_plan: Plan, memory: Memory, name: str) -> Answer:
    return node_maintenance.decide(for_plan, memory.facts, {}, memory)[f"node/{name}"]


# --- whose turn it is ----------------------------------------------------------------------------


def test_nothing_is_reset_that_nobody_asked_for() -> None:
    the_plan, known = allowing(), nodes()
    memory = asked_for(the_plan, known, names=())

    assert resets.owed(the_plan, memory) == {}
    assert answer(the_plan, memory, "cp-1") == Done()


def test_all_are_asked_at_once_and_control_planes_go_one_by_one() -> None:
    the_plan, known = allowing(), nodes()
    memory = asked_for(the_plan, known)

    first = answer(the_plan, memory, "cp-1")
    assert isinstance(first, Act)
    assert (first.verb, first.target) == (RESET, "node/cp-1")
    assert first.arguments == {
        "node": "cp-1",
        "address": "192.0.2.11",
        "machine_uuid": "uuid-cp-1",
        "boot_id": "boot-cp-1",
        "scope": BOTH,
        "graceful": False,
        "snapshot": {"none": "no snapshot was taken yet"},
    }
    later = answer(the_plan, memory, "cp-2")
    assert isinstance(later, Ask)
    memory = given(memory, "node/cp-2", later)
    waits = answer(the_plan, memory, "cp-2")
    assert isinstance(waits, Wait)
    assert waits.can_clear == "no", "it waits for a yes to cp-1, which no time brings"


def test_after_the_yes_and_before_the_wipe_a_snapshot_is_taken_while_etcd_answers() -> None:
    """Mutant: ``snapshot_first`` wants nothing."""
    the_plan, known = allowing(), nodes()
    memory = asked_for(the_plan, known)
    first = answer(the_plan, memory, "cp-1")
    assert isinstance(first, Act)
    assert first.approval is not None

    then = answer(the_plan, given(memory, "node/cp-1", first.approval), "cp-1")

    assert isinstance(then, Act)
    assert then.verb == "etcd.snapshot"


def test_the_question_names_the_machine_and_what_goes() -> None:
    the_plan = allowing()
    first = answer(the_plan, asked_for(the_plan, nodes()), "cp-1")

    assert isinstance(first, Act)
    ask = first.approval
    assert ask is not None
    for said in ("cp-1", "192.0.2.11", "uuid-cp-1", "STATE and EPHEMERAL"):
        assert said in ask.question
    for said in ("etcd", "local volumes", "user disks are not touched", "snapshot"):
        assert said in ask.consequence
    assert ask.typed == "cp-1"
    assert (ask.evidence["uuid"], ask.evidence["scope"]) == ("uuid-cp-1", BOTH)


def test_the_next_one_goes_when_the_one_before_has_shown_itself() -> None:
    the_plan = allowing()
    under_way = asked_for(the_plan, nodes(cp_1=UNSEEN), *told("cp-1"))
    shown = asked_for(the_plan, nodes(cp_1=BARE), *wiped("cp-1"))

    assert isinstance(answer(the_plan, under_way, "cp-1"), Wait)
    assert not isinstance(answer(the_plan, under_way, "cp-2"), Act)
    assert isinstance(answer(the_plan, shown, "cp-2"), Act)
    assert resets.left(the_plan.target, shown) == ["cp-2", "cp-3"]


def test_one_that_is_under_way_holds_also_those_that_come_before_it() -> None:
    """It was its turn while the first was in maintenance; that one has been configured by somebody since."""
    the_plan = allowing()
    memory = asked_for(the_plan, nodes(cp_2={"code": "resetting"}), *told("cp-2"))

    assert not isinstance(answer(the_plan, memory, "cp-1"), Act)


def test_workers_go_first() -> None:
    the_plan = allowing(WORKER)
    known = nodes(w_1={"code": "running", "detail": {"role": "worker"}})
    memory = asked_for(the_plan, known, names=(*NAMES, "w-1"))

    assert isinstance(answer(the_plan, memory, "w-1"), Act)
    assert not isinstance(answer(the_plan, memory, "cp-1"), Act)
    assert resets.left(the_plan.target, memory)[0] == "w-1"


def test_a_control_plane_that_is_not_there_holds_the_others() -> None:
    """Failure of old: one does not come back, and the other two are wiped as well."""
    the_plan, known = allowing(), nodes(cp_3=UNSEEN)
    memory = asked_for(the_plan, known)

    assert not isinstance(answer(the_plan, memory, "cp-1"), Act)
    assert isinstance(answer(the_plan, memory, "cp-3"), Wait)


@pytest.mark.parametrize("hidden", ["uuid", "boot_id"])
def test_a_machine_that_does_not_say_who_it_is_is_not_asked_about(hidden: str) -> None:
    the_plan = allowing()
    known = nodes(cp_1={"code": "running", "detail": {**MEMBER, hidden: ""}})

    assert isinstance(answer(the_plan, asked_for(the_plan, known), "cp-1"), Wait)


def test_foreign_secrets_cannot_be_reset_with_ours() -> None:
    the_plan = allowing()
    found = answer(the_plan, asked_for(the_plan, nodes(cp_1={"code": "foreign"})), "cp-1")

    assert isinstance(found, Stuck)
    assert found.reference == "node-foreign"


def test_without_leave_of_the_plan_nobody_is_asked() -> None:
    """Each wish meets the engine's no; mutant: ask for those whose turn has not come."""
    the_plan = plan()
    memory = asked_for(the_plan, nodes())

    wishes = {name: answer(the_plan, memory, name) for name in NAMES}
    allowed_ = [
        allowed(the_plan, memory, f"node/{name}", wish, []) for name, wish in wishes.items()
    ]
    assert {a.reference for a in allowed_ if isinstance(a, Stuck)} == {"verb-disabled"}
    assert all(isinstance(a, Stuck) for a in allowed_)


# --- what is owed --------------------------------------------------------------------------------


def test_what_is_owed_holds_the_state_and_not_what_comes_later() -> None:
    the_plan = allowing()
    memory = asked_for(the_plan, nodes())

    assert list(resets.owed(the_plan, memory)) == ["node-maintenance"]
    moved = e.Moved(at=START, source="node-maintenance", target="talos-ready", why="")
    assert resets.owed(the_plan, fold_all(memory, [moved])) == {}


@pytest.mark.parametrize(
    ("known", "entries", "left"),
    [
        (LIVING, [], True),
        (BARE, [], False),
        (UNSEEN, told("cp-1"), True),
        (BARE, told("cp-1"), True),  # until its probe has said so, in the same turn
        (BARE, wiped("cp-1"), False),
        (LIVING, wiped("cp-1"), False),  # it lives again: a new life that nobody asked about
        (LIVING, told("cp-1", outcome="failed"), True),
        (LIVING, told("cp-1", outcome="done"), True),  # a settlement is no proof
    ],
)
def test_a_reset_is_over_when_it_was_seen(
    known: dict[str, Any],
    entries: list[AnyEntry],
    left: bool,  # noqa: FBT001
) -> None:
    the_plan = allowing()
    memory = asked_for(the_plan, nodes(cp_1=known), *entries, names=("cp-1",))

    assert bool(resets.left(the_plan.target, memory)) is left


def test_one_in_maintenance_that_was_configured_is_not_asked_for_again() -> None:
    the_plan = allowing()
    apply = e.ActionIntended(
        at=START + 5,
        action="a",
        verb="talos.apply",
        target="node/cp-1",
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
    )
    memory = asked_for(the_plan, nodes(), apply, names=("cp-1",))

    assert resets.left(the_plan.target, memory) == []


# --- what the node shows -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shown", "scope", "said"),
    [
        ({"code": "maintenance"}, BOTH, Happened.YES),
        ({"code": "maintenance", "detail": {"uuid": ""}}, BOTH, Happened.YES),
        ({"code": "maintenance", "detail": {"uuid": "other"}}, BOTH, Happened.UNKNOWN),
        ({"code": "maintenance"}, ["EPHEMERAL"], Happened.UNKNOWN),
        ({"code": "running"}, BOTH, Happened.NO),
        ({"code": "waits-for-etcd"}, BOTH, Happened.NO),
        ({"code": "resetting"}, BOTH, Happened.UNKNOWN),
        ({"code": "running", "detail": {"boot_id": "later"}}, BOTH, Happened.UNKNOWN),
        ({"code": "running", "detail": {"boot_id": "later"}}, ["EPHEMERAL"], Happened.YES),
        ({"code": "running", "detail": {"boot_id": ""}}, BOTH, Happened.UNKNOWN),
        ({"code": "unseen"}, BOTH, Happened.UNKNOWN),
        ({"code": "foreign"}, BOTH, Happened.UNKNOWN),
    ],
)
def test_only_the_node_says_whether_it_was_wiped(
    shown: dict[str, Any], scope: list[str], said: Happened
) -> None:
    arguments = {"machine_uuid": "uuid-cp-1", "boot_id": "boot-cp-1", "scope": scope}
    intent = Intent("a1", RESET, "node/cp-1", 1, 1, 60.0, 0.0, arguments)

    assert lives.reset_happened(plan(), nodes(cp_1=shown), intent) is said


@pytest.mark.parametrize(
    ("shown", "kind"),
    [(UNSEEN, Stuck), ({"code": "resetting"}, Stuck), ({"code": "foreign"}, Stuck)],
)
def test_a_doubt_that_stays_goes_to_a_person(shown: dict[str, Any], kind: type) -> None:
    the_plan, known = allowing(), nodes(cp_1=shown)
    early = asked_for(the_plan, known, *told("cp-1"))
    late = fold_all(early, [e.Note(at=START + 700, text="", actor="")])

    assert isinstance(answer(the_plan, early, "cp-1"), Wait)
    assert isinstance(answer(the_plan, late, "cp-1"), kind)
    assert not isinstance(answer(the_plan, late, "cp-2"), Act)


def test_one_that_booted_and_kept_its_configuration_is_wiped_again_only_by_a_person() -> None:
    the_plan = allowing()
    known = nodes(cp_1={"code": "running", "detail": {**MEMBER, "boot_id": "later"}})
    first = asked_for(the_plan, nodes())
    yes = answer(the_plan, first, "cp-1")
    assert isinstance(yes, Act)
    memory = asked_for(the_plan, known, *told("cp-1"))
    memory = fold_all(memory, [e.Note(at=START + 700, text="", actor="")])

    again = answer(the_plan, memory, "cp-1")

    assert isinstance(again, Act)
    assert again.approval is not None
    assert again.approval.evidence != (yes.approval and yes.approval.evidence)
    assert again.arguments["boot_id"] == "later"
    assert "snapshot" in again.arguments, "whatever wipes a member says what there is of etcd"


@pytest.mark.parametrize("hidden", ["boot_id", "uuid"])
def test_one_that_does_not_say_who_it_is_is_not_wiped_again(hidden: str) -> None:
    """A repetition that is bound to no boot would meet any. Mutant: ``course`` does not ask for the boot id."""
    the_plan = allowing()
    known = nodes(cp_1={"code": "running", "detail": {**MEMBER, "boot_id": "later", hidden: ""}})
    memory = asked_for(the_plan, known, *told("cp-1"))
    memory = fold_all(memory, [e.Note(at=START + 700, text="", actor="")])

    found = answer(the_plan, memory, "cp-1")

    assert isinstance(found, Stuck)
    assert found.reference == "node-reset-in-doubt"


@pytest.mark.parametrize(
    ("name", "scope"), [("cp-1", ["EPHEMERAL"]), ("cp-1", ["STATE"]), ("w-1", BOTH)]
)
def test_before_any_wipe_etcd_is_copied_and_the_wipe_says_so(name: str, scope: list[str]) -> None:
    """
    A worker's as well: it often goes first of several.

    Mutants: ``snapshot_first`` or ``act`` asks for EPHEMERAL again, or for a control plane.
    """
    the_plan = allowing(WORKER)
    known = nodes(w_1={"code": "running", "detail": {"role": "worker"}})
    memory = asked_for(the_plan, known, names=(name,), scope=scope)
    found = answer(the_plan, memory, name)

    assert isinstance(found, Act)
    assert "snapshot" in found.arguments
    then = answer(the_plan, given(memory, f"node/{name}", found.approval), name)
    assert isinstance(then, Act)
    assert then.verb == "etcd.snapshot"
