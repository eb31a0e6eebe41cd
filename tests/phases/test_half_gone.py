"""
Half of the nodes gone at once: everything stops, and goes on by itself.

Mutants, killed here: one of three is enough, or two of five; nodes that went hours apart count together; a node that
this run wiped (``_is_ours``), or that was in maintenance, counts; an act or a question gets through, or what is owed at
the end does; only built-in states are held (``held`` is taken off the recipe); what destroys goes on while half were
never seen, or with it what brings them up does not; nodes that are lost to Kubernetes alone hold nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.answer import Act, Answer, Ask, Done, Stuck, Wait
from engine.folding import fold, fold_all
from engine.judging import GOAL, Rules, answers_of
from engine.memory import WATCH, Memory
from engine.plan import Plan, merged, of_parts
from engine.recipe import Facts, Findings, Guest, Judgement, Recipe, Verdict
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding, Outcome
from phases.diagnosis.nodes import K8S_NODES, RULES
from phases.half_gone import LOST_TOGETHER, gone_together, held, lost_together
from phases.probing import subject
from phases.recipe import recipe
from tests.phases.making import SECTION, START, facts, opened, plan
from tests.phases.resetting import UNSEEN, WORKER, allowing, asked_for, nodes, told
from tests.phases.test_command_until import OWN

NAMES = ("cp-1", "cp-2", "cp-3")
LEFT = START + 100.0


def memory_of(
    before: dict[str, str],
    gone: dict[str, float],
    *entries: AnyEntry,
    purpose: str = "run",
    for_plan: Plan | None = None,
) -> Memory:
    """*before*: codes at the first look; *gone*: who is not seen since which second after that."""
    first = facts({f"node/{name}": code for name, code in before.items()})
    unseen = {
        f"node/{name}": Fact("unseen", "refused", LEFT + at, {"role": "controlplane"})
        for name, at in gone.items()
    }
    begun = opened(for_plan or plan())
    values = {name: getattr(begun, name) for name in begun.__struct_fields__}
    return fold_all(
        Memory(),
        [
            e.RunOpened(**{**values, "purpose": purpose}),
            e.Observed(at=START, changed=first),
            *entries,
            e.Observed(at=LEFT + 200, changed=unseen),
        ],
    )


RUNNING = dict.fromkeys(NAMES, "running")
FIVE = {**RUNNING, "w-1": "running", "w-2": "running"}
WORKERS = {
    "talos": {
        "nodes": {
            f"w-{n}": {"address": f"192.0.2.2{n}", "role": "worker", "config": f"w-{n}.yaml"}
            for n in (1, 2)
        }
    }
}


@pytest.mark.parametrize(
    ("before", "gone", "named"),
    [
        (RUNNING, {"cp-1": 0.0}, []),
        (RUNNING, {"cp-1": 0.0, "cp-2": 30.0}, ["cp-1", "cp-2"]),
        (RUNNING, {"cp-1": 0.0, "cp-2": 130.0}, []),  # two accidents
        (RUNNING, {"cp-1": 0.0, "cp-2": 5.0, "cp-3": 9.0}, list(NAMES)),
        ({**RUNNING, "cp-1": "maintenance"}, {"cp-1": 0.0, "cp-2": 0.0}, []),
        ({**RUNNING, "cp-1": "unseen"}, {"cp-2": 0.0}, []),
        ({**RUNNING, "cp-1": "waits-for-etcd"}, {"cp-1": 0.0, "cp-2": 0.0}, ["cp-1", "cp-2"]),
        # of five, two are less than half
        (FIVE, {"cp-1": 0.0, "w-1": 5.0}, []),
        (FIVE, {"cp-1": 0.0, "w-1": 5.0, "w-2": 9.0}, ["cp-1", "w-1", "w-2"]),
    ],
)
def test_who_went_together(
    before: dict[str, str], gone: dict[str, float], named: list[str]
) -> None:
    memory = memory_of(before, gone)
    section = plan(WORKERS if before is FIVE else None).target

    assert gone_together(section, memory.facts, memory) == named


NODES = {
    "cp-1": SECTION["talos"]["nodes"]["cp-1"],
    "w-1": WORKERS["talos"]["nodes"]["w-1"],
}
TWO = of_parts(
    "home",
    recipe().machine,
    {**SECTION, "talos": {**SECTION["talos"], "nodes": NODES}},
    recipe(),
)
PAIR = {"cp-1": "running", "w-1": "running"}


@pytest.mark.parametrize("name", PAIR)
def test_one_node_of_two_is_one_node(name: str) -> None:
    """
    The most common accident of a small cluster is repaired, whichever it is; the reason is in ``half-gone.md``.

    Mutant: ``SEVERAL`` is 1.
    """
    memory = memory_of(PAIR, {name: 0.0}, for_plan=TWO)
    wished: dict[str, Answer] = {"command/bow": Act("command.run", "command/bow"), "asked": WIPE}

    assert list(TWO.target.talos.nodes) == list(PAIR)
    assert held(TWO, memory.facts, memory, wished) == wished


def test_both_of_two_are_the_half_and_more() -> None:
    memory = memory_of(PAIR, {"cp-1": 0.0, "w-1": 30.0}, for_plan=TWO)

    assert gone_together(TWO.target, memory.facts, memory) == ["cp-1", "w-1"]


def test_one_of_two_that_was_never_met_may_be_all_that_there_is() -> None:
    """Mutant: let what destroys begin while just half were never seen."""
    memory = memory_of({"w-1": "running"}, {}, for_plan=TWO)

    answers = held(TWO, memory.facts, memory, {"command/bow": HARMLESS["command/bow"], **DESTROYS})

    assert answers["command/bow"] == HARMLESS["command/bow"]
    assert all(isinstance(answers[name], Wait) for name in DESTROYS)


def test_one_node_of_one_is_no_half() -> None:
    section = plan().target.model_copy(
        update={"talos": plan().target.talos.model_copy(update={"nodes": {"cp-1": None}})}
    )
    memory = memory_of({"cp-1": "running"}, {"cp-1": 0.0})

    assert gone_together(section, memory.facts, memory) == []


def test_a_node_that_this_run_wipes_goes_away_by_nature() -> None:
    """For as long as a wipe takes, and no longer. Mutants: ``_is_ours`` says no, or always yes."""
    ours = told("cp-1", at=95.0)
    memory = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 10.0}, *ours)
    longer_ago = memory_of(RUNNING, {"cp-1": 600.0, "cp-2": 610.0}, *told("cp-1", at=95.0))
    refused = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 10.0}, *told("cp-1", 95.0, "failed"))

    assert gone_together(plan().target, memory.facts, memory) == []
    assert gone_together(plan().target, refused.facts, refused) == ["cp-1", "cp-2"]
    assert gone_together(plan().target, longer_ago.facts, longer_ago) == ["cp-1", "cp-2"]


def decide(memory: Memory) -> dict[str, Answer]:
    answers: dict[str, Answer] = {
        "etcd": Act("etcd.bootstrap", "node/cp-3"),
        "node/cp-3": Ask("wipe it?", "gone", {}, "cp-3"),
        "api": Done(),
    }
    return held(plan(), memory.facts, memory, answers)


def test_nothing_begins_and_nobody_is_asked_and_it_says_who_went_when() -> None:
    memory = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 30.0})

    answers = decide(memory)

    stuck = answers["nodes"]
    assert isinstance(stuck, Stuck)
    assert stuck.reference == "half-gone"
    assert "2 of 3" in stuck.message
    assert "cp-1 (running until 02:48:20 UTC), cp-2 (running until 02:48:50 UTC)" in stuck.message
    assert not any(isinstance(answer, Act | Ask) for answer in answers.values())
    assert isinstance(answers["etcd"], Wait)
    assert isinstance(answers["node/cp-1"], Wait), (
        "the session goes on by itself when they are back"
    )


def test_when_they_are_back_all_goes_on() -> None:
    memory = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 30.0})
    back = {"node/cp-1": facts({"node/cp-1": "running"})["node/cp-1"]}
    memory = fold(memory, e.Observed(at=LEFT + 300, changed=back))

    assert isinstance(decide(memory)["etcd"], Act)


def test_a_watch_is_told_nothing_of_it() -> None:
    """Nothing begins in it anyway, and whoever works by hand may have switched them off."""
    memory = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 30.0}, purpose=WATCH)

    assert "nodes" not in decide(memory)


# --- whosever state it is ------------------------------------------------------------------------


class Baker:
    """A phase of another distribution, which always wants something; *about* is what it answers for."""

    VERSION = "1"

    def __init__(self, about: str) -> None:
        self.about = about

    def check(self, plan: Plan, state: str) -> Sequence[str]:
        del plan, state
        return ()

    def guard(self, plan: Plan, state: str, facts: Facts) -> Judgement:
        del plan, state, facts
        return Judgement(Verdict.BROKEN, "no bread")

    def decide(
        self, plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
    ) -> dict[str, Answer]:
        del plan, state, facts, findings, memory
        return {self.about: Act("command.run", self.about, {"command": "bow"})}


def own(phase: str, table: Recipe) -> Plan:
    options = {"command": "bow", "probe": "bowed"} if phase == "command-until" else {}
    goal = {"phase": phase, "deadline": {"after": 600}, "options": options, "next": "done"}
    machine = {"initial": "mine", "states": {"mine": goal}}
    return of_parts("home", machine, merged(SECTION, OWN), table)


def answered(phase: str, gone: dict[str, float], about: str = "command/bow") -> dict[str, Answer]:
    """What the engine answers in a state of one's own."""
    table = replace(recipe(), guest=lambda _name: Guest("bakery", "1", Baker(about)))
    the_plan = own(phase, table)
    says = e.Observed(at=LEFT, changed={subject("bowed"): Fact("not-yet")})
    memory = memory_of(RUNNING, gone, says, for_plan=the_plan)
    memory = msgspec.structs.replace(memory, state="mine")
    return answers_of(Rules.of(table, the_plan), memory)


