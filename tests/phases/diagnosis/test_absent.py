"""
What is expected and not there, where nothing else says why: X2.

Mutants: say it of what its maker is still at, or of what is behind another absent thing; take what was not listed for
absent; leave out who is explained; let Helm put back what it does not look at.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Finding
from phases.diagnosis.catalogue import RULES, diagnose
from phases.diagnosis.expected import count
from phases.diagnosis.rule import Proof
from phases.diagnosis.scene import Scene
from tests.phases.diagnosis.flux_objects import hr, ks
from tests.phases.diagnosis.scenes import AT, dangers, found_by, made, said, scene

WELL = ("True", "ReconciliationSucceeded", "well")
BUSY = ("Unknown", "Progressing", "Running health checks")
INVENTORY: dict[str, Any] = {
    "nodes": ["k8s-1"],
    "source": {"namespace": "flux-system", "name": "flux-system"},
    "roots": ["flux-system/cluster"],
    "namespaces": ["apps", "flux-system"],
    "kustomizations": [
        {"key": "flux-system/cluster"},
        {"key": "flux-system/apps", "parent": "flux-system/cluster"},
    ],
    "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
    "externalsecrets": [{"key": "apps/login", "parent": "flux-system/apps", "store": "vault"}],
    "stores": ["vault"],
    "crds": [{"name": "widgets.example.com", "provider": "helmrelease/apps/web"}],
    "workloads": [
        {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": "helmrelease/apps/web"},
        {"kind": "Deployment", "key": "apps/plain", "pods": 1, "owner": "kustomization/flux-system/apps"},
        {"kind": "DaemonSet", "key": "kube-system/cilium", "pods": 1},
        {"kind": "Deployment", "key": "flux-system/source-controller", "pods": 1},
    ],
    "pods": 5,
}  # fmt: skip


def work(kind: str, name: str, pods: int = 1) -> dict[str, Any]:
    status = {
        "replicas": pods,
        "readyReplicas": pods,
        "updatedReplicas": pods,
        "availableReplicas": pods,
        "desiredNumberScheduled": pods,
        "updatedNumberScheduled": pods,
        "numberAvailable": pods,
        "numberReady": pods,
    }
    return made(kind, name, said("Available", "True"), spec={"replicas": pods}, status=status)


def well() -> dict[str, dict[str, Any]]:
    """Everything that INVENTORY expects, by its subject."""
    crd = {"group": "example.com", "names": {"kind": "Widget", "plural": "widgets"}}
    established = (said("Established", "True"), said("NamesAccepted", "True"))
    artifact = {"revision": "main@sha1:1", "lastUpdateTime": "2027-01-15T07:50:00Z"}
    ready = said("Ready", "True", "Succeeded")
    return {
        "k8s-node/k8s-1": made("Node", "k8s-1", said("Ready", "True", "KubeletReady")),
        "gitrepository/flux-system/flux-system": made(
            "GitRepository", "flux-system/flux-system", ready, status={"artifact": artifact}
        ),
        "kustomization/flux-system/cluster": ks(
            "cluster", ready=WELL, status={"lastAppliedRevision": "main@sha1:1"}
        ),
        "kustomization/flux-system/apps": ks(
            "apps", ready=WELL, status={"lastAppliedRevision": "main@sha1:1"}
        ),
        "helmrelease/apps/web": hr("web", ready=WELL),
        "externalsecret/apps/login": made("ExternalSecret", "apps/login", ready),
        "store/vault": made("ClusterSecretStore", "vault", ready),
        "crd/widgets.example.com": made(
            "CustomResourceDefinition", "widgets.example.com", *established, spec=crd
        ),
        "namespace/apps": made("Namespace", "apps"),
        "namespace/flux-system": made("Namespace", "flux-system"),
        "namespace/kube-system": made("Namespace", "kube-system"),
        "deployment/apps/web": work("Deployment", "apps/web", 2),
        "deployment/apps/plain": work("Deployment", "apps/plain"),
        "daemonset/kube-system/cilium": work("DaemonSet", "kube-system/cilium"),
        "deployment/flux-system/source-controller": work(
            "Deployment", "flux-system/source-controller"
        ),
        **{
            f"deployment/flux-system/{name}": work("Deployment", f"flux-system/{name}")
            for name in ("helm-controller", "kustomize-controller")
        },
    }


def without(*gone: str, instead: tuple[dict[str, Any], ...] = (), **more: Any) -> Scene:  # noqa: ANN401
    objects = [one for subject, one in well().items() if subject not in gone]
    return scene(*objects, *instead, inventory=more.pop("inventory", INVENTORY), **more)


def said_of(looked_at: Scene) -> dict[str, Finding]:
    return {found.subject: found for found in found_by("X2", looked_at)}


def test_what_is_all_there_has_no_finding_at_all() -> None:
    assert diagnose(without()) == {}


@pytest.mark.parametrize(
    ("gone", "cause", "clears", "ways"),
    [
        ("k8s-node/k8s-1", "no-node", "unknown", {"look"}),
        ("gitrepository/flux-system/flux-system", "root-gone", "unknown", {"reversible", "look", "never"}),
        ("kustomization/flux-system/cluster", "root-gone", "unknown", {"reversible", "look", "never"}),
        ("kustomization/flux-system/apps", "deleted", "yes", {"nudge", "look"}),
        ("helmrelease/apps/web", "deleted", "yes", {"nudge", "look"}),
        ("externalsecret/apps/login", "deleted", "yes", {"nudge", "look"}),
        ("store/vault", "missing", "unknown", {"look"}),
        ("crd/widgets.example.com", "deleted-under-release", "no", {"look", "reversible", "never"}),
        ("namespace/apps", "missing", "unknown", {"look"}),
        ("deployment/apps/web", "deleted-under-release", "no", {"look", "reversible", "never"}),
        ("deployment/apps/plain", "deleted", "yes", {"nudge", "look"}),
        ("daemonset/kube-system/cilium", "missing", "unknown", {"look"}),
        ("deployment/flux-system/source-controller", "flux-gone", "unknown", {"reversible", "look", "never"}),
    ],
)  # fmt: skip
def test_each_kind_of_what_is_gone_is_said_with_how_it_comes_back(
    gone: str, cause: str, clears: str, ways: set[str]
) -> None:
    # Of a controller that is gone F1 speaks, as long as anything is there that it serves.
    also = ("gitrepository/flux-system/flux-system",) if gone.endswith("source-controller") else ()
    node = made("Node", "k8s-2", said("Ready", "True")) if gone.startswith("k8s-node") else None
    looked_at = without(gone, *also, instead=(node,) if node else ())

    found = said_of(looked_at)[gone]

    assert (found.cause, found.clears_itself) == (cause, clears)
    assert dangers(found) == ways
    assert "is expected and does not exist" in found.message
    assert found.since is None, "nobody knows since when it is gone"


def test_a_store_comes_back_with_the_kustomization_that_applies_it() -> None:
    """Mutant: leave the parent out of what is expected; nobody is known to bring it."""
    parented = {"name": "vault", "parent": "flux-system/apps"}
    looked_at = without("store/vault", inventory={**INVENTORY, "stores": [parented]})

    found = said_of(looked_at)["store/vault"]

    assert (found.cause, found.clears_itself) == ("deleted", "yes")


def test_a_diagnosis_of_a_lost_root_is_not_that_nothing_is_wrong() -> None:
    """Nothing else of the catalogue speaks of it: this is what the seed's night began with."""
    everything = [subject for subject in well() if subject.startswith(("kustomization", "helmr"))]

    found = diagnose(without(*everything))

    assert list(found) == ["X2:kustomization/flux-system/cluster"]
    (root,) = found.values()
    assert set(root.blocks) == {"kustomization/flux-system/apps", "helmrelease/apps/web"}


