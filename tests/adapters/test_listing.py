"""One look at a whole cluster: what cannot be listed is unknown, the rest is looked at all the same."""

from __future__ import annotations

import gc
import json
from typing import TYPE_CHECKING, Any

import pytest

from phases.autoscaler_objects import ScaleTarget
from phases.snapshot import ALL_KINDS, LISTED_KINDS, Seen, Unseen
from rekindle.adapters.listing import cluster_of, list_all
from rekindle.adapters.resources import RESOURCES
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.scripted import Answer, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.scripted import ScriptedApi

DELETED = "2026-11-22T20:40:59Z"


def answer(kind: str, *items: dict[str, Any]) -> Answer:
    body = {"kind": f"{kind}List", "metadata": {"resourceVersion": "7"}, "items": items}
    return Answer(json.dumps(body).encode())


@pytest.fixture
def empty(scripted: ScriptedApi) -> ScriptedApi:
    """A cluster with none of anything."""
    for kind, places in RESOURCES.items():
        scripted.on(places[0].path(), answer(kind))
    return scripted


def test_every_kind_is_listed_once(empty: ScriptedApi, tmp_path: Path) -> None:
    empty.on("/api/v1/pods", answer("Pod", {"metadata": {"name": "p", "namespace": "n"}}))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url))

    assert {kind for kind, look in snapshot.objects.items() if isinstance(look, Seen)} == set(
        ALL_KINDS
    )
    pods = snapshot.objects["Pod"]
    assert isinstance(pods, Seen)
    assert list(pods.value) == ["n/p"]
    assert len(empty.asked) == len(ALL_KINDS)


def test_the_collector_never_goes_through_what_was_listed(
    empty: ScriptedApi, tmp_path: Path
) -> None:
    """Mutants: leave ``gc.freeze`` out; leave the collector off."""
    empty.on("/api/v1/pods", answer("Pod", {"metadata": {"name": "p", "namespace": "n"}}))
    gc.unfreeze()
    try:
        snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url))

        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert not any(found is snapshot.objects["Pod"] for found in gc.get_objects())
    finally:
        gc.unfreeze()


def test_an_inventory_asks_for_more_than_anybody_watches(
    empty: ScriptedApi, tmp_path: Path
) -> None:
    """Mutant: watch them as well, in every run."""
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url), kinds=LISTED_KINDS)

    assert {type(look) for look in snapshot.objects.values()} == {Seen}
    assert {*snapshot.objects} == {*LISTED_KINDS} == {*RESOURCES}
    assert {*LISTED_KINDS} - {*ALL_KINDS} == {
        "StorageClass",
        "CSIDriver",
        "VolumeSnapshot",
        "Bucket",
        "HorizontalPodAutoscaler",
        "ScaledObject",
    }


AUTOSCALERS = "/apis/autoscaling/v2/horizontalpodautoscalers"


def test_an_inventory_reads_whom_autoscalers_scale_and_how_few_they_leave(
    empty: ScriptedApi, tmp_path: Path
) -> None:
    metadata = {"name": "web", "namespace": "apps"}
    target = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": 3, "maxReplicas": 9, "metrics": []}
    item = {"metadata": metadata, "spec": spec, "status": {"desiredReplicas": 5}}
    empty.on(AUTOSCALERS, answer("HorizontalPodAutoscaler", item))
    keda = {
        "scaleTargetRef": {"name": "web"},
        "idleReplicaCount": 0,
        "triggers": [{"type": "cron"}],
    }
    item = {"metadata": metadata, "spec": keda}
    empty.on("/apis/keda.sh/v1alpha1/scaledobjects", answer("ScaledObject", item))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url), kinds=LISTED_KINDS)

    found, of_keda = (
        snapshot.objects[kind] for kind in ("HorizontalPodAutoscaler", "ScaledObject")
    )
    assert isinstance(found, Seen)
    assert isinstance(of_keda, Seen)
    spec_of = found.value["apps/web"].spec
    assert spec_of.scale_target_ref == ScaleTarget("apps/v1", "StatefulSet", "web")
    assert spec_of.min_replicas == 3
    scaled = of_keda.value["apps/web"].spec
    assert scaled.scale_target_ref == ScaleTarget("apps/v1", "Deployment", "web")
    assert (scaled.min_replica_count, scaled.idle_replica_count) == (0, 0)