@pytest.mark.parametrize("phase", ["command-until", "bread"])
def test_a_state_of_ones_own_begins_nothing_either(phase: str) -> None:
    """Mutant: take ``held`` off the recipe, or ask it for built-in phases alone."""
    all_there = answered(phase, {})
    half = answered(phase, {"cp-1": 0.0, "cp-2": 30.0})

    assert isinstance(all_there["command/bow"], Act)
    assert isinstance(half["command/bow"], Wait)
    assert "held while nodes are gone: command.run command/bow" in half["command/bow"].reason
    assert isinstance(half["nodes"], Stuck)


def test_it_is_said_also_where_a_phase_answers_for_all_nodes() -> None:
    """Mutant: what the phase says of them takes the place of it."""
    half = answered("bread", {"cp-1": 0.0, "cp-2": 30.0}, about="nodes")

    assert isinstance(half["nodes"], Stuck)
    assert half["nodes"].reference == "half-gone"


def owing(gone: dict[str, float], owed: Answer) -> Answer:
    """What becomes of an answer that the goal itself gives."""
    table = replace(
        recipe(),
        guest=lambda _name: Guest("bakery", "1", Baker("command/bow")),
        objection=lambda _plan, _memory: owed,
    )
    the_plan = own("bread", table)
    memory = memory_of(RUNNING, gone, for_plan=the_plan)
    memory = msgspec.structs.replace(memory, state="mine")
    return answers_of(Rules.of(table, the_plan), memory)[GOAL]