def test_only_the_topmost_is_said_with_what_it_takes_along() -> None:
    gone = (
        "kustomization/flux-system/apps",
        "helmrelease/apps/web",
        "deployment/apps/web",
        "crd/widgets.example.com",
    )

    found = said_of(without(*gone))

    assert list(found) == [gone[0]]
    assert set(found[gone[0]].blocks) == set(gone[1:])


def test_a_namespace_is_before_what_should_be_in_it() -> None:
    inside = [s for s in well() if s.partition("/")[2].startswith("apps/")]

    found = said_of(without("namespace/apps", *inside))

    assert list(found) == ["namespace/apps"]
    assert set(found["namespace/apps"].blocks) == set(inside)


def test_flux_s_own_namespace_comes_back_as_flux_does() -> None:
    """Nobody misses the namespace for itself. Mutants: say that all of Flux is done; take the root before Flux."""
    inside = [s for s in well() if s.partition("/")[2].startswith("flux-system/")]

    (found,) = said_of(without("namespace/flux-system", *inside)).values()

    assert (found.subject, found.cause) == ("namespace/flux-system", "flux-gone")
    assert (
        "Deployment flux-system/source-controller is in it, a controller of Flux" in found.message
    )
    assert dangers(found) == {"reversible", "look", "never"}


