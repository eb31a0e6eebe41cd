"""A herd that is woken at once only queues in front of itself: few at a time, what others wait for first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import pytest

from engine.answer import Act, Answer, Wait
from phases import flux_synced
from phases.nudges import CONFIRM_SECONDS, NUDGES_IN_FLIGHT
from phases.objects import Workload
from phases.readiness.workloads import controller
from tests.phases.making import facts, memory_of, plan

NAMES = ("e", "d", "c", "b", "a", "f")
# a ← b ← c ← d; e and f stand alone.
INVENTORY = {
    "kustomizations": [
        {"key": f"flux-system/{name}", "depends_on": [f"flux-system/{before}"] if before else []}
        for name, before in zip(NAMES, ("", "c", "b", "a", "", ""), strict=True)
    ],
    "helmreleases": [{"key": "apps/web"}],
    "externalsecrets": [],
    "stores": [],
    "crds": [],
    "roots": ["flux-system/a"],
}
READY = {
    "deployment/flux-system/source-controller": "Ready",
    "deployment/flux-system/kustomize-controller": "Ready",
    "deployment/flux-system/helm-controller": "Ready",
    "gitrepository/flux-system/flux-system": {"code": "Ready", "detail": {"revision": "main@1"}},
    "namespace/apps": "Ready",
}


def blocked(name: str) -> dict[str, Any]:
    return {"code": "Blocked", "detail": {"cause": "namespace:apps", "uid": f"uid-{name}"}}


def answers(attempts: tuple[dict[str, Any], ...] = (), now: float = 0) -> dict[str, Answer]:
    said = {f"kustomization/flux-system/{name}": blocked(name) for name in NAMES}
    known = facts({**READY, **said, "helmrelease/apps/web": blocked("web")})
    the_plan = plan({"inventory": INVENTORY})
    memory = memory_of(the_plan, known, {"attempts": attempts}, now)
    return flux_synced.decide(the_plan, known, {}, memory)


def woken(given: dict[str, Answer]) -> list[str]:
    return [
        s.rpartition("/")[2] for s, a in given.items() if isinstance(a, Act) and a.verb != "root"
    ]


def test_few_at_a_time_and_in_the_order_of_what_waits_for_what() -> None:
    """Mutants: sort by name alone; wake all."""
    given = answers()

    assert sorted(woken(given)) == ["a", "b", "e", "f"]
    assert len(woken(given)) == NUDGES_IN_FLIGHT
    assert given["helmrelease/apps/web"] == Wait(
        "its cause has cleared; waits for its turn to be woken"
    )


def test_what_is_in_flight_counts() -> None:
    running = {"verb": "flux.nudge", "target": "kustomization/flux-system/a", "at": -10}

    assert len(woken(answers((running, {**running, "target": "x"})))) == NUDGES_IN_FLIGHT - 2


def test_no_more_than_five_a_second_and_an_alarm_for_the_rest() -> None:
    """Mutant: leave out the alarm; nobody looks again before something else happens."""
    done = {"verb": "flux.nudge", "outcome": "done"}
    recent = tuple({**done, "target": f"t{n}", "at": 0.1 * n} for n in range(5))

    given = answers(recent, now=0.5)

    assert woken(given) == []
    alarms = [a.until for a in given.values() if isinstance(a, Wait) and a.until is not None]
    assert alarms == [10_001.0]
    assert len(woken(answers(recent, now=1.05))) == 1


WEB = "helmrelease/apps/web"
KUSTOMIZE = "deployment/flux-system/kustomize-controller"
HELM = "deployment/flux-system/helm-controller"
SECRETS = {
    "kustomizations": [
        *({"key": f"flux-system/{name}"} for name in "abcdef"),
        # Everything that is still to come hangs on the last of them.
        {"key": "flux-system/z"},
        *(
            {"key": f"flux-system/after{n}", "depends_on": [f"flux-system/{before}"]}
            for n, before in enumerate(("z", "after0", "after1"))
        ),
    ],
    "helmreleases": [{"key": "apps/web", "parent": "flux-system/z"}],
    "externalsecrets": [],
    "stores": [],
    "crds": [],
    "workloads": [],
    "pods": 0,
    "roots": ["flux-system/a"],
}


def decided(
    said: dict[str, Any],
    attempts: tuple[dict[str, Any], ...] = (),
    now: float = 0,
    inventory: dict[str, Any] | None = None,
) -> dict[str, Answer]:
    the_plan = plan({"inventory": inventory or SECRETS})
    known = facts({**READY, **said})
    memory = memory_of(the_plan, known, {"attempts": attempts}, now)
    return flux_synced.decide(the_plan, known, {}, memory)


def ks(*names: str) -> dict[str, Any]:
    return {f"kustomization/flux-system/{name}": blocked(name) for name in names}


def test_those_on_the_longest_chain_that_is_left_are_woken_first() -> None:
    """By name it would come last. Mutant: sort by name, or by what it depends on itself."""
    given = decided(ks("a", "b", "c", "d", "e", "f", "z"))

    assert sorted(woken(given)) == ["a", "b", "c", "z"]


def test_what_would_only_fail_again_comes_after_all_that_can_succeed() -> None:
    """Its own dependency is not ready. Mutant: the length of the chain alone."""
    given = decided(ks("a", "b", "z", "after0", "after1", "after2"))

    assert sorted(woken(given)) == ["a", "after0", "b", "z"]


def test_what_is_done_makes_no_chain_long() -> None:
    done = {f"kustomization/flux-system/after{n}": "Ready" for n in range(3)}

    given = decided({**ks("a", "b", "c", "d", "e", "z"), **done, WEB: "Ready"})

    assert sorted(woken(given)) == ["a", "b", "c", "d"]


def told(workers: int) -> dict[str, Any]:
    return {"code": "Ready", "detail": {"workers": workers}}


@pytest.mark.parametrize(("workers", "count"), [(1, 1), (3, 3), (4, 4), (5, 5), (20, 5)])
def test_no_more_than_its_controller_reconciles_at_once(workers: int, count: int) -> None:
    """Of twenty workers the five of a second are the limit. Mutant: leave the lanes out, or the option."""
    given = decided({**ks("a", "b", "c", "d", "e", "f", "z"), KUSTOMIZE: told(workers)})

    assert len(woken(given)) == count


def test_one_controller_that_is_full_holds_up_no_other() -> None:
    """Mutant: count what is in flight of all kinds as one."""
    given = decided({**ks("a", "b", "c"), WEB: blocked("web"), KUSTOMIZE: told(1)})

    assert len(woken(given)) == 2
    assert isinstance(given[WEB], Act)
    alone = decided({**ks("a", "b", "c"), WEB: blocked("web"), HELM: told(1)})
    assert len(woken(alone)) == 4


def nudged(name: str, at: float, outcome: str = "done") -> dict[str, Any]:
    target = f"kustomization/flux-system/{name}"
    arguments = {"requested_at": f"token-{name}", "once": name}
    return {
        "verb": "flux.nudge",
        "target": target,
        "outcome": outcome,
        "at": at,
        "arguments": arguments,
    }


def test_what_was_woken_and_is_not_handled_yet_is_in_flight_for_as_long_as_it_may() -> None:
    """
    A nudge ends when the annotation is there, and the worker has it long after. Mutants: open actions alone count; a
    token that was handled counts; it counts for ever; nobody looks again when the time is over.
    """
    others = {**ks("a", "b", "c"), KUSTOMIZE: told(2)}
    busy = {f"kustomization/flux-system/{name}": {"code": "Progressing"} for name in ("d", "e")}
    sent = (nudged("d", 0.0), nudged("e", 10.0))

    given = decided({**others, **busy}, sent, now=20.0)

    assert woken(given) == []
    alarms = [a.until for a in given.values() if isinstance(a, Wait) and a.until is not None]
    assert alarms == [10_000.0 + CONFIRM_SECONDS]
    beside = {**others, **busy, WEB: blocked("web"), HELM: told(2)}
    assert woken(decided(beside, sent, now=20.0)) == ["web"], "another controller's worker"
    handled = {"code": "Progressing", "detail": {"handled_at": "token-d"}}
    freed = {**others, **busy, "kustomization/flux-system/d": handled}
    assert len(woken(decided(freed, sent, now=20.0))) == 1
    assert len(woken(decided({**others, **busy}, sent, now=CONFIRM_SECONDS))) == 1
    failed = (nudged("d", 0.0, outcome="failed"), nudged("e", 10.0))
    assert len(woken(decided({**others, **busy}, failed, now=20.0))) == 1


@pytest.mark.parametrize(
    ("args", "workers"),
    [
        (["--concurrent=20"], 20),
        (["--log-level=info", "--concurrent", "8"], 8),
        (["--concurrent=0"], None),
        (["--concurrent=x"], None),
        ([], None),
    ],
)
def test_a_controller_says_with_how_many_workers_it_was_started(
    args: list[str], workers: int | None
) -> None:
    body = {
        "metadata": {"name": "kustomize-controller"},
        "spec": {"template": {"spec": {"containers": [{"name": "manager", "args": args}]}}},
    }

    fact = controller(msgspec.convert(body, Workload), 1)

    assert fact.detail.get("workers") == workers
    assert fact.detail["expected"] == 1


def test_who_has_no_controller_of_its_own_to_wait_for_takes_all_that_is_free() -> None:
    """Mutant: count each of them twice."""
    names = [f"apps/s{n}" for n in range(8)]
    inventory = {
        **INVENTORY,
        "externalsecrets": [{"key": name, "store": "vault"} for name in names],
        "stores": ["vault"],
    }
    said = {
        f"externalsecret/{name}": {
            "code": "Blocked",
            "detail": {"cause": "store:vault", "uid": f"uid-{name}"},
        }
        for name in names
    }

    given = decided({**said, "store/vault": "Ready"}, inventory=inventory)

    assert len([s for s in woken(given) if s.startswith("s")]) == NUDGES_IN_FLIGHT


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ("", "only waits behind it"),
        ("CancelHealthCheckOnNewRevision=false", "only waits behind it"),
        ("GroupChangeLog=true, CancelHealthCheckOnNewRevision=True", "cut its health check off"),
        ("CancelHealthCheckOnNewRevision", "only waits behind it"),
    ],
)
def test_what_a_worker_holds_is_not_woken_and_the_controllers_gate_says_what_it_would_do(
    gates: str, said: str
) -> None:
    """Mutants: wake it; read another option, or another gate; take any value for true."""
    option = [f"--feature-gates={gates}"] if gates else []
    container = {"image": "x", "args": ["--watch-all-namespaces=true", *option]}
    work = {
        "metadata": {"namespace": "flux-system", "name": "kustomize-controller"},
        "spec": {"replicas": 1, "template": {"spec": {"containers": [container]}}},
        "status": {"readyReplicas": 1},
    }
    fact = controller(msgspec.convert(work, Workload), 1)
    subject = "kustomization/flux-system/a"
    mine = blocked("a")
    mine["detail"]["parked"] = False

    given = decided(
        {subject: mine, KUSTOMIZE: {"code": "Ready", "detail": {**fact.detail}}, **ks("b")}
    )

    told_now = given[subject]
    assert isinstance(told_now, Wait)
    assert said in told_now.reason
    assert woken(given) == ["b"]
    mine["detail"]["cause"] = "namespace:elsewhere"
    still = decided({subject: mine})[subject]
    assert isinstance(still, Wait)
    assert "nudge" not in still.reason, "its cause has not cleared"


GIT = "gitrepository/flux-system/flux-system"


def test_a_source_that_is_being_fetched_is_not_woken_and_has_no_health_check_to_cut_off() -> None:
    """Mutants: nudge it; say of source-controller what only a gate of others would do."""
    network = {"daemonset/kube-system/cilium": {"code": "Ready", "since": 100}}
    network["deployment/kube-system/coredns"] = {"code": "Ready", "since": 100}
    detail = {"uid": "u-git", "cause": "reason:GitOperationFailed", "unreached": True}
    failed = {"code": "Blocked", "since": 50, "detail": detail}
    gated = {"code": "Ready", "detail": {"cancels": True}}
    known = {**network, GIT: failed, "deployment/flux-system/source-controller": gated}

    assert isinstance(decided(known)[GIT], Act)
    detail["parked"] = False
    told_now = decided(known)[GIT]
    assert isinstance(told_now, Wait)
    assert told_now.reason.endswith("a nudge only waits behind it")


@pytest.mark.parametrize(
    ("said", "ready"),
    [({}, None), ({"says_ready": True}, True)],
)
def test_a_nudge_carries_what_the_object_said_of_itself(
    said: dict[str, Any], ready: object
) -> None:
    """What Helm's own last word denies says Ready itself. Mutant: leave it out; it is refused for ever."""
    mine = blocked("web")
    mine["detail"] |= said

    act = decided({WEB: mine})[WEB]

    assert isinstance(act, Act)
    assert act.arguments.get("ready") is ready


