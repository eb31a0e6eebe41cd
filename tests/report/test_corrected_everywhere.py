"""
A time that a person corrected counts wherever a report tells or draws it, and is marked there; nowhere does the
journal's stand alone.

Mutants that turn one of these red: an instant of a template by ``instant`` in place of ``told``; a row of ``told`` that
is not put through ``beside``; the ``of`` of any row left out; ``when`` returns what the journal says; ``_items`` sorted
by that; ``corrected.md.j2`` left out of the table of events, or ``corrected`` out of the page's; ``_mark`` or ``_note``
empty; marks left out of the scale of the pods; ``moved`` left out of the gantt; ``idle_again`` left out of
``sessions_of``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding, Objection, Outcome, RunOutcome
from journal.reader import Reader
from journal.store import Journal
from phases import codes
from phases.lives import RESET
from rekindle.report import html
from rekindle.report.drawn import Drawn, gantt_of, pods_of
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.phrases import done_here
from rekindle.report.story import Story
from rekindle.spans import clock
from tests.journal.making import BOB, QUICK
from tests.report.conftest import Night
from tests.report.nights import AT, written

HOUR = (
    3600.0  # what is corrected was an hour earlier: no printed instant of the run is one of those
)
ROOT = Finding(
    subject="cni",
    cause="none",
    message="no CNI is installed",
    root=True,
    rule="T16",
    clears_itself="no",
)
RED = Objection("rights.flux", "red", "cluster", "patch is refused", "give the right")
WIPED = {"subject": "node/k8s-2", "old": "Running", "new": "Maintenance"}
SETTLED: dict[str, Any] = {"action": "a1", "verb": RESET, "target": "node/k8s-1"}
ASKED: dict[str, Any] = {"approval": "q1", "digest": "d"}


def pods(at: float, ready: int) -> e.Observed:
    return e.Observed(
        at=AT + at, changed={codes.PODS: Fact("Pods", detail={"ready": ready, "expected": 4})}
    )


NIGHT: tuple[e.AnyEntry, ...] = (
    e.Preflighted(at=AT + 1, checked=2, objections=(RED,)),
    e.Preflighted(at=AT + 2, checked=2),
    e.Observed(at=AT + 3, changed={"cni": Fact("Absent")}),
    e.FindingsChanged(at=AT + 5, changed={"T16:cni": ROOT}),
    pods(7, 1),
    e.ApprovalAsked(
        at=AT + 10,
        subject="node/k8s-1",
        question="wipe it?",
        consequence="its data",
        typed="k8s-1",
        **ASKED,
    ),
    e.ApprovalGiven(at=AT + 14, actor="ada", **ASKED),
    e.ActionIntended(
        at=AT + 16,
        attempt=1,
        epoch=1,
        deadline_seconds=9.0,
        arguments={"approval": "q1"},
        **SETTLED,
    ),
    e.ActionSettled(at=AT + 22, outcome=Outcome.DONE, by="probe", **SETTLED),
    pods(26, 0),
    e.ByHand(at=AT + 30, verb="node.wipe", target="node/k8s-2", evidence=WIPED),
    e.GoalMoved(at=AT + 33, revision="main@sha1:2", previous="main@sha1:1"),
    e.Moved(at=AT + 40, source="node-maintenance", target="talos-ready", why="all answer"),
    pods(45, 4),
    e.FindingsChanged(at=AT + 50, cleared=("T16:cni",)),
    e.RunClosed(at=AT + 90, outcome=RunOutcome.DONE, state="talos-ready"),
)
FIRST = 3  # the seq of NIGHT's first entry: the opening is 1, the lease 2
SEQS = range(FIRST, FIRST + len(NIGHT))
STATES = {"node-maintenance": {"next": "talos-ready"}, "talos-ready": {"next": "done"}}
PLAN = {"machine": {"initial": "node-maintenance", "states": STATES}}


def said(seq: int) -> float:
    return AT if seq < FIRST else NIGHT[seq - FIRST].at


def told(folder: Path, corrected: dict[int, float], night: Sequence[e.AnyEntry] = NIGHT) -> Story:
    notes = [
        e.Note(at=AT + 90, text="x", actor="bob", corrects=seq, said=said(seq), time=time)
        for seq, time in corrected.items()
    ]
    return gather(written(folder / "j.db", [*night, *notes], plan=PLAN))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Story:
    return told(tmp_path_factory.mktemp("plain"), {})


def unmarked(text: str, instant: float) -> Iterator[str]:
    """Find the lines that say what the journal says, and neither there nor below nor above that it was corrected."""
    text = re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL)  # an axis has any instant
    lines = [line for line in unescape(text).replace("\\", "").splitlines() if line.strip()]
    of_cause = False  # under the head of a cause, one line says it for all
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(("- ", "#", "<section", "</section", "<div>")) or "<h3" in line:
            of_cause = of_cause and line.startswith("<div>")
        of_cause = of_cause or line.startswith(("    - **Corrected**", '<p class="corrected">'))
        marked = "correct" in line.lower() or below.startswith(("| ↳", '<tr class="corrected">'))
        if clock(instant) in line and not marked and not of_cause:
            yield line


def rows(value: object) -> Iterator[dict[str, Any]]:
    """All values of a document that have instants of entries."""
    if isinstance(value, dict):
        if "of" in value and "true" in value:
            yield value
        for item in value.values():
            yield from rows(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from rows(item)


@pytest.mark.parametrize("seq", [1, *SEQS])
def test_no_instant_of_a_corrected_entry_stands_anywhere_without_its_correction(
    seq: int, plain: Story, tmp_path: Path
) -> None:
    both = {1: AT - HOUR, 2: AT - HOUR} if seq == 1 else {seq: said(seq) - HOUR}
    story = told(tmp_path, both)

    assert any(unmarked(page(plain), said(seq))), "nothing of this entry is told"
    assert list(unmarked(page(story), said(seq))) == []
    assert list(unmarked(html.page(story), said(seq))) == []
    of_it = [
        (row["true"].get(name), row[name])
        for row in rows(to_builtins(story))
        for name, entry in row["of"].items()
        if entry == seq
    ]
    assert of_it
    assert set(of_it) == {(said(seq) - HOUR, said(seq))}


def test_every_instant_of_a_row_is_of_an_entry_that_says_it(plain: Story, tmp_path: Path) -> None:
    path = written(tmp_path / "j.db", NIGHT, plan=PLAN)
    with Reader(path) as reader:
        instants = {row.seq: row.at for row in reader.rows()}

    found = [
        (name, row[name], instants[entry])
        for row in rows(to_builtins(plain))
        for name, entry in row["of"].items()
    ]

    assert len(found) > 30
    assert [one for one in found if one[1] != one[2]] == []


def test_a_goal_says_when_it_was_truly_reached(tmp_path: Path) -> None:
    story = told(tmp_path, {15: AT + 35})
    goal, other = story.goals

    assert (goal.at, goal.when("at"), other.corrections) == (AT + 40, AT + 35, ())
    sentence = "it was 2025-06-12 08:16:35Z, not 2025-06-12 08:16:40Z (bob, noted "
    (line,) = (line for line in page(story).splitlines() if line.startswith("- [x] "))
    assert f"(2025-06-12 08:16:40Z) **Corrected**: {sentence}" in line
    (item,) = (line for line in html.page(story).splitlines() if "☑" in line)
    assert f"↳ corrected: {sentence}" in item


def test_what_was_corrected_stands_where_it_truly_happened(plain: Story, tmp_path: Path) -> None:
    """What was done by hand was done before anybody asked; the journal's own instant stands below it."""
    story = told(tmp_path, {13: AT + 8})
    deed = next(event for event in story.events if event.kind == "hand")
    before, after = ([event.kind for event in one.events] for one in (plain, story))
    text, markup = page(story).splitlines(), html.page(story).splitlines()

    assert before.index("hand") > before.index("action")
    assert after.index("hand") < after.index("question")
    assert (deed.at, deed.when("at"), deed.of) == (AT + 30, AT + 8, {"at": 13})
    instants = [event.when("at") for event in story.events]
    assert instants == sorted(instants)
    place = text.index("| 2025-06-12 08:16:08Z |  | not by this run: node.wipe node/k8s-2 |")
    assert text[place + 1].startswith("| ↳ **corrected** | it was 2025-06-12 08:16:08Z, not ")
    cells = '<tr><td class="time">2025-06-12 08:16:08Z</td><td class="time"></td>'
    place = next(n for n, line in enumerate(markup) if line.startswith(cells))
    assert "not by this run" in markup[place]
    assert markup[place + 1].startswith('<tr class="corrected"><td colspan="3">↳ corrected: it was')


