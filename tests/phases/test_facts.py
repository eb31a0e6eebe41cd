"""One look, reduced: counted against what should exist, and silent about what was not seen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from engine.recipe import Facts
from engine.world import Intent
from journal.entries import Fact
from phases.facts import reduce
from phases.nudges import is_clear
from phases.recipe import alarming, counts
from phases.revisions import served
from phases.snapshot import (
    KINDS,
    LISTED_KINDS,
    MORE_KINDS,
    ApiLook,
    Holder,
    NodeLook,
    Seen,
    Snapshot,
    Unseen,
)
from phases.verbs import bootstrap_happened, release_happened
from tests.phases.making import fact, facts, plan

PLANES = ("cp-1", "cp-2", "cp-3")
NOTHING: dict[str, Any] = {kind: Seen({}, 100.0) for kind in KINDS}


def snapshot(**objects: Any) -> Snapshot:  # noqa: ANN401
    return Snapshot(at=100.0, objects={**NOTHING, **objects})


def seen(kind: str, *bodies: dict[str, Any]) -> Seen[dict[str, Any]]:
    found: dict[str, Any] = {}
    for body in bodies:
        meta = body["metadata"]
        key = f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]
        found[key] = msgspec.convert(body, LISTED_KINDS[kind])
    return Seen(found, 100.0)


def test_before_anything_was_seen_nothing_is_claimed() -> None:
    facts = reduce(plan(), Snapshot(at=100.0))

    assert {"Unobservable", "unseen", "unknown"} == {fact.code for fact in facts.values()}


def test_in_an_empty_cluster_everything_expected_is_absent() -> None:
    the_plan = plan()
    facts = reduce(the_plan, snapshot())

    wanted = {
        *the_plan.target.expected,
        *(subject for _, _, subject, _ in the_plan.target.workloads),
    }
    assert {"Absent"} == {facts[subject].code for subject in wanted}


@pytest.mark.parametrize("kind", ["Kustomization", "Deployment", "Namespace", "ExternalSecret"])
def test_what_cannot_be_listed_has_no_facts_and_is_not_absent(kind: str) -> None:
    facts = reduce(plan(), snapshot(**{kind: Unseen(5.0, "denied", "forbidden")}))

    assert ("Unobservable", "forbidden", 5.0) == (
        facts[f"kind/{kind}"].code,
        facts[f"kind/{kind}"].reason,
        facts[f"kind/{kind}"].since,
    )
    assert not any(subject.startswith(f"{kind.lower()}/") for subject in facts)


@pytest.mark.parametrize("listed", [True, False])
def test_of_what_only_rules_read_there_is_no_fact(*, listed: bool) -> None:
    """
    So that no guard, no count and no journal knows of it, whether it can be listed or not.

    Mutant: ``_kinds`` says of every kind of the look whether it was seen.
    """
    more: dict[str, Any] = {
        kind: Seen({"apps/web": msgspec.convert({"metadata": {"name": "web"}}, struct)}, 100.0)
        if listed
        else Unseen(5.0, "denied", "forbidden")
        for kind, struct in MORE_KINDS.items()
    }

    assert reduce(plan(), snapshot(**more)) == reduce(plan(), snapshot())


def test_a_crd_that_may_be_applied_out_of_band_is_watched_too() -> None:
    """Mutant: known from the inventory alone, it would be applied again and again and never seen."""
    body = {
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "names": {"kind": "Widget"}},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
    facts = reduce(
        plan(),
        snapshot(CustomResourceDefinition=seen("CustomResourceDefinition", body)),
    )

    assert "Ready" == facts["crd/widgets.example.com"].code
    assert "Absent" == facts["crd/gadgets.example.com"].code


def test_a_crd_that_was_made_anew_is_held_against_who_needs_it() -> None:
    """
    The verdict on a Kustomization rests on the list of another kind, and is kept for as long as neither changes.

    Mutants: leave that list out of what the verdict is kept for; judge without it.
    """
    items = [{"key": "flux-system/apps", "needs": ["crd/widgets.example.com"]}]
    the_plan = plan({"inventory": {"kustomizations": items}})
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-06-12T09:00:00Z"}
    apps = {
        "metadata": {"namespace": "flux-system", "name": "apps", "uid": "u1", "generation": 1},
        "status": {"conditions": [ready], "observedGeneration": 1},
    }

    def judged(made: str, apps: Seen[dict[str, Any]]) -> Fact:
        crd = {
            "metadata": {"name": "widgets.example.com", "creationTimestamp": made},
            "spec": {"group": "example.com", "names": {"kind": "Widget"}},
            "status": {"conditions": [{"type": "Established", "status": "True"}]},
        }
        crds = seen("CustomResourceDefinition", crd)
        look = snapshot(Kustomization=apps, CustomResourceDefinition=crds)
        return reduce(the_plan, look)["kustomization/flux-system/apps"]

    kept = seen("Kustomization", apps)

    assert judged("2026-06-12T08:00:00Z", kept).code == "Ready"
    assert judged("2026-06-12T10:00:00Z", kept).detail["cause"] == "kind:Widget.example.com"


def failed(message: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "False", "reason": "ReconciliationFailed"}
    return {
        "metadata": {"namespace": "flux-system", "name": "apps", "uid": "u1", "generation": 1},
        "status": {"conditions": [{**ready, "message": message}]},
    }


def test_what_a_failed_attempt_names_is_looked_at_whether_or_not_an_inventory_has_it() -> None:
    """Mutant: judge what the inventory has alone, and what waits for a chart's CRD lies for its whole interval."""
    the_plan = plan()
    crd = {
        "metadata": {"name": "gizmos.example.org"},
        "spec": {"group": "example.org", "names": {"kind": "Gizmo"}},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
    said = 'dry-run failed: no matches for kind "Gizmo" in version "example.org/v1"'
    cause = "kind:Gizmo.example.org"
    apps = seen("Kustomization", failed(said))
    before = reduce(the_plan, snapshot(Kustomization=apps))
    defined = seen("CustomResourceDefinition", crd)
    after = reduce(the_plan, snapshot(Kustomization=apps, CustomResourceDefinition=defined))

    assert cause == before["kustomization/flux-system/apps"].detail["cause"]
    assert not is_clear(the_plan.target, "kustomization/flux-system/apps", cause, before)
    assert is_clear(the_plan.target, "kustomization/flux-system/apps", cause, after)


@pytest.mark.parametrize("stalled", [True, False])
def test_what_a_release_gave_up_for_is_looked_at_as_well(stalled: bool) -> None:  # noqa: FBT001
    """Mutant: of what is blocked alone; then nothing ever wakes what has given up."""
    the_plan = plan()
    message = 'no matches for kind "Gizmo" in version "example.org/v1"'
    conditions = [
        {"type": "Ready", "status": "False", "reason": "InstallFailed", "message": message}
    ]
    if stalled:
        conditions.append({"type": "Stalled", "status": "True", "reason": "RetriesExceeded"})
    web = {
        "metadata": {"namespace": "apps", "name": "web", "uid": "u2", "generation": 1},
        "status": {"conditions": conditions},
    }
    defined = {
        "metadata": {"name": "gizmos.example.org"},
        "spec": {"group": "example.org", "names": {"kind": "Gizmo"}},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
    looks = {"HelmRelease": seen("HelmRelease", web)}
    before = reduce(the_plan, snapshot(**looks))
    after = reduce(
        the_plan,
        snapshot(**looks, CustomResourceDefinition=seen("CustomResourceDefinition", defined)),
    )

    cause = before["helmrelease/apps/web"].detail["cause"]
    assert cause == "kind:Gizmo.example.org"
    assert not is_clear(the_plan.target, "helmrelease/apps/web", cause, before)
    assert is_clear(the_plan.target, "helmrelease/apps/web", cause, after)


@pytest.mark.parametrize(
    ("name", "message", "clear"),
    [
        ("flux-system", "Source artifact not found, retrying in 30s", True),
        ("other", "Source artifact not found, retrying in 30s", True),
        ("gone", "Source artifact not found, retrying in 30s", False),
        ("flux-system", "kustomization path not found: stat x: no such file or directory", False),
    ],
)
def test_a_source_has_cleared_if_it_is_the_one_that_failed(
    name: str,
    message: str,
    clear: bool,  # noqa: FBT001
) -> None:
    """Mutants: that of the plan is everybody's; another is never looked at; a folder that it lacks is its own fault."""
    the_plan = plan()
    apps = failed(message)
    apps["status"]["conditions"][0]["reason"] = "ArtifactFailed"
    apps["spec"] = {"sourceRef": {"kind": "GitRepository", "name": name}}
    served: dict[str, Any] = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "artifact": {"revision": "main@1"},
    }
    trees = [
        {"metadata": {"namespace": "flux-system", "name": one}, "status": served}
        for one in ("flux-system", "other")
    ]
    source_controller = {
        "metadata": {"namespace": "flux-system", "name": "source-controller"},
        "spec": {"replicas": 1},
        "status": dict.fromkeys(
            ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1
        ),
    }
    look = snapshot(
        Kustomization=seen("Kustomization", apps),
        GitRepository=seen("GitRepository", *trees),
        Deployment=seen("Deployment", source_controller),
    )
    known = reduce(the_plan, look)

    cause = known["kustomization/flux-system/apps"].detail["cause"]
    assert clear is is_clear(the_plan.target, "kustomization/flux-system/apps", cause, known)


@pytest.mark.parametrize(
    ("listed", "ready", "clear"),
    [
        pytest.param("OCIRepository", "True", True, id="oci"),
        pytest.param("Bucket", "True", True, id="bucket"),
        pytest.param("OCIRepository", "False", False, id="it is not well"),
        pytest.param("GitRepository", "True", False, id="another of that name"),
        pytest.param("", "True", False, id="not listed"),
    ],
)
def test_a_source_of_any_kind_is_judged_where_it_is_listed(
    listed: str,
    ready: str,
    clear: bool,  # noqa: FBT001
) -> None:
    """Mutants: GitRepositories alone; one kind of the table left out; what is not listed is there none the less."""
    the_plan = plan()
    apps = failed("failed to download archive: dial tcp 10.96.1.1:80: connect: connection refused")
    apps["status"]["conditions"][0]["reason"] = "ArtifactFailed"
    kind = "Bucket" if listed == "Bucket" else "OCIRepository"
    apps["spec"] = {"sourceRef": {"kind": kind, "name": "vendor"}}
    status = {
        "conditions": [{"type": "Ready", "status": ready}],
        "artifact": {"revision": "latest@sha256:1"},
    }
    vendor = {"metadata": {"namespace": "flux-system", "name": "vendor"}, "status": status}
    server = {
        "metadata": {"namespace": "flux-system", "name": "source-controller"},
        "spec": {"replicas": 1},
        "status": dict.fromkeys(
            ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas"), 1
        ),
    }
    look = {
        "Kustomization": seen("Kustomization", apps),
        "Deployment": seen("Deployment", server),
    }
    if listed:
        look[listed] = seen(listed, vendor)

    known = reduce(the_plan, snapshot(**look))

    subject = "kustomization/flux-system/apps"
    assert known[subject].detail["cause"] == "source"
    assert is_clear(the_plan.target, subject, "source", known) is clear


@pytest.mark.parametrize(("spaces", "clear"), [((), False), (("elsewhere",), True)])
def test_a_namespace_that_a_failed_attempt_names_is_looked_at_as_well(
    spaces: tuple[str, ...],
    clear: bool,  # noqa: FBT001
) -> None:
    the_plan = plan()
    apps = seen("Kustomization", failed('x not found: namespaces "elsewhere" not found'))
    listed = seen("Namespace", *({"metadata": {"name": name}} for name in spaces))
    facts = reduce(the_plan, snapshot(Kustomization=apps, Namespace=listed))

    cause = "namespace-missing:elsewhere"
    assert clear is is_clear(the_plan.target, "kustomization/flux-system/apps", cause, facts)


def asks_for(kind: str, name: str) -> dict[str, Any]:
    text = f"substitute from '{kind}/{name}' error: {kind.lower()}s \"{name}\" not found"
    body = failed(text)
    body["status"]["conditions"][0]["reason"] = "BuildFailed"
    return body


def applied(name: str, *ids: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "flux-system", "name": name},
        "status": {"inventory": {"entries": [{"id": entry, "v": "v1"} for entry in ids]}},
    }


