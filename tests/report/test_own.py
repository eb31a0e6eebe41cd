"""
What follows from a reset that this run was asked for is its own doing, and nothing that befell it.

Mutants that turn one of these red: leave out that it began after the reset, or before the machine was back; take a
reset that was refused; take a Node for Ready that is of before the reset; take one reset for that of the whole cluster,
or the cluster for new for ever; take a cause that names another machine too, or one of Git; leave etcd to workers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding, Outcome
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.report.nights import AT, written

PLANES = ("a", "b")
PLAN = {
    "section": {
        "talos": {
            "nodes": {
                **{name: {"role": "controlplane"} for name in PLANES},
                "w": {"role": "worker"},
            }
        }
    }
}


def reset(at: float, name: str = "a", outcome: Outcome = Outcome.DONE) -> list[e.AnyEntry]:
    act: dict[str, Any] = {"action": f"r{name}", "verb": "node.reset", "target": f"node/{name}"}
    intent = e.ActionIntended(
        at=AT + at, attempt=1, epoch=1, deadline_seconds=9.0, arguments={"boot_id": "b1"}, **act
    )
    return [intent, e.ActionSettled(at=AT + at + 1, outcome=outcome, by="probe", **act)]


def seen(at: float, name: str, code: str) -> e.Observed:
    return e.Observed(at=AT + at, changed={f"k8s-node/{name}": Fact(code)})


def runs(at: float, boot: str = "b2", name: str = "a") -> e.Observed:
    return e.Observed(
        at=AT + at, changed={f"node/{name}": Fact("running", detail={"boot_id": boot})}
    )


def found(
    at: float,
    rule: str,
    subject: str,
    *victims: str,
    since: float | None = None,
    clears: str = "unknown",
) -> e.AnyEntry:
    finding = Finding(
        subject=subject,
        cause="c",
        message="it is ill",
        rule=rule,
        root=True,
        blocks=victims,
        victims=victims,
        since=None if since is None else AT + since,
    )
    finding = replace(finding, clears_itself=clears)
    return e.FindingsChanged(at=AT + at, changed={f"{rule}:{subject}": finding})


def moved(at: float) -> e.Moved:
    return e.Moved(at=AT + at, source="pods-healthy", target="done", why="all is well")


def told(folder: Path, *entries: e.AnyEntry, initial: str = "node-maintenance") -> Story:
    return gather(written(folder / "j.db", entries, plan=PLAN, initial=initial))


BARE = ("T1", "unconfigured-machines", "node/a")
BACK = [runs(40), seen(50, "a", "Ready")]
BOTH = [*reset(10), *reset(20, "b")]
OURS: dict[str, tuple[list[e.AnyEntry], str]] = {
    "a machine that was reset is bare": ([*reset(10), found(20, *BARE)], "a"),
    "its pods hang": ([*reset(10), found(20, "L20", "pods-on/a")], "a"),
    "its Node is out of date": ([*reset(10), found(20, "T15", "k8s-node/a")], "a"),
    "the second that the API tells is cut": (
        [*reset(10.9), found(20, "T15", "k8s-node/a", since=10.0)],
        "a",
    ),
    "its Node is of before": (
        [seen(0, "a", "Ready"), *reset(10), runs(13, "b1"), runs(14, "b1"), found(20, *BARE)],
        "a",
    ),
    "it runs, and its Node does not yet": ([*reset(10), runs(15), found(20, *BARE)], "a"),
    "both are bare": ([*BOTH, found(30, *BARE, "node/b")], "a, b"),
    "etcd lacks a control plane": ([*reset(10), *reset(11, "w"), found(20, "T19", "etcd")], "a"),
    "the cluster began anew": ([*BOTH, found(30, "F1", "deployment/f/k")], "a, b"),
    "and is not well yet": ([*BOTH, *BACK, found(70, "T16", "cni", "k8s-node/a")], "a, b"),
}
NOT_OURS: dict[str, list[e.AnyEntry]] = {
    "it was so before": [*reset(10), found(20, *BARE[:2], "node/a", since=5.0)],
    "the reset was refused": [*reset(10, outcome=Outcome.FAILED), found(20, *BARE)],
    "the machine was back": [*reset(10), *BACK, found(60, *BARE)],
    "another machine is bare": [*reset(10), found(20, "T1", "unconfigured-machines", "node/b")],
    "another machine is bare as well": [*reset(10), found(20, *BARE, "node/w")],
    "etcd, and a worker was reset": [*reset(10, "w"), found(20, "T19", "etcd")],
    "a part of the cluster was reset": [*reset(10), found(20, "F1", "deployment/f/k")],
    "it is of Git": [*BOTH, found(30, "C4", "crd/x", "node/a")],
    "all was well in between": [*BOTH, moved(40), found(70, "F1", "deployment/f/k")],
}


@pytest.mark.parametrize("name", OURS)
def test_what_follows_from_our_reset_is_said_to_be_our_doing(tmp_path: Path, name: str) -> None:
    entries, machines = OURS[name]

    story = told(tmp_path, *entries, initial="pods-healthy")

    said = f"follows from our reset of {machines}"
    (cause,) = story.causes
    assert ", ".join(cause.ours) == machines
    for text in (page(story), html.page(story)):
        assert f"Our own doing: it {said}." in text
    (row,) = (line for line in page(story).splitlines() if line.endswith(f"| {said} |"))
    assert "it is ill" in row
    assert any(f", which {said}." in one for one in story.background)


def test_the_summary_says_of_a_cause_of_ours_that_it_is_ours(tmp_path: Path) -> None:
    """Mutant: leave it out of ``_caused``."""
    lasts = found(30, "T16", "cni", "k8s-node/a", clears="no")
    looked = e.Observed(at=AT, changed={"crd/x": Fact("Ready")})

    story = told(tmp_path, looked, *reset(10), lasts)

    assert "(1) it is ill (follows from our reset of a)." in story.summary


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_does_not_follow_from_it_is_not(tmp_path: Path, name: str) -> None:
    story = told(tmp_path, *NOT_OURS[name], initial="pods-healthy")

    assert [cause.ours for cause in story.causes] == [()]
    assert "our reset of" not in page(story)
