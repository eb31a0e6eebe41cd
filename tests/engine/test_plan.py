"""The plan loader: each kind of error once, and all of them at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.errors import PlanInvalid, Problem
from engine.plan import Plan, from_compiled, load
from engine.recipe import Retry
from engine.yamlfile import Marks, YamlFile
from tests.engine.making import VERBS, Site


def loaded(text: str, site: Site | None = None) -> Plan:
    def include(path: str) -> YamlFile:
        raise FileNotFoundError(path)

    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        del marks, problems
        return section

    return load(YamlFile("p.yaml", text), (site or Site()).recipe(), include, finish)


def refused(text: str, site: Site | None = None) -> list[str]:
    with pytest.raises(PlanInvalid) as caught:
        loaded(text, site)
    return [str(problem) for problem in caught.value.problems]


def machine(text: str) -> str:
    lines = "\n".join(f"  {line}" for line in text.splitlines())
    return f"cluster: house\nmachine:\n{lines}\n"


DEADLINE = "deadline: {after: 10m}"
CASES = {
    "not a mapping": ("- a\n", "1:1: $: a plan is a mapping"),
    "no cluster": ("machine: {}\n", "1:1: cluster: the cluster's name is missing"),
    "cluster is no text": ("cluster: 5\n", "1:1: cluster: the cluster's name must be text"),
    "machine is no mapping": ("cluster: a\nmachine: []\n", "2:1: machine: a machine is a mapping"),
    "unknown key": (
        machine("states: {walls: {patience: 5m}}"),
        "3:20: machine.states.walls.patience: unknown key",
    ),
    "bad duration": (
        machine("states: {walls: {deadline: {after: 5 minutes}}}"),
        (
            "3:31: machine.states.walls.deadline.after: '5 minutes' is no duration; "
            "write it like 30s, 15m or 1h30m"
        ),
    ),
    "no time at all": (
        machine("states: {walls: {deadline: {after: 0s}}}"),
        "3:31: machine.states.walls.deadline.after: Input should be greater than 0",
    ),
    "for ever": (
        machine("states: {walls: {deadline: {after: 8d}}}"),
        "3:31: machine.states.walls.deadline.after: Input should be less than or equal to 604800",
    ),
    "not a number": (
        machine("states: {walls: {deadline: {after: .nan}}}"),
        "3:31: machine.states.walls.deadline.after: Input should be greater than 0",
    ),
    "unknown policy": (
        machine("states: {walls: {deadline: {after: 5m, policy: lazy}}}"),
        "3:42: machine.states.walls.deadline.policy: Input should be 'wall', 'active' or 'restart'",
    ),
    "bad limit": (
        machine("regress: {limit: three}"),
        "3:13: machine.regress.limit: 'three' is no limit; write it like 3 per 30m",
    ),
    "unknown initial state": (
        machine("initial: cellar"),
        "3:3: machine.initial: no state 'cellar'",
    ),
    "unknown next state": (
        machine("states: {roof: {next: attic}}"),
        "3:19: machine.states.roof.next: no state 'attic'",
    ),
    "a cycle": (
        machine("states: {roof: {next: ground}}"),
        "3:19: machine.states.roof.next: leads back to 'ground'",
    ),
    "a state that nothing leads to": (
        machine(f"states: {{shed: {{next: done, {DEADLINE}, guard: roof, phase: roof}}}}"),
        "3:12: machine.states.shed: no state leads here",
    ),
    "no such guard": (
        machine("states: {walls: {guard: dog}}"),
        "3:12: machine.states.walls: no guard 'dog'",
    ),
    "no such phase": (
        machine("states: {walls: {phase: moon}}"),
        "3:12: machine.states.walls: no phase 'moon'",
    ),
    "no such verb": (machine("verbs: {fly: {}}"), "3:11: machine.verbs.fly: no verb 'fly'"),
    "a looser approval": (
        machine("verbs: {saw: {approval: none}}"),
        "3:17: machine.verbs.saw.approval: a plan may not drop this approval",
    ),
    "more attempts at a once verb": (
        machine("verbs: {pour: {retry: {attempts: 4}}}"),
        "3:26: machine.verbs.pour.retry.attempts: at most 3 attempts",
    ),
    "more reasons to repeat a once verb": (
        machine("verbs: {pour: {retry: {on: [transient, no-answer]}}}"),
        "3:26: machine.verbs.pour.retry.on: a verb with effect once is retried on transient only",
    ),
    "more attempts at any verb": (
        machine("verbs: {paint: {retry: {attempts: 4}}}"),
        "3:27: machine.verbs.paint.retry.attempts: at most 3 attempts",
    ),
    "more reasons to repeat any verb": (
        machine("verbs: {paint: {retry: {on: [transient, busy]}}}"),
        "3:27: machine.verbs.paint.retry.on: it is retried on transient only",
    ),
    "a longer deadline": (
        machine("verbs: {paint: {deadline: 61s}}"),
        "3:19: machine.verbs.paint.deadline: at most 1 m",
    ),
    "sooner again": (
        machine("verbs: {paint: {retry: {backoff: 9s..10s}}}"),
        "3:27: machine.verbs.paint.retry.backoff: at least 10 s at first and 10 s at last",
    ),
    "perhaps at once again": (
        machine("verbs: {pour: {retry: {jitter: full}}}"),
        "3:26: machine.verbs.pour.retry.jitter: full jitter may wait half as long",
    ),
    "a backoff of nothing": (
        machine("verbs: {paint: {retry: {backoff: 0s}}}"),
        "3:27: machine.verbs.paint.retry.backoff[0]: Input should be greater than 0",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_is_said_at_its_place(name: str) -> None:
    text, expected = CASES[name]

    assert f"p.yaml:{expected}" in refused(text)


def test_a_backoff_that_stops_growing_early_is_sooner_as_well() -> None:
    """Mutant: compare where it begins alone."""
    own = Retry(attempts=9, backoff_seconds=10, backoff_limit_seconds=60)
    site = Site(verbs={**VERBS, "paint": replace(VERBS["paint"], retry=own)})
    least = "p.yaml:3:27: machine.verbs.paint.retry.backoff: at least 10 s at first and 1 m at last"

    assert [least] == refused(machine("verbs: {paint: {retry: {backoff: 11s}}}"), site)
    assert loaded(machine("verbs: {paint: {retry: {backoff: 11s..60s}}}"), site)


def test_a_state_may_not_be_called_done() -> None:
    text = machine(f"states: {{done: {{next: walls, {DEADLINE}, guard: roof, phase: roof}}}}")

    assert any("done is where the last state leads" in line for line in refused(text))
    assert not any("no state leads here" in line for line in refused(text))
    assert not any("no state leads here" in line for line in refused(machine("initial: done")))


@pytest.mark.parametrize("lacking", [{"probe": None}, {"guard": ""}], ids=["probe", "guard"])
def test_a_once_verb_without_probe_or_guard_is_refused(lacking: dict[str, Any]) -> None:
    site = Site(verbs={**VERBS, "pour": replace(VERBS["pour"], **lacking)})

    found = refused("cluster: house\n", site)

    assert [
        "p.yaml:1:1: machine.verbs.pour: a verb with effect once needs a probe and a guard"
    ] == found


def test_all_errors_come_at_once_in_the_order_of_the_file() -> None:
    text = "cluster: house\ncluster: hut\nmachine:\n  regress: {damping: x}\n  verbs: {saw: {deadline: y}}\n"

    assert [2, 4, 5] == [int(line.split(":")[1]) for line in refused(text)]


SHED = f"shed: {{next: done, {DEADLINE}, guard: roof, phase: roof}}"
NOWHERE = "machine.states.shed: no state leads here"


@pytest.mark.parametrize(
    ("states", "other", "unreachable"),
    [
        # What else is wrong stands beside it: the graph can be walked all the same.
        ("walls: {patience: 5m}", "unknown key", True),
        ("walls: {deadline: {after: x}}", "is no duration", True),
        ("roof: {guard: dog}", "no guard 'dog'", True),
        ("roof: {next: ground}", "leads back to 'ground'", True),
        # Here it cannot: what is behind the hole may lead anywhere.
        ("walls: {next: attic}", "no state 'attic'", False),
        ("walls: {next: [roof]}", "must be text", False),
        ("walls: 5", "must be a mapping", False),
    ],
)
def test_a_state_that_nothing_leads_to_is_told_beside_other_errors(
    states: str, other: str, *, unreachable: bool
) -> None:
    """Mutants: wait until the machine has no other error; take a spare ``next`` of ours for the operator's."""
    found = refused(machine(f"states: {{{states}, {SHED}}}\nverbs: {{fly: {{}}}}"))

    assert any(other in line for line in found), found
    assert any("no verb 'fly'" in line for line in found), found
    told = [line for line in found if "no state leads here" in line]
    assert unreachable == bool(told), found
    assert all(NOWHERE in line for line in told), "nothing that is reached is called unreachable"


