"""
Promise: what is told of a run's memory is as today's program would have known it.

Mutants that turn it red: take one name out of ``retold.SAID``; tell facts of nodes as they are; lose the other facts.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.memory import Approval, Attempt, Deed, Memory
from journal.entries import Fact, Finding, Objection
from rekindle.retold import SAID, memory_of

SECRET = "hunter2-hunter2"
TEXT = f"password: {SECRET}"
TRIED = Attempt("a1", "command.run", "c", 1, 1, 1.0, 9.0, arguments={"text": TEXT})
HELD: dict[str, Any] = {
    "cluster": TEXT,
    "answers": {"c": {"answer": "wait", "reason": TEXT}},
    "findings": {"f": Finding(subject="s", cause="c", message=TEXT)},
    "approvals": {"1": Approval("1", "1", "s", TEXT, "", "", 1.0)},
    "open": {"a1": TRIED},
    "last": {"command.run c": TRIED},
    "deeds": (Deed("flux.nudge", "t", "s", TEXT, "b"),),
    "objections": (Objection("c", "red", "s", TEXT, "mend it"),),
    "interrupted": TEXT,
}


@pytest.mark.parametrize("name", HELD)
def test_whatever_is_told_in_words_is_redacted(name: str) -> None:
    memory = Memory(**{name: HELD[name]})
    assert SECRET in msgspec.json.encode(memory).decode()

    told = msgspec.json.encode(memory_of(memory)).decode()

    assert SECRET not in told
    assert "[redacted:" in told


def test_all_that_is_told_in_words_is_named() -> None:
    assert set(SAID) == set(HELD)


def test_of_the_facts_those_of_nodes_are_redacted_and_none_is_lost() -> None:
    names = ("node/a", "k8s-node/a", "namespace/password")
    facts = {name: Fact("Ready", TEXT) for name in names}

    told = memory_of(Memory(state="cni-up", facts=facts))

    assert told.state == "cni-up"
    assert {name: SECRET in fact.reason for name, fact in told.facts.items()} == {
        "node/a": False,
        "k8s-node/a": False,
        "namespace/password": True,
    }
    assert memory_of(memory := Memory(state="cni-up")) is memory