def test_of_a_namespace_that_is_missed_for_what_a_kustomization_brings_nobody_says_that_flux_is_done() -> (
    None
):
    """Mutant: say of it what is said at rest."""
    busy = ks("apps", ready=WELL)
    late = ks("late", ready=BUSY)
    listed = {
        **INVENTORY,
        "kustomizations": [*INVENTORY["kustomizations"], {"key": "flux-system/late"}],
    }
    inside = [s for s in well() if s.partition("/")[2].startswith("apps/")]
    looked_at = without(
        "namespace/apps",
        "kustomization/flux-system/apps",
        *inside,
        instead=(busy, late),
        inventory=listed,
    )

    (found,) = said_of(looked_at).values()

    assert (found.subject, found.cause) == ("namespace/apps", "missing")
    assert "what should be in it went with it" in found.message


def test_the_source_is_before_the_roots_and_the_controllers_before_both() -> None:
    flux = ("gitrepository/flux-system/flux-system", "kustomization/flux-system/cluster")
    controllers = tuple(s for s in well() if s.endswith("-controller"))

    assert list(said_of(without(*flux))) == [flux[0]]
    assert list(said_of(without(*flux, "kustomization/flux-system/apps", *controllers))) == [
        "deployment/flux-system/source-controller"
    ]


def flux_crd(plural: str, kind: str, group: str) -> dict[str, Any]:
    spec = {"group": group, "names": {"kind": kind, "plural": plural}}
    return made(
        "CustomResourceDefinition", f"{plural}.{group}", said("Established", "True"), spec=spec
    )


KS_CRD = flux_crd("kustomizations", "Kustomization", "kustomize.toolkit.fluxcd.io")
GIT_CRD = flux_crd("gitrepositories", "GitRepository", "source.toolkit.fluxcd.io")
SOURCE = "gitrepository/flux-system/flux-system"


def test_a_kind_of_flux_is_before_its_objects_and_nothing_in_git_brings_it() -> None:
    """No apply of the source can succeed. Mutant: say that the source is to be applied again."""
    (found,) = said_of(without(SOURCE, instead=(KS_CRD,))).values()

    assert found.subject == "crd/gitrepositories.source.toolkit.fluxcd.io"
    assert (found.cause, found.clears_itself, found.blocks) == ("flux-kind-gone", "no", (SOURCE,))
    assert dangers(found) == {"reversible", "look"}


def test_flux_operator_brings_a_kind_of_flux_back_when_it_next_looks() -> None:
    """Its chart's hour. Mutant: never look for the operator; a run would end for what comes by itself."""
    operator = work("Deployment", "flux-system/flux-operator")

    (found,) = said_of(without(SOURCE, instead=(KS_CRD, operator))).values()

    assert (found.cause, found.clears_itself) == ("flux-kind-gone", "yes")
    assert dangers(found) == {"nudge", "look"}
    assert "-n flux-system annotate" in found.remedies[0].text


def test_a_kind_of_flux_is_not_missed_where_it_is_or_where_flux_has_none() -> None:
    """Mutants: ask nobody whether the kind is there; take a cluster without Flux for one that lost a kind."""
    assert list(said_of(without(SOURCE, instead=(KS_CRD, GIT_CRD)))) == [SOURCE]
    assert list(said_of(without(SOURCE))) == [SOURCE]
    controllers = tuple(s for s in well() if s.endswith("-controller"))
    roots = ("kustomization/flux-system/cluster", "kustomization/flux-system/apps")
    assert list(said_of(without(SOURCE, *roots, *controllers, instead=(KS_CRD,)))) == [
        "deployment/flux-system/source-controller"
    ]


@pytest.mark.parametrize(
    ("maker", "gone"),
    [
        (ks("apps", ready=BUSY), "externalsecret/apps/login"),
        (ks("apps", ready=WELL, since=AT - 59.0), "externalsecret/apps/login"),
        (ks("apps", ready=WELL, spec={"suspend": True}), "externalsecret/apps/login"),
        (ks("apps", ready=WELL, deleted=AT - 90.0), "externalsecret/apps/login"),
        (hr("web", ready=BUSY), "deployment/apps/web"),
        (ks("apps", ready=BUSY), "store/vault"),  # of what nobody is known to bring
    ],
)
def test_what_its_maker_is_still_at_is_to_come_and_not_missing(
    maker: dict[str, Any], gone: str
) -> None:
    name = f"{maker['metadata']['namespace']}/{maker['metadata']['name']}"
    looked_at = without(gone, f"{maker['kind'].lower()}/{name}", instead=(maker,))

    assert said_of(looked_at) == {}


