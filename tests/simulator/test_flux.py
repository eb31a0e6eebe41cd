"""The Flux controllers take the steps, and write the words, of the real ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from engine.world import DENIED, NOT_FOUND
from journal.entries import Outcome
from phases.objects import Condition, Flux
from phases.snapshot import Seen, Snapshot
from rekindle.simulator.faults import Faults
from rekindle.simulator.shapes import with_meta
from rekindle.simulator.world import SimWorld
from tests.simulator.driver import Driver, everything
from tests.simulator.worlds import ANTON_PODS, do, messages, objects, packaged, run_for, small

REVISION = "main@sha1:1111111111111111111111111111111111111111"
ROOT = "flux-system/cluster-apps"
HELD = Condition("Reconciling", "True", "Progressing", "Running health checks")
NOT_READY = Condition("Ready", "Unknown", "Progressing", "Running health checks")


def _until_root(world: SimWorld, reason: str, *without: str) -> tuple[str, str, str]:
    def reached(snapshot: Snapshot) -> bool:
        seen = snapshot.objects["Kustomization"]
        if not isinstance(seen, Seen) or ROOT not in seen.value:
            return False
        return any(found.reason == reason for found in seen.value[ROOT].status.conditions)

    assert Driver(world, without=without).run(reached, hours=3)
    return messages(world, "Kustomization", ROOT)["Ready"]


def test_the_deadlock_says_what_kustomize_controller_says() -> None:
    world = small("cold")

    ready = _until_root(world, "ReconciliationFailed", "crd.preapply")

    assert ready == (
        "False",
        "ReconciliationFailed",
        (
            "ExternalSecret/apps/cluster-secrets dry-run failed: no matches for kind"
            ' "ExternalSecret" in version "external-secrets.io/v1"\n'
        ),
    )
    assert messages(world, "Kustomization", ROOT)["Reconciling"] == (
        "True",
        "ProgressingWithRetry",
        f"Detecting drift for revision {REVISION} with a timeout of 59m30s",
    )
    status = objects(world, "Kustomization")[ROOT].status
    assert (status.observed_generation, status.last_applied_revision) == (-1, "")
    assert status.last_attempted_revision == REVISION


def test_a_terminating_namespace_costs_a_minute_and_then_has_its_name_in_brackets() -> None:
    world = packaged("june-12")

    began = world.now()
    ready = _until_root(world, "ReconciliationFailed", "finalizer.release")

    assert ready[2] == "timeout waiting for: [Namespace/storage status: 'Terminating']\n"
    assert world.now() - began > 60


def test_a_nudge_is_handled_at_the_end_of_a_whole_attempt() -> None:
    world = small("healthy")
    root = objects(world, "Kustomization")[ROOT]
    arguments = {
        "kind": "Kustomization",
        "namespace": "flux-system",
        "name": "cluster-apps",
        "uid": root.metadata.uid,
        "requested_at": "token-1",
        "ready": True,
    }

    assert do(world, "a", "flux.nudge", ROOT, **arguments).outcome == "done"
    under_way = objects(world, "Kustomization")[ROOT]
    progress = messages(world, "Kustomization", ROOT)
    run_for(world, 5)
    after = objects(world, "Kustomization")[ROOT]

    assert progress["Ready"][:2] == ("Unknown", "Progressing")
    assert under_way.status.last_handled_reconcile_at == ""
    assert after.status.last_handled_reconcile_at == "token-1"
    assert messages(world, "Kustomization", ROOT)["Ready"][2] == f"Applied revision: {REVISION}"


def test_a_nudge_is_refused_for_another_object_of_the_same_name() -> None:
    world = small("healthy")
    arguments = {"namespace": "flux-system", "name": "cluster-apps", "requested_at": "t"}

    other = do(world, "a", "flux.nudge", ROOT, kind="Kustomization", uid="another", **arguments)
    nobody = do(world, "b", "flux.nudge", ROOT, kind="HelmRelease", uid="", **arguments)

    assert (other.outcome, other.code) == ("failed", "conflict")
    assert (nobody.outcome, nobody.code) == ("failed", "not-found")


def held(found: Flux) -> Flux:
    return replace(found, status=replace(found.status, conditions=(HELD, NOT_READY)))


@pytest.mark.parametrize(
    ("changed", "said", "code"),
    [
        (lambda found: found, {}, "conflict"),
        (held, {"ready": True}, "conflict"),
        (lambda found: with_meta(found, generation=2), {"ready": True}, "conflict"),
        (
            lambda found: with_meta(found, deletion_timestamp=datetime(2026, 1, 1, tzinfo=UTC)),
            {"ready": True},
            "precondition",
        ),
        (
            lambda found: replace(found, spec=replace(found.spec, suspend=True)),
            {"ready": True},
            "precondition",
        ),
    ],
    ids=["ready by now", "held", "another generation", "being deleted", "suspended"],
)
def test_a_nudge_is_refused_for_what_the_real_adapter_refuses(
    changed: Callable[[Flux], Flux], said: dict[str, Any], code: str
) -> None:
    """Mutant: leave a look out of ``_not_now``."""
    world = small("healthy")
    world.cluster.api.delete("Deployment", "flux-system/kustomize-controller")
    run_for(world, 30)
    root = objects(world, "Kustomization")[ROOT]
    world.cluster.api.put("Kustomization", changed(root))
    named = {"kind": "Kustomization", "namespace": "flux-system", "name": "cluster-apps"}
    seen = {"uid": root.metadata.uid, "generation": root.metadata.generation, "requested_at": "t"}

    settled = do(world, "a", "flux.nudge", ROOT, **named, **seen, **said)

    assert (settled.outcome, settled.code) == ("failed", code)


@pytest.mark.parametrize(
    ("kind", "key"), [("Kustomization", "storage/rook"), ("HelmRelease", "storage/rook-ceph")]
)
def test_what_is_suspended_while_it_is_ready_takes_note_of_that_and_stays_good_enough(
    kind: str, key: str
) -> None:
    """Their deferred patch of the status comes also where Reconcile turns away for it. Mutant: leave ``rest`` out."""
    world = small("healthy")
    found = objects(world, kind)[key]
    suspended = replace(with_meta(found, generation=2), spec=replace(found.spec, suspend=True))
    world.cluster.api.put(kind, suspended)
    run_for(world, 30)

    status = objects(world, kind)[key].status
    assert status.observed_generation == 2
    assert messages(world, kind, key)["Ready"][0] == "True"


def test_dependencies_are_named_until_they_are_ready_at_the_same_revision() -> None:
    world = packaged("cold-start")
    texts: set[str] = set()

    def collecting(snapshot: Snapshot) -> bool:
        seen = snapshot.objects["Kustomization"]
        if isinstance(seen, Seen):
            for found in seen.value.values():
                texts.update(
                    state.message
                    for state in found.status.conditions
                    if state.reason == "DependencyNotReady"
                )
        return everything(ANTON_PODS)(snapshot)

    assert Driver(world).run(collecting, hours=2)
    assert "dependency 'storage/rook-ceph-cluster' is not ready" in texts


def test_a_deleted_root_takes_everything_with_it_and_flux_stays_behind_with_finalizers() -> None:
    world = packaged("node-lost", faults=Faults())
    run_for(world, 1800)

    world.cluster.api.delete("Kustomization", ROOT)
    run_for(world, 600)

    assert len(objects(world, "Pod")) < ANTON_PODS / 2
    assert objects(world, "DaemonSet").get("kube-system/cilium") is None


def test_what_helm_does_not_store_is_not_uninstalled() -> None:
    """Somebody else may have made anew what the release once brought. Mutant: uninstall it all the same."""
    world = packaged("healthy")
    helm, tree, key = world.cluster.helm, world.cluster.tree, "media/jellyfin"
    deployment = next(i.id for i in tree.helmreleases[key].installs if i.kind == "Deployment")

    helm.forget()
    helm.uninstall(key, tree.helmreleases[key], crds=True)
    assert deployment in objects(world, "Deployment")
    next(helm.install(key, tree.helmreleases[key]), None)  # tried, whatever becomes of it
    helm.uninstall(key, tree.helmreleases[key], crds=True)
    assert deployment not in objects(world, "Deployment")


def test_a_release_that_times_out_is_stalled_until_it_is_reset() -> None:
    world = packaged("cold-start", faults=Faults(pod_slowness=14.0))
    key = "media/jellyfin"

    def stalled(snapshot: Snapshot) -> bool:
        seen = snapshot.objects["HelmRelease"]
        found = seen.value.get(key) if isinstance(seen, Seen) else None
        return found is not None and any(
            state.type == "Stalled" for state in found.status.conditions
        )

    assert Driver(world).run(stalled, hours=4)
    texts = messages(world, "HelmRelease", key)
    assert texts["Stalled"] == ("True", "RetriesExceeded", "Failed to install after 4 attempt(s)")
    assert texts["Ready"][2] == (
        "Helm install failed for release media/jellyfin with chart jellyfin@1.0.0:"
        " timeout waiting for: [Deployment/media/jellyfin status: 'InProgress']"
    )
    uid = objects(world, "HelmRelease")[key].metadata.uid
    arguments = {
        "kind": "HelmRelease",
        "namespace": "media",
        "name": "jellyfin",
        "uid": uid,
        "requested_at": "t1",
    }

    do(world, "n1", "flux.nudge", key, **arguments)
    run_for(world, 30)
    assert "Stalled" in messages(world, "HelmRelease", key)

    do(world, "n2", "flux.nudge", key, **{**arguments, "requested_at": "t2"}, reset=True)
    run_for(world, 5)
    assert "Stalled" not in messages(world, "HelmRelease", key)


def test_nothing_is_reconciled_while_the_controllers_pod_is_gone() -> None:
    world = small("healthy")
    world.cluster.api.delete("Deployment", "flux-system/kustomize-controller")
    run_for(world, 30)
    root = objects(world, "Kustomization")[ROOT]
    arguments = {
        "kind": "Kustomization",
        "namespace": "flux-system",
        "name": "cluster-apps",
        "uid": root.metadata.uid,
        "requested_at": "t",
        "ready": True,
    }

    assert do(world, "a", "flux.nudge", ROOT, **arguments).outcome == "done"
    run_for(world, 7200)

    assert objects(world, "Kustomization")[ROOT].status.last_handled_reconcile_at == ""


def test_what_was_applied_is_written_down_before_it_is_healthy() -> None:
    """Mutant: only once all is well, and who looks meanwhile takes what was made for nobody's."""
    world, found = packaged("cold-start"), {}

    def checking(snapshot: Snapshot) -> bool:
        seen = snapshot.objects["Kustomization"]
        for key, one in seen.value.items() if isinstance(seen, Seen) else ():
            if any(c.type == "Healthy" and c.status != "True" for c in one.status.conditions):
                found[key] = one.status
        return bool(found)

    assert Driver(world).run(checking, hours=3)
    for key, status in found.items():
        assert status.last_applied_revision == ""
        ids = [entry.id for entry in status.inventory.entries]
        assert ids, key
        assert all(len(one.split("_")) == 4 for one in ids)


def test_a_root_is_refused_by_the_words_of_what_refuses_it() -> None:
    """404 for a kind that nothing serves, 403 in a namespace on its way out. Mutant: one code for both."""
    world = small("healthy")
    world.cluster.api.delete("GitRepository", world.cluster.maker.source)
    world.cluster.api.delete("CustomResourceDefinition", "gitrepositories.source.toolkit.fluxcd.io")
    run_for(world, 10)

    refused = do(world, "a1", "root.apply", "root")

    assert (refused.outcome, refused.code) == (Outcome.FAILED, NOT_FOUND)
    assert 'no matches for kind "GitRepository"' in str(refused.evidence)

    world = small("healthy")
    world.cluster.api.delete("GitRepository", world.cluster.maker.source)
    world.cluster.api.delete("Namespace", "flux-system")

    refused = do(world, "a1", "root.apply", "root")

    assert (refused.outcome, refused.code) == (Outcome.FAILED, DENIED)
