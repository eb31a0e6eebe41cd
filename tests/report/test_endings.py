"""
A cause is over when what clears it came true by the facts of what it is about, and not when its finding went.

Mutants: take ``cleared`` for the end in ``Cause.end`` or in ``lessons``; forget ``Causes.observe``; end a cause by an
instant from before it was found; let a finding that comes again keep the watch of the old one; await an end of which
nothing is kept any more.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding
from journal.reader import Reader
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.reasons import Cause
from rekindle.report.story import Story
from rekindle.spans import stamp, whole
from tests.report.conftest import Night
from tests.report.nights import AT, written

SPACE = "namespace/storage"
HELD = Finding(
    subject=SPACE,
    cause="held",
    message="namespace storage is held",
    rule="N6",
    root=True,
    clears_itself="no",
    clears_when="the namespace is gone, or Active again",
    since=AT - 60,
)
KEY = f"N6:{SPACE}"


def seen(at: float, code: str, since: float | None = None, name: str = SPACE) -> e.Observed:
    return e.Observed(at=at, changed={name: Fact(code, since=since)})


def first(path: Path, subject: str, codes: set[str], after: float) -> float:
    """The instant of the first fact after *after* whose code is one of these, as the journal has it."""
    with Reader(path) as reader:
        for row in reader.rows():
            entry = row.entry
            if isinstance(entry, e.Observed) and entry.at >= after and subject in entry.changed:
                fact = entry.changed[subject]
                if fact.code in codes:
                    return fact.since if fact.since is not None else entry.at
    raise AssertionError(subject)


def of(story: Story, rule: str) -> Cause:
    return next(cause for cause in story.causes if cause.rule == rule)


@pytest.mark.parametrize(
    ("rule", "subjects", "codes"),
    [
        ("N6", [SPACE], {"Absent", "Ready"}),
        ("C4", ["crd/externalsecrets.external-secrets.io"], {"Ready"}),
        ("T16", ["k8s-node/k8s-1", "k8s-node/k8s-2", "k8s-node/k8s-3"], {"Ready"}),
        ("L2", ["daemonset/kube-system/cilium"], {"Ready"}),
        ("E1", ["store/onepassword"], {"Ready"}),
    ],
)
def test_the_ends_of_a_night_are_those_of_the_facts_in_its_journal(
    night: Night, rule: str, subjects: list[str], codes: set[str]
) -> None:
    cause = of(night.story, rule)
    facts = max(first(night.path, subject, codes, cause.found) for subject in subjects)

    assert cause.over is not None
    assert whole(cause.over) == whole(facts)
    for text in (page(night.story), html.page(night.story)):
        assert f"gone {stamp(facts)}" in text


def test_a_lesson_counts_to_the_end_that_the_facts_tell(night: Night) -> None:
    held = next(one for one in night.story.challenges if "namespace storage" in one)

    assert held.startswith("For 2 h 8 m 16 s: namespace storage is Terminating")


def told(folder: Path, *entries: e.AnyEntry) -> Story:
    folder.mkdir(exist_ok=True)
    found = [
        seen(AT, "Terminating", AT - 60),
        e.FindingsChanged(at=AT + 1, changed={KEY: HELD}),
        *entries,
    ]
    return gather(written(folder / "j.db", found))


def test_an_end_that_has_not_come_is_not_said_to_have_come(tmp_path: Path) -> None:
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))

    story = told(tmp_path, gone, e.Note(at=AT + 30, text="x", actor="bob"))
    (cause,) = story.causes

    assert (cause.cleared, cause.over, cause.awaited, cause.end) == (AT + 9, None, True, None)
    said = "not found any more at the look of 2025-06-12 08:16:09Z, 8 s after it was found; what clears it was not seen"
    assert said in page(story)
    assert said in html.page(story)
    assert story.challenges[0] == "For 1 m 30 s, and still: namespace storage is held."


def test_an_end_before_the_look_that_missed_it_counts(tmp_path: Path) -> None:
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))

    (cause,) = told(tmp_path, seen(AT + 5, "Absent", AT + 4.5), gone).causes

    assert (cause.over, cause.cleared, cause.awaited) == (AT + 4.5, AT + 9, False)


def test_what_came_and_went_is_no_end(tmp_path: Path) -> None:
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))
    back = [seen(AT + 3, "Ready"), seen(AT + 5, "Terminating")]

    (cause,) = told(tmp_path, *back, gone, seen(AT + 20, "Absent", AT - 900)).causes

    assert cause.over == AT + 20


def test_an_object_that_is_hidden_is_not_over(tmp_path: Path) -> None:
    """Mutant: take whatever is not Terminating for over."""
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))

    (cause,) = told(tmp_path, gone, seen(AT + 20, "Unobservable")).causes
    (later,) = told(
        tmp_path / "2", gone, seen(AT + 20, "Unobservable"), seen(AT + 25, "Absent")
    ).causes

    assert (cause.over, cause.awaited) == (None, True)
    assert later.over == AT + 25


def test_an_object_that_is_ready_by_nobodys_proof_is_not_well(tmp_path: Path) -> None:
    """Mutant: take Ready for well, verified or not."""
    store = "store/onepassword"
    ill = replace(HELD, subject=store, rule="E1", message="the store is not valid")
    unproven = Fact("Ready", detail={"verified": False})
    entries: list[e.AnyEntry] = [
        seen(AT, "Failed", name=store),
        e.FindingsChanged(at=AT + 1, changed={f"E1:{store}": ill}),
        e.FindingsChanged(at=AT + 9, cleared=(f"E1:{store}",)),
        e.Observed(at=AT + 12, changed={store: unproven}),
    ]

    (cause,) = gather(written(tmp_path / "j.db", entries)).causes
    (later,) = gather(
        written(tmp_path / "k.db", [*entries, seen(AT + 15, "Ready", name=store)])
    ).causes

    assert (cause.over, cause.awaited) == (None, True)
    assert later.over == AT + 15


def test_an_objects_instant_that_has_not_come_yet_is_none(tmp_path: Path) -> None:
    """A cluster's clock may be ahead of this machine's. Mutant: take an instant from after the look."""
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))

    (cause,) = told(tmp_path, seen(AT + 5, "Absent", AT + 900), gone).causes

    assert cause.over == AT + 5


def test_a_cause_that_comes_again_is_another_one(tmp_path: Path) -> None:
    gone = e.FindingsChanged(at=AT + 9, cleared=(KEY,))
    again = e.FindingsChanged(at=AT + 12, changed={KEY: HELD})

    first_one, second = told(tmp_path, gone, again, seen(AT + 20, "Absent")).causes

    assert first_one.over is None
    assert (first_one.awaited, first_one.end) == (False, AT + 9)
    assert (second.cleared, second.over) == (None, None)


@pytest.mark.parametrize(
    ("listed", "back", "awaited"),
    [
        # Of what the plan has no longer, or nothing names; then where no namespace can be listed.
        ("Seen", "", False),
        ("Unobservable", "", True),
        ("", "", True),
        ("Seen", "Terminating", True),
    ],
)
def test_no_end_is_awaited_of_what_no_fact_is_kept_of_any_more(
    listed: str, back: str, *, awaited: bool, tmp_path: Path
) -> None:
    kind = {"kind/Namespace": Fact(listed)} if listed else {}
    entries: list[e.AnyEntry] = [
        e.FindingsChanged(at=AT + 9, cleared=(KEY,)),
        e.Observed(at=AT + 12, removed=(SPACE,), changed=kind),
        *([seen(AT + 20, back)] if back else []),
        e.Note(at=AT + 30, text="x", actor="bob"),
    ]

    story = told(tmp_path, *entries)
    (cause,) = story.causes

    assert (cause.over, cause.awaited, cause.end) == (None, awaited, None if awaited else AT + 9)
    assert ("and still" in story.challenges[0]) is awaited


def test_an_end_is_awaited_while_one_of_several_objects_still_tells(tmp_path: Path) -> None:
    one, two = "k8s-node/n1", "k8s-node/n2"
    net = Finding(
        subject="cni", cause="x", message="no CNI", rule="T16", root=True, blocks=(one, two)
    )
    entries: list[e.AnyEntry] = [
        e.Observed(at=AT, changed={"kind/Node": Fact("Seen")}),
        seen(AT, "Progressing", name=one),
        seen(AT, "Progressing", name=two),
        e.FindingsChanged(at=AT + 1, changed={"T16:cni": net}),
        e.FindingsChanged(at=AT + 3, cleared=("T16:cni",)),
        e.Observed(at=AT + 4, removed=(one,)),
    ]

    (cause,) = gather(written(tmp_path / "j.db", entries)).causes
    (later,) = gather(
        written(tmp_path / "k.db", [*entries, seen(AT + 5, "Ready", name=two)])
    ).causes

    assert (cause.awaited, cause.end) == (True, None)
    assert (later.awaited, later.over, later.end) == (False, None, AT + 3)


def test_where_no_fact_tells_the_look_is_named(tmp_path: Path) -> None:
    other = Finding(
        subject="pods", cause="x", message="it hung", rule="L9", root=True, clears_itself="no"
    )
    entries = [
        e.FindingsChanged(at=AT + 1, changed={"L9:pods": other}),
        e.FindingsChanged(at=AT + 9, cleared=("L9:pods",)),
    ]

    story = gather(written(tmp_path / "j.db", entries))

    assert story.causes[0].over is None
    assert "not found any more at the look of 2025-06-12 08:16:09Z, 8 s after" in page(story)
    assert story.challenges[0] == "For about 8 s: it hung."


def test_a_cause_that_grows_is_over_with_the_objects_that_it_then_names(tmp_path: Path) -> None:
    one, two = "k8s-node/n1", "k8s-node/n2"
    net = Finding(
        subject="cni", cause="x", message="no CNI", rule="T16", root=True, blocks=(one, two)
    )
    more = replace(net, blocks=(two,), victims=("a", "b"))
    entries: list[e.AnyEntry] = [
        seen(AT, "Progressing", name=one),
        seen(AT, "Progressing", name=two),
        e.FindingsChanged(at=AT + 1, changed={"T16:cni": net}),
        seen(AT + 2, "Ready", name=one),
        e.FindingsChanged(at=AT + 3, changed={"T16:cni": more}),
        seen(AT + 4, "Failed", name=one),
        e.FindingsChanged(at=AT + 5, cleared=("T16:cni",)),
        seen(AT + 6, "Ready", name=two),
    ]

    (cause,) = gather(written(tmp_path / "j.db", entries)).causes

    assert (cause.cleared, cause.over, cause.awaited) == (AT + 5, AT + 6, False)


def of_etcd(at: float, code: str, quorum: str = "") -> e.Observed:
    return e.Observed(at=at, changed={"etcd": Fact(code, since=at, detail={"quorum": quorum})})


@pytest.mark.parametrize(
    ("cause", "shown", "over"),
    [
        ("quorum-lost", ("forming", "learner"), AT + 60),
        ("quorum-lost", ("healthy", "healthy"), AT + 60),
        ("quorum-lost", ("forming", "unknown"), None),
        ("quorum-lost", ("none", "starting"), None),
        ("quorum-lost", ("unknown", "unknown"), None),
        ("quorum-in-danger", ("healthy", "healthy"), None),
    ],
)
def test_a_lost_quorum_is_over_once_members_are_told_again(
    tmp_path: Path, cause: str, shown: tuple[str, str], over: float | None
) -> None:
    """
    Not once a machine of it is out of sight.

    Mutants: leave the rule out of ``_objects``, or its cause; take any list for a quorum.
    """
    lost = Finding(subject="etcd", cause=cause, message="m", rule="T19", root=True)
    entries: list[e.AnyEntry] = [
        of_etcd(AT, "lost", "lost"),
        e.FindingsChanged(at=AT + 1, changed={"T19:etcd": lost}),
        of_etcd(AT + 20, "unknown", "unknown"),
        e.FindingsChanged(at=AT + 25, cleared=("T19:etcd",)),
        of_etcd(AT + 60, *shown),
    ]

    (found,) = gather(written(tmp_path / "j.db", entries)).causes

    awaited = over is None and cause == "quorum-lost"
    assert (found.over, found.cleared, found.awaited) == (over, AT + 25, awaited)