def written(target: str, status: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "flux-system", "name": "login"},
        "spec": {"target": {"name": target}},
        "status": {"conditions": [{"type": "Ready", "status": status, "reason": "SecretSynced"}]},
    }


@pytest.mark.parametrize(
    ("asking", "others", "secrets", "clear"),
    [
        (("ConfigMap", "settings"), (), (), False),
        (("ConfigMap", "settings"), (("a", "flux-system_settings__ConfigMap"),), (), True),
        (("ConfigMap", "settings"), (("a", "flux-system_settings__Secret"),), (), False),
        (("ConfigMap", "settings"), (("a", "apps_settings__ConfigMap"),), (), False),
        # What it applied itself once is what it misses now.
        (("ConfigMap", "settings"), (("apps", "flux-system_settings__ConfigMap"),), (), False),
        (("Secret", "keys"), (), (("keys", "True"),), True),
        (("Secret", "login"), (), (("", "True"),), True),
        (("Secret", "keys"), (), (("keys", "False"),), False),
        (("Secret", "keys"), (), (("other", "True"),), False),
        (("Secret", "keys"), (("a", "flux-system_keys__Secret"),), (), True),
        (("ConfigMap", "keys"), (), (("keys", "True"),), False),
    ],
)
def test_a_missing_object_is_there_where_somebody_has_made_it(
    asking: tuple[str, str],
    others: tuple[tuple[str, str], ...],
    secrets: tuple[tuple[str, str], ...],
    clear: bool,  # noqa: FBT001
) -> None:
    """Neither Secrets nor ConfigMaps are listed. Mutants: the kind, the namespace or whose it is are not looked at."""
    the_plan = plan()
    asks = asks_for(*asking)
    known = [applied(*one) for one in others]
    for one in known:
        if one["metadata"]["name"] == "apps":
            asks["status"] |= one["status"]
    listed = seen("Kustomization", *known, asks)
    made = seen("ExternalSecret", *(written(*one) for one in secrets))
    facts = reduce(the_plan, snapshot(Kustomization=listed, ExternalSecret=made))

    subject = "kustomization/flux-system/apps"
    cause = f"object:{asking[0]}/flux-system/{asking[1]}"
    assert facts[subject].detail["cause"] == cause
    assert clear is is_clear(the_plan.target, subject, cause, facts)


