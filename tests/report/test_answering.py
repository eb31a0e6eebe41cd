"""
Machines that fall silent during a run are told: in its events, its challenges and its next steps.

Mutants: tell who was configured or reset, or is never told; let one reset explain two silences, or one of half an hour;
call a machine that nobody has asked silent; count a silence of the first look among those that somebody saw begin; say
since when a stage is instead of since when it answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.entries import Fact, Outcome
from rekindle.report import html
from rekindle.report.answering import MOST
from rekindle.report.following import Follower
from rekindle.report.gather import gather
from rekindle.report.kept import Tape
from rekindle.report.lessons import challenges
from rekindle.report.markdown import page
from rekindle.report.reasons import Ledger, Step
from rekindle.report.story import FAILED, NOT_PROVEN, PROVEN, Story
from tests.report.nights import AT, written

PLAN: dict[str, Any] = {"section": {"talos": {"nodes": {"a": {}, "b": {}}}}}
B = Fact("running", detail={"boot_id": "b1"})
UNSEEN = Fact("unseen", "refused: dial tcp")
LOST = "machine a stopped answering"


def a(at: float, code: str, boot: str = "b1", reason: str = "") -> e.Observed:
    fact = Fact(code, reason, detail={"boot_id": boot} if code != "unseen" else {})
    return e.Observed(at=AT + at, changed={"node/a": fact})


def first(code: str = "running") -> e.Observed:
    return e.Observed(at=AT, changed={**a(0, code).changed, "node/b": B})


def told(folder: Path, *entries: e.AnyEntry, **more: Any) -> Story:  # noqa: ANN401
    folder.mkdir(exist_ok=True)
    return gather(written(folder / "j.db", entries, plan=PLAN, **more))


def machines(story: Story) -> list[tuple[float, str]]:
    return [(one.at - AT, one.text) for one in story.events if one.kind == "machine"]


def test_a_machine_that_falls_silent_is_told_everywhere(tmp_path: Path) -> None:
    story = told(tmp_path, first(), a(20, "unseen"), a(30, "unseen"), a(641, "booting", "b2"))

    assert machines(story) == [
        (20, f"{LOST} (last seen: running)"),
        (641, "machine a answers again after 10 m 21 s, in another boot"),
    ]
    length = "2025-06-12 08:16:20Z, for 10 m 21 s"
    said = f"Machine a stopped answering at {length}; it came back in another boot."
    assert said in story.challenges
    (step,) = (one for one in story.next_steps if "stopped answering" in one)
    assert step.startswith("Find out why a stopped answering at 2025-06-12 08:16:20Z: power,")
    assert "rekindle note --entry 4 --cause " in step
    for text in (page(story), html.page(story)):
        assert said in text
        assert "machine a answers again after 10 m 21 s, in another boot" in text


def test_who_was_silent_at_the_first_look_is_told_once_it_answers(tmp_path: Path) -> None:
    back = told(tmp_path / "a", first("unseen"), a(125, "running"))
    still = told(tmp_path / "b", first("unseen"), e.Observed(at=AT + 125, changed={"node/b": B}))

    assert machines(back) == [(125, "machine a answers for the first time in this run")]
    assert "Machine a did not answer for the first 2 m 5 s of the run." in back.challenges
    assert machines(still) == []
    said = "Machine a did not answer for the first 2 m 5 s of the run, and still does not."
    assert said in still.challenges
    assert not any("stopped answering" in one for one in (*back.next_steps, *still.next_steps))


def test_who_answers_again_in_the_same_boot_was_only_out_of_reach(tmp_path: Path) -> None:
    story = told(tmp_path, first(), a(20, "unseen"), a(30, "running"))

    assert machines(story)[-1] == (30, "machine a answers again after 10 s")


def test_who_is_in_the_plan_no_longer_is_asked_no_more(tmp_path: Path) -> None:
    gone = e.Observed(at=AT + 30, changed={}, removed=("node/a",))

    story = told(tmp_path, first(), a(20, "unseen"), gone, e.Note(at=AT + 90, text="", actor=""))

    assert machines(story) == [(20, f"{LOST} (last seen: running)")]
    (said,) = (one for one in story.challenges if "Machine a" in one)
    assert said.endswith(" for 10 s, and was asked no more then.")


def test_who_falls_silent_often_is_one_line_of_the_challenges(tmp_path: Path) -> None:
    flaps = [a(n * 10 + k * 4, "running" if k else "unseen") for n in (1, 2, 3) for k in (0, 1)]

    story = told(tmp_path / "a", first(), *flaps)
    gone = told(tmp_path / "b", first(), *flaps, a(50, "unseen"), a(55, "unseen"))

    assert "Machine a did not answer 3 times, for 12 s in all." in story.challenges
    said = "Machine a did not answer 4 times, for 17 s in all, and still does not."
    assert said in gone.challenges
    assert sum("stopped answering" in one for one in story.next_steps) == 1


def test_no_more_silences_are_kept_than_people_read(tmp_path: Path) -> None:
    flaps = [
        a(n * 10 + k, "running" if k else "unseen") for n in range(1, MOST + 3) for k in (0, 1)
    ]

    assert told(tmp_path, first(), *flaps).left_out["silences"] == 2


def action(
    verb: str, at: float, outcome: Outcome = Outcome.DONE, target: str = "node/a"
) -> list[e.AnyEntry]:
    name = f"a{at:g}"
    return [
        e.ActionIntended(
            at=AT + at,
            action=name,
            verb=verb,
            target=target,
            attempt=1,
            epoch=1,
            deadline_seconds=9.0,
        ),
        e.ActionSettled(at=AT + at, action=name, verb=verb, target=target, outcome=outcome),
    ]


APPLIED = action("talos.apply", 5)
AWAY = [a(20, "unseen"), a(60, "booting", "b2")]
TOLD: list[tuple[str, str, list[e.AnyEntry]]] = [
    ("it was configured", "", [*APPLIED, *AWAY]),
    ("it was reset", "", [*action("node.reset", 5), *AWAY]),
    ("something else was done there", LOST, [*action("etcd.bootstrap", 5), *AWAY]),
    ("another one was reset", LOST, [*action("node.reset", 5, target="node/b"), *AWAY]),
    ("its reset was refused", LOST, [*action("node.reset", 5, Outcome.FAILED), *AWAY]),
    ("it installs itself", "", [a(10, "installing"), *AWAY]),
    ("it resets itself", "", [a(10, "resetting"), *AWAY]),
    ("it reboots, and nobody here asked for it", LOST, [a(10, "rebooting"), *AWAY]),
    ("it reboots, as it was configured", "", [*APPLIED, a(10, "rebooting"), *AWAY]),
    ("it was configured afterwards", LOST, [*AWAY, *action("talos.apply", 70)]),
    ("it does not come back", LOST, [*APPLIED, a(20, "unseen"), a(621, "booting")]),
    ("it has not come back yet", LOST, [*APPLIED, a(20, "unseen"), a(621, "unseen")]),
    ("nobody has asked it", "", [a(20, "unseen", reason="not-asked"), a(60, "running")]),
    ("nobody can tell", "", [a(20, "Unobservable"), a(60, "running")]),
]


@pytest.mark.parametrize(
    ("wanted", "entries"), [case[1:] for case in TOLD], ids=[case[0] for case in TOLD]
)
def test_who_goes_away_by_nature_is_no_news(
    tmp_path: Path, wanted: str, entries: list[e.AnyEntry]
) -> None:
    story = told(tmp_path, first(), *entries)

    assert any(LOST in text for _, text in machines(story)) is bool(wanted)
    assert any("Machine a" in one for one in story.challenges) is bool(wanted)


def test_an_action_sends_a_machine_away_once(tmp_path: Path) -> None:
    again = [a(100, "running", "b2"), a(300, "unseen"), a(340, "booting", "b3")]

    story = told(tmp_path, first(), *APPLIED, *AWAY, *again)

    assert [at for at, text in machines(story) if LOST in text] == [300]


def test_a_person_who_says_why_is_not_asked_again(tmp_path: Path) -> None:
    note = e.Note(at=AT + 90, text="x", actor="bob", corrects=4, cause="a fuse")

    assert not any(
        "stopped answering" in one for one in told(tmp_path, first(), *AWAY, note).next_steps
    )


def test_a_corrected_time_of_it_is_told_beside(tmp_path: Path) -> None:
    note = e.Note(at=AT + 90, text="x", actor="bob", corrects=4, said=AT + 20, time=AT + 10)

    story = told(tmp_path, first(), *AWAY, note)

    assert "machine a answers again after 40 s [corrected: 50 s], in another boot" in [
        text for _, text in machines(story)
    ]


def row(story: Story) -> tuple[str, float | None, dict[str, int]]:
    check = next(one for one in story.validation if one.what == "Node connectivity")
    return check.verdict, None if check.at is None else check.at - AT, check.of


@pytest.mark.parametrize(
    ("entries", "wanted"),
    [
        ([first(), a(9, "unhealthy"), a(30, "running")], (PROVEN, 0, {"at": 3})),
        ([first(), *AWAY, a(90, "running", "b2")], (PROVEN, 60, {"at": 5})),
        ([first(), a(20, "unseen"), a(40, "unseen")], (FAILED, 20, {"at": 4})),
        ([first("Unobservable")], (NOT_PROVEN, None, {})),
    ],
)
def test_machines_answer_since_they_do_and_not_since_their_latest_stage(
    tmp_path: Path,
    entries: list[e.AnyEntry],
    wanted: tuple[str, float | None, dict[str, int]],
) -> None:
    assert row(told(tmp_path, *entries)) == wanted


def test_time_without_a_class_names_who_did_not_answer_then() -> None:
    """Mutants: name who was silent at another time; count a silence beyond the steps without a class."""
    opened = e.RunOpened(
        at=AT,
        run_id="r",
        purpose="run",
        cluster="lab",
        identity={},
        plan={},
        plan_digest="d",
        version="0",
        initial="x",
    )
    found = Follower.of(opened, None, Tape[e.AnyEntry](9))
    found.last = AT + 100
    for number, entry in enumerate([first(), a(20, "unseen"), a(60, "running")], start=2):
        found.answering.see(entry, number)

    def unknown(*steps: tuple[float, float, str]) -> str:
        path = tuple(
            Step(subject="s", begun=AT + x, ended=AT + y, code=code) for x, y, code in steps
        )
        ledger = Ledger(seconds=100, critical_path=1, useful=50, unknown=50, path=path)
        (said,) = (one for one in challenges(found, ledger, (), ()) if "Not known" in one)
        return said

    begun = "Not known: 50 s of the path have no class: the journal has no sign of one (most of it for s "
    assert unknown((0, 50, "unknown"), (50, 100, "useful")) == (
        f"{begun}50 s). In that time machines did not answer: a for 30 s."
    )
    assert unknown((0, 50, "useful"), (50, 70, "unknown")).endswith("not answer: a for 10 s.")
    assert unknown((0, 10, "unknown"), (10, 100, "useful")) == f"{begun}10 s)."
