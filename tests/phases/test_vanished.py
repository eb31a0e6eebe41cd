"""
What was applied and went away since is missed by nobody for an hour, and brought back by one nudge of its parent.

Mutants: wake the parent while it is not Ready; at once, before a look can have shown what was applied; for each child
by itself; again and again; never again, when it goes a second time.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Stuck, Wait
from journal.entries import Fact, Finding, Remedy
from journal.redactor import redact
from phases import flux_synced, pods_healthy
from phases.nudges import CONFIRM_SECONDS, NUDGES_IN_FLIGHT, nudge
from phases.vanished import AGAIN_SECONDS, GRACE_SECONDS, vanished
from phases.verbs import NUDGE, VERBS
from tests.phases.making import START, facts, memory_of, plan

PARENTS = {
    "inventory": {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps", "parent": "flux-system/cluster"},
        ],
        "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
        "externalsecrets": [{"key": "apps/login", "store": "vault", "parent": "flux-system/apps"}],
    }
}
PLAN = plan(PARENTS)
APPS, WEB, LOGIN = (
    "kustomization/flux-system/apps",
    "helmrelease/apps/web",
    "externalsecret/apps/login",
)
STORE = "store/vault"
LATE = 100.0


def ready(since: float = START) -> dict[str, Any]:
    return {"code": "Ready", "since": since, "detail": {"uid": "u-apps", "generation": 3}}


def absent(since: float = START) -> dict[str, Any]:
    return {"code": "Absent", "since": since}


def night(**said: Any) -> dict[str, Fact]:  # noqa: ANN401
    return facts({APPS: ready(), WEB: {"code": "Ready"}, LOGIN: {"code": "Ready"}, **said})


def told(known: dict[str, Fact], *attempts: dict[str, Any], now: float = LATE) -> dict[str, Answer]:
    return vanished(PLAN.target, known, memory_of(PLAN, known, {"attempts": attempts}, now))


def test_a_parent_that_git_suspends_brings_nothing_and_is_not_woken() -> None:
    """Mutant: wake it; of a suspended one there is not even a UID to name."""
    known = night(**{APPS: {"code": "Ready", "since": START}, WEB: absent()})

    assert told(known) == {}


def test_a_parent_is_not_woken_for_what_goes_with_its_namespace() -> None:
    """Mutant: wake it; its attempt would wait for the namespace, and hold a worker for as long as that takes."""
    spaces = {"namespace/apps": {"code": "Terminating"}}

    assert told(night(**{WEB: absent(), **spaces})) == {}
    assert list(told(night(**{WEB: absent(), "namespace/apps": {"code": "Ready"}}))) == [APPS]


def test_a_parent_is_not_woken_for_what_nothing_serves() -> None:
    """Mutant: wake it; the attempt can only fail, and makes what is Ready a failure."""
    kind = "crd/externalsecrets.external-secrets.io"

    assert told(night(**{LOGIN: absent(), kind: absent()})) == {}
    assert list(told(night(**{LOGIN: absent(), kind: {"code": "Ready"}}))) == [APPS]


@pytest.mark.parametrize(
    ("provider", "woken"), [("kustomization/flux-system/apps", [APPS]), (WEB, [])]
)
def test_a_crd_that_somebody_deleted_is_applied_again_by_its_kustomization(
    provider: str, woken: list[str]
) -> None:
    """Mutants: CRDs are nobody's children; Helm is asked, which does not look at what runs."""
    crds = [{"name": "gadgets.example.com", "provider": provider}]
    of = plan({"inventory": {**PARENTS["inventory"], "crds": crds}})
    known = night(**{"crd/gadgets.example.com": absent()})

    assert list(vanished(of.target, known, memory_of(of, known, {}, LATE))) == woken


def test_what_somebody_deletes_again_and_again_is_said_and_not_brought_for_ever() -> None:
    """Mutants: each deletion is another cause; those of other children count; a person's resume counts for nothing."""
    attempts: list[dict[str, Any]] = []
    for number in range(VERBS[NUDGE].retry.attempts):
        at = 60.0 * number
        known = night(**{APPS: ready(START + at), LOGIN: absent(START + at + 20)})
        answer = told(known, *attempts, now=at + 40)[APPS]
        attempts.append(woken(answer, at + 40))

    at += 60
    known = night(**{APPS: ready(START + at), LOGIN: absent(START + at + 20)})
    stuck = told(known, *attempts, now=at + 40)[APPS]
    other = night(**{APPS: ready(START + at), WEB: absent(START + at + 20)})
    late = told(known, *attempts, now=at + 40 + 2 * AGAIN_SECONDS)[APPS]

    assert isinstance(stuck, Stuck)
    assert "which somebody deletes each time" in stuck.message
    assert isinstance(told(other, *attempts, now=at + 40)[APPS], Act)
    assert isinstance(late, Act)


