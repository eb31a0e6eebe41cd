"""
One question for every kind: how is this object?

Each kind has its rule in the family's file; a kind without one is judged by what all have in common. What could not be
seen is Unobservable, what was looked for and is not there is Absent: never the one for the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from journal.entries import Fact, Instant
from phases import backup_objects as backup
from phases.more_objects import Anything, Claim, EndpointSlice, JobSpec, Lease
from phases.objects import Workload
from phases.readiness import (
    backups,
    flux,
    jobs,
    kstatus,
    machinery,
    network,
    nodes,
    pods,
    releases,
    secrets,
    sources,
    storage,
    workloads,
)
from phases.readiness.saying import absent, unobservable
from phases.snapshot import ALL_KINDS, Unseen

# Kinds whose names are not theirs alone are written with their group.
STRUCTS: Final[Mapping[str, Any]] = {
    **ALL_KINDS,
    "Bucket": ALL_KINDS["GitRepository"],
    "ReplicaSet": Workload,
    "Restore.velero.io": backup.Restore,
    "Volume.longhorn.io": backup.LonghornVolume,
    "VolumeSnapshot": backup.VolumeSnapshot,
}


@dataclass(frozen=True, slots=True)
class Context:
    """
    What a verdict may need beyond the object; a default asks nothing. Each rule says what its fields mean.

    *now* is the instant of the look. *expected*: pods of a workload (None: as many as its own spec says).
    """

    now: Instant | None = None
    expected: int | None = None
    suspended: bool = False
    goal: str = ""
    source: Fact | None = None
    chart_version: str = ""
    store: str = "?"
    opened: Instant | None = None
    target: AbstractSet[str] | None = None
    keys: AbstractSet[str] = frozenset()
    machine: Fact | None = None
    lease: Lease | None = None
    cordoned: bool = False
    version: str = ""
    discovered: bool | None = None
    as_applied: JobSpec | None = None
    backs: bool = False
    slices: Iterable[EndpointSlice] | None = None
    used: bool | None = None
    claims: Mapping[str, Claim] | None = None
    counted: int | None = None


NOTHING: Final = Context()
Rule = Callable[[Any, Context], Fact]


def struct_of(kind: str) -> Any:  # noqa: ANN401  a type, to decode with
    """Return the struct that objects of *kind* are decoded into."""
    return STRUCTS.get(kind, Anything)


def verdict(kind: str, found: Any, context: Context = NOTHING) -> Fact:  # noqa: ANN401  any struct
    """
    Judge an object of *kind*.

    *found* is its struct (see ``struct_of``), None where it is not there, Unseen where nobody could look.

    The code is one of Ready, Progressing, Blocked, Failed, Absent, Terminating, Suspended and Unobservable; detail has
    *cause*, *terminal* and *blockers* as ``phases.readiness.saying`` has them.
    """
    if isinstance(found, Unseen):
        return unobservable(found)
    return _RULES.get(kind, _generic)(found, context)


def _generic(found: Any, _context: Context) -> Fact:  # noqa: ANN401
    return kstatus.generic(found)


def _existing(found: Any, _context: Context) -> Fact:  # noqa: ANN401
    return kstatus.existing(found)


def _workload(kind: str) -> Rule:
    def judge(found: Workload | None, context: Context) -> Fact:
        if found is None:
            return absent()
        expected = context.expected
        if expected is None and kind != "DaemonSet":
            expected = 1 if found.spec.replicas is None else found.spec.replicas
        return workloads.verdict(kind, found, expected or 0)

    return judge


def _claimed(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return storage.claim(found, used=context.used)


def _crd(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return machinery.crd(found, version=context.version, discovered=context.discovered)


def _external_secret(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return secrets.external_secret(
        found, context.store, opened=context.opened, target=context.target, keys=context.keys
    )


def _kustomization(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return flux.kustomization(
        found, context.goal, suspended=context.suspended, source=context.source
    )


def _node(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return nodes.k8s_node(
        found, context.machine, lease=context.lease, now=context.now, cordoned=context.cordoned
    )


def _release(found: Any, context: Context) -> Fact:  # noqa: ANN401
    return releases.helm_release(
        found, suspended=context.suspended, chart_version=context.chart_version
    )


def _alone(judge: Callable[[Any], Fact]) -> Rule:
    """Lift a rule that needs nothing but the object."""
    return lambda found, _context: judge(found)


_RULES: Final[Mapping[str, Rule]] = {
    "APIService": _alone(machinery.api_service),
    "Bucket": _alone(sources.source),
    "CephCluster": _alone(storage.ceph_cluster),
    "ClusterSecretStore": _alone(secrets.store),
    "ConfigMap": _existing,
    "CronJob": _existing,
    "CustomResourceDefinition": _crd,
    "DaemonSet": _workload("DaemonSet"),
    "Deployment": _workload("Deployment"),
    "ExternalSecret": _external_secret,
    "GitRepository": _alone(sources.source),
    "HelmChart": _alone(sources.source),
    "HelmRelease": _release,
    "HelmRepository": _alone(sources.source),
    "Job": lambda found, context: jobs.job(found, as_applied=context.as_applied),
    "Kustomization": _kustomization,
    "Namespace": _alone(machinery.namespace),
    "Node": _node,
    "OCIRepository": _alone(sources.source),
    "PersistentVolume": lambda found, context: storage.volume(found, claims=context.claims),
    "PersistentVolumeClaim": _claimed,
    "Pod": lambda found, context: pods.pod(found, context.now),
    "PodDisruptionBudget": _existing,
    "ReplicaSet": _alone(workloads.replica_set),
    "ReplicationDestination": lambda found, context: backups.restored(
        found, counted=context.counted
    ),
    "ReplicationSource": _alone(backups.replicated),
    "Restore.velero.io": _alone(backups.restore),
    "Secret": _existing,
    "SecretStore": _alone(secrets.store),
    "Service": lambda found, context: network.service(
        found, backs=context.backs, slices=context.slices
    ),
    "StatefulSet": _workload("StatefulSet"),
    "Volume.longhorn.io": _alone(storage.longhorn_volume),
    "VolumeSnapshot": _alone(storage.volume_snapshot),
}
