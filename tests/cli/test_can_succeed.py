"""
Whether waiting helps is never said to be sure beside something that no waiting ends.

Mutants: ask for what is stuck only where nothing else is waited for; leave causes that may not clear out of the doubt;
let a cause count that nobody waits behind.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.memory import Memory
from journal.entries import Finding
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


@pytest.mark.parametrize("said", [sentences.can_succeed, watching.can_succeed])
def test_a_cause_that_may_not_clear_is_a_doubt_for_who_waits_behind_it(said: Any) -> None:  # noqa: ANN401
    victims = Finding(**{**_fields(CORDONED), "victims": ("deployment/a/b",)})

    assert said(standing({"deployment/a/b": WAIT}, x=victims)) == "not known yet"
    assert said(standing({"k8s-node/a": WAIT}, x=CORDONED)) == "not known yet"
    assert said(standing({"deployment/other/x": WAIT}, x=victims)) == "yes"
    later = Finding(**{**_fields(victims), "next_after": ("y",)})
    assert said(standing({"deployment/a/b": WAIT}, x=later)) == "yes"


def _fields(found: Finding) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}