def woken(act: Answer, at: float = 50.0) -> dict[str, Any]:
    assert isinstance(act, Act)
    return {
        "verb": "flux.nudge",
        "target": APPS,
        "outcome": "done",
        "at": at,
        "arguments": act.arguments,
    }


def test_a_parent_that_is_ready_is_woken_once_for_all_that_went() -> None:
    answers = told(night(**{WEB: absent(), LOGIN: absent(START + 1)}))

    assert list(answers) == [APPS]
    act = answers[APPS]
    assert isinstance(act, Act)
    assert (act.verb, act.target, act.arguments["uid"]) == ("flux.nudge", APPS, "u-apps")
    assert act.arguments["ready"] is True, "it is refused else: the parent says that it is Ready"
    assert act.reason == f"it is Ready, and {LOGIN}, {WEB} that it applied is not there any more"


def test_a_store_that_was_deleted_is_applied_again_by_its_kustomization() -> None:
    """Nothing else misses it: secrets that are synced ask again in an hour. Mutant: no parents of stores."""
    listed = {"name": "vault", "parent": "flux-system/apps"}
    known = night(**{STORE: absent()})
    for stores, woken_ in (([listed], [APPS]), (["vault"], [])):
        for_plan = plan({"inventory": {**PARENTS["inventory"], "stores": stores}})

        answers = vanished(for_plan.target, known, memory_of(for_plan, known, {}, LATE))

        assert list(answers) == woken_


def test_it_is_the_answer_of_the_state_and_not_of_the_phase_s_own_list_alone() -> None:
    known = night(**{WEB: absent(), "kind/Deployment": "seen", "kind/Kustomization": "seen"})
    for key in PLAN.target.flux.controllers:
        known |= facts({f"deployment/{key}": {"code": "Ready"}})

    answers = flux_synced.decide(PLAN, known, {}, memory_of(PLAN, known, {}, LATE))

    assert isinstance(answers[APPS], Act)


@pytest.mark.parametrize("code", ["Progressing", "Blocked", "Terminating", "Absent", "Suspended"])
def test_a_parent_that_is_still_at_it_is_left_alone(code: str) -> None:
    assert told(night(**{APPS: {**ready(), "code": code}, WEB: absent()})) == {}


@pytest.mark.parametrize(("applied", "gone"), [(0.0, LATE), (LATE, 0.0)])
def test_a_look_may_be_older_than_what_was_applied(applied: float, gone: float) -> None:
    known = night(**{APPS: ready(START + applied), WEB: absent(START + gone)})

    early = told(known, now=LATE + GRACE_SECONDS - 1)
    late = told(known, now=LATE + GRACE_SECONDS)

    assert early == {
        WEB: Wait(
            "not applied yet by its parent", START + LATE + GRACE_SECONDS, can_clear="unknown"
        )
    }
    assert isinstance(late[APPS], Act)


def test_what_its_parent_does_not_bring_again_is_no_reason_to_wake_it_again() -> None:
    known = night(**{WEB: absent()})
    once = woken(told(known)[APPS])

    answers = told(known, once)

    assert list(answers) == [WEB]
    answer = answers[WEB]
    assert isinstance(answer, Wait)
    assert "was asked to apply it again" in answer.reason
    assert answer.until == START + 50 + CONFIRM_SECONDS, (
        "somebody looks again at whether it was taken up"
    )


def test_what_goes_a_second_time_is_brought_a_second_time() -> None:
    once = woken(told(night(**{WEB: absent()}))[APPS])

    assert isinstance(told(night(**{WEB: absent(START + 60)}), once)[APPS], Act)


WORKING: dict[str, Any] = {
    "inventory": {
        **PARENTS["inventory"],
        "workloads": [
            {"kind": "Deployment", "key": "apps/plain", "pods": 1, "owner": APPS},
            {"kind": "Deployment", "key": "apps/web", "pods": 1, "owner": WEB},
            {"kind": "Deployment", "key": "apps/nobodys", "pods": 1},
        ],
    }
}
WORKS = plan(WORKING)
PLAIN, SERVED, NOBODYS = "deployment/apps/plain", "deployment/apps/web", "deployment/apps/nobodys"
GONE = {"code": "Absent", "since": START, "detail": {"ready": 0, "expected": 1}}
THERE = {"code": "Ready", "detail": {"ready": 1, "expected": 1}}


def works(release: dict[str, Any], **said: Any) -> dict[str, Fact]:  # noqa: ANN401
    known = {PLAIN: THERE, SERVED: THERE, NOBODYS: THERE, WEB: release, APPS: ready()}
    return facts({**known, LOGIN: {"code": "Ready"}, **said})


def release(**detail: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        "code": "Ready",
        "since": START,
        "detail": {"uid": "u-web", "generation": 1, **detail},
    }


