"""
What is kept between looks is kept for as long as the questions behind it have the same answers.

Mutants, killed here: a question that is not written down; one that is compared as another kind of question.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from journal.entries import Finding
from phases.diagnosis.rule import Proof, Rule, ask
from phases.diagnosis.scene import Kept, Scene
from phases.pod_logs import LogLook
from phases.snapshot import Holder, NodeLook, Seen, Snapshot, Unseen

POD, OTHER = object(), object()
HOLDER = Holder("g", "v1", "widgets", "Widget", "apps", "w", "u7", ("g/keep",))


def look(at: float = 100.0, pods: Any = None, **fields: Any) -> Snapshot:  # noqa: ANN401
    listed = Seen({"a/b": POD} if pods is None else pods, at)
    return Snapshot(at=at, objects={"Pod": listed}, **fields)


@pytest.mark.parametrize(
    ("ask", "before", "after"),
    [
        (lambda scene: scene.passed(150.0), look(100.0), look(200.0)),
        (lambda scene: scene.older(100.0, 50.0), look(100.0), look(150.0)),
        (lambda scene: scene.of("Pod"), look(), look(pods={"a/b": OTHER})),
        (lambda scene: scene.of("Pod"), look(), look(pods={"a/b": POD})),
        (lambda scene: scene.get("Pod", "a/b"), look(), look(pods={"a/b": OTHER})),
        (lambda scene: scene.get("Pod", "c/d"), look(), look(pods={"c/d": OTHER})),
        (lambda scene: scene.seen("Node"), look(), Snapshot(100.0, objects={"Node": Seen({}, 1)})),
        (
            lambda scene: scene.holders("namespace/a"),
            look(),
            look(holders={"namespace/a": Seen((HOLDER,), 100.0)}),
        ),
        (
            lambda scene: scene.log("a/b"),
            look(logs={"a/b": Seen(LogLook("u"), 100.0)}),
            look(logs={"a/b": Seen(LogLook("u", unconnected_since=90.0), 100.0)}),
        ),
        (
            lambda scene: scene.machines(),
            look(nodes={"n": Seen(NodeLook("running"), 100.0)}),
            look(nodes={"n": Seen(NodeLook("booting"), 100.0)}),
        ),
        (
            lambda scene: scene.machines(),
            look(nodes={"n": Seen(NodeLook("running"), 100.0)}),
            look(nodes={"n": Unseen(100.0, "silent")}),
        ),
    ],
)
def test_a_new_answer_is_worked_out_anew(
    ask: Callable[[Scene], object], before: Snapshot, after: Snapshot
) -> None:
    kept: dict[str, Kept] = {}
    made: list[object] = []

    def work(scene: Scene) -> Callable[[], int]:
        def make() -> int:
            made.append(scene.once("inner", lambda: ask(scene)))
            return len(made)

        return make

    for snapshot in (before, before, after, after):
        scene = Scene(snapshot, None, kept)
        scene.once("outer", work(scene))

    assert len(made) == 2
    assert made[1] == ask(Scene(after))


def test_time_that_changes_no_answer_works_out_nothing() -> None:
    """A node that says the same again, and objects that are the same mapping, are no news."""
    kept: dict[str, Kept] = {}
    pods = {"a/b": POD}
    made: list[object] = []
    for at in (100.0, 101.0, 102.0):
        scene = Scene(look(at, pods, nodes={"n": Seen(NodeLook("running"), at)}), None, kept)
        scene.once("all", partial(_ask_all, scene, made))

    assert len(made) == 1


def _ask_all(scene: Scene, made: list[object]) -> None:
    made.append((scene.passed(50.0), scene.of("Pod"), scene.machines(), scene.seen("Pod")))


def test_a_mistake_in_a_rule_is_a_finding_and_names_nothing_that_it_was_asked_about() -> None:
    def broken(_scene: Scene) -> tuple[Finding, ...]:
        message = "hunter2"
        raise KeyError(message)

    rule = Rule("X1", "a mistake", Proof.SOURCE, "nowhere", broken)

    (found,) = ask([rule], Scene(look())).values()
    assert (found.cause, found.rule, found.clears_itself) == ("rule-failed", "X1", "unknown")
    assert "KeyError" in found.message
    assert "hunter2" not in found.message
