"""
What a wipe takes with it: a bootstrap in an etcd of which nothing is left is over, and what comes next is another life.

Mutants, killed here: a bootstrap counts as gone although one control plane was not wiped, or was wiped before it; a
life that was given up is begun anew in silence after something was begun in its place.
"""

from __future__ import annotations

import pytest

from engine.answer import Act
from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases import lives, talos_ready
from tests.phases.making import START
from tests.phases.resetting import (
    NAMES,
    WAITING,
    allowing,
    asked_for,
    bootstrapped,
    nodes,
    told,
    wiped,
)

ALL_WIPED = [entry for name in NAMES for entry in wiped(name, 20.0)]


@pytest.mark.parametrize(
    ("entries", "undone"),
    [
        ([*bootstrapped(1), *ALL_WIPED], True),
        ([*bootstrapped(1, "unsettled"), *ALL_WIPED], True),
        ([*bootstrapped(1), *ALL_WIPED[:-2]], False),  # one of them may have it still
        ([*ALL_WIPED, *bootstrapped(40)], False),
        ([*ALL_WIPED, *bootstrapped(19)], False),  # of one instant nobody knows which came first
        (
            [*wiped("cp-1", 0.0), *bootstrapped(1), *wiped("cp-2", 20.0), *wiped("cp-3", 20.0)],
            False,
        ),
        ([*bootstrapped(1), *[x for n in NAMES for x in told(n, 20.0, "done")]], False),
        (
            [*bootstrapped(1), *[x for n in NAMES for x in wiped(n, 20.0, scope=["STATE"])]],
            False,
        ),
        ([*bootstrapped(1, "failed", "already-exists"), *wiped("cp-1", 20.0)], True),
        ([*bootstrapped(1, "failed", "already-exists"), *wiped("cp-2", 20.0)], False),
    ],
)
def test_what_a_bootstrap_did_is_gone_with_all_disks_that_had_it(
    entries: list[AnyEntry],
    undone: bool,  # noqa: FBT001
) -> None:
    the_plan = allowing()
    memory = asked_for(the_plan, nodes(), *entries)
    (attempt,) = memory.attempts_at("etcd.bootstrap")

    assert lives.bootstrap_undone(the_plan, memory, attempt) is undone


def test_a_new_life_is_bootstrapped_without_a_question_and_the_old_one_never_twice() -> None:
    the_plan = allowing()
    known = nodes(cp_1=WAITING, cp_2=WAITING, cp_3=WAITING)
    late = [e.Note(at=START + 4000, text="", actor="")]
    fresh = asked_for(the_plan, known, *bootstrapped(1), *ALL_WIPED, *late)
    same = asked_for(the_plan, known, *bootstrapped(1), *late)

    new = talos_ready.decide(the_plan, known, {}, fresh)["etcd"]
    old = talos_ready.decide(the_plan, known, {}, same)["etcd"]

    assert isinstance(new, Act)
    assert new.approval is None
    assert not isinstance(old, Act) or old.approval is not None


@pytest.mark.parametrize(
    ("since", "question"),
    [
        ([], None),
        (bootstrapped(40, "failed", "precondition"), None),  # certainly nothing
        (bootstrapped(40, "unsettled"), "bootstrap an empty etcd on cp-1, although one lived"),
        (bootstrapped(40, "done"), "bootstrap an empty etcd on cp-1, although one lived"),
    ],
)
def test_what_was_given_up_is_missed_again_once_something_was_begun_in_its_place(
    since: list[AnyEntry], question: str | None
) -> None:
    """That one may have lived, and nobody gave it up. Mutant: ``given_up`` asks for the wipes alone."""
    the_plan = allowing()
    rebooted = {**WAITING, "detail": {"etcd": "Preparing", "boot_id": "later"}}
    known = {**nodes(cp_1=rebooted, cp_2=WAITING, cp_3=WAITING), "etcd": Fact("healthy")}
    gone = e.Observed(at=START + 5, changed={"etcd": Fact("none")})
    late = e.Note(at=START + 4000, text="", actor="")
    memory = asked_for(the_plan, known, gone, *ALL_WIPED, *since, late)

    found = talos_ready.decide(the_plan, memory.facts, {}, memory)["etcd"]

    assert isinstance(found, Act)
    assert found.verb == "etcd.bootstrap"
    if question is None:
        assert found.approval is None
    else:
        assert found.approval is not None
        assert question in found.approval.question
