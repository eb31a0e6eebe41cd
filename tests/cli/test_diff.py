"""
Two runs beside each other: aligned by state, to the first decision that parted and its facts.

Mutants that turn one of these red: call runs parted that only took longer; take the last decision for the first; swap
the facts of b; count what was written after the end; take the first in the order of the machine, or by the time since a
state was entered, or by the clock of both, or align decisions by state; call attempts the same that ended otherwise;
round a duration instead of taking the difference of the seconds that are shown.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal import entries as e
from journal.codec import kind_of
from journal.entries import AnyEntry, Fact
from journal.row import Row
from rekindle.cli.diff import _lines
from rekindle.courses import UUID, Course, Visit, course_of
from rekindle.parting import document, parting
from tests.cli.conftest import Program
from tests.journal.making import opened

pytestmark = pytest.mark.program

PLAN = {
    "machine": {
        "initial": "ground",
        "states": {"ground": {"next": "walls"}, "walls": {"next": "done"}},
    }
}


def run(*entries: AnyEntry, **changes: Any) -> Course:  # noqa: ANN401
    first = opened("r", plan=PLAN, initial="ground", **changes)
    rows = [
        Row(id=n, run_id="r", seq=n, kind=kind_of(x), at=x.at, wall_ns=0, epoch=1, entry=x)
        for n, x in enumerate([first, *entries], start=1)
    ]
    return course_of(rows)


def saw(at: float, **codes: str) -> e.Observed:
    return e.Observed(at=at, changed={name: Fact(code) for name, code in codes.items()})


def act(at: float, state: str, verb: str, target: str) -> e.Decided:
    body = {"answer": "act", "verb": verb, "target": target}
    return e.Decided(at=at, state=state, answers={target: body})


def wait(at: float, state: str, reason: str) -> e.Decided:
    return e.Decided(at=at, state=state, answers={"s": {"answer": "wait", "reason": reason}})


def moved(at: float, source: str, target: str) -> e.Moved:
    return e.Moved(at=at, source=source, target=target, why="facts")


def test_runs_that_only_took_longer_did_not_part() -> None:
    a = run(saw(101, x="Down"), act(102, "ground", "dig", "x"), moved(110, "ground", "walls"))
    b = run(
        saw(101, x="Down"), wait(150, "ground", "later"), act(160, "ground", "dig", "x"),
        moved(400, "ground", "walls"),
    )  # fmt: skip

    assert parting(a, b) is None
    assert document(a, b, ("a", "b"))["states"]["ground"]["a"]["seconds"] == 10.0
    assert document(a, b, ("a", "b"))["states"]["ground"]["b"]["seconds"] == 300.0


@pytest.mark.parametrize("swapped", [False, True])
def test_the_first_decision_that_parted_is_named_with_its_facts(*, swapped: bool) -> None:
    one = run(
        saw(101, x="Down", y="Up", z="Up"), act(102, "ground", "dig", "x"), saw(103, y="Down"),
        act(104, "ground", "fill", "y"), act(106, "ground", "sweep", "w"), moved(110, "ground", "walls"),
        act(111, "walls", "lay", "x"),
    )  # fmt: skip
    two = run(
        saw(101, x="Down", y="Up", z="Up"), act(102, "ground", "dig", "x"), saw(103, z="Gone"),
        moved(120, "ground", "walls"), act(121, "walls", "paint", "x"),
    )  # fmt: skip

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert (found.choice.key, found.choice.state) == ("act fill y", "ground")
    assert found.choice.after == 4.0
    assert found.run == ("b" if swapped else "a")
    codes = {
        subject: tuple(fact.code if fact else None for fact in pair)
        for subject, pair in found.facts.items()
    }
    expected = {"y": ("Down", "Up"), "z": ("Up", "Gone")}
    assert codes == ({s: (b, a) for s, (a, b) in expected.items()} if swapped else expected)
    assert next(iter(codes)) == "y", "what the decision is about comes first"


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("later", [0.0, 5.0])
def test_the_first_that_parted_is_the_first_in_time(*, swapped: bool, later: float) -> None:
    """One falls back after they parted; what it then does in the earlier state did not part them."""
    one = run(
        saw(101, x="Down"), act(102, "ground", "dig", "x"), moved(110, "ground", "walls"), saw(111, y="Bent"),
        act(112, "walls", "lay", "x"), moved(120, "walls", "ground"), act(121, "ground", "fill", "y"),
    )  # fmt: skip
    two = run(
        saw(101 - later, x="Down"), act(102 - later, "ground", "dig", "x"), moved(110 - later, "ground", "walls"),
        act(116 - later, "walls", "paint", "x"), at=100 - later,
    )  # fmt: skip

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert (found.run, found.choice.key) == ("b" if swapped else "a", "act lay x")
    assert (found.choice.visit, found.choice.after, found.choice.elapsed) == (
        ("walls", 1),
        2.0,
        12.0,
    )
    assert list(found.facts) == ["y"]


@pytest.mark.parametrize(("at", "first"), [(116, "act paint x"), (126, "act fill y")])
@pytest.mark.parametrize("swapped", [False, True])
def test_of_two_runs_the_one_that_was_first_is_named(
    *, swapped: bool, at: float, first: str
) -> None:
    """One did something alone in a later state, and the other in an earlier one, after it had fallen back."""
    one = run(
        moved(110, "ground", "walls"), moved(120, "walls", "ground"),
        act(121, "ground", "fill", "y"),
    )  # fmt: skip
    two = run(moved(110, "ground", "walls"), act(at, "walls", "paint", "x"))

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert found.choice.key == first


@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_done_again_after_falling_back_is_a_decision_of_its_own(*, swapped: bool) -> None:
    """Mutant for the facts: compare with what the other knew in the end, or when it left the state the first time."""
    begin = (
        saw(101, x="Down", y="Up"), act(102, "ground", "dig", "x"), saw(103, x="Up"),
        moved(110, "ground", "walls"), act(111, "walls", "lay", "w"), saw(112, z="Up"),
    )  # fmt: skip
    fallen = (
        *begin, saw(113, x="Down"), moved(120, "walls", "ground"), act(121, "ground", "dig", "x"),
        saw(122, x="Up"), moved(130, "ground", "walls"), act(131, "walls", "lay", "w"),
    )  # fmt: skip
    one, two = run(*fallen), run(*begin, moved(140, "walls", "done"), saw(141, y="Gone"))

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert (found.choice.key, found.choice.visit) == ("act dig x", ("ground", 2))
    codes = {
        s: tuple(fact.code if fact else None for fact in pair) for s, pair in found.facts.items()
    }
    assert codes == {"x": ("Up", "Down") if swapped else ("Down", "Up")}
    (line,) = [one for one in _lines(one, two) if one.startswith("first decision")]
    assert line == (
        "first decision that parted: act dig x, by a alone, 1 s into ground, entered 2 times by then "
        "(entry 10, 21 s into the run)"
    )
    parted = document(one, two, ("a", "b"))["parted"]
    assert (parted["visit"], parted["seconds_in_state"], parted["seconds_in_run"]) == (2, 1.0, 21.0)


def test_runs_that_both_fell_back_and_did_the_same_again_did_not_part() -> None:
    def fallen(late: float) -> Course:
        return run(
            act(102, "ground", "dig", "x"), moved(110, "ground", "walls"),
            moved(120 + late, "walls", "ground"), act(121 + late, "ground", "dig", "x"),
            act(122 + late, "ground", "dig", "x"), moved(130 + late, "ground", "walls"),
        )  # fmt: skip

    a, b = fallen(0), fallen(30)

    assert parting(a, b) is None
    assert document(a, b, ("a", "b"))["states"]["ground"]["b"]["visits"] == 2
    assert [line for line in _lines(a, b) if line.endswith("ground  (entered 2 and 2 times)")]


def test_only_the_same_visit_counts_for_the_same_decision() -> None:
    """What one did the first time, and the other only after it had fallen back, was not done by both."""
    early = run(
        act(102, "ground", "dig", "x"), moved(110, "ground", "walls"), moved(120, "walls", "ground")
    )
    late = run(
        moved(110, "ground", "walls"), moved(120, "walls", "ground"), act(121, "ground", "dig", "x")
    )

    found = parting(early, late)

    assert found is not None
    assert (found.run, found.choice.visit, found.choice.at) == ("a", ("ground", 1), 102.0)


def test_a_clock_that_was_set_back_makes_no_later_decision_the_first() -> None:
    a = run(
        act(150, "ground", "dig", "x"), e.ClockJumped(at=105, seconds=-50.0),
        act(106, "ground", "fill", "x"),
    )  # fmt: skip

    found = parting(a, run(saw(101, x="Down")))

    assert found is not None
    assert found.choice.key == "act dig x"


def test_a_state_of_which_the_entry_was_withdrawn_is_known_from_what_was_decided_in_it() -> None:
    whole: list[AnyEntry] = [
        act(102, "ground", "dig", "x"),
        moved(110, "ground", "walls"),
        act(111, "walls", "lay", "w"),
    ]
    withdrawn: list[AnyEntry] = [entry for entry in whole if not isinstance(entry, e.Moved)]

    assert parting(run(*whole), run(*withdrawn)) is None


def test_where_no_fact_differs_what_else_did_is_said() -> None:
    a = run(saw(101, x="Down"), act(102, "ground", "dig", "x"))
    b = run(saw(101, x="Down"), plan_digest="d2")

    found = parting(a, b)

    assert found is not None
    assert (found.facts, found.instead) == ({}, "the plans differ")


@pytest.mark.parametrize("swapped", [False, True])
def test_where_people_answered_otherwise_that_is_what_parted_them(*, swapped: bool) -> None:
    """Mutants: list the facts that differ by then; take the one's answer for the other's."""
    question: dict[str, Any] = {
        "question": "drain the pond?",
        "typed": "pond",
        "consequence": "no fish",
    }
    asked = e.ApprovalAsked(at=102, approval="q", digest="d", subject="x", **question)
    yes = e.ApprovalGiven(at=103, approval="q", digest="d", actor="ada")
    body = {"answer": "act", "verb": "drain", "target": "x", "approval": question}
    one = run(
        saw(101, x="Down"), asked, yes, e.Decided(at=104, state="ground", answers={"x": body})
    )
    two = run(saw(101, x="Down"), asked, saw(103, x="Up"), moved(120, "ground", "walls"))

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert found.facts == {}
    answers = ("in a nothing, in b yes by ada", "in a yes by ada, in b nothing")
    assert found.instead == f"what people said parted them: {answers[not swapped]}"


@pytest.mark.parametrize("swapped", [False, True])
def test_a_refusal_that_made_one_of_them_stuck_is_what_parted_them(*, swapped: bool) -> None:
    """Two lives of a thing are one. Mutants: look for what an action was allowed by alone; compare UIDs."""
    uids = "e84b1b87-1acf-1eb1-e266-9dbea05e22fd", "282ab722-ec31-08d4-957f-3c7e8fb1f61c"
    asked = [
        e.ApprovalAsked(
            at=102,
            approval="q",
            digest="d",
            subject="x",
            question=f"let go of {uid}?",
            consequence="",
        )
        for uid in uids
    ]
    no = e.ApprovalRefused(at=103, approval="q", digest="d", actor="ada")
    stuck = {"answer": "stuck", "reference": "approval-refused", "message": "no", "hint": ""}
    one = run(
        saw(101, x="Down"), asked[0], no, e.Decided(at=104, state="ground", answers={"x": stuck})
    )
    two = run(saw(101, x="Down"), asked[1], saw(103, y="Up"), moved(120, "ground", "walls"))

    found = parting(two, one) if swapped else parting(one, two)

    assert found is not None
    assert found.facts == {}
    answers = ("in a nothing, in b no by ada", "in a no by ada, in b nothing")
    assert found.instead == f"what people said parted them: {answers[not swapped]}"


def test_a_doubt_that_a_probe_settled_is_one_end() -> None:
    """Mutant: count what was said before the probe as an end of its own."""
    doubt = tries("unsettled")
    begun = doubt[0]
    assert isinstance(begun, e.ActionIntended)
    settled = e.ActionSettled(
        at=103, action=begun.action, verb="dig", target="x", outcome=e.Outcome.DONE, by="probe"
    )

    assert told([*doubt, settled], [*tries("done"), e.GoalMoved(at=103, revision="r")])[-1:] == [
        "1 action as often in both, with the same outcomes"
    ]


def test_attempts_belong_to_the_state_in_which_they_were_begun() -> None:
    def intended(at: float, action: str) -> e.ActionIntended:
        return e.ActionIntended(
            at=at, action=action, verb="dig", target="x", attempt=1, epoch=1, deadline_seconds=9
        )

    def settled(at: float, action: str, outcome: str) -> e.ActionSettled:
        return e.ActionSettled(
            at=at, action=action, verb="dig", target="x", outcome=e.Outcome(outcome)
        )

    course = run(
        intended(101, "a1"), settled(102, "a1", "failed"), intended(103, "a2"),
        moved(104, "ground", "walls"), settled(105, "a2", "done"),
    )  # fmt: skip

    assert course.attempts == {"ground": {"dig x": {"attempts": 2, "failed": 1, "done": 1}}}


def holding(uid: str, code: str = "Holding") -> e.Observed:
    detail = {"kind": "Pool", "namespace": "storage", "name": "scratch", "uid": uid}
    return e.Observed(at=101, changed={f"holder/{uid}": Fact(code, detail=detail)})


def let_go(uid: str, machine: str) -> list[AnyEntry]:
    """Ask about a thing that the journal calls by its UID, of a machine that has one too, and act."""
    target = f"holder/{uid}"
    ask = {"answer": "ask", "question": f"let go of scratch on machine {machine}?"}
    act = {"answer": "act", "verb": "release", "target": target}
    begun: dict[str, Any] = {"action": "a1", "verb": "release", "target": target}
    return [
        holding(uid),
        e.Decided(at=102, state="ground", answers={target: ask}),
        e.Decided(at=103, state="ground", answers={target: act}),
        e.ActionIntended(at=103, attempt=1, epoch=1, deadline_seconds=9, **begun),
        e.ActionSettled(at=104, outcome=e.Outcome.DONE, **begun),
    ]


UIDS = ("282ab722-ec31-08d4-957f-3c7e8fb1f61c", "02267d1d-f52c-0bc4-15f8-5f11c1b8cfb6")
MACHINES = ("00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000B")


def test_a_thing_is_the_same_whatever_uid_it_has() -> None:
    a, b = (run(*let_go(*ids)) for ids in zip(UIDS, MACHINES, strict=True))

    assert parting(a, b) is None
    expected = {"release holder/Pool/storage/scratch": {"attempts": 1, "done": 1}}
    assert a.attempts == b.attempts == {"ground": expected}


def test_its_name_may_be_known_from_what_was_decided_alone() -> None:
    arguments = {"kind": "Pool", "namespace": "", "name": "scratch"}
    a, b = (
        run(
            e.Decided(
                at=102,
                state="ground",
                answers={
                    "s": {
                        "answer": "act",
                        "verb": "release",
                        "target": f"holder/{uid}",
                        "arguments": {**arguments, "uid": uid},
                    }
                },
            )
        )
        for uid in UIDS
    )

    assert list(a.choices[Visit("ground", 1)]) == ["act release holder/Pool/scratch"]
    assert parting(a, b) is None


def test_facts_of_a_thing_with_another_uid_are_compared() -> None:
    a = run(holding(UIDS[0]), act(102, "ground", "dig", "x"))
    b = run(holding(UIDS[1], "Gone"), saw(101, y="Up"))

    found = parting(a, b)

    assert found is not None
    codes = {
        s: tuple(fact.code if fact else None for fact in two) for s, two in found.facts.items()
    }
    assert codes == {"holder/Pool/storage/scratch": ("Holding", "Gone"), "y": (None, "Up")}


def test_what_was_written_after_the_end_is_not_of_the_course() -> None:
    closed = e.RunClosed(at=130.0, outcome=e.RunOutcome.DONE, state="ground")

    course = run(closed, e.LeaseTaken(at=900.0, epoch=2, holder="me"))

    assert course.seconds == 30.0


def test_two_rehearsals_of_one_night_did_not_part(rekindle: Program, tmp_path: Path) -> None:
    one, two = str(tmp_path / "one.db"), str(tmp_path / "two.db")
    for journal in (one, two):
        assert rekindle("rehearse", "june-12", "--journal", journal).code == 0

    answer = rekindle("diff", one, two)

    assert answer.code == 0
    assert answer.out.splitlines()[-1] == "no decision parted them"


def test_a_night_and_its_own_rehearsal_hold_the_same_things(
    rekindle: Program, tmp_path: Path
) -> None:
    """Every object has another UID in a rehearsal of a run: what is held there has its name in common."""
    night, again = str(tmp_path / "night.db"), str(tmp_path / "again.db")
    assert rekindle("rehearse", "june-12", "--journal", night).code == 0
    assert rekindle("rehearse", "--from", night, "--journal", again).code == 0

    answer = rekindle("diff", night, again)
    document = rekindle("diff", night, again, "--json").document
    states = document["states"]

    released = [
        {key for key in states["flux-synced"][name]["attempts"] if key.startswith("finalizer.")}
        for name in ("a", "b")
    ]
    assert released[0] == released[1] == {
        f"finalizer.release holder/CephBlockPool/storage/{name}"
        for name in ("database", "replicapool", "scratch")
    }  # fmt: skip
    assert "holder/" not in (document["parted"] or {}).get("decision", "")
    assert UUID.search(answer.out) is None


def test_what_differs_is_told_by_verb_and_the_json_has_all() -> None:
    def begun(*targets: str) -> Course:
        return run(
            *(
                e.ActionIntended(
                    at=101 + n, action=f"a{n}", verb="dig", target=target, attempt=1, epoch=1,
                    deadline_seconds=9,
                )
                for n, target in enumerate(targets)
            )
        )  # fmt: skip

    a, b = begun("x", "y", *(f"t{n}" for n in range(40))), begun("x", "z", "z", "y")

    (line, mine, theirs) = [one for one in _lines(a, b) if "dig" in one or "more often" in one]
    assert " ".join(line.split()) == "42 4 attempts: dig, 2 targets as often in both"
    assert mine.strip() == "a more often: t0, t1, t10 and 37 more"
    assert theirs.strip() == "b more often: z"
    assert len(document(a, b, ("a", "b"))["states"]["ground"]["a"]["attempts"]) == 42


def tries(*ended: str, verb: str = "dig", target: str = "x") -> list[AnyEntry]:
    """Begin an action as often as there are outcomes; an empty one: it is open."""
    entries: list[AnyEntry] = []
    for n, outcome in enumerate(ended, start=1):
        name: dict[str, Any] = {"action": f"{verb}-{target}-{n}", "verb": verb, "target": target}
        entries.append(e.ActionIntended(at=101, attempt=n, epoch=1, deadline_seconds=9, **name))
        if outcome:
            entries.append(e.ActionSettled(at=102, outcome=e.Outcome(outcome), **name))
    return entries


def told(a: list[AnyEntry], b: list[AnyEntry]) -> list[str]:
    """Return the lines about attempts."""
    lines = [" ".join(line.split()) for line in _lines(run(*a), run(*b))]
    return lines[next(n for n, line in enumerate(lines) if line.endswith(" ground")) + 1 : -1]


def test_attempts_that_ended_otherwise_are_told() -> None:
    """Mutants: count them as the same; tell only those of which one began more."""
    assert told(tries("failed"), tries("done")) == [
        "1 1 attempts: dig, 1 targets as often in both",
        "ended otherwise: x (a 1 failed; b 1 done)",
    ]
    assert told(tries("failed", "done"), tries("done")) == [
        "2 1 attempts: dig",
        "a more often: x",
        "ended otherwise: x (a 1 done, 1 failed; b 1 done)",
    ]
    assert told(tries("done", ""), tries("done", "failed"))[1:] == [
        "ended otherwise: x (a 1 done; b 1 done, 1 failed)"
    ]


def test_how_what_only_one_of_them_began_has_ended_is_told_by_verb() -> None:
    """Mutant: tell it only of what both began."""
    lines = told(
        [*tries("failed", target="y"), *tries("done")],
        [*tries("done"), *tries("done", target="z"), *tries("done", target="w")],
    )

    assert lines == [
        "2 3 attempts: dig, 1 targets as often in both",
        "a more often: y",
        "b more often: w, z",
        "ended: a 1 done, 1 failed; b 3 done",
    ]


def test_attempts_with_the_same_outcomes_are_counted_only() -> None:
    a, b = ([*tries("failed", "done"), *tries("done", verb="fill")] for _ in range(2))

    assert told(a, b) == ["2 actions as often in both, with the same outcomes"]
    assert told(tries("done"), tries("done")) == [
        "1 action as often in both, with the same outcomes"
    ]


def test_a_duration_is_the_difference_of_the_seconds_that_are_shown() -> None:
    """47.3 s from 100.9 to 148.2 are 48 s on a clock; each visit is a row of a report, and they add up."""
    a = run(
        moved(148.2, "ground", "walls"), moved(150.9, "walls", "ground"),
        moved(153.9, "ground", "walls"), act(754.1, "walls", "lay", "w"), at=100.9,
    )  # fmt: skip

    lines = [" ".join(line.split()) for line in _lines(a, run())]

    assert lines[0].endswith("after 10 m 54 s")
    assert "51 s 0 s ground (entered 2 and 1 times)" in lines
    assert "10 m 3 s - walls (entered 2 and 0 times)" in lines
    (first,) = [line for line in lines if line.startswith("first decision")]
    assert "by a alone, 10 m 1 s into walls" in first
    assert "10 m 54 s into the run)" in first
    assert document(a, a, ("a", "a"))["states"]["ground"]["a"]["seconds"] == 50.3


def test_a_report_and_its_neighbours_tell_one_span_in_one_way(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutants: let one of them round."""
    journal = str(tmp_path / "night.db")
    assert rekindle("rehearse", "june-12", "--journal", journal).code == 0

    report = rekindle("report", "--journal", journal).out
    diff = rekindle("diff", journal, journal).out

    rows = [re.split(r"\s*\|\s*", line) for line in report.splitlines()]
    stays = {row[1]: row[4] for row in rows if len(row) > 4 and row[1] in ("cni-up", "flux-synced")}
    assert stays == {"cni-up": "47 s", "flux-synced": "5 m 4 s"}
    left = [
        one
        for one in map(
            json.loads, rekindle("log", "--all", "--json", "--journal", journal).out.splitlines()
        )
        if one["kind"] == "moved"
    ]
    for state, took in stays.items():
        (seq,) = [one["seq"] for one in left if one["entry"]["source"] == state]
        then = rekindle("log", "--at", str(seq - 1), "--journal", journal).out
        assert f", {took} in this state" in then
        assert re.search(rf"^ +{took} +{took}  {state}$", diff, re.MULTILINE), diff


