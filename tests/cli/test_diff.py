"""
Two runs beside each other: aligned by state, to the first decision that parted and its facts.

Mutants that turn one of these red: call runs parted that only took longer; take the last decision for the first; swap
the facts of b; count what was written after the end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from journal import entries as e
from journal.codec import kind_of
from journal.entries import AnyEntry, Fact
from journal.row import Row
from rekindle.cli.diff import _lines
from rekindle.courses import UUID, Course, course_of
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

    assert list(a.choices["ground"]) == ["act release holder/Pool/scratch"]
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
