"""
Since when something was so before the run found it: a person's word counts wherever a report tells of that, and when
the run found it stays.

Mutants that turn one of these red: ``is_since`` always or never true; ``true`` of a cause without its ``since``;
``of_root`` without it; ``on`` left out of ``first_signs``; ``subjects`` empty; ``at`` in the place of ``broke`` in
the order of the signs, in ``_background``, in ``_long`` or in the order of ``challenges``; ``_of_spell`` without the
entry; the condition left out of ``_Item.corrections`` or of ``times``; ``instant`` in the place of ``told`` in a
template.
"""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding, RunOutcome
from phases.lives import RESET
from rekindle.report import corrections, html
from rekindle.report.gather import gather, honours
from rekindle.report.markdown import page
from rekindle.report.own import Own
from rekindle.report.reasons import Cause
from rekindle.report.roots import SIGNS
from rekindle.report.signs import of_root
from rekindle.report.story import Story
from tests.report.nights import AT, written

HOUR = 3600.0
APPS, SPACE, POD = "kustomization/flux-system/apps", "namespace/storage", "helmrelease/web/site"
PLAN = {"section": {"inventory": {"roots": ["flux-system/apps"]}}}
HELD = Finding(
    subject=SPACE,
    cause="x",
    message="storage is Terminating",
    root=True,
    rule="N6",
    clears_itself="no",
    since=AT - 2 * HOUR,
)
AGAIN = replace(HELD, since=AT + 110)
FOLLOWS = Finding(subject=POD, cause="x", message="it waits", rule="H1")
UNTOLD = Finding(
    subject="crd/a", cause="x", message="no CRD a", root=True, rule="C4", clears_itself="no"
)
NIGHT: tuple[e.AnyEntry, ...] = (
    e.Observed(
        at=AT,
        changed={
            APPS: Fact("Absent"),
            SPACE: Fact("Terminating", since=AT - 2 * HOUR),
            POD: Fact("Failed", reason="it fails", since=AT - HOUR),
            "node/k8s-1": Fact("Running"),
        },
    ),
    e.FindingsChanged(at=AT, changed={"N6:storage": HELD, "H1:site": FOLLOWS, "C4:a": UNTOLD}),
    e.FindingsChanged(at=AT + 60, cleared=("N6:storage",)),
    e.FindingsChanged(at=AT + 120, changed={"N6:storage": AGAIN}),
    e.RunClosed(at=AT + 180, outcome=RunOutcome.CANCELLED, state="node-maintenance"),
)
LOOKED, FOUND = 3, 4  # seqs: the opening is 1, the lease 2


def noted(finding: str, hours: float, corrects: int = FOUND, cause: str = "") -> e.Note:
    return e.Note(
        at=AT + 180,
        text="so it was",
        actor="bob",
        corrects=corrects,
        said=AT,
        time=AT - hours * HOUR,
        finding=finding,
        cause=cause,
    )


def told(folder: Path, *notes: e.Note) -> Story:
    folder.mkdir(exist_ok=True)
    return gather(written(folder / "j.db", [*NIGHT, *notes], plan=PLAN))


def spell(story: Story) -> Cause:
    """The first time that it was found; it came again."""
    return next(cause for cause in story.causes if cause.id == "N6:storage")


