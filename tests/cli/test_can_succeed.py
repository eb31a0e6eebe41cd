"""
Whether waiting helps is never said to be sure beside something that no waiting ends.

Mutants: ask for what is stuck only where nothing else is waited for; leave causes that may not clear out of the doubt;
let a cause count that nobody waits behind; advise to wait for what no waiting ends, or to do what nobody can undo.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.memory import TOO_LATE, Memory
from journal.entries import Finding, Remedy
from rekindle import sentences, watching
from rekindle.sentences import Standing

WAIT = {"answer": "wait", "reason": "3 of 5 pods", "can_clear": "yes"}
STUCK = {"answer": "stuck", "message": "nobody will make it", "hint": "make it"}
CORDONED = Finding("k8s-node/a", "cordoned", "Node a is cordoned", ("deployment/a/b",), root=True)


def standing(answers: dict[str, Any], **found: Finding) -> Standing:
    return Standing(Memory(state="pods-healthy", answers=answers, findings=found))


@pytest.mark.parametrize("said", [sentences.can_succeed, watching.can_succeed])
def test_what_is_stuck_beside_what_goes_on_is_said(said: Any) -> None:  # noqa: ANN401
    now = standing({"deployment/a/b": WAIT, "statefulset/a/c": STUCK})

    assert said(now) == "not for statefulset/a/c: nobody will make it; the rest goes on"
    assert said(standing({"statefulset/a/c": STUCK})) == "no, not by waiting"
    assert said(standing({"deployment/a/b": WAIT})) == "yes"


def test_what_waits_in_vain_is_nothing_that_goes_on() -> None:
    """Mutant: any wait is taken for the rest that goes on."""
    vain = {**WAIT, "can_clear": "no"}

    assert (
        sentences.can_succeed(standing({"deployment/a/b": vain, "statefulset/a/c": STUCK}))
        == "no, not by waiting"
    )


def test_the_way_out_stands_before_what_only_ran_out_of_time() -> None:
    """Mutant: in the order of the answers."""
    late = {"answer": "stuck", "reference": TOO_LATE, "message": "late", "hint": "look"}
    now = standing({"deployment/a/b": late, "statefulset/a/c": STUCK, "store/x": late})

    assert [s for s, _ in now.answers("stuck")] == ["statefulset/a/c", "deployment/a/b", "store/x"]
    assert sentences.must_do(now) == "make it"


@pytest.mark.parametrize("said", [sentences.can_succeed, watching.can_succeed])
def test_a_cause_that_may_not_clear_is_a_doubt_for_who_waits_behind_it(said: Any) -> None:  # noqa: ANN401
    victims = Finding(**{**_fields(CORDONED), "victims": ("deployment/a/b",)})

    assert said(standing({"deployment/a/b": WAIT}, x=victims)) == "not known yet"
    assert said(standing({"k8s-node/a": WAIT}, x=CORDONED)) == "not known yet"
    assert said(standing({"deployment/other/x": WAIT}, x=victims)) == "yes"
    later = Finding(**{**_fields(victims), "next_after": ("y",)})
    assert said(standing({"deployment/a/b": WAIT}, x=later)) == "yes"


NO_NETWORK = Finding(
    "cni",
    "no-network",
    "no CNI is installed",
    clears_itself="no",
    root=True,
    remedies=(
        Remedy("wipe node a", "destructive"),
        Remedy("restart the kubelet for it", "never"),
        Remedy("install the CNI as at bootstrap", "reversible"),
        Remedy("look at its log", "look"),
    ),
)


def test_nobody_is_told_to_wait_for_what_no_waiting_ends() -> None:
    """A watch without a plan wishes nothing: its advice is the cause's, as far as that takes nothing away."""
    now = standing({"daemonset/kube-system/cilium": WAIT}, x=NO_NETWORK)

    assert watching.can_succeed(now) == "this wait cannot succeed because no CNI is installed"
    said = "somebody has to act, first: install the CNI as at bootstrap (reversible)"
    assert watching.must_do(now) == said
    harsh = Finding(**{**_fields(NO_NETWORK), "remedies": NO_NETWORK.remedies[:2]})
    said = watching.must_do(standing({"a": WAIT}, x=harsh))
    assert said == "somebody has to decide: nothing that can be taken back is known to help"


def test_a_wish_is_said_before_the_advice_of_a_cause() -> None:
    """A run that can act says what it would do; a cause that may clear is waited for."""
    act = {"answer": "act", "verb": "command.run", "target": "command/cni", "reason": "absent"}

    acting = watching.must_do(standing({"command/cni": act}, x=NO_NETWORK))
    assert acting == "I would: command.run command/cni (absent)"
    assert watching.must_do(standing({"k8s-node/a": WAIT}, x=CORDONED)) == "I would: wait"


def _fields(found: Finding) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}
