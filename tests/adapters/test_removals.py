"""
One object is deleted: the one that was agreed to, and no other of its name.

Mutants: leave out the UID; let a conflict be tried again; call what was gone already a failure; take a name that is
no such kind.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from journal.entries import Outcome
from phases.recipe import recipe
from rekindle.adapters import removals
from tests.adapters.conftest import doers, make_intent, until_true
from tests.adapters.scripted import Answer, Reply, Streamed, refused

if TYPE_CHECKING:
    from engine.world import Intent, Settlement
    from journal.entries import Json
    from rekindle.adapters.kubernetes import Api
    from tests.adapters.scripted import ScriptedApi

API = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
VALIDATING = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/guard"
MUTATING = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/guard"


def unserve(deadline: float = 10.0, **more: Json) -> Intent:
    given = {"kind": "APIService", "name": "v1beta1.metrics.k8s.io", "uid": "u1", **more}
    return make_intent("apiservice.remove", deadline=deadline, **given)


def unhook(kind: str = "ValidatingWebhookConfiguration", **more: Json) -> Intent:
    return make_intent("webhook.remove", **{"kind": kind, "name": "guard", "uid": "u1", **more})


@pytest.mark.parametrize(
    ("intent", "path"),
    [
        (unserve(), API),
        (unhook(), VALIDATING),
        (unhook("MutatingWebhookConfiguration"), MUTATING),
    ],
)
def test_exactly_the_object_of_this_uid_is_deleted(
    intent: Intent, path: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(path, Answer(), method="DELETE")

    settled = removals.remove(intent, api)

    (asked,) = scripted.asked
    assert settled.outcome is Outcome.DONE
    assert (asked.method, asked.path) == ("DELETE", path)
    assert asked.json()["preconditions"] == {"uid": "u1"}


@pytest.mark.parametrize(
    ("reply", "outcome", "code"),
    [
        (refused(404), Outcome.DONE, "not-found"),
        (refused(409, "Precondition failed: UID in precondition"), Outcome.FAILED, "conflict"),
        (refused(403), Outcome.FAILED, "denied"),
        (refused(429), Outcome.FAILED, "transient"),
        (refused(503), Outcome.FAILED, "transient"),
        (refused(500, 'failed calling webhook "x"'), Outcome.FAILED, "transient"),
        (refused(500, "etcdserver: request timed out"), Outcome.UNSETTLED, "no-answer"),
        (refused(504), Outcome.UNSETTLED, "no-answer"),
        (Streamed((b"{",), end="cut"), Outcome.UNSETTLED, "no-answer"),
    ],
)
def test_gone_is_success_refusals_promise_and_doubts_do_not(
    reply: Reply, outcome: Outcome, code: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(API, reply, method="DELETE")

    settled = removals.remove(unserve(), api)

    assert (settled.outcome, settled.code) == (outcome, code)


def test_what_could_not_be_sent_in_time_is_certainly_not_done(
    scripted: ScriptedApi, api: Api
) -> None:
    settled = removals.remove(unserve(deadline=0.0), api)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "transient")
    assert scripted.asked == []


@pytest.mark.parametrize(
    "intent",
    [
        unserve(uid=""),
        unserve(uid=None),
        unserve(name=""),
        unserve(kind="ValidatingWebhookConfiguration"),
        unserve(kind="Namespace"),
        unhook("APIService"),
        make_intent("flux.nudge", kind="APIService", name="x", uid="u1"),
    ],
)
def test_what_was_not_agreed_to_is_not_asked_for(
    intent: Intent, scripted: ScriptedApi, api: Api
) -> None:
    """Without a UID the API deletes whatever has the name."""
    settled = removals.remove(intent, api)

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "invalid")
    assert scripted.asked == []


@pytest.mark.parametrize("verb", ["apiservice.remove", "webhook.remove"])
def test_a_conflict_is_never_tried_again(verb: str) -> None:
    assert "conflict" not in recipe().verbs[verb].retry.on
    assert recipe().verbs[verb].typed_approval


@pytest.mark.parametrize(("intent", "path"), [(unserve(), API), (unhook(), VALIDATING)])
def test_both_verbs_have_somebody_who_does_them(
    intent: Intent, path: str, scripted: ScriptedApi, api: Api
) -> None:
    scripted.on(path, Answer(), method="DELETE")
    session = cast("Json", SimpleNamespace(api=api))
    settled: list[Settlement] = []
    doers(lambda: session, settled).start(intent)
    until_true(lambda: settled)

    assert settled[0].outcome is Outcome.DONE


@pytest.mark.parametrize("intent", [unserve(), unhook()])
def test_without_a_connection_nothing_was_done(intent: Intent) -> None:
    settled: list[Settlement] = []
    doers(lambda: None, settled).start(intent)
    until_true(lambda: settled)

    assert (settled[0].outcome, settled[0].code) == (Outcome.FAILED, "transient")
