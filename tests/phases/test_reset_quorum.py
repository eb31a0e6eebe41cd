"""
How a control plane may be reset: what etcd is left with without it.

Mutants, killed here: graceful where there is no quorum; one whose etcd is stopping or failed counts as healthy because
it still says so; what is left of a lost quorum is wiped.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Stuck, Wait
from journal import entries as e
from journal.entries import AnyEntry, Fact, Outcome
from phases import quorum, resets
from tests.phases.making import START, plan
from tests.phases.resetting import (
    BARE,
    BOTH,
    FAILED,
    ILL,
    LAST,
    MEMBER,
    MUTE,
    NAMES,
    STOPPING,
    UNSEEN,
    WAITING,
    WORKER,
    allowing,
    asked_for,
    nodes,
)


@pytest.mark.parametrize(
    ("said", "going", "scope", "verdict"),
    [
        ({}, NAMES, BOTH, False),  # given up as a whole
        ({}, ("cp-1",), BOTH, True),  # it leaves two of two
        ({}, ("cp-1",), ["STATE"], False),  # its data stays: it must not leave
        ({"cp_1": WAITING, "cp_2": WAITING, "cp_3": WAITING}, ("cp-1",), BOTH, False),
        ({"cp_1": ILL}, ("cp-1",), BOTH, False),  # dead already, the two others go on
        ({"cp_2": ILL}, ("cp-1",), BOTH, Stuck),  # one of the two that are left is ill
        ({"cp_2": ILL, "cp_3": ILL}, ("cp-1",), BOTH, Stuck),
        (
            {"cp_1": ILL, "cp_2": ILL, "cp_3": ILL},
            ("cp-1",),
            BOTH,
            Stuck,
        ),  # data that may be needed
        ({"cp_2": UNSEEN}, ("cp-1",), BOTH, Wait),
        ({"cp_2": {"code": "running", "detail": {"etcd": None}}}, ("cp-1",), BOTH, Wait),
        ({"cp_2": UNSEEN}, NAMES, BOTH, False),
        ({"cp_3": BARE}, ("cp-1", "cp-2"), BOTH, False),
        # in maintenance there is no etcd that could tell
        ({"cp_3": {**BARE, "detail": {"etcd": None}}}, ("cp-1",), BOTH, Stuck),
        # what still calls itself healthy and does not run is ill
        ({"cp_2": STOPPING}, ("cp-1",), BOTH, Stuck),
        ({"cp_2": FAILED}, ("cp-1",), BOTH, Stuck),
        ({"cp_2": MUTE}, ("cp-1",), BOTH, Stuck),
        ({"cp_2": STOPPING}, ("cp-1",), ["STATE"], Stuck),
        ({"cp_1": STOPPING, "cp_3": STOPPING}, ("cp-1",), BOTH, Stuck),
        ({"cp_1": STOPPING}, ("cp-1",), BOTH, False),  # it leaves nobody any more
        ({"cp_1": MUTE}, ("cp-1",), BOTH, False),
    ],
)
def test_how_a_control_plane_may_go(
    said: dict[str, Any],
    going: tuple[str, ...],
    scope: list[str],
    verdict: Any,  # noqa: ANN401
) -> None:
    found = quorum.without(plan().target, nodes(**said), "cp-1", going, scope, START)

    if isinstance(verdict, bool):
        assert found is verdict
    else:
        assert isinstance(found, verdict)


@pytest.mark.parametrize("name", ["cp-1", "cp-2"])
def test_of_a_lost_quorum_nothing_is_wiped_alone_and_it_says_so(name: str) -> None:
    """Mutant: say that a quorum would be broken, where there is none."""
    known = nodes(cp_1=LAST, cp_2=WAITING, cp_3=WAITING)

    found = quorum.without(plan().target, known, name, (name,), BOTH, START)

    assert isinstance(found, Stuck)
    assert found.reference == "reset-breaks-quorum"
    assert f"{name} is not reset alone: etcd has lost its quorum" in found.message
    assert "rekindle run PLAN --reset cp-1,cp-2,cp-3 --reset-scope EPHEMERAL" in found.hint
    assert quorum.without(plan().target, known, name, NAMES, BOTH, START) is False


def test_an_ill_member_refuses_what_was_asked_for() -> None:
    """Nobody is asked, and nothing begins."""
    the_plan = allowing()
    memory = asked_for(the_plan, nodes(cp_2=STOPPING), names=("cp-1",))

    found = resets.answers(the_plan, memory.facts, memory)["node/cp-1"]

    assert isinstance(found, Stuck)
    assert found.reference == "reset-breaks-quorum"


def test_two_of_three_go_one_after_the_other() -> None:
    """The first has left: the list of the two that are left is what counts for the second."""
    two = {"code": "running", "detail": {**MEMBER, "members": ["cp-2", "cp-3"]}}
    known = nodes(cp_1=BARE, cp_2=two, cp_3=two)

    assert quorum.without(plan().target, known, "cp-2", ("cp-1", "cp-2"), BOTH, START) is True


def test_a_learner_makes_no_quorum() -> None:
    learning = {**MEMBER, "learners": ["cp-3"]}
    known = nodes(**{n.replace("-", "_"): {"code": "running", "detail": learning} for n in NAMES})

    assert quorum.without(plan().target, known, "cp-1", ("cp-1",), BOTH, START) is True
    two = {**MEMBER, "members": ["cp-1", "cp-3"], "learners": ["cp-3"]}
    known = nodes(
        cp_1={"code": "running", "detail": two}, cp_3={"code": "running", "detail": two}, cp_2=BARE
    )
    assert isinstance(quorum.without(plan().target, known, "cp-1", ("cp-1",), BOTH, START), Stuck)


@pytest.mark.parametrize(("api", "graceful"), [("up", True), ("partial", False)])
def test_a_worker_of_a_living_cluster_is_drained(api: str, graceful: bool) -> None:  # noqa: FBT001
    known = {**nodes(w_1={"code": "running"}), "api": Fact(api)}

    found = quorum.without(allowing(WORKER).target, known, "w-1", ("w-1",), BOTH, START)
    assert found is graceful


# --- another cluster, of the same ids ------------------------------------------------------------

IDS = {"aa": "cp-1", "bb": "cp-2", "cc": "cp-3"}
ANEW = {**MEMBER, "members": ["cp-1"], "ids": {"aa": "cp-1"}, "leader": "aa"}
LIVES = {**MEMBER, "ids": IDS, "leader": "bb"}


def beside(**more: Any) -> dict[str, Fact]:  # noqa: ANN401
    """cp-1 was wiped and bootstrapped again beside the living two, since the start."""
    anew, lives = ({"code": "running", "detail": {**told, **more}} for told in (ANEW, LIVES))
    return {**nodes(cp_1=anew, cp_2=lives, cp_3=lives), "etcd": Fact("parted", "", START)}


@pytest.mark.parametrize("name", NAMES)
def test_beside_another_cluster_nothing_is_reset_and_after_a_minute_it_is_said(name: str) -> None:
    """Mutant: take all that anybody tells for one list: cp-2 goes, and of two that live one is left."""
    the_plan, known = plan(), beside()
    section = the_plan.target

    early = quorum.without(section, known, name, (name,), BOTH, START + 59)
    late = quorum.without(section, known, name, (name,), BOTH, START + 60)

    assert isinstance(early, Wait)
    assert early.until == START + 60
    assert isinstance(late, Stuck)
    assert late.reference == "etcd-foreign"


def test_the_run_that_was_asked_for_it_says_so() -> None:
    """Mutant: ``resets`` does not tell what time it is."""
    the_plan, known = allowing(), beside()
    later = e.Note(at=START + 60, text="", actor="")
    memory = asked_for(the_plan, known, later, names=("cp-2",))

    found = resets.answers(the_plan, memory.facts, memory)["node/cp-2"]

    assert isinstance(found, Stuck)
    assert found.reference == "etcd-foreign"


def test_while_it_is_not_told_whom_they_follow_nothing_is_reset() -> None:
    found = quorum.without(plan().target, beside(leader=None), "cp-2", ("cp-2",), BOTH, START + 900)

    assert isinstance(found, Wait)
    assert found.until is None


@pytest.mark.parametrize("name", ["cp-1", "cp-2"])
def test_members_are_counted_of_those_alone_who_tell_the_same(name: str) -> None:
    """All follow one leader, and cp-3 does not know of the third yet. Mutant: count whoever is healthy."""
    two = {**LIVES, "members": ["cp-2", "cp-3"], "ids": {"bb": "cp-2", "cc": "cp-3"}}
    known = nodes(
        cp_1={"code": "running", "detail": LIVES},
        cp_2={"code": "running", "detail": LIVES},
        cp_3={"code": "running", "detail": two},
    )

    found = quorum.without(plan().target, known, name, (name,), BOTH, START)

    assert isinstance(found, Wait)
    assert "do not all tell the same members" in found.reason
    assert quorum.without(plan().target, nodes(), name, (name,), BOTH, START) is True


def test_one_that_is_dead_goes_by_what_most_tell() -> None:
    """Mutant: by what the first tells."""
    two = {**LIVES, "members": ["cp-1", "cp-2"], "ids": {"aa": "cp-1", "bb": "cp-2"}}
    known = nodes(cp_1=ILL, cp_2={"code": "running", "detail": LIVES})
    known["node/cp-3"] = known["node/cp-2"]

    assert quorum.without(plan().target, known, "cp-1", ("cp-1",), BOTH, START) is False
    known = nodes(
        cp_1=ILL,
        cp_2={"code": "running", "detail": two},
        cp_3={"code": "running", "detail": LIVES},
    )
    assert isinstance(quorum.without(plan().target, known, "cp-1", ("cp-1",), BOTH, START), Wait)


def copied(name: str, members: list[str], apart: list[str]) -> list[AnyEntry]:
    body: dict[str, Any] = {"action": "s1", "verb": "etcd.snapshot", "target": f"node/{name}"}
    arguments: dict[str, Any] = {"node": name, "members": members, "apart": apart}
    evidence = {"path": "/j/x.snapshot", "sha256": "abc", "bytes": 32}
    return [
        e.ActionIntended(
            at=START + 5, attempt=1, epoch=1, deadline_seconds=60.0, arguments=arguments, **body
        ),
        e.ActionSettled(at=START + 6, outcome=Outcome.DONE, evidence=evidence, **body),
    ]


@pytest.mark.parametrize(
    ("members", "apart", "first"),
    [
        (["cp-1"], ["cp-2"], "node/cp-2"),  # of two of the same size nobody knows which counts
        (["cp-1", "cp-3"], ["cp-2"], None),  # what most are in was copied
        (["cp-1", "cp-2"], [], None),  # it is the same
    ],
)
def test_of_two_clusters_each_is_copied_before_it_goes_unless_it_is_the_smaller(
    members: list[str], apart: list[str], first: str | None
) -> None:
    """Mutant: one copy, whose ever, is enough for all."""
    alone = {**MEMBER, "members": ["cp-2"], "ids": {"bb": "cp-2"}, "leader": "bb"}
    known = nodes(cp_1="maintenance", cp_2={"code": "running", "detail": alone}, cp_3="maintenance")
    memory = asked_for(allowing(), known, *copied("cp-1", members, apart))

    answer = resets.snapshot_first(allowing(), known, memory, "cp-2")

    assert (answer.target if isinstance(answer, Act) else answer) == first
