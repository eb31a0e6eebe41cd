"""
Sentences that people read first: numbers that are words, and nothing that the journal does not bear out.

Mutants: count all causes where none is left; say who allowed one action as if of all; call what is in doubt destroyed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding, Outcome
from phases.lives import RESET
from phases.verbs import RELEASE, VERBS
from phases.wait_classes import UNKNOWN
from rekindle.lines import describe
from rekindle.report import html, markdown
from rekindle.report.gather import gather
from rekindle.report.lessons import _unknown
from rekindle.report.reasons import Ledger, Step
from rekindle.report.validation import skipped
from tests.report.nights import AT, written
from tests.report.samples import sample


def cause(name: str, clears: str) -> Finding:
    return Finding(
        subject=name,
        cause="x",
        message=f"{name} is gone",
        root=True,
        rule="R",
        clears_itself=clears,
    )


@pytest.mark.parametrize(
    ("clears", "said"),
    [
        (["no"], "1 cause stood behind it, which could not clear by itself; "),
        (["no"] * 3, "3 causes stood behind it, none of which could clear by itself; "),
        (["no", "yes", "no"], "3 causes stood behind it, 2 of which could not clear by themselves"),
        (["no", "yes"], "2 causes stood behind it, 1 of which could not clear by itself; "),
    ],
)
def test_causes_are_counted_in_words(tmp_path: Path, clears: list[str], said: str) -> None:
    found = {f"R:c{n}": cause(f"c{n}", word) for n, word in enumerate(clears)}
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"c0": Fact("Absent")}),
        e.FindingsChanged(at=AT, changed=found),
    ]

    summary = gather(written(tmp_path / "j.db", entries)).summary

    sentence = next(one for one in summary if "stood behind it" in one)
    assert sentence.startswith(said)
    assert sentence.endswith("that was known at the first look:")
    order = sorted(range(len(clears)), key=lambda place: clears[place] != "no")
    own = [" (clears by itself)" if clears[place] == "yes" else "" for place in order]
    assert [one for one in summary if one.startswith("(")] == [
        f"({n}) c{place} is gone{word}."
        for n, (place, word) in enumerate(zip(order, own, strict=True), start=1)
    ]


def release(
    number: int, approval: str, outcome: Outcome | None, verb: str = RELEASE
) -> list[e.AnyEntry]:
    action = f"a{number}"
    entries: list[e.AnyEntry] = [
        e.ActionIntended(
            at=AT + number,
            action=action,
            verb=verb,
            target=f"holder/{number}",
            attempt=1,
            epoch=1,
            deadline_seconds=15.0,
            arguments={"approval": approval} if approval else {},
        )
    ]
    if outcome is not None:
        settled = e.ActionSettled(
            at=AT + number, action=action, verb=verb, target=f"holder/{number}", outcome=outcome
        )
        entries.append(settled)
    return entries


def test_who_allowed_one_thing_has_not_allowed_the_others(tmp_path: Path) -> None:
    asked: list[e.AnyEntry] = [
        e.ApprovalAsked(
            at=AT,
            approval="q1",
            digest="d",
            subject="holder/1",
            question="take it off?",
            consequence="the data",
            typed="x",
        ),
        e.ApprovalGiven(at=AT, approval="q1", digest="d", actor="ada"),
    ]
    entries = [
        *asked,
        *release(1, "q1", Outcome.DONE),
        *release(2, "", Outcome.DONE),
        *release(3, "", None),
    ]

    story = gather(written(tmp_path / "j.db", entries))

    assert story.summary[-1] == (
        "3 actions were begun; 2 gave something up and whether 1 more did is not known, allowed by ada, 2 of them "
        f"by nobody that the journal names: holder/1 (the data); holder/2, holder/3 ({VERBS[RELEASE].destroys})."
    )
    assert not any("waited until somebody had allowed" in one for one in story.went_well)
    assert not any("No action was refused or failed" in one for one in story.went_well)


def test_what_was_erased_lies_nowhere_and_nothing_became_of_it(tmp_path: Path) -> None:
    """Mutant: say of what is destroyed what is said of what was given up."""
    entries = [*release(1, "", Outcome.DONE, RESET), *release(2, "", Outcome.DONE)]

    story = gather(written(tmp_path / "j.db", entries))
    gone, left = VERBS[RESET].destroys, VERBS[RELEASE].destroys
    assert f"What became of what was given up: {left}." in story.unproven
    assert f"That no more is gone than was agreed to: {gone}." in story.unproven
    assert [one for one in story.next_steps if "anted: " in one or "destroyed: " in one] == [
        f"Look where what was given up lies now, and whether it is wanted: holder/2 ({left}).",
        f"Look whether anything is missed of what was allowed to be destroyed: holder/1 ({gone}).",
    ]


def test_work_beside_the_path_of_a_run_without_its_goal_is_said_to_be_that() -> None:
    """Mutants: say it of a run that is done, or where all the work was on the path."""
    story = sample()
    ledger = story.ledger
    assert ledger is not None
    cut = replace(story, run=replace(story.run, outcome="cancelled"))
    beside = replace(cut, ledger=replace(ledger, useful=ledger.critical_path - 30.0))
    on_path = replace(cut, ledger=replace(ledger, useful=ledger.critical_path))
    said = "some of the work in CP was done beside it."
    for page in (markdown.page, html.page):
        assert said in page(beside)
        assert said not in page(on_path)
        assert said not in page(replace(beside, run=story.run))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (1, "1 action was begun; whether it destroyed or gave something up is not known, allowed"),
        (
            3,
            "3 actions were begun; whether 3 of them destroyed or gave something up is not known, ",
        ),
    ],
)
def test_a_run_that_was_killed_in_the_act_counts_no_action_twice(
    tmp_path: Path, count: int, said: str
) -> None:
    """Mutant: say of those whose end nobody knows that they are more than others that there are not."""
    entries = [one for n in range(1, count + 1) for one in release(n, "", None)]

    assert gather(written(tmp_path / "j.db", entries)).summary[-1].startswith(said)


def test_nobody_looked_and_nothing_was_found_are_two_things(tmp_path: Path) -> None:
    """Mutants: say of a run that was killed before its first look that nothing was wrong, in each place."""
    blind = gather(written(tmp_path / "a.db", []))
    seen = gather(written(tmp_path / "b.db", [e.Observed(at=AT, changed={"x": Fact("Ready")})]))

    for text in (markdown.page(blind), html.page(blind)):
        assert (
            text.count("Whether anything was wrong is not known: this run never saw the cluster")
            >= 2
        )
        assert "No cause was looked for: this run never saw the cluster." in text
        assert "nothing was found wrong" not in text.lower()
        assert "No cause was found" not in text
    for text in (markdown.page(seen), html.page(seen)):
        assert "never saw the cluster" not in text
        assert "Nothing was found wrong that has a cause of its own." in text
        assert "No cause was found that" in text


def test_a_watch_that_was_taken_over_is_told_as_one_and_when(tmp_path: Path) -> None:
    """
    What a session writes before it goes on has the instant of the last entry before it.

    Mutants: name the purpose that it has by now; leave out the sentence; tell the instants as they are written.
    """
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT + 1, changed={"x": Fact("Ready")}),
        e.LeaseTaken(at=AT + 1, epoch=2, holder="bob"),
        e.PlanChanged(at=AT + 1, plan={}, plan_digest="d2", previous_digest="d1", verdict="fits"),
        e.TakenOver(at=AT + 1, actor="bob"),
        e.RunResumed(at=AT + 212, holder="bob", idle_seconds=211.0),
    ]
    path = written(tmp_path / "j.db", entries, purpose="watch")

    story = gather(path)

    assert (story.run.purpose, story.run.opened_as) == ("run", "watch")
    assert [(one.kind, one.at, one.of["at"]) for one in story.changes] == [
        ("plan", AT + 212, 7),
        ("hands", AT + 212, 7),
    ]
    assert story.changes[1].entries == (6, 7)
    assert story.events[0].text == "the run begins (watch)"
    assert story.summary[1] == (
        "It was opened to watch only; at 2025-06-12 08:19:32Z bob took over: what had only watched acts from here on."
    )
    killed = gather(written(tmp_path / "k.db", entries[:-1], purpose="watch"))
    assert [(one.kind, one.at) for one in killed.changes] == [("plan", AT + 1), ("hands", AT + 1)]


def test_an_open_watch_says_what_it_would_do_and_how_it_is_let(tmp_path: Path) -> None:
    """Mutants: leave out the wishes, or the command; say it of a run that acts, or has no plan."""
    wish = {"answer": "act", "verb": "dig", "target": "pond/x", "reason": "it is full"}
    answers = {f"pond/{n}": {**wish, "target": f"pond/{n}"} for n in range(7)}
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"x": Fact("Ready")}),
        e.Decided(at=AT, state="node-maintenance", answers=answers),
    ]
    plan: dict[str, Any] = {"section": {"talos": {"nodes": {"n": {}}}}}

    def steps(name: str, **changes: Any) -> tuple[str, ...]:  # noqa: ANN401
        return gather(written(tmp_path / name, entries, **changes)).next_steps

    watch = steps("a.db", purpose="watch", plan=plan)
    assert watch[0] == "It only watches, and would: dig pond/0 (it is full)."
    assert watch[5:7] == (
        "It would do 2 things more; rekindle status names what it would do now.",
        f"Let it act: rekindle resume --take-over --journal {tmp_path / 'a.db'}",
    )
    assert any(one.startswith("Go on watching: rekindle resume") for one in watch)
    for others in (steps("b.db", plan=plan), steps("c.db", purpose="watch")):
        assert not any("would" in one or "take-over" in one for one in others)


def test_what_only_remarks_on_an_entry_corrects_nothing(tmp_path: Path) -> None:
    """Mutants: count it; print it as a correction, in the report and in the log."""
    note = e.Note(at=AT, text="about five", actor="bob", corrects=1, said=AT)
    story = gather(written(tmp_path / "j.db", [note]))

    assert not any("correction" in one for one in story.summary)
    for text in (markdown.page(story), html.page(story)):
        assert "bob, about entry 1: about five" in text
        assert "correcting" not in text
    assert describe(note) == "note by bob, about entry 1: about five"
    assert "correcting entry 1" in describe(replace(note, time=AT + 1))


def test_an_older_note_of_a_cause_without_a_word_corrects_nothing(tmp_path: Path) -> None:
    """Mutants: put its author in the place of the cause; count it."""
    found = e.FindingsChanged(at=AT, changed={"R:c": cause("c", "no")})
    note = e.Note(at=AT, text="", actor="bob", corrects=3, said=AT, finding="R:c")
    seen = e.Observed(at=AT, changed={"c": Fact("Absent")})

    story = gather(written(tmp_path / "j.db", [seen, found, note]))

    assert [one.corrected for one in story.causes] == [""]
    assert not any("correct" in one for one in story.summary)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (6, "(most of it for a 6 s)"),
        (9, "(most of it for a 7 s, b 2 s)"),
        (12, "(most of it for a 7 s, b 5 s)"),
    ],
)
def test_the_most_of_what_has_no_class_is_no_more_than_all_of_it(seconds: int, said: str) -> None:
    """Steps are told to the second. Mutant: name them as long as they are."""
    steps = (
        Step(subject="a", begun=0.0, ended=7.0, code=UNKNOWN),
        Step(subject="b", begun=7.0, ended=12.0, code=UNKNOWN),
    )
    ledger = Ledger(
        seconds=12.0, critical_path=0.0, useful=0.0, unknown=6.4, ratio=None, waits=(), path=steps
    )

    (sentence,) = _unknown(ledger, seconds, ())
    assert said in sentence


def test_what_there_is_but_one_of_has_its_name() -> None:
    """Mutant: take what follows the slash alone."""
    facts = {"etcd": Fact("unknown", "not seen: k8s-2")}

    assert list(skipped(facts)) == [
        "1 of etcd could not be looked at: etcd (unknown: not seen: k8s-2)"
    ]
