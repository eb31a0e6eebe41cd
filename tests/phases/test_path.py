"""
The critical path: what is left, in its order, and how long at least.

Mutants, each tried: ``is_done`` always says no (a finished cluster has a path); ``_own`` ignores *begun*; ``seconds``
counts from one duration on; the edge of a parent that waits is left out; the CRD edge of a set is left out; a CRD
beside its objects is waited for; so is one that a command of the plan installs.
"""

from __future__ import annotations

import statistics
from typing import Any

import pytest

from engine.plan import Plan
from journal import entries as e
from journal.entries import Fact
from phases.durations import medians
from phases.needs import Standing, needs_of, subject_of
from phases.path import Learnt, critical_path
from phases.section import Crds
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


GADGETS, GADGET = "gadgets.example.com", "crd/gadgets.example.com"


def with_kinds(provider: str, **more: Any) -> Plan:  # noqa: ANN401  fields of the inventory
    """``apps`` brings the release ``web``, and ``late`` holds gadgets."""
    inventory = {
        "kustomizations": [
            {"key": "flux-system/apps"},
            {"key": "flux-system/late", "needs": [GADGET]},
        ],
        "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
        "externalsecrets": [],
        "crds": [{"name": GADGETS, "provider": provider}],
        "workloads": [
            {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": "helmrelease/apps/web"},
        ],
        **more,
    }
    return plan({"inventory": inventory})


def nothing_synced(of: Plan) -> dict[str, Fact]:
    """The machines and controllers are there, and nothing of Flux's is."""
    flux = (
        "kustomization/",
        "helmrelease/",
        "crd/",
        "externalsecret/",
        "store/",
        "deployment/apps",
    )
    return {s: Fact("Absent") if s.startswith(flux) else known for s, known in finished(of).items()}


def test_a_set_waits_for_the_kinds_of_what_it_holds_and_so_for_who_brings_them() -> None:
    of = with_kinds("helmrelease/apps/web", workloads=[])

    path = critical_path(of.target, nothing_synced(of), START)

    assert " ".join(path.subjects) == (
        "root kustomization/flux-system/apps helmrelease/apps/web crd/gadgets.example.com"
        " kustomization/flux-system/late"
    )


def test_a_set_that_brings_the_kind_itself_does_not_wait_for_it() -> None:
    """Not even where the CRD is at hand, and so needs nobody."""
    of = with_kinds("kustomization/flux-system/late")
    at_hand = of.target.model_copy(update={"crds": Crds(directory="crds", available=(GADGETS,))})

    for section in (of.target, at_hand):
        assert GADGET not in needs_of(section)["kustomization/flux-system/late#applied"]
        assert critical_path(section, nothing_synced(of), START).circle == ()


def test_a_kind_that_its_own_user_must_bring_first_may_be_there_beforehand() -> None:
    """Many trees live by that; and if it is not, diagnosis says so. Mutant: take the edge, and there is no ETA."""
    beside = [
        {"key": "flux-system/apps", "needs": [GADGET]},
        {"key": "flux-system/late", "needs": [GADGET]},
    ]
    of = with_kinds("helmrelease/apps/web", kustomizations=beside)

    assert critical_path(of.target, nothing_synced(of), START).circle == ()
    needs = needs_of(of.target)
    assert GADGET not in needs["kustomization/flux-system/apps#applied"]
    assert GADGET in needs["kustomization/flux-system/late#applied"]


def test_what_a_command_installs_brings_its_kinds_before_flux_takes_it_over() -> None:
    cilium = {"kind": "DaemonSet", "key": "kube-system/cilium", "pods": 3}
    of = with_kinds(
        "helmrelease/kube-system/cilium",
        kustomizations=[{"key": "flux-system/apps", "needs": [GADGET]}],
        helmreleases=[{"key": "kube-system/cilium", "parent": "flux-system/apps"}],
        workloads=[{**cilium, "owner": "helmrelease/kube-system/cilium"}],
    )

    assert GADGET in needs_of(of.target)["kustomization/flux-system/apps#applied"]
    assert critical_path(of.target, nothing_synced(of), START).circle == ()


def test_a_kind_that_nobody_lists_is_no_edge() -> None:
    of = with_kinds("", crds=[])

    assert GADGET not in needs_of(of.target)["kustomization/flux-system/late#applied"]


def with_charts(late: dict[str, Any]) -> Plan:
    """The chart of ``web`` comes from a source that ``charts`` brings."""
    inventory = {
        "kustomizations": [{"key": "flux-system/apps"}, {"key": "flux-system/charts", **late}],
        "helmreleases": [
            {
                "key": "apps/web",
                "parent": "flux-system/apps",
                "needs": ["kustomization/flux-system/charts", "kustomization/flux-system/nobody"],
            }
        ],
        "externalsecrets": [],
        "workloads": [],
    }
    return plan({"inventory": inventory})


def test_a_release_waits_for_who_brings_the_source_of_its_chart() -> None:
    """Mutant: wait for its being ready, when its being applied is enough."""
    of = with_charts({"depends_on": ["flux-system/apps"]})

    path = critical_path(of.target, nothing_synced(of), START)

    assert needs_of(of.target)["helmrelease/apps/web#applied"][-1] == (
        "kustomization/flux-system/charts#applied"
    )
    assert " ".join(path.subjects) == (
        "root kustomization/flux-system/apps kustomization/flux-system/charts helmrelease/apps/web"
    )


def test_what_may_be_there_beforehand_closes_no_circle() -> None:
    """A source may have been put there by hand. Mutant: take the edge whatever it closes."""
    of = with_charts({"parent": "flux-system/apps", "needs": ["helmrelease/apps/web"]})

    path = critical_path(of.target, nothing_synced(of), START)

    assert path.circle == ()
    needs = needs_of(of.target)
    assert "helmrelease/apps/web#applied" not in needs["kustomization/flux-system/charts#applied"]
    assert "kustomization/flux-system/charts#applied" not in needs["helmrelease/apps/web#applied"]


READS = {
    "kustomizations": [{"key": "flux-system/cluster", "needs": ["externalsecret/apps/login"]}],
    "helmreleases": [
        {
            "key": "apps/web",
            "parent": "flux-system/cluster",
            "needs": ["externalsecret/apps/login"],
        }
    ],
    "externalsecrets": [{"key": "apps/login", "store": "vault"}],
    "crds": [],
    "workloads": [
        {
            "kind": "Deployment",
            "key": "apps/web",
            "pods": 2,
            "needs": ["externalsecret/apps/login"],
        },
        {
            "kind": "Deployment",
            "key": "kube-system/coredns",
            "pods": 1,
            "needs": ["externalsecret/apps/login"],
        },
    ],
}


def test_whoever_reads_a_secret_waits_for_who_makes_it() -> None:
    """Mutants: pods wait for none; what a command installs waits for one."""
    of = plan({"inventory": READS})
    waiting = {"externalsecret/apps/login": "Blocked"}

    for reader in ("deployment/apps/web", "kustomization/flux-system/cluster"):
        path, _ = shown(of, {**waiting, reader: "Absent", "deployment/apps/web": "Absent"})
        assert path.startswith("externalsecret/apps/login")
    for reader in ("kustomization/flux-system/cluster", "helmrelease/apps/web"):
        assert "externalsecret/apps/login" in needs_of(of.target)[f"{reader}#applied"]
    assert "externalsecret/apps/login" not in needs_of(of.target)["deployment/kube-system/coredns"]


def test_a_secret_that_its_own_reader_must_bring_may_be_there_beforehand() -> None:
    of = plan(
        {
            "inventory": {
                **READS,
                "externalsecrets": [{"key": "apps/login", "parent": "flux-system/cluster"}],
            }
        }
    )

    assert critical_path(of.target, nothing_synced(of), START).circle == ()
    needs = needs_of(of.target)
    assert "externalsecret/apps/login" not in needs["kustomization/flux-system/cluster#applied"]
    assert "externalsecret/apps/login" in needs["deployment/apps/web"]


def test_a_webhook_that_is_asked_about_everything_takes_no_other_need_away() -> None:
    """Its backend needs the kinds of a set that it is asked about. Mutant: weigh all needs at once."""
    hook = "deployment/apps/web"
    sets = [
        {"key": "flux-system/apps", "needs": [GADGET, hook]},
        {"key": "flux-system/kinds", "needs": [hook]},
    ]
    of = with_kinds("kustomization/flux-system/kinds", kustomizations=sets)

    needs = needs_of(of.target)

    assert GADGET in needs["kustomization/flux-system/apps#applied"]
    assert hook not in needs["kustomization/flux-system/apps#applied"]
    assert hook not in needs["kustomization/flux-system/kinds#applied"]


def test_an_external_secret_waits_for_the_release_that_brings_its_store() -> None:
    """Mutant: leave out what an ExternalSecret needs."""
    charted = {"key": "apps/login", "store": "vault", "needs": ["helmrelease/apps/web"]}
    of = with_kinds("", externalsecrets=[charted], crds=[])

    needs = needs_of(of.target)

    assert "helmrelease/apps/web#applied" in needs["externalsecret/apps/login"]
    certain = needs_of(of.target, certain=True)
    assert "helmrelease/apps/web#applied" not in certain["externalsecret/apps/login"]


def test_pods_wait_for_who_brings_the_class_of_their_claims() -> None:
    inventory = {
        "roots": ["flux-system/storage"],
        "kustomizations": [{"key": "flux-system/storage"}],
        "externalsecrets": [],
        "workloads": [
            {
                "kind": "StatefulSet",
                "key": "apps/db",
                "pods": 1,
                "needs": ["kustomization/flux-system/storage"],
            },
        ],
    }

    path, seconds = shown(
        plan({"inventory": inventory}),
        {"kustomization/flux-system/storage": "Blocked", "statefulset/apps/db": "Progressing"},
    )

    assert (path, seconds) == ("kustomization/flux-system/storage statefulset/apps/db", 5.0 + 49.0)


def test_a_set_waits_for_the_webhook_that_is_asked_about_it_unless_it_brings_it() -> None:
    webhook = "deployment/apps/web"
    late = [
        {"key": "flux-system/apps", "needs": [webhook]},
        {"key": "flux-system/late", "needs": [webhook]},
    ]
    needs = needs_of(with_kinds("", kustomizations=late).target)

    assert webhook in needs["kustomization/flux-system/late#applied"]
    assert webhook not in needs["kustomization/flux-system/apps#applied"]


@pytest.mark.parametrize("took", [[9.0, 1.0, 4.0], [8.0, 1.0, 4.0, 2.0], [0.1, 0.2, 0.3, 0.7]])
def test_of_durations_the_one_in_the_middle_counts(took: list[float]) -> None:
    assert medians({"deployment": took}) == {"deployment": statistics.median(took)}


def test_a_kustomization_may_bring_a_store_and_its_kind() -> None:
    """Mutant: a store needs all that brings its CRD to be well, also who waits for the store itself."""
    inventory = {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/eso", "parent": "flux-system/cluster", "wait": True},
        ],
        "helmreleases": [],
        "externalsecrets": [],
        "stores": [{"name": "vault", "parent": "flux-system/eso"}],
        "crds": [
            {
                "name": "clustersecretstores.external-secrets.io",
                "provider": "kustomization/flux-system/eso",
            }
        ],
    }

    path = critical_path(plan({"inventory": inventory}).target, {}, START)

    assert path.circle == ()
    assert path.remaining_seconds is not None