@pytest.mark.parametrize("status", [403, 404])
def test_autoscalers_that_nobody_shows_are_unknown(
    empty: ScriptedApi, tmp_path: Path, status: int
) -> None:
    """Mutant: take a server without autoscaling/v2 for one on which nothing is autoscaled."""
    empty.on(AUTOSCALERS, refused(status))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url), kinds=LISTED_KINDS)

    assert isinstance(snapshot.objects["HorizontalPodAutoscaler"], Unseen)


def test_what_is_refused_is_unknown_and_hides_nothing_else(
    empty: ScriptedApi, tmp_path: Path
) -> None:
    """Mutant: call a refused kind empty; everything in it would be found absent."""
    empty.on("/api/v1/pods", refused(403))
    empty.on("/apis/apps/v1/deployments", Answer(b'{"kind": "NodeList"}'))
    empty.on("/apis/batch/v1/jobs", Answer(b"[" * 100_000))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url))

    unseen = {k for k, look in snapshot.objects.items() if isinstance(look, Unseen)}
    assert unseen == {"Pod", "Deployment", "Job"}


@pytest.mark.parametrize(
    "kind",
    [
        *("HelmRelease", "ReplicationDestination", "ReplicationSource", "CephCluster"),
        *("VolumeSnapshot", "ScaledObject"),
    ],
)
def test_a_kind_that_is_not_installed_is_seen_and_empty(
    empty: ScriptedApi, tmp_path: Path, kind: str
) -> None:
    """Mutant: leave its group out of those that CRDs define; then it would be unknown wherever it is not installed."""
    for place in RESOURCES[kind]:
        empty.on(place.path(), refused(404))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url), kinds=LISTED_KINDS)

    look = snapshot.objects[kind]
    assert isinstance(look, Seen)
    assert look.value == {}


def test_what_knows_no_kind_at_all_is_no_kubernetes_api(
    scripted: ScriptedApi, tmp_path: Path
) -> None:
    """A proxy says 404 to everything. Mutant: take each kind that it does not know for one that is not installed."""
    snapshot = list_all(write_kubeconfig(tmp_path / "k", scripted.url), kinds=LISTED_KINDS)

    assert {type(look) for look in snapshot.objects.values()} == {Unseen}
    charts = snapshot.objects["HelmRelease"]
    assert isinstance(charts, Unseen)
    assert "something else" in charts.why


def test_what_holds_a_namespace_is_looked_up(empty: ScriptedApi, tmp_path: Path) -> None:
    going = {"metadata": {"name": "held", "deletionTimestamp": DELETED}}
    empty.on("/api/v1/namespaces", answer("Namespace", going))
    pod = {"name": "p", "namespace": "held", "uid": "u", "finalizers": ["a/b"]}
    items = [{"metadata": {**pod, "deletionTimestamp": DELETED}}]
    listed = {"kind": "PartialObjectMetadataList", "metadata": {}, "items": items}
    empty.on("/api/v1/namespaces/held/pods", Answer(json.dumps(listed).encode()))
    snapshot = list_all(write_kubeconfig(tmp_path / "k", empty.url))

    look = snapshot.holders["namespace/held"]
    assert isinstance(look, Seen)
    assert [held.name for held in look.value] == ["p"]


@pytest.mark.parametrize("more", ["", "since: 2024-02-30\n", "a: [\n"])
def test_a_cluster_whose_kubeconfig_does_not_say_it_has_the_files_name(
    more: str, tmp_path: Path
) -> None:
    file = tmp_path / "kubeconfig"
    contexts = "contexts: [{name: a, context: {cluster: anton}}]\ncurrent-context: a\n"
    file.write_text(f"{contexts}{more}")

    assert cluster_of(file) == (str(file) if more else "anton")


def test_a_kubeconfig_that_is_none_leaves_everything_unknown(tmp_path: Path) -> None:
    snapshot = list_all(tmp_path / "missing")

    assert {type(look) for look in snapshot.objects.values()} == {Unseen}
    pods = snapshot.objects["Pod"]
    assert isinstance(pods, Unseen)
    assert "missing" in pods.why
