"""
The critical path: what is left, in its order, and how long at least.

Mutants, each tried: ``is_done`` always says no (a finished cluster has a path); ``_own`` ignores *begun*; ``seconds``
counts from one duration on; the edge of a parent that waits is left out; the CRD edge of a set is left out.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine.plan import Plan
from journal import entries as e
from journal.entries import Fact
from phases.needs import Standing, needs_of, subject_of
from phases.path import Learnt, critical_path
from tests.phases.making import START, facts, plan

WELL = {"node": "running", "etcd": "healthy", "api": "up"}
TREE: dict[str, Any] = {
    "inventory": {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps", "parent": "flux-system/cluster", "wait": True},
            {
                "key": "apps/late",
                "parent": "flux-system/cluster",
                "depends_on": ["flux-system/apps"],
            },
        ],
        "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
        "externalsecrets": [
            {"key": "apps/login", "parent": "flux-system/cluster", "store": "vault"}
        ],
        "crds": [
            {"name": "externalsecrets.external-secrets.io", "provider": "helmrelease/apps/web"}
        ],
        "workloads": [
            {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": "helmrelease/apps/web"},
        ],
    }
}


def finished(of: Plan) -> dict[str, Fact]:
    """Everything that the graph knows is well."""
    subjects = dict.fromkeys(map(subject_of, needs_of(of.target)))
    return facts({s: WELL.get(s.partition("/")[0], "Ready") for s in subjects if s != "root"})


def shown(of: Plan, changes: dict[str, Any], learnt: Learnt | None = None) -> tuple[str, float]:
    known = {**finished(of), **{s: facts({s: said})[s] for s, said in changes.items()}}
    path = critical_path(of.target, known, START, learnt)
    assert path.remaining_seconds is not None
    return " ".join(path.subjects), path.remaining_seconds


def observed(at: float, **changed: str) -> e.Observed:
    found = {name.replace("__", "/"): Fact(code) for name, code in changed.items()}
    return e.Observed(at=START + at, changed=found)


def lasting(*spans: float) -> Learnt:
    """Deployments that took so long."""
    learnt = Learnt()
    for number, span in enumerate(spans):
        subject = f"deployment/d{number}"
        begun = {subject: Fact("Progressing")}
        learnt.see(e.Observed(at=START, changed=begun))
        learnt.see(e.Observed(at=START + span, changed={subject: Fact("Ready")}))
    return learnt


def test_a_finished_cluster_has_no_path_and_no_time() -> None:
    of = plan(TREE)

    path = critical_path(of.target, finished(of), START)

    assert path.subjects == ()
    assert path.remaining_seconds == 0.0


CASES: list[tuple[str, dict[str, Any], str, float]] = [
    ("a workload", {"deployment/apps/web": "Progressing"}, "deployment/apps/web", 49.0),
    (
        "a release waits for its workload",
        {"deployment/apps/web": "Progressing", "helmrelease/apps/web": "Progressing"},
        "deployment/apps/web helmrelease/apps/web",
        49.0 + 5.0,
    ),
    (
        "a parent that waits, and what depends on it",
        {
            "deployment/apps/web": "Progressing",
            "helmrelease/apps/web": "Progressing",
            "kustomization/flux-system/apps": "Progressing",
            "kustomization/apps/late": "Blocked",
        },
        "deployment/apps/web helmrelease/apps/web kustomization/flux-system/apps kustomization/apps/late",
        49.0 + 5.0 + 5.0 + 5.0 + 5.0,
    ),
    (
        "a parent that does not wait is done without its children",
        {"kustomization/flux-system/cluster": "Progressing", "externalsecret/apps/login": "Absent"},
        "kustomization/flux-system/cluster",
        5.0,
    ),
    (
        "a store before its secret",
        {"store/vault": "Blocked", "externalsecret/apps/login": "Blocked"},
        "store/vault externalsecret/apps/login",
        15.0,
    ),
    (
        "what is well hides what it needed",
        {"store/vault": "Blocked"},
        "store/vault",
        10.0,
    ),
    (
        "the network before the pods",
        {"daemonset/kube-system/cilium": "Progressing", "deployment/apps/web": "Absent"},
        "daemonset/kube-system/cilium deployment/apps/web",
        98.0,
    ),
    (
        "a namespace that goes, before what is in it",
        {"namespace/apps": "Terminating"},
        "namespace/apps",
        61.0,
    ),
]


@pytest.mark.parametrize(
    ("changes", "subjects", "seconds"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_longest_chain_of_what_is_left(
    changes: dict[str, Any], subjects: str, seconds: float
) -> None:
    assert shown(plan(TREE), changes) == (subjects, seconds)


def test_nothing_known_is_the_whole_way_and_machines_come_first() -> None:
    of = plan()

    path = critical_path(of.target, {}, START)

    assert path.subjects[0].startswith("node/")
    assert path.subjects[1:4] == ("etcd", "api", "daemonset/kube-system/cilium")
    assert path.basis == "class defaults"


def test_what_has_been_worked_on_is_not_counted_again() -> None:
    learnt = Learnt(begun={"deployment/apps/web": START - 30})

    assert shown(plan(TREE), {"deployment/apps/web": "Progressing"}, learnt)[1] == 19.0
    assert shown(plan(TREE), {"deployment/apps/web": "Absent"})[1] == 49.0


def test_what_is_overdue_is_not_done() -> None:
    learnt = Learnt(begun={"deployment/apps/web": START - 300})

    assert shown(plan(TREE), {"deployment/apps/web": "Progressing"}, learnt)[1] == 1.0


@pytest.mark.parametrize(("spans", "seconds"), [((9.0, 10.0), 49.0), ((9.0, 10.0, 500.0), 10.0)])
def test_durations_of_the_run_replace_the_defaults_once_there_are_enough(
    spans: tuple[float, ...], seconds: float
) -> None:
    learnt = lasting(*spans)

    assert learnt.count == len(spans)
    assert shown(plan(TREE), {"deployment/apps/web": "Absent"}, learnt)[1] == seconds


def test_what_waits_in_a_queue_is_not_worked_on() -> None:
    learnt = Learnt()
    queued = {"kustomization/a": Fact("Progressing", "not reconciled yet")}
    learnt.see(e.Observed(at=START, changed=queued))

    learnt.see(e.Observed(at=START + 60, changed={"kustomization/a": Fact("Ready")}))

    assert learnt.count == 0


def test_a_circle_has_no_time_and_is_named() -> None:
    """A set that holds an ExternalSecret is applied after the CRD, whose provider comes with a later set."""
    of = plan(TREE)
    known = finished(of)
    for subject in known:
        if subject.startswith(("kustomization/", "helmrelease/", "crd/", "externalsecret/")):
            known[subject] = Fact("Absent")
    known["deployment/apps/web"] = Fact("Absent")

    path = critical_path(of.target, known, START)

    assert path.remaining_seconds is None
    assert set(path.circle) == {
        "crd/externalsecrets.external-secrets.io",
        "helmrelease/apps/web",
        "kustomization/flux-system/apps",
        "kustomization/flux-system/cluster",
    }


def test_a_crd_that_may_be_applied_out_of_band_breaks_the_circle() -> None:
    early = {"crds": {"directory": "crds", "available": ["externalsecrets.external-secrets.io"]}}

    path = critical_path(plan({**TREE, **early}).target, {}, START)

    assert path.circle == ()


def test_a_dependency_that_nobody_has_is_left_to_diagnosis() -> None:
    inventory = {"kustomizations": [{"key": "a/b", "depends_on": ["a/nothing"]}]}
    of = plan({"inventory": inventory})

    assert "kustomization/a/nothing" not in needs_of(of.target)
    assert all(n in needs_of(of.target) for needed in needs_of(of.target).values() for n in needed)


def test_a_changed_fact_touches_every_vertex_that_it_may_make_done() -> None:
    """Mutant: leave ``applied(parent)`` out of ``touched``."""
    section = plan(TREE).target
    needs = needs_of(section)
    standing = Standing(section, needs)
    well = finished(plan(TREE))

    for known in (well, dict.fromkeys(well, Fact("Absent"))):
        for subject in known:
            for code in ("Absent", "Terminating", "Ready", "running"):
                before = {v: standing.is_done(v, known) for v in needs}
                changed = {**known, subject: Fact(code)}
                differ = {v for v in needs if standing.is_done(v, changed) != before[v]}
                assert differ <= set(standing.touched(subject))
