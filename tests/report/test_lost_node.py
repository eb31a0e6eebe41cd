"""
A node that was lost, for somebody who reads of it cold: what it was first, how many pods there were, what is to do.

Mutants that turn one of these red: count pods that are on their way out; take the first part of a look for all of it;
tell a node that is back by what it is called then, or as seen then; call nothing left while nothing answers on a
machine; ask why every machine of a new cluster was bare.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import Fact, Finding
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.report.nights import AT, written

BACK = Finding(
    subject="k8s-node/a",
    cause="leftover",
    message="as it was before",
    rule="T15",
    root=True,
    since=AT - 60,
)
RUNS = Fact("running")
UNSEEN = Fact("unseen", "refused: dial tcp")


def seen(at: float, **facts: Fact) -> e.Observed:
    named = {name.replace("__", "-").replace("_", "/"): fact for name, fact in facts.items()}
    return e.Observed(at=AT + at, changed=named)


def pods(at: float, *codes: str) -> e.Observed:
    names = ("pods__existing", "pods__leaving")
    return seen(at, **{name: Fact(code) for name, code in zip(names, codes, strict=False)})


READY = seen(0, pods=Fact("counted", detail={"ready": 91, "expected": 104}))


def told(folder: Path, *entries: e.AnyEntry, **more: Any) -> Story:  # noqa: ANN401
    folder.mkdir(exist_ok=True)
    return gather(written(folder / "j.db", entries, **more))


@pytest.mark.parametrize(
    ("first", "value", "why", "said"),
    [
        (
            (pods(0, "126", "27"),),
            "99 existing, 91 Ready",
            "; beside them 27 deleted pods were on the way out, and count as none",
            "99 existed and 91 were Ready at the first look (beside them 27 deleted pods were on the way out);",
        ),
        (
            (pods(0, "126"), seen(0, pods__leaving=Fact("1"))),
            "125 existing, 91 Ready",
            "; beside them 1 deleted pod was on the way out, and count as none",
            "125 existed and 91 were Ready at the first look (beside them 1 deleted pod was on the way out);",
        ),
        ((pods(0, "99", "0"),), "99 existing, 91 Ready", "", "99 existed and 91 were Ready at the"),
        (
            (pods(0, "126"),),
            "126 existing, 91 Ready",
            "; any on the way out are among them, for this journal does not tell them apart",
            "126 existed and 91 were Ready at the first look;",
        ),
    ],
)
def test_pods_on_their_way_out_are_no_pods_beyond_the_goal(
    tmp_path: Path, first: tuple[e.Observed, ...], value: str, why: str, said: str
) -> None:
    story = told(tmp_path, READY, *first, seen(5, crd_a=Fact("Ready")))

    row = next(row for row in story.metrics if row.name == "Post-incident pod count")
    assert row.value == value
    assert row.why == f"at the first look; only a pod that is Ready serves anybody{why}"
    assert any(said in one for one in story.summary)


def test_the_first_sign_of_a_node_that_is_back_is_what_it_was(tmp_path: Path) -> None:
    shown = seen(0, k8s__node_a=Fact("Progressing", "Kubelet stopped posting node status."))
    later = e.FindingsChanged(at=AT + 500, changed={"T15:k8s-node/a": BACK})
    now = e.FindingsChanged(at=AT, changed={"T15:k8s-node/a": BACK})

    late, once = told(tmp_path / "a", shown, later), told(tmp_path / "b", shown, now)

    said = "the node was not Ready: Kubelet stopped posting node status"
    assert [late.first_signs[0].text, once.first_signs[0].text] == [said, "as it was before"]
    assert [late.first_signs[0].seen, once.first_signs[0].seen] == [AT, AT]
    assert late.first_signs[0].root
    assert late.background[0].endswith(f"before this run began: {said}.")


def test_a_node_that_was_lost_anew_is_told_by_what_it_is_then(tmp_path: Path) -> None:
    """Mutant: take what the first look showed for what began after it."""
    shown = seen(0, k8s__node_a=Fact("Progressing", "Kubelet stopped posting node status."))
    anew = e.FindingsChanged(at=AT + 500, changed={"T15:k8s-node/a": replace(BACK, since=AT + 400)})

    signs = [one for one in told(tmp_path, shown, anew).first_signs if one.root]

    assert [(one.text, one.seen) for one in signs] == [("as it was before", AT + 500)]


def test_who_does_not_answer_at_the_end_has_to_come_back(tmp_path: Path) -> None:
    asked = Fact("unseen", "not-asked")
    story = told(tmp_path, seen(0, node_a=UNSEEN, node_b=RUNS, node_c=asked), seen(9, etcd=RUNS))

    (said,) = (one for one in story.next_steps if one.startswith("Bring back"))
    assert said.startswith("Bring back a, or replace what is gone for good: nothing answered there")
    assert not any("Find out why" in one for one in story.next_steps)
    for text in (page(story), html.page(story)):
        assert "Bring back a, or replace what is gone for good" in text


def test_why_a_machine_was_lost_that_is_back_somebody_has_to_find_out(tmp_path: Path) -> None:
    first = seen(
        0, node_a=UNSEEN, node_b=Fact("maintenance"), node_c=Fact("maintenance"), node_d=RUNS
    )
    back = seen(9, node_a=RUNS, node_b=RUNS, node_c=RUNS)
    note = e.Note(at=AT + 20, text="x", actor="bob", finding="T15:k8s-node/a", cause="a fuse")
    found = e.FindingsChanged(at=AT, changed={"T15:k8s-node/a": BACK})

    open_, known = told(tmp_path / "a", first, back), told(tmp_path / "b", first, found, back, note)

    steps = [one for one in open_.next_steps if one.startswith("Find out why")]
    assert [one.partition(" when this run began")[0] for one in steps] == [
        "Find out why a was without an answer",
        "Find out why b, c were without a configuration",
    ]
    assert not any("Bring back" in one for one in open_.next_steps)
    assert not any("Find out why" in one for one in known.next_steps)


def test_a_cluster_that_is_made_was_not_lost(tmp_path: Path) -> None:
    bare = seen(0, node_a=Fact("maintenance"), node_b=Fact("maintenance"))

    story = told(tmp_path, bare, seen(9, node_a=RUNS, node_b=RUNS))

    assert not any("Find out why" in one for one in story.next_steps)