def test_a_night_that_was_worse_parts_where_its_facts_do(rekindle: Program, tmp_path: Path) -> None:
    from rekindle.simulator.scenario import find_scenario

    source = find_scenario("june-12")
    scenario = yaml.safe_load(source.read_text())
    left = scenario["initial"]["left"]
    left["terminating"] = []
    left["objects"] = [one for one in left["objects"] if "/storage/" not in one]
    scenario["tree"] = str(source.parents[1] / "data" / scenario["tree"])
    better = tmp_path / "better.yaml"
    better.write_text(yaml.safe_dump(scenario, sort_keys=False))
    journal, other = str(tmp_path / "j.db"), str(tmp_path / "o.db")
    rekindle("rehearse", "june-12", "--journal", journal)
    rekindle("rehearse", str(better), "--journal", other)
    run_id = rekindle("history", "--json", "--journal", journal).document["runs"][0]["run_id"]

    answer = rekindle("diff", run_id, "--journal", journal, "--other", other)
    document = rekindle("diff", journal, other, "--json").document

    assert answer.code == 1, answer.out
    assert "first decision that parted: " in answer.out
    assert document["verdict"] == "parted"
    assert document["parted"]["facts"] or document["parted"]["instead"]
    assert document["a"]["journal"] == journal


def test_one_run_is_no_comparison(rekindle: Program, waiting: Path) -> None:
    answer = rekindle("diff", str(waiting))

    assert (answer.code, "error (diff-what)" in answer.err) == (64, True)