def test_a_workload_that_somebody_deleted_is_applied_again_by_its_kustomization() -> None:
    """In pods-healthy nothing else acts. Mutant: leave ``vanished`` out of that state."""
    known = works(release(), **{PLAIN: GONE, NOBODYS: GONE})

    answers = pods_healthy.decide(WORKS, known, {}, memory_of(WORKS, known, {}, LATE))

    act = answers[APPS]
    assert isinstance(act, Act)
    assert (act.verb, act.arguments["uid"]) == ("flux.nudge", "u-apps")
    assert PLAIN in act.reason
    assert NOBODYS not in act.reason
    nobodys = answers[NOBODYS]
    assert isinstance(nobodys, Wait)
    assert nobodys.can_clear == "unknown"


def test_a_release_is_asked_only_where_it_looks_at_what_runs() -> None:
    """Else Helm finds nothing to do, and a nudge would be one more dead wait. Mutant: ask every release."""
    for told_, asked in ((release(), False), (release(compares=True), True)):
        known = works(told_, **{SERVED: GONE})

        answers = pods_healthy.decide(WORKS, known, {}, memory_of(WORKS, known, {}, LATE))

        assert isinstance(answers.get(WEB), Act) is asked


def test_who_applies_what_somebody_scaled_to_zero_is_woken_to_scale_it_up() -> None:
    """Mutants: wait for the interval; take what an autoscaler scaled down for what somebody did."""
    for told_, asked in ((release(compares=True), True), (release(), False)):
        zero = {"code": "Progressing", "since": START, "detail": {"zero": True}}
        known = works(told_, **{SERVED: zero})

        answer = pods_healthy.decide(WORKS, known, {}, memory_of(WORKS, known, {}, LATE)).get(WEB)

        assert isinstance(answer, Act) is asked
        if isinstance(answer, Act):
            assert "is scaled to zero by now" in answer.reason
    inventory = {**WORKING["inventory"], "crds": [{"name": "scaledobjects.keda.sh"}]}
    keda = plan({"inventory": inventory})
    known = works(release(compares=True), **{SERVED: zero})
    answers = pods_healthy.decide(keda, known, {}, memory_of(keda, known, {}, LATE))
    assert not isinstance(answers.get(WEB), Act), "KEDA scaled it down"
    fewer = works(release(compares=True), **{SERVED: {"code": "Progressing", "since": START}})
    memory = memory_of(WORKS, fewer, {}, LATE)
    assert not isinstance(pods_healthy.decide(WORKS, fewer, {}, memory).get(WEB), Act)


def test_what_helm_will_not_put_back_ends_the_wait_with_the_way_out() -> None:
    """Mutant: of a release that looks at nothing say that it clears by itself."""
    known = works(release(), **{SERVED: GONE})
    memory = replace(
        memory_of(WORKS, known, {}, LATE + 60), found_at={f"X2:{SERVED}": START + LATE}
    )
    found = Finding(
        SERVED,
        "deleted-under-release",
        "Deployment apps/web is expected and does not exist",
        clears_itself="no",
        rule="X2",
        remedies=(Remedy("`flux reconcile helmrelease web -n apps --force`", "reversible"),),
        root=True,
    )

    answers = pods_healthy.decide(WORKS, known, {f"X2:{SERVED}": found}, memory)

    stuck = answers[SERVED]
    assert isinstance(stuck, Stuck)
    assert "--force" in stuck.hint


def test_a_night_that_took_many_workloads_wakes_their_kustomizations_a_few_at_a_time() -> None:
    """Mutant: leave ``paced`` out of pods-healthy: a herd, which queues in front of itself."""
    names = [f"apps/k{n}" for n in range(9)]
    many = plan(
        {
            "inventory": {
                "kustomizations": [{"key": name} for name in names],
                "workloads": [
                    {"kind": "Deployment", "key": name, "pods": 1, "owner": f"kustomization/{name}"}
                    for name in names
                ],
            }
        }
    )
    gone = {f"deployment/{name}": GONE for name in names}
    parents = {f"kustomization/{name}": ready() for name in names}
    known = facts({**gone, **parents})

    answers = pods_healthy.decide(many, known, {}, memory_of(many, known, {}, LATE))

    acts = [answer for answer in answers.values() if isinstance(answer, Act)]
    assert len(acts) == NUDGES_IN_FLIGHT


def test_who_was_woken_is_known_again_though_the_journal_keeps_no_secrets() -> None:
    """Mutant: compare the key as it is thought with what the journal kept of it; it would be sent again and again."""
    known = night()
    cause = "object:Secret/apps/password=hunter22"
    first = nudge(PLAN.target, APPS, known[APPS], cause, memory_of(PLAN, known, {}, LATE))
    assert isinstance(first, Act)
    kept = redact(first.arguments)
    assert isinstance(kept, dict)
    assert "hunter22" not in str(kept)
    assert (kept["once"], kept["requested_at"]) == (
        first.arguments["once"],
        first.arguments["requested_at"],
    )
    done = {**woken(first), "arguments": kept}

    memory = memory_of(PLAN, known, {"attempts": [done]}, LATE)
    again = nudge(PLAN.target, APPS, known[APPS], cause, memory)

    assert isinstance(again, Wait)