@pytest.mark.parametrize(
    "owed",
    [
        Act("git.ancestry", "a..b", {"repository": ".", "old": "a", "new": "b"}),
        Ask("is that what should run?", "it is the goal", {}),
    ],
)
def test_what_is_owed_at_the_end_is_not_begun_either(owed: Answer) -> None:
    """Mutant: ``answers_of`` puts the objection in as it is."""
    assert owing({}, owed) == owed
    held_back = owing({"cp-1": 0.0, "cp-2": 30.0}, owed)
    assert isinstance(held_back, Wait)
    assert "held while nodes are gone" in held_back.reason
    stuck = Stuck("r", "sweep up", "")
    assert owing({"cp-1": 0.0, "cp-2": 30.0}, stuck) is stuck


# --- half of them never seen ---------------------------------------------------------------------

HARMLESS: dict[str, Answer] = {
    "node/w-1": Act("talos.apply", "node/w-1"),
    "command/bow": Act("command.run", "command/bow"),
    "etcd": Act("etcd.bootstrap", "node/cp-1"),
    "snapshot": Act("etcd.snapshot", "node/cp-1"),
    "unseen": Ask("bootstrap etcd without cp-2, cp-3?", "a second cluster", {"unseen": ["cp-2"]}),
}
WIPE = Ask("reset w-1: wipe STATE?", "erased", {"verb": "node.reset"}, "w-1")
DESTROYS: dict[str, Answer] = {
    verb: Act(verb, "node/w-1", approval=WIPE)
    for verb in ("node.reset", "etcd.recover", "etcd.remove-member", "finalizer.release")
}
DESTROYS["asked"] = WIPE
ONE = {"talos": {"nodes": {"w-1": WORKERS["talos"]["nodes"]["w-1"]}}}


