"""Pods are counted once, and again when they change: what comes out is what counting all of them gives."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from phases import tally
from phases.facts import reduce
from phases.followed import FOLLOWED_AT_LEAST, Followed
from phases.objects import Pod, Waiting
from phases.readiness.pods import stuck
from phases.snapshot import KINDS, Seen, Snapshot
from phases.tally import PodTally
from tests.phases.making import plan


def pod(
    name: str,
    reason: str = "",
    restarts: int = 0,
    namespace: str = "apps",
    phase: str = "",
    deleted: str | None = None,
) -> Pod:
    state = {"waiting": {"reason": reason}} if reason else {}
    body = {
        "metadata": {"namespace": namespace, "name": name, "deletionTimestamp": deleted},
        "status": {
            "phase": phase,
            "containerStatuses": [{"restartCount": restarts, "state": state}],
        },
    }
    return msgspec.convert(body, Pod)


def many(count: int) -> Followed:
    return Followed({f"apps/p{n:05}": pod(f"p{n:05}", restarts=1) for n in range(count)})


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[Pod]:
    """The pods that are looked at."""
    looked: list[Pod] = []
    real = stuck

    def counted(found: Pod) -> Waiting | None:
        looked.append(found)
        return real(found)

    monkeypatch.setattr(tally, "stuck", counted)
    return looked


def test_one_changed_pod_does_not_judge_the_others_again(judged: list[Pod]) -> None:
    """Mutant: let ``changed_since`` return None."""
    the_plan, objects = plan(), many(500)
    shown: dict[str, Any] = {kind: Seen({}, 1.0) for kind in KINDS}
    reduce(the_plan, Snapshot(at=1.0, objects={**shown, "Pod": Seen(objects, 1.0)}))
    assert 500 == len(judged)
    judged.clear()

    after = objects.after([("apps/p00007", pod("p00007", "CrashLoopBackOff", 3))])
    facts = reduce(the_plan, Snapshot(at=2.0, objects={**shown, "Pod": Seen(after, 2.0)}))

    assert [after["apps/p00007"]] == judged
    assert "502" == facts["restarts"].code
    assert "CrashLoopBackOff" == facts["pod/apps/p00007"].reason


def test_a_look_that_shares_nothing_with_the_last_one_is_counted_whole(judged: list[Pod]) -> None:
    """A list after a gap, a plain mapping, an earlier look: nobody knows what differs."""
    counted = PodTally(["apps"])
    first = many(3)
    second = first.after([("apps/p00000", None)])
    for listed in (first, second, first, dict(first), many(3)):
        facts = counted.facts_of(listed)
        assert str(len(listed)) == facts["restarts"].code

    assert 3 + 0 + 3 + 3 + 3 == len(judged)


def test_of_two_plain_looks_only_what_is_not_the_same_is_judged(judged: list[Pod]) -> None:
    """Mutants: judge all of a plain mapping again; forget what is not in the second one."""
    counted = PodTally(["apps"])
    first = dict(many(3))
    other = pod("p00001", "CrashLoopBackOff", 7)
    second = {"apps/p00001": other, "apps/p00002": first["apps/p00002"]}
    counted.facts_of(first)
    judged.clear()

    facts = counted.facts_of(second)

    assert [other] == judged
    assert "8" == facts["restarts"].code
    assert "CrashLoopBackOff" == facts["pod/apps/p00001"].reason


def test_a_pod_exists_until_it_has_ended_or_is_gone() -> None:
    """Mutants: count what has run to its end; forget to take out a pod that is gone; count other namespaces."""
    first = Followed(
        {
            "apps/job": pod("job", phase="Running"),
            "apps/waits": pod("waits", phase="Pending"),
            "other/x": pod("x", namespace="other", phase="Running"),
        }
    )
    counted = PodTally(["apps"])

    assert "2" == counted.facts_of(first)["pods-existing"].code
    ended = first.after([("apps/job", pod("job", phase="Succeeded"))])
    assert "1" == counted.facts_of(ended)["pods-existing"].code
    gone = ended.after([("apps/waits", None)])
    assert "0" == counted.facts_of(gone)["pods-existing"].code


def test_a_pod_that_was_deleted_and_is_listed_still_is_on_its_way_out() -> None:
    """Mutants: count all that exist; what has ended; other namespaces; forget to take out what went."""
    at = "2025-06-12T08:00:00Z"
    first = Followed(
        {
            "apps/hangs": pod("hangs", phase="Running", deleted=at),
            "apps/ended": pod("ended", phase="Failed", deleted=at),
            "apps/heir": pod("heir", phase="Pending"),
            "other/x": pod("x", namespace="other", phase="Running", deleted=at),
        }
    )
    counted = PodTally(["apps"])
    named = ("pods-existing", "pods-leaving")

    assert ["2", "1"] == [counted.facts_of(first)[name].code for name in named]
    gone = first.after([("apps/hangs", None)])
    assert ["1", "0"] == [counted.facts_of(gone)[name].code for name in named]


def test_what_came_one_from_the_other_stays_as_it_was() -> None:
    """Mutant: change the mapping in place."""
    first = many(2)
    second = first.after([("apps/new", pod("new")), ("apps/p00001", None)])

    assert ["apps/p00000", "apps/p00001"] == list(first)
    assert ["apps/p00000", "apps/new"] == list(second)
    assert {"apps/new", "apps/p00001"} == second.changed_since(first)
    assert first.changed_since(second) is None


def test_two_futures_of_one_look_are_not_mixed() -> None:
    """Mutant: share the list whoever else has grown it."""
    first = many(2)
    one = first.after([("apps/p00000", None)])
    other = first.after([("apps/p00001", None)])

    assert {"apps/p00000"} == one.changed_since(first)
    assert other.changed_since(first) is None
    assert other.changed_since(one) is None


def test_the_list_of_changes_does_not_grow_for_ever() -> None:
    """Mutant: never leave the list behind."""
    objects = many(2)
    for _ in range(3 * FOLLOWED_AT_LEAST):
        objects = objects.after([("apps/p00000", pod("p00000"))])

    assert len(objects.log) <= FOLLOWED_AT_LEAST + 1


@pytest.mark.parametrize("seed", range(20))
def test_following_gives_what_counting_anew_gives(seed: int) -> None:
    dice = random.Random(seed)
    followed, plain, objects = PodTally(["apps"]), PodTally(["apps"]), Followed()
    for _ in range(60):
        objects = objects.after([_change(dice) for _ in range(dice.randrange(4))])
        if dice.random() < 0.7:
            assert _whole(objects) == followed.facts_of(objects)
            assert _whole(objects) == plain.facts_of(dict(objects))


def _change(dice: random.Random) -> tuple[str, Pod | None]:
    name, namespace = f"p{dice.randrange(80)}", dice.choice(["apps", "apps", "elsewhere"])
    if dice.random() < 0.2:
        return f"{namespace}/{name}", None
    reason = dice.choice(["", "CrashLoopBackOff", "ErrImagePull", "ContainerCreating"])
    phase = dice.choice(["", "Running", "Succeeded", "Failed"])
    return f"{namespace}/{name}", pod(name, reason, dice.randrange(3), namespace, phase)


def _whole(listed: Mapping[str, Any]) -> Mapping[str, Any]:
    return PodTally(["apps"]).facts_of(dict(listed))