@pytest.mark.parametrize(
    ("args", "requeue"),
    [
        (["--requeue-dependency=5s"], 5.0),
        (["--requeue-dependency", "1m0s"], 60.0),
        (["--requeue-dependency=0s"], None),
        (["--requeue-dependency=soon"], None),
        ([], None),
    ],
)
def test_how_long_a_nudge_may_go_unconfirmed_is_what_its_controller_was_told(
    args: list[str], requeue: float | None
) -> None:
    """Mutants: 60 s whatever it was told; another option."""
    body = {
        "metadata": {"name": "kustomize-controller"},
        "spec": {"template": {"spec": {"containers": [{"name": "manager", "args": args}]}}},
    }
    fact = controller(msgspec.convert(body, Workload), 1)
    assert fact.detail.get("requeue") == requeue
    due = 2 * (requeue or 30.0)
    two_of = {**fact.detail, "workers": 1}
    known = {
        "kustomization/flux-system/d": {"code": "Progressing"},
        **ks("a"),
        KUSTOMIZE: {"code": "Ready", "detail": two_of},
    }

    assert woken(decided(known, (nudged("d", 0.0),), now=due - 1)) == []
    assert woken(decided(known, (nudged("d", 0.0),), now=due)) == ["a"]


@pytest.mark.parametrize(("requeue", "due"), [(5.0, 10.0), (None, CONFIRM_SECONDS)])
def test_silence_is_a_finding_after_twice_what_the_controller_was_told(
    requeue: float | None, due: float
) -> None:
    """Mutant: a constant where somebody waits for the confirmation."""
    detail = {} if requeue is None else {"requeue": requeue}
    known = {**ks("a"), KUSTOMIZE: {"code": "Ready", "detail": detail}}
    first = decided(known)["kustomization/flux-system/a"]
    assert isinstance(first, Act)
    sent = {**nudged("a", 0.0), "arguments": first.arguments}

    early = decided(known, (sent,), now=due - 1)["kustomization/flux-system/a"]
    late = decided(known, (sent,), now=due)["kustomization/flux-system/a"]

    assert isinstance(early, Wait)
    assert (early.until, "no controller has taken it up yet" in early.reason) == (
        10_000.0 + due,
        True,
    )
    assert isinstance(late, Wait)
    assert "no controller took it up" in late.reason