def test_of_several_that_are_one_line_the_first_and_the_last_are_the_true_ones(
    tmp_path: Path,
) -> None:
    nudge: dict[str, Any] = {"verb": "flux.nudge", "target": "x"}
    night = [
        entry
        for number in (1, 2, 3)
        for entry in (
            e.ActionIntended(
                at=AT + 10 * number,
                action=f"a{number}",
                attempt=1,
                epoch=1,
                deadline_seconds=9.0,
                **nudge,
            ),
            e.ActionSettled(
                at=AT + 10 * number + 5, action=f"a{number}", outcome=Outcome.DONE, **nudge
            ),
        )
    ]
    notes = [
        e.Note(at=AT + 35, text="x", actor="bob", corrects=seq, said=at, time=time)
        for seq, at, time in ((7, AT + 30, AT + 2), (6, AT + 25, AT + 50))
    ]

    story = gather(written(tmp_path / "j.db", [*night, *notes]))

    (event,) = (one for one in story.events if one.kind == "action")
    assert event.text == "flux.nudge, 3 times: done (a3 to a2)"
    assert (event.at, event.when("at")) == (AT + 10, AT + 2)
    assert (event.until, event.when("until")) == (AT + 35, AT + 50)
    assert [one.entry for one in event.corrections] == [7, 6]


