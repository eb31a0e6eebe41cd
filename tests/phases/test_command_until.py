"""
A command, until its probe says so: what a probe's exit code means, and when the command is begun.

Mutants, each tried: any other code is "not yet"; an old answer counts; ``decide`` acts on "cannot tell"; ``settle`` is
not waited for; another command that runs is not waited for; a walk's command may be the same for every node.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.answer import Act, Stuck, Wait
from engine.errors import PlanInvalid
from engine.memory import Attempt, Memory
from engine.plan import Plan, merged, of_parts
from engine.recipe import Verdict
from journal.entries import Fact, Objection, Outcome
from phases import command_until, probing
from phases.placeholders import filled
from phases.recipe import recipe
from phases.snapshot import Seen, Snapshot, Unseen
from tests.phases.making import SECTION, START

OWN: dict[str, Any] = {
    "commands": {
        "paint": {"argv": ["paint", "{node}"], "deadline": "5m"},
        "bow": {"argv": ["bow"]},
    },
    "probes": {
        "painted": {"argv": ["look", "{address}", "{.status}"], "not_yet": 3, "every": "20s"},
        "bowed": {"argv": ["look"], "not_yet": 3},
    },
}
GOAL = {"phase": "command-until", "deadline": {"after": 600}}
TARGET = "command/paint/cp-2"
KEY = "painted/cp-2"


def plan(**options: str) -> Plan:
    told = {"command": "paint", "probe": "painted", "settle": "30s", **options}
    walk = {"over": "nodes", "steps": {"it": {**GOAL, "options": told}}, "next": "done"}
    return made({"walk": walk})


def made(states: dict[str, Any]) -> Plan:
    machine = {"initial": next(iter(states)), "states": states}
    return of_parts("home", machine, merged(SECTION, OWN), recipe())


def look(code: int | None, age: float = 0.0) -> Snapshot:
    said = Unseen(START, "silent", "no answer") if code is None else Seen(code, START - age)
    return Snapshot(START, probes={KEY: said})


def memory(last: Attempt | None = None, running: str = "", now: float = START) -> Memory:
    open_ = {"a9": attempt(running, None)} if running else {}
    known = {f"command.run {last.target}": last} if last is not None else {}
    return Memory(state="it-cp-2", now=now, last=known, open=open_)


def attempt(target: str, outcome: Outcome | None) -> Attempt:
    at = None if outcome is None else START - 10.0
    return Attempt("a1", "command.run", target, 1, 1, 0.0, 60.0, outcome=outcome, settled_at=at)


@pytest.mark.parametrize(
    ("snapshot", "verdict"),
    [
        (look(0), Verdict.HOLDS),
        (look(3), Verdict.BROKEN),
        (look(1), Verdict.UNKNOWN),
        (look(127), Verdict.UNKNOWN),
        (look(None), Verdict.UNKNOWN),
        (Snapshot(START), Verdict.UNKNOWN),
        (look(0, age=89.0), Verdict.HOLDS),
        (look(0, age=91.0), Verdict.UNKNOWN),
        (look(3, age=91.0), Verdict.UNKNOWN),
    ],
)
def test_a_goal_is_what_its_probe_says_and_nothing_else(
    snapshot: Snapshot, verdict: Verdict
) -> None:
    found = plan()

    assert (
        command_until.guard(found, "it-cp-2", recipe().reduce(found, snapshot)).verdict is verdict
    )


def decided(code: str, known: Memory, **options: str) -> Any:  # noqa: ANN401
    facts = {probing.subject(KEY): Fact(code)}
    return command_until.decide(plan(**options), "it-cp-2", facts, {}, known).get(TARGET)


def test_the_command_is_run_for_its_node_where_the_probe_says_not_yet() -> None:
    act = decided("not-yet", memory())

    assert isinstance(act, Act)
    assert (act.verb, act.target, act.deadline_seconds) == ("command.run", TARGET, 300.0)
    assert act.arguments == {"command": "paint", "node": "cp-2", "address": "192.0.2.12"}


def objected(check: str, *blocks: str) -> Memory:
    row = Objection(check, "red", "bin/look", "is not there", "install it", blocks, "command/paint")
    return Memory(state="it-cp-2", now=START, objections=(row,))


def test_a_probe_that_cannot_be_started_is_not_waited_for() -> None:
    """Mutants: wait until the state's deadline; stop where it is the command's program that is missing."""
    stuck = decided("Unobservable", objected("tools.probe/painted", "command.run"))

    assert isinstance(stuck, Stuck)
    assert "tools.probe/painted is not in order: bin/look: is not there" in stuck.message
    assert "install it" in stuck.hint
    for other in (
        objected("tools.probe/bowed", "command.run"),
        objected("tools.probe/painted"),
        objected("tools.command/paint", "command.run"),
    ):
        assert isinstance(decided("Unobservable", other), Wait)
    assert decided("holds", objected("tools.probe/painted", "command.run")) is None


def test_what_asks_a_probe_is_told_with_its_command() -> None:
    """Mutant: leave out the states that only ask."""
    asks = {"phase": "pods-healthy", "guard": "command-until", "deadline": {"after": 600}}
    found = made(
        {
            "it": {**GOAL, "options": {"command": "bow", "probe": "bowed"}, "next": "there"},
            "there": {**asks, "options": {"probe": "bowed"}, "next": "done"},
        }
    )

    assert {"painted": {"paint"}} == probing.askers(plan())
    assert {"bowed": {"bow", ""}} == probing.askers(found)


def test_nothing_is_begun_where_it_holds_or_cannot_be_told() -> None:
    assert decided("holds", memory()) is None
    assert isinstance(decided("Unobservable", memory()), Wait)


@pytest.mark.parametrize("outcome", [Outcome.DONE, Outcome.UNSETTLED])
def test_what_a_command_did_has_time_to_show(outcome: Outcome) -> None:
    last = attempt(TARGET, outcome)

    said = decided("not-yet", memory(last))

    assert isinstance(said, Wait)
    assert said.until == START + 20.0
    assert isinstance(decided("not-yet", memory(last, now=START + 20.0)), Act)
    assert isinstance(decided("not-yet", memory(last), settle="10s"), Act)


def test_one_that_certainly_failed_is_left_to_the_retries() -> None:
    assert isinstance(decided("not-yet", memory(attempt(TARGET, Outcome.FAILED))), Act)


def test_no_command_is_begun_beside_another() -> None:
    assert isinstance(decided("not-yet", memory(running="command/bow")), Wait)


def test_each_wanted_probe_is_run_once_and_only_names_are_put_in() -> None:
    found = {probe.key: probe for probe in probing.wanted(plan())}

    assert list(found) == ["painted/cp-1", "painted/cp-2", "painted/cp-3"]
    assert found[KEY].argv == ("look", "192.0.2.12", "{.status}")
    assert filled(["a;b{node}", "{address}"], {"node": "$(x)"}) == ("a;b$(x)", "{address}")


@pytest.mark.parametrize(
    ("options", "walks", "said"),
    [
        ({"probe": "bowed"}, False, "command: is missing"),
        ({"command": "bow", "probe": "bowed", "speed": 1}, False, "speed: unknown key"),
        ({"command": "bend", "probe": "bowed"}, False, "no command 'bend' under commands"),
        ({"command": "bow", "probe": "bent"}, False, "no probe 'bent' under probes"),
        ({"command": "bow", "probe": "bowed", "settle": "soon"}, False, "'soon' is no duration"),
        ({"command": "paint", "probe": "bowed"}, False, "'paint' names {node}"),
        ({"command": "bow", "probe": "painted"}, True, "'bow' is the same for every node"),
        ({"command": "paint", "probe": "bowed"}, True, "'bowed' is the same for every node"),
    ],
)
def test_what_a_state_says_is_checked_when_the_plan_is_loaded(
    options: dict[str, Any],
    walks: bool,  # noqa: FBT001
    said: str,
) -> None:
    goal = {**GOAL, "options": options}
    walk = {"over": "nodes", "steps": {"it": goal}, "next": "done"}
    with pytest.raises(PlanInvalid) as caught:
        made({"it": walk if walks else {**goal, "next": "done"}})

    assert said in str(caught.value)