@pytest.mark.parametrize(
    ("look", "code"),
    [
        (ApiLook(dict.fromkeys(PLANES, True), serving=True, ca_matches=True), "up"),
        (ApiLook(dict.fromkeys(PLANES, True)), "partial"),
        # A refusal shows nothing of etcd, and whoever resets a node goes by what the API shows of it.
        (ApiLook(dict.fromkeys(PLANES, True), limited=True), "partial"),
        (ApiLook(dict.fromkeys(PLANES, True), serving=True, ca_matches=False), "foreign"),
        (ApiLook(dict.fromkeys(PLANES, False)), "down"),
        (ApiLook({**dict.fromkeys(PLANES, True), "cp-2": False}, serving=True), "partial"),
        # One that says nothing is not known to be ill: a rebooting node is no regression.
        (ApiLook({"cp-1": True, "cp-3": True}, serving=True), "unknown"),
        (ApiLook({"cp-1": True, "cp-3": False}, serving=True), "partial"),
    ],
)
def test_the_api_is_what_each_control_plane_says_itself(look: ApiLook, code: str) -> None:
    facts = reduce(plan(), msgspec.structs.replace(snapshot(), api=Seen(look, 100.0)))

    assert code == facts["api"].code


def deployment(name: str, ready: int, replicas: int) -> dict[str, Any]:
    names = ("replicas", "readyReplicas", "updatedReplicas", "availableReplicas")
    return {
        "metadata": {"namespace": "apps", "name": name},
        "spec": {"replicas": replicas},
        "status": dict.fromkeys(names, ready),
    }