TICKS = re.compile(r'<path d="(M[^"]*)" class="tick"')
BARS = re.compile(r'<rect x="([^"]*)" y="[^"]*" width="([^"]*)" height="[^"]*" (?:rx|class="band)')
LEGEND = "22"  # is how wide a bar of the legend is
LEVELS = re.compile(r'<path d="([^"]*)" class="(?:curve|wanted)')


def drawn(story: Story) -> tuple[Drawn, Drawn]:
    curve = pods_of(story)
    assert curve is not None
    return curve, gantt_of(story)


def shapes(story: Story) -> list[list[Any]]:
    return [
        sorted(pattern.findall(one.svg))
        for one in drawn(story)
        for pattern in (TICKS, BARS, LEVELS)
    ]


def moved(seq: int, at: float) -> list[e.AnyEntry]:
    """The night in whose journal an entry has another instant."""
    changed = list(NIGHT)
    body = {
        name: getattr(changed[seq - FIRST], name) for name in changed[seq - FIRST].__struct_fields__
    }
    changed[seq - FIRST] = type(changed[seq - FIRST])(**body | {"at": at})
    return changed


@pytest.mark.parametrize(
    ("seq", "at", "mark"),
    [
        (13, AT + 24, "by hand: node.wipe (corrected)"),
        (10, AT + 15, f"{RESET} (corrected)"),
        (15, AT + 42, "talos-ready (corrected)"),
        (9, AT + 12, "k8s-1 (corrected)"),
        (11, AT + 24, "k8s-1 (corrected)"),
        (12, AT + 24, ""),
        (18, AT + 120, "talos-ready (corrected)"),
    ],
)
def test_the_pictures_of_a_corrected_night_are_those_of_the_night_as_it_was(
    seq: int, at: float, mark: str, plain: Story, tmp_path: Path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    story = told(tmp_path / "a", {seq: at})
    truly = gather(written(tmp_path / "b" / "j.db", moved(seq, at), plan=PLAN))

    assert shapes(story) == shapes(truly)
    assert shapes(story) != shapes(plain)
    both = drawn(story)
    assert any(mark in one.svg for one in both)
    notes = [one for one in both if "as people corrected" in one.told]
    assert notes
    assert all(one.told in unescape(one.svg) for one in both)
    assert "1 instant is drawn as people corrected it" in notes[0].told
    assert not mark or any("the journal says: " in one.svg for one in notes)
    assert not any("correct" in one.svg + one.told for one in drawn(truly))


def test_a_count_stands_in_the_curve_where_it_truly_was(tmp_path: Path) -> None:
    curve, _ = drawn(told(tmp_path, {12: AT + 6}))

    assert ("08:16:06", "first look", "0", "4") in curve.rows
    assert curve.told.startswith("0 of 4 pods Ready at 08:16:06 UTC, when they were first counted;")


@pytest.mark.parametrize("seq", [1, 13, 10])
def test_what_was_before_the_run_has_room_in_the_pictures(seq: int, tmp_path: Path) -> None:
    """A deed of ten minutes before stands left of what the run did, and not at its edge together with it."""
    curve, bars = drawn(told(tmp_path, {seq: AT - 600}))

    ticks = sorted(float(place.partition(" ")[0][1:]) for place in TICKS.findall(curve.svg))
    left = sorted(float(x) for x, wide in BARS.findall(bars.svg) if wide != LEGEND)
    if seq != 1:
        assert ticks[1] - ticks[0] > 500
    if seq != 13:
        assert left[1] - left[0] > 500
        assert f"from {clock(AT - 600)} to" in bars.told


def test_how_long_nobody_held_a_run_goes_by_corrected_instants_too(tmp_path: Path) -> None:
    path = written(tmp_path / "j.db", [e.Note(at=AT + 10, text="x", actor="bob")])
    with Journal.resume(path, holder=BOB, options=QUICK) as journal:
        journal.append([e.RunResumed(at=AT + 40, holder="bob", idle_seconds=30.0)])
        resumed = list(journal.rows())[-1].seq
        correction: dict[str, Any] = {"corrects": resumed, "said": AT + 40, "time": AT + 25}
        journal.append([e.Note(at=AT + 50, text="x", actor="bob", **correction)])

    story = gather(path)
    bars = {row[0]: row[1] for row in gantt_of(story).rows}

    assert [one.idle_again for one in story.sessions] == [None, 15.0]
    assert "after 30 s without anybody [corrected: 15 s])" in page(story).replace("\\", "")
    assert "30 s [corrected: 15 s]</td>" in html.page(story)
    assert bars["no session"] == "15 s (corrected)"


@pytest.mark.parametrize(
    ("seq", "time", "sentences"),
    [
        (1, AT - 60, ["It began at 2025-06-12 08:16:00Z [corrected: 2025-06-12 08:15:00Z] and ",
                      "1 m 30 s [corrected: 2 m 30 s] later", "45 s [corrected: 1 m 45 s] after the start"]),
        (18, AT + 80, ["2025-06-12 08:17:30Z [corrected: 2025-06-12 08:17:20Z]",
                       "1 m 30 s [corrected: 1 m 20 s] later", "Ready for 45 s [corrected: 35 s] when"]),
        (6, AT + 43, ["2 s after the first look [corrected: 40 s after the first look]",
                      "about 45 s [corrected: 7 s]: no CNI",
                      "Stood at the verdict (2025-06-12 08:16:05Z [corrected: 2025-06-12 08:16:43Z])"]),
        (16, AT + 60, ["45 s [corrected: 1 m] after the start", "45 s [corrected: 30 s] when"]),
        (13, AT + 20, ["k8s-2 at 2025-06-12 08:16:30Z [corrected: 2025-06-12 08:16:20Z] by hand"]),
        (9, AT + 12, ["given by ada at 2025-06-12 08:16:14Z [corrected: 2025-06-12 08:16:12Z]"]),
    ],
)  # fmt: skip
def test_a_sentence_says_both_times_and_both_spans(
    seq: int, time: float, sentences: list[str], tmp_path: Path
) -> None:
    story = told(tmp_path, {seq: time})
    text = page(story).replace("\\", "")
    markup = unescape(re.sub(r"<[^>]*>", "", html.page(story)))

    for sentence in sentences:
        assert sentence in text
        assert sentence in markup


def test_the_head_of_a_page_and_what_was_done_about_a_cause_say_both(tmp_path: Path) -> None:
    story = told(tmp_path, {1: AT - 60, 10: AT + 12})
    cause = replace(story.causes[0], done=("a1",))

    assert "<dd>1 m 30 s [corrected: 2 m 30 s]</dd>" in html.page(story)
    assert done_here(cause, story.actions) == "node.reset a1 (08:16:16 [corrected: 08:16:12])"


def test_what_the_ledger_says_is_said_to_be_of_the_journals_clock(
    night: Night, tmp_path: Path
) -> None:
    path = Path(shutil.copyfile(night.path, tmp_path / "j.db"))
    at = night.story.run.end
    note = e.Note(at=at, text="x", actor="bob", corrects=1, said=AT, time=AT - 60)
    with Journal.resume(path, holder=BOB, options=QUICK, at=at) as journal:
        journal.append([note])
    story = gather(path)
    sentence = (
        "All in this section is by the journal's own instants: what people corrected (the times of 1 entry) is not in "
        "it."
    )

    assert story.times_corrected == 1
    assert story.ledger is not None
    assert sentence in page(story)
    assert sentence in unescape(html.page(story))
    (ratio,) = (one.why for one in story.metrics if one.name == "T/CP")
    assert ratio.endswith(", by the journal's own instants")
    waits = [one for one in story.challenges if one.startswith("Dead wait")]
    assert waits
    assert all(one.endswith(", by the journal's own instants).") for one in waits)


def test_a_cause_that_was_a_finding_before_it_was_a_root_is_of_the_entry_that_found_it(
    tmp_path: Path,
) -> None:
    finding = replace(ROOT, root=False)
    night = [
        e.FindingsChanged(at=AT + 5, changed={"T16:cni": finding}),
        e.FindingsChanged(at=AT + 9, changed={"T16:cni": ROOT}),
    ]

    night += [
        e.FindingsChanged(at=AT + 12, cleared=("T16:cni",)),
        e.FindingsChanged(at=AT + 15, changed={"T16:cni": ROOT}),
    ]

    first, second = gather(written(tmp_path / "j.db", night)).causes

    assert (first.found, first.entries) == (AT + 5, (4, 5))
    assert first.of == {"found": 3, "cleared": 5}
    assert (second.found, second.of) == (AT + 15, {"found": 6})