def words(markup: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", markup))


def pages(story: Story) -> tuple[str, str]:
    return page(story).replace("\\", ""), words(html.page(story))


def test_what_the_cluster_told_is_corrected_where_ever_it_is_told(tmp_path: Path) -> None:
    """Background, the table, the cause, Challenges; and the run found it when it did."""
    story = told(tmp_path, noted("N6:storage", 3))
    first = story.first_signs[0]
    cause = spell(story)

    assert (first.subject, first.at, first.true) == (SPACE, AT - 2 * HOUR, {"at": AT - 3 * HOUR})
    assert (cause.true, cause.since, cause.found) == ({"since": AT - 3 * HOUR}, HELD.since, AT)
    assert cause.again is None
    document = to_builtins(story)
    (correction,) = document["first_signs"][0]["corrections"]
    assert (correction["since"], correction["said"]) == (True, HELD.since)
    assert document["causes"][1]["corrections"] == (correction,)
    since = "2025-06-12 06:16:00Z [corrected: 2025-06-12 05:16:00Z]"
    beside = "it was 2025-06-12 05:16:00Z; the cluster told 2025-06-12 06:16:00Z (bob, noted "
    earliest = (
        "The earliest sign is of 2025-06-12 05:16:00Z, as bob notes (a correction: the cluster told "
        "2025-06-12 06:16:00Z), 3 h before this run began: storage is Terminating."
    )
    text, markup = pages(story)
    assert f"| {since} | {SPACE}: storage is Terminating | 2025-06-12 08:16:00Z | yes |" in text
    assert f"- Since {since}; found 2025-06-12 08:16:00Z; " in text
    assert f"Since{since}" in markup
    for form in (text, markup):
        assert form.count(beside) >= 2
        assert earliest in form
        assert "For at most 2 h 1 m [corrected: 3 h 1 m]: storage is Terminating" in form
        assert "by that it stood" not in form
    assert story.times_corrected == 0, "it is the time of no entry"
    assert all(not event.corrections for event in story.events), "the run found it when it did"


def test_what_the_cluster_told_nothing_of_comes_first_and_is_not_called_untold(
    tmp_path: Path,
) -> None:
    """A root that was removed: by its name, since nothing found a cause."""
    plain, story = told(tmp_path / "a"), told(tmp_path / "b", noted(APPS, 4, LOOKED))
    untold = f"{APPS} was removed, and nothing in the cluster tells when"

    assert plain.first_signs[-1].subject == APPS
    assert story.first_signs[0].subject == APPS
    assert (story.first_signs[0].at, story.first_signs[0].true) == (None, {"at": AT - 4 * HOUR})
    earliest = (
        "The earliest sign is of 2025-06-12 04:16:00Z, as bob notes (a correction: the cluster told nothing), "
        f"4 h before this run began: {APPS}: a root of the GitOps tree"
    )
    for before, after in zip(pages(plain), pages(story), strict=True):
        assert (untold in before, untold in after) == (True, False)
        assert earliest in after
        assert "it was 2025-06-12 04:16:00Z; the cluster told nothing (bob, noted " in after
    text, markup = pages(story)
    untold = "not told [corrected: 2025-06-12 04:16:00Z]"
    assert (text.count(untold), markup.count(untold)) == (1, 2), "the page has a list as well"


def test_a_removed_root_that_was_not_the_first_is_told_with_its_instant(tmp_path: Path) -> None:
    story = told(tmp_path, noted(APPS, 1.5, LOOKED))

    assert [sign.subject for sign in story.first_signs[:2]] == [SPACE, APPS]
    assert f"{APPS}: a root of the GitOps tree" in story.background[1]
    assert "so it was since 2025-06-12 06:46:00Z, as bob notes" in story.background[1]
    assert not any("nothing in the cluster tells when" in text for text in story.background)


def test_a_cause_without_an_instant_of_the_cluster_gets_one(tmp_path: Path) -> None:
    """And is the first of what cost time: the order goes by what is true."""
    story = told(tmp_path, noted("C4:a", 5))
    said = "an instant that the cluster does not tell [corrected: 2025-06-12 03:16:00Z]"

    assert story.first_signs[0].subject == "crd/a"
    assert f"- Since {said}; found 2025-06-12 08:16:00Z" in pages(story)[0]
    assert story.challenges[0].startswith("For at least 3 m [corrected: 5 h 3 m], and still")


def test_what_follows_from_others_is_corrected_by_its_finding_too(tmp_path: Path) -> None:
    """It is a sign, and no cause: a note names its finding, the sign its object."""
    story = told(tmp_path, noted("H1:site", 6))

    assert story.first_signs[0].subject == POD
    assert story.first_signs[0].true == {"at": AT - 6 * HOUR}
    assert not any(cause.corrections for cause in story.causes)
    later = told(tmp_path / "later", noted("H1:site", -1)).first_signs
    assert POD in {sign.subject for sign in later}
    assert all(sign.true == {} for sign in later), "no sign tells when the run found it"


def test_what_comes_again_was_not_so_since_the_first(tmp_path: Path) -> None:
    story = told(tmp_path, noted("N6:storage", 3, cause="bob did it"))
    first, again = (cause for cause in story.causes if cause.id == "N6:storage")

    assert (first.true, again.true) == ({"since": AT - 3 * HOUR}, {})
    assert [(one.time, one.cause) for one in again.corrections] == [(None, "bob did it")]


def test_the_time_of_an_entry_is_still_when_the_run_found_it(tmp_path: Path) -> None:
    story = told(tmp_path, noted("", 3))

    assert spell(story).true == {"found": AT - 3 * HOUR}
    assert story.first_signs[0].true == {"seen": AT - 3 * HOUR}
    assert story.times_corrected == 1


def test_a_later_time_of_a_finding_is_when_it_was_found(tmp_path: Path) -> None:
    assert spell(told(tmp_path, noted("N6:storage", -0.01))).true == {"found": AT + 36}


def test_the_last_of_several_counts_and_all_are_told(tmp_path: Path) -> None:
    gone = (noted(APPS, hours, LOOKED) for hours in (7, 6))
    story = told(tmp_path, noted("N6:storage", 3), noted("N6:storage", 2.5), *gone)

    assert spell(story).true == {"since": AT - 2.5 * HOUR}
    assert story.first_signs[0].true == {"at": AT - 6 * HOUR}
    assert [one.time for one in story.first_signs[1].corrections] == [
        AT - 3 * HOUR,
        AT - 2.5 * HOUR,
    ]


@pytest.mark.parametrize(
    ("note", "counts"),
    [
        (noted("N6:storage", 3), True),
        (noted("N6:storage", -0.01), True),  # later: when the run found it
        (noted(APPS, 3, LOOKED), True),
        (noted(APPS, -1, LOOKED), False),
        (noted("H1:site", 3), True),
        (noted("H1:site", -1), False),
        (noted("node/k8s-1", 3, LOOKED), False),
        (noted("N6:storage", 3, LOOKED, cause="bob did it"), False),  # it was not found there
    ],
)
def test_a_note_is_asked_whether_a_report_would_show_it(
    note: e.Note, *, counts: bool, tmp_path: Path
) -> None:
    journal = written(tmp_path / "j.db", NIGHT, plan=PLAN)

    assert honours(journal, "run-1", note)[0] is counts


@pytest.mark.parametrize(
    ("finding", "counts"),
    [("N6:storage", True), (APPS, True), ("H1:site", False), ("node/k8s-1", False), (POD, False)],
)
@pytest.mark.parametrize("before", [False, True])
def test_a_note_is_asked_whether_a_report_would_tell_its_cause(
    tmp_path: Path, finding: str, *, counts: bool, before: bool
) -> None:
    """Mutants: ask for its time alone; take any sign; refuse a second word on what somebody has said of it."""
    note = replace(noted(finding, 3, cause="bob did it"), time=None)
    journal = written(tmp_path / "j.db", [*NIGHT, note] if before else NIGHT, plan=PLAN)

    assert honours(journal, "run-1", note) == (False, counts)
    assert any("bob did it" in row.corrected for row in gather(journal).causes) is (
        before and finding == "N6:storage"
    )


def test_a_sign_that_is_not_among_the_first_and_a_note_too_many_count_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {f"crd/{n}": Fact("Failed", since=AT - 2 * HOUR - n) for n in range(SIGNS + 1)}
    night: list[e.AnyEntry] = [
        e.Observed(at=AT, changed=failed),
        e.FindingsChanged(at=AT),
        noted("crd/3", 5, LOOKED),
    ]
    journal = written(tmp_path / "j.db", night)

    assert honours(journal, "run-1", noted("crd/0", 3, LOOKED))[0]
    assert not honours(journal, "run-1", noted("crd/0", 1, LOOKED))[0]
    monkeypatch.setattr(corrections, "MOST", 1)
    assert not honours(journal, "run-1", noted("crd/0", 3, LOOKED))[0]


@pytest.mark.parametrize(("hours", "first"), [(5, True), (1, False)])
def test_who_began_it_is_told_by_a_cause_that_was_first_in_truth(
    hours: float, *, first: bool, tmp_path: Path
) -> None:
    note = noted("C4:a", hours, cause="bob did it")
    story = gather(written(tmp_path / "j.db", [*NIGHT, note]))

    assert any("Who or what began it" in text for text in story.unproven) is not first


def cause(subject: str, since: float, found: float, /, **true: float) -> Cause:
    return Cause(
        id="x",
        rule="T16",
        subject=subject,
        name="x",
        message="m",
        since=since,
        found=found,
        true=true,
    )


def test_what_was_so_before_a_reset_of_ours_is_not_our_doing() -> None:
    planes, own = ["k8s-1"], Own()
    act: dict[str, Any] = {"action": "a1", "verb": RESET, "target": "node/k8s-1"}
    intent = e.ActionIntended(at=AT, attempt=1, epoch=1, deadline_seconds=9.0, **act)
    own.see(intent, {})

    assert own.of(cause("cni", AT + 20, AT + 30), planes, None) == ("k8s-1",)
    assert own.of(cause("cni", AT + 20, AT + 30, since=AT - HOUR), planes, None) == ()


def test_a_node_is_told_as_the_first_look_saw_it_by_since_when_that_was_so() -> None:
    """One that was Ready in between is told as it was found later, and one that people say was not, as first."""
    unready, node = {"k8s/k8s-1": "gone"}, "k8s/k8s-1"

    between = of_root(cause(node, AT + 60, AT + 90), unready, AT)
    never = of_root(cause(node, AT + 60, AT + 90, since=AT - HOUR, found=AT + 80), unready, AT)

    assert (between.text, between.seen, between.true) == ("m", AT + 90, {})
    assert (never.text, never.seen) == ("the node was not Ready: gone", AT)
    assert never.true == {"at": AT - HOUR}


def test_the_notes_say_of_what_it_is(tmp_path: Path) -> None:
    (remark,) = told(tmp_path, noted(APPS, 3, LOOKED)).remarks

    assert remark.corrects == (
        f"since when {APPS} was so, which entry {LOOKED} found 2025-06-12 08:16:00Z: it was "
        "2025-06-12 05:16:00Z"
    )