@pytest.mark.parametrize(("ready", "counted"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_pods_are_counted_against_the_inventory(ready: int, counted: int) -> None:
    """Extra pods of one workload do not make up for those that another lacks."""
    the_plan = plan()
    found = seen("Deployment", deployment("web", ready, 9), deployment("stranger", 50, 50))
    facts = reduce(the_plan, snapshot(Deployment=found))

    assert {"ready": counted, "expected": 3} == facts["pods"].detail
    assert {"pods": {"ready": counted, "expected": 3}} == counts(the_plan, facts)


def test_an_object_that_did_not_change_is_not_judged_again() -> None:
    the_plan = plan()
    look = snapshot(Deployment=seen("Deployment", deployment("web", 2, 2)))

    first = reduce(the_plan, look)
    again = reduce(the_plan, look)
    other = reduce(the_plan, snapshot(Deployment=seen("Deployment", deployment("web", 1, 2))))

    assert first["deployment/apps/web"] is again["deployment/apps/web"]
    assert ["Ready", "Progressing"] == [f["deployment/apps/web"].code for f in (again, other)]


def kustomization(revision: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "flux-system", "name": "apps", "generation": 1},
        "status": {
            "observedGeneration": 1,
            "lastAppliedRevision": revision,
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }


def repository(revision: str) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "flux-system", "name": "flux-system"},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "artifact": {"revision": revision},
        },
    }