@pytest.mark.parametrize("said", ["[ground]", "{ground: 1}", "5", "null"])
def test_what_is_no_name_is_an_error_and_no_mistake_of_ours(said: str) -> None:
    found = refused(machine(f"initial: {said}\nstates: {{walls: {{next: {said}}}}}"))

    assert [line for line in found if ": machine.initial: must be text" in line], found
    assert [line for line in found if ": machine.states.walls.next: must be text" in line], found


def test_an_until_that_leads_back_is_told_beside_other_errors() -> None:
    found = refused(machine("states: {roof: {until: ground}, walls: {patience: 5m}}"))

    assert any("no state that comes after this one" in line for line in found), found
    assert any("unknown key" in line for line in found), found


def test_the_digest_is_of_the_meaning() -> None:
    one = (
        "cluster: house\nmachine:\n  regress: {damping: 1m, limit: 3 per 30m}\n  initial: ground\n"
    )
    same = (
        "# a remark\nmachine:\n  initial: 'ground'\n  regress:\n"
        "    limit: 3 per 1800s\n    damping: 60s\ncluster: house\n"
    )
    other = one.replace("1m", "2m")

    assert loaded(one).digest() == loaded(same).digest()
    assert loaded(one).digest() != loaded(other).digest()


def test_a_compiled_plan_comes_back_as_it_was() -> None:
    plan = loaded(machine("verbs: {pour: {retry: {attempts: 2}}, paint: {approval: typed}}"))

    again = from_compiled(plan.compiled(), Site().recipe())

    assert (plan, plan.digest(), dict(plan.verbs)) == (again, again.digest(), dict(again.verbs))