def test_a_nudge_s_token_names_the_instant_the_run_and_the_cause() -> None:
    """Mutant: the instant alone; two runs of one second would confirm each other's nudges."""
    act = decided(ks("a"))["kustomization/flux-system/a"]

    assert isinstance(act, Act)
    at, run, cause = str(act.arguments["requested_at"]).split("#")
    assert datetime.fromisoformat(at).timestamp() == 10_000.0
    assert (run, cause) == ("r1", "namespace:apps")


def test_a_source_tells_which_nudge_it_handled_as_flux_other_objects_do() -> None:
    """Mutant: leave GitRepositories out of those that confirm; the silence of one is never found."""
    network = {"daemonset/kube-system/cilium": {"code": "Ready", "since": 100}}
    network["deployment/kube-system/coredns"] = {"code": "Ready", "since": 100}
    detail = {"uid": "u-git", "cause": "reason:GitOperationFailed", "unreached": True}
    failed = {"code": "Blocked", "since": 50, "reason": "no such host", "detail": detail}
    first = decided({**network, GIT: failed})[GIT]
    assert isinstance(first, Act)
    token = str(first.arguments["requested_at"])
    sent = {
        "verb": "flux.nudge",
        "target": GIT,
        "outcome": "done",
        "at": 0.0,
        "arguments": first.arguments,
    }

    silent = decided({**network, GIT: failed}, (sent,), now=1)[GIT]
    detail["handled_at"] = token
    handled = decided({**network, GIT: failed}, (sent,), now=1)[GIT]

    assert isinstance(silent, Wait)
    assert isinstance(handled, Wait)
    assert "no controller has taken it up yet" in silent.reason
    assert "no such host" in handled.reason