@pytest.mark.parametrize(
    ("section", "seen", "holds"),
    [
        (None, {}, True),
        (None, {"cp-1": "running"}, True),
        (None, {"cp-1": "running", "cp-2": "maintenance"}, False),
        (None, {**RUNNING, "cp-1": "unseen"}, False),
        (ONE, {"w-1": "running", **dict.fromkeys(NAMES, "unseen")}, True),
        (ONE, {"w-1": "running", "cp-1": "running", "cp-2": "unseen", "cp-3": "unseen"}, True),
        (ONE, {**RUNNING, "w-1": "unseen"}, False),
    ],
)
def test_what_destroys_waits_until_more_than_half_were_seen(
    section: dict[str, Any] | None,
    seen: dict[str, str],
    holds: bool,  # noqa: FBT001
) -> None:
    """Mutants: hold nothing; hold what brings them up, too."""
    the_plan = plan(section)
    memory = memory_of(seen, {})

    answers = held(the_plan, memory.facts, memory, {**HARMLESS, **DESTROYS})

    assert {name: answers[name] for name in HARMLESS} == HARMLESS
    assert "nodes" not in answers, "a cluster that comes up is not stuck on it"
    if not holds:
        assert {name: answers[name] for name in DESTROYS} == DESTROYS
        return
    for name in DESTROYS:
        wait = answers[name]
        assert isinstance(wait, Wait)
        assert "nodes were never seen" in wait.reason
        assert wait.can_clear == "unknown"
    assert "cp-3" in str(answers["node.reset"])


def test_who_was_seen_once_was_seen() -> None:
    """Mutant: whoever is not seen now."""
    memory = memory_of(RUNNING, {"cp-1": 0.0, "cp-2": 600.0})

    assert held(plan(), memory.facts, memory, dict(DESTROYS)) == DESTROYS


def test_a_worker_is_not_wiped_while_no_control_plane_was_ever_seen() -> None:
    the_plan = allowing(WORKER)
    known = {
        **nodes(**dict.fromkeys(("cp_1", "cp_2", "cp_3"), UNSEEN), w_1={"code": "running"}),
        "api": Fact("down"),
    }
    memory = asked_for(the_plan, known, names=("w-1",))

    answers = answers_of(Rules.of(recipe(), the_plan), memory)

    assert isinstance(answers["node/w-1"], Wait)
    assert "3 of 4 nodes were never seen (cp-1, cp-2, cp-3): node.reset node/w-1" in str(answers)
    seen = {**known, **nodes()}
    memory = asked_for(the_plan, {**seen, "node/w-1": known["node/w-1"]}, names=("w-1",))
    assert isinstance(answers_of(Rules.of(recipe(), the_plan), memory)["node/w-1"], Ask)


