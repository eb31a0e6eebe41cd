"""
What was gone from a control plane, and by nobody of this run: only what is proven is said, and no name is given.

Mutants that turn one of these red: take the stage for a proof; leave a beginning, or another member's id, out of the
proofs; take our own reset for somebody's; forget that the machine was exchanged, or lost its configuration as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.entries import Fact, Outcome
from rekindle.report import html
from rekindle.report.gather import gather
from rekindle.report.markdown import page
from rekindle.report.story import Story
from tests.report.nights import AT, written

NODE = "node/k8s-1"


def seen(at: float, code: str, boot: str = "b1", **detail: Any) -> e.Observed:  # noqa: ANN401
    shown = {"role": "controlplane", "uuid": "u1", "boot_id": boot, **detail}
    return e.Observed(at=AT + at, changed={NODE: Fact(code, detail=shown)})


def ran(at: float, boot: str = "b1", member: str = "m1") -> e.Observed:
    return seen(at, "unhealthy", boot, etcd="Running", member_id=member)


def waits(at: float, boot: str = "b2", **detail: Any) -> e.Observed:  # noqa: ANN401
    return seen(at, "waits-for-etcd", boot, etcd="Preparing", **detail)


def act(at: float, verb: str, outcome: Outcome = Outcome.DONE, **more: Any) -> list[e.AnyEntry]:  # noqa: ANN401
    named: dict[str, Any] = {"action": f"a{at}", "verb": verb, "target": NODE}
    intent = e.ActionIntended(at=AT + at, attempt=1, epoch=1, deadline_seconds=9.0, **named)
    settled = e.ActionSettled(at=AT + at + 1, outcome=outcome, **named, **more)
    return [intent, settled]


def told(folder: Path, *entries: e.AnyEntry) -> Story:
    return gather(written(folder / "j.db", entries))


AWAY = e.Observed(at=AT + 5, changed={NODE: Fact("unseen", "no answer")})
RECOVERED = act(30, "etcd.recover")
PROVEN: dict[str, list[e.AnyEntry]] = {
    "a recovery that was taken": [ran(1), AWAY, waits(9), *RECOVERED],
    "a bootstrap that was taken": [ran(1), waits(9), *act(30, "etcd.bootstrap")],
    "another member": [ran(1), AWAY, waits(9), ran(40, "b2", "m2")],
    "another member that told late": [ran(1), waits(9), ran(40, "b2", ""), ran(41, "b2", "m2")],
    "a reset that was refused": [
        ran(1),
        *act(2, "node.reset", Outcome.FAILED),
        waits(9),
        *RECOVERED,
    ],
    "a reset of an earlier life": [*act(0, "node.reset"), ran(5), waits(9), *RECOVERED],
}
NOT_PROVEN: dict[str, list[e.AnyEntry]] = {
    "nobody began etcd there": [ran(1), AWAY, waits(9)],
    "the recovery was refused": [ran(1), waits(9), *act(30, "etcd.recover", Outcome.FAILED)],
    "the same member came back": [ran(1), waits(9), ran(40, "b2"), waits(60, "b2"), *RECOVERED],
    "the same member told late": [ran(1), waits(9), ran(40, "b2", ""), ran(41, "b2"), *RECOVERED],
    "the same boot": [ran(1), waits(9, "b1"), *RECOVERED],
    "it never ran": [waits(9), *RECOVERED],
    "we reset it": [ran(1), *act(2, "node.reset"), waits(9), *RECOVERED],
    "another machine": [ran(1), waits(9, uuid="u2"), *RECOVERED],
    "wiped as a whole": [ran(1), seen(5, "maintenance", ""), waits(9), *RECOVERED],
}


@pytest.mark.parametrize("name", PROVEN)
def test_what_is_proven_to_be_gone_is_a_deed_of_nobody_we_know(tmp_path: Path, name: str) -> None:
    story = told(tmp_path, *PROVEN[name])

    (deed,) = story.by_hand
    assert (deed.at, deed.verb, deed.target) == (AT + 9, "etcd.emptied", NODE)
    said = "The etcd data of k8s-1 was gone at 2025-06-12 08:16:09Z: etcd had run there, and after"
    for text in (page(story), html.page(story)):
        assert said in text
        assert "No action of this run did that; who or what did is not in its journal." in text
        assert "etcd.emptied" in text.partition("Configuration Changes")[0]
    assert (
        "Find out who or what emptied etcd of k8s-1: no action of this run did." in story.next_steps
    )
    assert any(one.startswith("Who did what was done by hand") for one in story.unproven)


def test_its_time_can_be_corrected(tmp_path: Path) -> None:
    """Mutant: it bears no entry of its own instant."""
    proven = PROVEN["a recovery that was taken"]
    seq = 3 + proven.index(next(one for one in proven if one.at == AT + 9))  # after opening, lease
    note = e.Note(at=AT + 90, text="x", actor="bob", corrects=seq, said=AT + 9, time=AT + 7)

    story = told(tmp_path, *proven, note)

    said = "was gone at 2025-06-12 08:16:09Z [corrected: 2025-06-12 08:16:07Z]: etcd had run"
    assert any(said in one for one in story.background)


@pytest.mark.parametrize("name", NOT_PROVEN)
def test_what_is_not_proven_is_not_said(tmp_path: Path, name: str) -> None:
    story = told(tmp_path, *NOT_PROVEN[name])

    assert story.by_hand == ()
    assert not any("etcd data" in one for one in story.background)


@pytest.mark.parametrize("begun", [(), RECOVERED])
def test_it_is_told_once_and_again_when_it_happens_again(
    tmp_path: Path, begun: Sequence[e.AnyEntry]
) -> None:
    again = [ran(40, "b2", "m2"), waits(50, "b3"), *act(60, "etcd.recover")]

    story = told(tmp_path, ran(1), waits(9), *begun, *again)

    assert [deed.at for deed in story.by_hand] == [AT + 9, AT + 50]
