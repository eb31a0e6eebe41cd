"""What is known of the cluster, and how fresh it is."""

from __future__ import annotations

import pytest

from phases.snapshot import KINDS, MORE_KINDS, ApiLook, Seen, Unseen
from rekindle.adapters.apiserver import ApiReport
from rekindle.adapters.known import Known
from rekindle.adapters.reports import Changes, Silence, Whole


def test_a_quiet_watch_is_as_fresh_as_the_apis_last_answer() -> None:
    """Mutant: ``_take_api`` without ``confirm``; then a cut after a quiet hour makes all of it unknown at once."""
    known = Known(())
    known.take(Whole("Node", 1.0, {}))
    known.take(ApiReport(Seen(ApiLook(serving=True), 100.0)))
    known.take(Silence("Node", 105.0, "odd", "cut"))

    assert known.snapshot(106.0).objects["Node"] == Seen({}, 100.0)
    assert isinstance(known.snapshot(111.0).objects["Node"], Unseen)


@pytest.mark.parametrize("look", [ApiLook({"cp-1": False}), ApiLook(limited=True)])
def test_an_api_that_does_not_serve_confirms_nothing(look: ApiLook) -> None:
    """An API server without etcd still knows who may do what. Mutants: confirm whatever the API says, or a refusal."""
    known = Known(())
    known.take(Whole("Node", 1.0, {}))
    known.take(ApiReport(Seen(look, 100.0)))

    assert known.snapshot(101.0).objects["Node"] == Seen({}, 1.0)


def test_registrations_are_looked_at_and_one_that_may_not_be_listed_is_unseen_alone() -> None:
    """Mutant: leave the three kinds to diagnosis; then no run ever sees what a dead one holds up."""
    known = Known(())
    known.take(Whole("Node", 1.0, {}))
    known.take(Whole("MutatingWebhookConfiguration", 1.0, {}))
    known.take(Silence("APIService", 1.0, "denied", "forbidden"))

    objects = known.snapshot(2.0).objects

    assert isinstance(objects["APIService"], Unseen)
    assert objects["APIService"].code == "denied"
    assert objects["MutatingWebhookConfiguration"] == Seen({}, 1.0)
    assert objects["Node"] == Seen({}, 1.0)


@pytest.mark.parametrize("kind", MORE_KINDS)
def test_what_only_rules_read_is_followed_and_wakes_nobody(kind: str) -> None:
    """Mutants: watch ``KINDS`` alone; let any change wake: the endpoints of fifty thousand pods would make turns."""
    known = Known(())
    woke = [
        known.take(report)
        for report in (
            Whole(kind, 1.0, {}),
            Changes(kind, 2.0, (("apps/web", object()),)),
            Silence(kind, 3.0, "silent", "cut"),
        )
    ]

    looked_at = known.snapshot(4.0).objects[kind]

    assert isinstance(looked_at, Seen)
    assert list(looked_at.value) == ["apps/web"]
    assert woke == [False, False, False]


def test_what_a_run_is_judged_by_wakes_it() -> None:
    known = Known(())

    assert all(known.take(Whole(kind, 1.0, {})) for kind in KINDS)


def test_what_only_rules_read_and_may_not_be_listed_is_unseen_alone() -> None:
    known = Known(())
    known.take(Whole("Service", 1.0, {}))
    known.take(Silence("EndpointSlice", 1.0, "denied", "forbidden"))

    objects = known.snapshot(2.0).objects

    assert objects["Service"] == Seen({}, 1.0)
    assert objects["EndpointSlice"] == Unseen(0.0, "denied", "forbidden")