# --- lost to Kubernetes alone --------------------------------------------------------------------


def lost(*names: str, **said: str) -> Memory:
    """Node objects that were lost within minutes of each other; *said*: other codes than those of a lost node."""
    known = {
        **facts({f"node/{name}": "running" for name in NAMES}),
        **{f"k8s-node/{name}": Fact("Progressing") for name in names},
        **{subject.replace("_", "/", 1).replace("_", "-"): Fact(c) for subject, c in said.items()},
    }
    found = Finding(
        subject="k8s-nodes",
        cause="too-many-at-once",
        message="",
        blocks=tuple(f"k8s-node/{name}" for name in names),
        rule="T17",
    )
    entries: list[AnyEntry] = [
        opened(plan()),
        e.Observed(at=START, changed=known),
        e.FindingsChanged(at=START, changed={LOST_TOGETHER: found}),
    ]
    return fold_all(Memory(), entries)


@pytest.mark.parametrize(
    ("memory", "named"),
    [
        (lost("cp-1", "cp-2"), ["cp-1", "cp-2"]),
        (lost("cp-1"), []),
        # by now it is back
        (lost("cp-1", "cp-2", node_cp_1="running", **{"k8s-node_cp_2": "Ready"}), []),
        # its machine waits for its configuration: there is something to do about it
        (lost("cp-1", "cp-2", node_cp_1="maintenance"), []),
        (lost("cp-1", "cp-2", node_cp_1="unseen"), []),
        (lost("cp-1", "cp-2", node_cp_1="unhealthy"), ["cp-1", "cp-2"]),
        # one that this run wiped is lost by nature
        (fold_all(lost("cp-1", "cp-2"), told("cp-1")), []),
        (fold_all(lost("cp-1", "cp-2"), told("cp-1", 1, "failed")), ["cp-1", "cp-2"]),
    ],
)
def test_who_was_lost_together(memory: Memory, named: list[str]) -> None:
    assert lost_together(plan().target, memory.facts, memory) == named


def test_what_kubernetes_has_lost_while_talos_answers_stops_everything_too() -> None:
    answers = decide(lost("cp-1", "cp-2"))

    stuck = answers["nodes"]
    assert isinstance(stuck, Stuck)
    assert stuck.reference == "half-gone"
    assert "2 of 3 nodes were lost within minutes, although Talos runs on them: cp-1" in (
        stuck.message
    )
    assert isinstance(answers["etcd"], Wait)
    assert isinstance(answers["node/cp-3"], Wait)
    assert isinstance(answers["k8s-node/cp-1"], Wait), "the session goes on by itself"


def test_the_finding_is_the_one_that_diagnosis_makes() -> None:
    """Mutant: another id."""
    ids = {f"{rule.id}:{K8S_NODES}" for rule in RULES}

    assert LOST_TOGETHER in ids


def configured(name: str, at: float) -> list[AnyEntry]:
    given: dict[str, Any] = {"action": f"c-{name}", "verb": "talos.apply", "target": f"node/{name}"}
    begun = e.ActionIntended(at=START + at, attempt=1, epoch=1, deadline_seconds=60.0, **given)
    return [begun, e.ActionSettled(at=START + at + 1, outcome=Outcome.DONE, **given)]


@pytest.mark.parametrize(
    ("since", "named"), [(700.0, []), (10_000.0, ["cp-1", "cp-2"]), (-50.0, [])]
)
def test_a_node_that_was_configured_is_excused_for_a_while_and_not_for_the_rest_of_the_night(
    since: float, named: list[str]
) -> None:
    """Mutants: excuse it for ever; excuse only who was wiped."""
    memory = fold_all(lost("cp-1", "cp-2"), [*configured("cp-1", 100), *configured("cp-2", 100)])
    known = {
        **memory.facts,
        **{f"k8s-node/{n}": Fact("Progressing", "", START + since) for n in ("cp-1", "cp-2")},
    }

    assert lost_together(plan().target, known, memory) == named
