"""
What somebody breaks a second time while the run goes on is mended a second time, and not at the deadline of its state.

The Kustomization that failed for it is parked for an hour, and was woken once already for the same cause. Mutant,
killed here: ``ends.key_of`` without the second end.
"""

from __future__ import annotations

from msgspec.structs import replace

from engine.runner import Ended
from journal import entries as e
from phases.objects import condition
from rekindle.simulator.cluster import SimCluster
from tests.properties.clusters import scenario, story
from tests.properties.harness import Story

ROOT = "flux-system/cluster-apps"
CRD = "externalsecrets.external-secrets.io"


def begin(name: str) -> tuple[Story, SimCluster]:
    found = scenario(name)
    return story(name, found=found, operator=found.operator)


def breaks(cluster: SimCluster, at: float, kind: str, key: str) -> None:
    """Delete something, and have the root look at once: a person's token takes the place of the run's."""
    cluster.loop.at(at, lambda: cluster.api.delete(kind, key))
    cluster.loop.at(at + 1, lambda: _asks(cluster))


def _asks(cluster: SimCluster) -> None:
    root = cluster.api.get("Kustomization", ROOT)
    token = {"reconcile.fluxcd.io/requestedAt": f"{cluster.loop.now:.3f}"}
    noted = {**root.metadata.annotations, **token}
    cluster.api.put(
        "Kustomization", replace(root, metadata=replace(root.metadata, annotations=noted))
    )


def recovered(run: Story, within: float) -> list[str]:
    """Run it; return for which ends of a cause the root was woken."""
    ended: Ended | None = run.session()
    assert ended is not None
    assert ended.outcome == "done"
    assert ended.memory.now - ended.memory.opened_at < within
    return [
        str(entry.arguments["once"])
        for entry in run.book.entries()
        if isinstance(entry, e.ActionIntended)
        and entry.target == f"kustomization/{ROOT}"
        and entry.verb == "flux.nudge"
    ]


def test_a_namespace_that_is_deleted_twice_is_brought_back_twice() -> None:
    run, cluster = begin("healthy")
    breaks(cluster, cluster.start + 5, "Namespace", "storage")
    breaks(cluster, cluster.start + 170, "Namespace", "storage")

    first, second = recovered(run, 600)

    assert first.endswith("/namespace:storage")
    assert second.startswith(f"{first}@")


def test_a_crd_that_goes_again_is_applied_again_and_its_consumer_woken_again() -> None:
    run, cluster = begin("june")
    ready: list[str] = []

    def watched(key: str, _old: object, new: object) -> None:
        said = condition(new.status.conditions, "Ready") if new is not None else None  # type: ignore[attr-defined]
        if key == ROOT and said is not None and said.status == "True" and not ready:
            ready.append(key)
            breaks(cluster, cluster.loop.now + 15, "CustomResourceDefinition", CRD)

    cluster.api.watch("Kustomization", watched)

    first, second = recovered(run, 600)

    assert first.endswith("/kind:ExternalSecret.external-secrets.io")
    assert second.startswith(f"{first}@")