def test_a_new_goal_is_held_against_objects_that_did_not_change() -> None:
    the_plan = plan()
    applied = seen("Kustomization", kustomization("main@1"))
    codes = []
    for revision in ("main@1", "main@2"):
        source = seen("GitRepository", repository(revision))
        facts = reduce(the_plan, snapshot(Kustomization=applied, GitRepository=source))
        codes.append((served(the_plan, facts), facts["kustomization/flux-system/apps"].code))

    assert [("main@1", "Ready"), ("main@2", "Progressing")] == codes


def pod(name: str, reason: str, namespace: str = "apps") -> dict[str, Any]:
    waiting = {"state": {"waiting": {"reason": reason}}}
    return {
        "metadata": {"namespace": namespace, "name": name},
        "status": {"phase": "Pending", "initContainerStatuses": [waiting]},
    }


def test_pods_that_will_not_come_up_are_named_and_at_most_fifty() -> None:
    pods = [pod(f"p{n}", "ImagePullBackOff") for n in range(60)]
    pods += [pod("young", "ContainerCreating"), pod("foreign", "CrashLoopBackOff", "elsewhere")]

    facts = reduce(plan(), snapshot(Pod=seen("Pod", *pods)))

    named = [subject for subject in facts if subject.startswith("pod/")]
    assert 50 == len(named)
    assert {"pod/apps/young", "pod/elsewhere/foreign"}.isdisjoint(named)


HELD = Holder("g", "v1", "widgets", "Widget", "apps", "w", "u7", ("g/keep",))


# --- probes --------------------------------------------------------------------------------------


def intent(**arguments: Any) -> Intent:  # noqa: ANN401
    return Intent("a1", "v", "t", 1, 1, 60.0, 0.0, arguments)


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "unknown"),
        ({"cp-1": []}, "unknown"),
        ({"cp-1": ["cp-1"]}, "happened"),
        ({"cp-3": ["x"]}, "happened"),
    ],
)
def test_only_a_member_proves_a_bootstrap_and_nothing_disproves_it(
    members: dict[str, list[str]], said: str
) -> None:
    known = {
        f"node/{name}": fact(
            f"node/{name}", {"code": "booting", "detail": {"members": members.get(name)}}
        )
        for name in PLANES
    }

    assert said == bootstrap_happened(plan(), known, intent()).value
    assert "unknown" == bootstrap_happened(plan(), {}, intent()).value


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({}, "unknown"),
        ({"namespace/apps": Fact("Terminating")}, "unknown"),
        ({"namespace/apps": Fact("Absent")}, "happened"),
        ({"holders/namespace/apps": Fact("Unobservable")}, "unknown"),
        ({"holders/namespace/apps": Fact("Seen")}, "happened"),
        # What holds a CRD may be in a namespace that stays.
        ({"crd/things.g": Fact("Absent"), "namespace/apps": Fact("Ready")}, "happened"),
        ({"holders/crd/things.g": Fact("Seen")}, "happened"),
        ({"holders/crd/things.g": Fact("Unobservable")}, "unknown"),
        (
            {
                "holders/namespace/apps": Fact("Seen"),
                "holder/u7": Fact("Holding", detail={"finalizers": ["g/keep"]}),
            },
            "not-happened",
        ),
        (
            {
                "holders/namespace/apps": Fact("Seen"),
                "holder/u7": Fact("Holding", detail={"finalizers": ["other"]}),
            },
            "happened",
        ),
    ],
)
def test_a_release_is_judged_by_a_listing_only(known: dict[str, Fact], said: str) -> None:
    asked = intent(namespace="apps", group="g", resource="things", uid="u7", finalizers=["g/keep"])

    assert said == release_happened(plan(), known, asked).value


def test_holders_become_facts_with_their_scope() -> None:
    look = msgspec.structs.replace(
        snapshot(),
        holders={
            "namespace/apps": Seen((HELD,), 100.0),
            "namespace/db": Unseen(1.0, "denied", "forbidden"),
        },
    )
    facts = reduce(plan(), look)

    assert ("Seen", "Holding", "Unobservable") == (
        facts["holders/namespace/apps"].code,
        facts["holder/u7"].code,
        facts["holders/namespace/db"].code,
    )


