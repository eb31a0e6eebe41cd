"""
Nothing is taken for healthy that is not: objects that are not ready, and gaps.

Mutants: drop one of the five parts of ``unready``; call Progressing good; take ``_is_other`` away.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from phases.existing import NEEDED
from phases.unready import unready
from tests.phases import cluster_objects as made
from tests.phases.diagnosis.scenes import recorded, scene

FALSE = [{"type": "Ready", "status": "False", "reason": "Broken", "message": "no"}]


def without(kind: str, name: str) -> list[dict[str, Any]]:
    objects = made.healthy()
    left = [o for o in objects if (o["kind"], o["metadata"]["name"]) != (kind, name)]
    assert len(left) == len(objects) - 1
    return left


def changed(kind: str, name: str, **status: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    objects = deepcopy(made.healthy())
    for found in objects:
        if (found["kind"], found["metadata"]["name"]) == (kind, name):
            found["status"].update(status)
    return objects


def test_a_healthy_cluster_has_nothing_to_say() -> None:
    assert unready(scene(*made.healthy())) == ()


@pytest.mark.parametrize(
    ("kind", "name", "status", "subject"),
    [
        ("Node", "n1", {"conditions": FALSE}, "k8s-node/n1"),
        ("Namespace", "apps", {"phase": "Terminating"}, "namespace/apps"),
        ("GitRepository", "flux-system", {"conditions": FALSE}, "gitrepository/flux-system/"),
        ("Kustomization", "web", {"conditions": FALSE}, "kustomization/apps/web"),
        ("Kustomization", "web", {"lastAppliedRevision": "old"}, "kustomization/apps/web"),
        ("HelmRelease", "web", {"conditions": FALSE}, "helmrelease/apps/web"),
        ("ExternalSecret", "login", {"conditions": FALSE}, "externalsecret/apps/login"),
        ("ClusterSecretStore", "vault", {"conditions": FALSE}, "store/vault"),
        ("CustomResourceDefinition", "gadgets.example.com", {"conditions": []}, "crd/gadgets"),
        ("Deployment", "web", {"readyReplicas": 1}, "deployment/apps/web"),
        ("DaemonSet", "agent", {"numberReady": 0}, "daemonset/apps/agent"),
    ],
)
def test_each_kind_is_held_to_the_verdict_of_a_recovery(
    kind: str, name: str, status: dict[str, Any], subject: str
) -> None:
    (line,) = unready(scene(*changed(kind, name, **status)))

    assert line.startswith(subject)


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("HelmRelease", "web", "helmrelease/apps/web: is not there, and this is left of it: d"),
        ("GitRepository", "flux-system", "gitrepository/flux-system/flux-system: is not there"),
    ],
)
def test_who_is_named_and_gone_is_a_gap(kind: str, name: str, said: str) -> None:
    assert said in "\n".join(unready(scene(*without(kind, name))))


def test_a_real_controller_says_what_it_has_applied() -> None:
    """Recorded: two Deployments stand in status.inventory, and one of them is gone."""
    child = recorded("kustomization-apps-true-reconciliationsucceeded")
    found = unready(scene(child, recorded("deployment-applied-by-flux")))
    owner = "kustomization/flux-system/apps"

    assert f"deployment/apps/api: was applied by {owner} and is not there" in found
    assert not any(line.startswith("deployment/apps/web: was") for line in found)


@pytest.mark.parametrize(
    ("kind", "marks", "gap"),
    [
        ("Deployment", {}, True),
        ("Deployment", {"kustomize.toolkit.fluxcd.io/prune": "disabled"}, False),
        ("Deployment", {"helm.sh/resource-policy": "keep"}, False),
        ("CustomResourceDefinition", {}, False),
    ],
)
def test_what_is_meant_to_stay_is_no_gap(kind: str, marks: dict[str, str], *, gap: bool) -> None:
    """Mutants: take a kept CRD for a loss: whoever ever removed a chart would have no healthy cluster."""
    left = made.crd("old.example.com", "helm:apps/old")
    if kind == "Deployment":
        left = made.deployment("apps/old", "helm:apps/old", annotations=marks)

    assert bool(unready(scene(*made.healthy(), left))) is gap


def test_what_was_applied_and_is_gone_is_a_gap() -> None:
    """A Kustomization says Ready for an hour after somebody deleted what it applied."""
    ids = ("apps_extra_apps_Deployment", "apps_gone_apps_Deployment", "_lost__Namespace")
    others = ("apps_x_example.com_Kustomization", "apps_y_batch_Job", "apps_role__x_rbac_Role")
    entries = [{"id": name} for name in (*ids, *others)]
    found = unready(scene(*changed("Kustomization", "web", inventory={"entries": entries})))

    assert found == (
        "deployment/apps/gone: was applied by kustomization/apps/web and is not there",
        "namespace/lost: was applied by kustomization/apps/web and is not there",
    )


def test_a_cluster_that_has_lost_its_roots_is_not_healthy() -> None:
    """What is left is ready, all of it: 23 of 23."""
    left = [made.node("n1"), made.namespace("apps"), made.deployment("apps/lone", replicas=23)]

    assert unready(scene(*left)) == ("kustomization: there is none: what Flux follows is gone",)


@pytest.mark.parametrize("kind", NEEDED)
def test_a_kind_that_cannot_be_listed_is_not_empty(kind: str) -> None:
    found = unready(scene(*made.healthy(), unlisted=(kind,)))

    assert f"{kind}: cannot be listed: not-asked" in found


def test_a_suspended_kustomization_may_stay_behind() -> None:
    objects = changed("Kustomization", "web", lastAppliedRevision="old")
    for found in objects:
        if found["metadata"]["name"] == "web" and found["kind"] == "Kustomization":
            found["spec"]["suspend"] = True

    assert unready(scene(*objects)) == ()