def test_a_release_that_compares_puts_back_what_was_deleted_under_it() -> None:
    compares = hr("web", ready=WELL, spec={"driftDetection": {"mode": "enabled"}, "interval": "1h"})
    looked_at = without("helmrelease/apps/web", "deployment/apps/web", instead=(compares,))

    found = said_of(looked_at)["deployment/apps/web"]

    assert (found.clears_itself, dangers(found)) == ("yes", {"nudge", "look"})
    assert found.clears_when == "HelmRelease apps/web reconciles again, every 1h"


def test_what_was_not_listed_is_not_known_to_be_gone() -> None:
    for kind in ("Kustomization", "Deployment"):
        looked_at = without(
            "kustomization/flux-system/cluster", "deployment/apps/plain", unlisted=(kind,)
        )
        assert not [s for s in said_of(looked_at) if s.startswith(kind.lower())]


def test_what_another_finding_explains_is_not_said_twice() -> None:
    """The network first: before a node is Ready, nobody has to put back the beginning of anything."""
    message = "container runtime network not ready: NetworkReady=false cni plugin not initialized"
    node = made("Node", "k8s-1", said("Ready", "False", "KubeletNotReady", message))
    flux = ("gitrepository/flux-system/flux-system", "kustomization/flux-system/cluster")

    assert said_of(without("k8s-node/k8s-1", *flux, instead=(node,))) == {}


def test_a_crd_that_somebody_asks_for_in_vain_is_that_rule_s_matter() -> None:
    """Mutant: leave out what is explained."""
    text = 'no matches for kind "Widget" in version "example.com/v1"'
    asks = ks("asks", ready=("False", "ReconciliationFailed", text))
    looked_at = without("crd/widgets.example.com", instead=(asks,))

    assert said_of(looked_at) == {}
    assert [one.rule for one in diagnose(looked_at).values() if "crd/" in one.subject]


def test_a_crd_under_a_release_is_brought_by_hand_and_not_by_helm() -> None:
    """An upgrade leaves CRDs alone. Mutant: say of it what is said of a workload."""
    found = said_of(without("crd/widgets.example.com"))["crd/widgets.example.com"]

    (by_hand, _) = [r.text for r in found.remedies if r.danger == "reversible"]
    assert by_hand.startswith("apply CRD widgets.example.com once by hand")


def test_a_kustomization_without_a_parent_is_a_root_whether_the_list_of_roots_has_it_or_not() -> (
    None
):
    listed = {**INVENTORY, "roots": []}

    found = said_of(without("kustomization/flux-system/cluster", inventory=listed))

    assert found["kustomization/flux-system/cluster"].cause == "root-gone"


def test_what_git_suspends_keeps_nobody_from_rest_and_what_is_absent_does() -> None:
    """Of what nobody is known to bring. Mutants: wait for the suspended one; call it rest without the absent one."""
    paused = ks("paused", spec={"suspend": True})
    kustomizations = [
        *INVENTORY["kustomizations"],
        {"key": "flux-system/paused", "suspended": True},
    ]
    listed = {**INVENTORY, "kustomizations": kustomizations}

    assert list(said_of(without("store/vault", instead=(paused,), inventory=listed))) == [
        "store/vault"
    ]
    assert list(said_of(without("store/vault", "kustomization/flux-system/apps"))) == [
        "kustomization/flux-system/apps"
    ]


def test_nodes_have_a_while_to_register_in_a_new_cluster() -> None:
    born = {"creationTimestamp": "2027-01-15T07:58:00Z"}
    young = made("Namespace", "kube-system", metadata=born)

    assert said_of(without("k8s-node/k8s-1", "namespace/kube-system", instead=(young,))) == {}


def test_without_an_inventory_nothing_is_expected() -> None:
    assert found_by("X2", scene()) == []
    assert count(scene()) == {}


def test_what_is_there_is_counted_against_what_should_be() -> None:
    """Mutants: count what is there against itself; count pods of what cannot be listed."""
    told = count(without("deployment/apps/web", "helmrelease/apps/web"))

    assert told["pods"] == (3, 5)
    assert told["HelmRelease"] == (0, 1)
    assert told["Deployment"] == (2, 3)
    surge = work("Deployment", "apps/web", 9)
    assert count(without("deployment/apps/web", instead=(surge,)))["pods"] == (5, 5)
    assert "pods" not in count(without(unlisted=("DaemonSet",)))
    assert "DaemonSet" not in count(without(unlisted=("DaemonSet",)))


def test_it_is_known_to_be_right() -> None:
    (rule,) = [rule for rule in RULES if rule.id == "X2"]

    assert rule.proof is Proof.CONTROLLER