@pytest.mark.parametrize(
    ("finalizer", "named", "space", "node", "users"),
    [
        ("kubernetes.io/pvc-protection", "data", "apps", "n1", ["apps/db-0"]),
        ("kubernetes.io/pvc-protection", "other", "apps", "n1", "no word"),
        ("kubernetes.io/pvc-protection", "data", "elsewhere", "n1", "no word"),
        ("kubernetes.io/pvc-protection", "data", "apps", "", "no word"),
        ("g/keep", "data", "apps", "n1", "no word"),
    ],
)
def test_a_claim_that_is_held_says_which_pods_use_it(
    finalizer: str, named: str, space: str, node: str, users: list[str] | str
) -> None:
    """Mutants: of any name, of any namespace, of a pod that has no node yet; of what is no claim as well."""
    pod = {
        "metadata": {"name": "db-0", "namespace": space},
        "spec": {
            "nodeName": node,
            "volumes": [{}, {"persistentVolumeClaim": {"claimName": named}}],
        },
    }
    claim = msgspec.structs.replace(HELD, name="data", finalizers=(finalizer,))
    holders = {"namespace/apps": Seen((claim,), 100.0)}
    listed = msgspec.structs.replace(snapshot(Pod=seen("Pod", pod)), holders=holders)
    unlisted = msgspec.structs.replace(snapshot(Pod=Unseen(1.0, "denied")), holders=holders)

    told = reduce(plan(), listed)["holder/u7"].detail.get("used_by", "no word")
    assert users == told
    untold = reduce(plan(), unlisted)["holder/u7"].detail.get("used_by", "no word")
    assert ("no word" if finalizer == "g/keep" else None) == untold


def test_talos_nodes_and_etcd_come_from_the_same_look() -> None:
    nodes = {
        name: Seen(NodeLook("running", etcd="Running", etcd_healthy=True, members=PLANES), 100.0)
        for name in PLANES
    }
    facts = reduce(plan(), msgspec.structs.replace(snapshot(), nodes=nodes))

    assert ("running", "healthy") == (facts["node/cp-2"].code, facts["etcd"].code)


def test_what_is_newly_known_to_hold_something_is_alarming_and_nothing_else() -> None:
    """Whoever waits for it should hear at once why. Mutant: any new fact, or the end of one, is alarming."""
    calm = facts({"kustomization/a/b": "Blocked"})
    held = {**calm, **facts({"holder/u1": "Holding"})}
    more = {**held, **facts({"holder/u2": "Holding"})}

    assert alarming(calm, held)
    assert alarming(held, more)
    assert not alarming({}, calm)
    assert not alarming(held, held)
    assert not alarming(held, calm)


def test_of_a_controller_it_is_known_how_many_it_reconciles_at_once() -> None:
    """Of others nobody asks. Mutant: judge it as any workload, and of twenty workers four are given work."""
    the_plan = plan()
    leads = the_plan.target.flux.controllers[0].rpartition("/")[2]

    def started(space: str, name: str) -> dict[str, Any]:
        containers = [{"name": "manager", "args": ["--concurrent=20"]}]
        template = {"spec": {"containers": containers}}
        return {"metadata": {"namespace": space, "name": name}, "spec": {"template": template}}

    listed = seen("Deployment", started("flux-system", leads), started("apps", "web"))
    facts = reduce(the_plan, snapshot(Deployment=listed))

    assert facts[f"deployment/flux-system/{leads}"].detail["workers"] == 20
    assert "workers" not in facts["deployment/apps/web"].detail


def test_flux_operator_is_known_though_no_inventory_has_it() -> None:
    """What it brings back is hoped for (``hopeless``); it counts as nothing that is expected."""

    def listed(*names: str) -> Facts:
        bodies = ({"metadata": {"namespace": "flux-system", "name": name}} for name in names)
        return reduce(plan(), snapshot(Deployment=seen("Deployment", *bodies)))

    without, there = listed("web"), listed("web", "flux-operator")

    assert without["kind/Deployment"] == Fact("Seen")
    assert there["kind/Deployment"].detail == {"operator": "flux-system/flux-operator"}
    assert there.keys() == without.keys()