def test_what_a_plan_does_not_say_of_a_retry_stays_the_verbs_own() -> None:
    """Mutant: defaults in RetryModel dropped ``precondition`` from the bootstrap's retries."""
    own = Retry(attempts=9, backoff_seconds=3, backoff_limit_seconds=4, on=("precondition",))
    site = Site(verbs={**VERBS, "pour": replace(VERBS["pour"], retry=own)})

    plan = loaded(machine("verbs: {pour: {retry: {attempts: 2}}}"), site)

    assert replace(own, attempts=2) == plan.verbs["pour"].retry
    assert (
        replace(own, attempts=2)
        == from_compiled(plan.compiled(), site.recipe()).verbs["pour"].retry
    )


def test_a_plan_makes_verbs_stricter() -> None:
    text = machine(
        "verbs:\n  paint: {deadline: 5s, approval: typed, enabled: false, "
        "retry: {attempts: 1, backoff: 11s..19s, jitter: none, on: [busy]}}"
    )
    own = Retry(3, 10.0, 10.0, full_jitter=True, on=("transient", "busy"))
    site = Site(verbs={**VERBS, "paint": replace(VERBS["paint"], retry=own)})

    verb = loaded(text, site).verbs["paint"]

    assert (5.0, True, False) == (verb.deadline_seconds, verb.typed_approval, verb.enabled)
    assert Retry(1, 11.0, 19.0, full_jitter=False, on=("busy",)) == verb.retry


def test_what_is_as_the_verb_itself_is_no_looser() -> None:
    """Mutant: refuse what is the same."""
    text = machine(
        "verbs: {paint: {deadline: 60s, "
        "retry: {attempts: 3, backoff: 10s..10s, jitter: none, on: [transient]}}}"
    )

    assert VERBS["paint"] == loaded(text).verbs["paint"]


def test_a_plan_with_its_own_initial_and_states_replaces_the_built_in_ones() -> None:
    text = machine(
        f"initial: hut\nstates: {{hut: {{next: done, {DEADLINE}, guard: roof, phase: roof}}}}"
    )

    assert ("hut",) == loaded(text).states


def test_a_plan_may_change_one_part_of_one_state() -> None:
    plan = loaded(machine("states: {walls: {deadline: {after: 1h}}}"))

    assert ("ground", "walls", "roof") == plan.states
    assert [600, 3600, 600] == [plan.machine.states[name].deadline.after for name in plan.states]
