"""
An inventory, taken from the Git tree, from a cluster, or from both, with what is to be said about it.

A cluster that is not healthy gives no inventory by itself: what it has lost would not be missed any more, and the 23
pods that are left would be 23 of 23.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from engine.errors import EnvironmentWrong, NoApi
from journal.redactor import redact_text
from phases import codes
from phases.autoscalers import not_told
from phases.belonging import is_left_over, owner_of
from phases.charts import Charts, charts_in
from phases.diagnosis.scene import Scene
from phases.existing import NEEDED, autoscaled, followed, hooks_in, inventory_of, source_of
from phases.hooks import Hooks
from phases.inventory import Inventory
from phases.joining import NO_CHARTS, NONE, joined
from phases.kinds import Held
from phases.snapshot import Snapshot, Unseen
from phases.unready import unready
from phases.wants import Named
from rekindle import diagnosed
from rekindle.adapters import gitops
from rekindle.planfile import TreePlace

TOLD = 40
OURS_TO_MEND = ("denied", "foreign")
WHILE_HEALTHY = "an inventory is taken while the cluster is healthy; without one render the Git tree: --from git"


@dataclass(frozen=True, slots=True)
class Taken:
    """
    *origin* says where it is from, in a sentence without its full stop.

    *foreign* maps Kustomizations to a source that is not the inventory's (``Kind NS/NAME``); *notes* are further
    things that are not known; *unready* what was not healthy (``SUBJECT: why``). *held*: what each of Git's
    Kustomizations brings, *classes*: who brings each of its StorageClasses, *named*: what its objects name that it has
    not. *hooks*: the cluster's webhooks, *charts*: what else its charts bring. *autoscaled*: the workloads that count
    with the fewest pods that an autoscaler leaves them, each with those that it asked for when it was looked at.
    """

    inventory: Inventory
    origin: str
    foreign: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)
    hooks: Hooks = NONE
    charts: Charts = NO_CHARTS
    autoscaled: Mapping[str, int] = field(default_factory=dict)


def of_git(place: TreePlace, *, alone: bool = True) -> Taken:
    """
    Render the tree; raise a Diagnosed error for what does not build.

    *alone*: no cluster is asked besides, and what only a cluster knows is told as not known.
    """
    rendered = gitops.inventory(place.repository, place.roots, place.nodes, place.source)
    commit = gitops.revision(place.repository)
    changed = ", with changes that no commit has" if gitops.is_changed(place.repository) else ""
    name = place.repository.resolve().name
    origin = f"the Git tree {name} at {f'commit {commit}' if commit else 'no commit'}{changed}"
    inventory = checked(rendered.inventory)
    blind = _only_a_cluster_knows(inventory) if alone else ()
    return Taken(
        inventory,
        origin,
        rendered.unknown,
        (*blind, *rendered.notes),
        held=rendered.held,
        classes=rendered.classes,
        named=rendered.named,
    )


def of_cluster(
    snapshot: Snapshot,
    name: str,
    classes: Mapping[str, str] | None = None,
    silent: str = WHILE_HEALTHY,
) -> Taken:
    """
    Take what is there; *unready* says what is not as it should be. *classes*: who brings each StorageClass, by Git.

    *silent*: what helps where nothing answers.

    :raises NoApi: when nothing could be listed.
    :raises EnvironmentWrong: when that is our credentials' fault.
    """
    _must_answer(snapshot, name, silent)
    scene = Scene(snapshot)
    raw = inventory_of(scene, classes)
    inventory = checked(raw)
    at = datetime.fromtimestamp(snapshot.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    kustomizations = scene.of("Kustomization")
    foreign = {key: " ".join(followed(kustomizations[key])) for key in inventory.unknown}
    paused = [item.key for item in inventory.kustomizations if item.suspended]
    paused += [item.key for item in inventory.helmreleases if item.suspended]
    notes = [
        f"what brings crd/{name}: {owner} is gone, so it is left out"
        for name, owner in _left(scene)
    ]
    notes += [f"whether Git suspends {key}, which is suspended here" for key in paused]
    notes += map(redact_text, not_told(scene))
    hooks = hooks_in(scene, raw["workloads"])
    charts = charts_in(scene, source_of(scene))
    said = (f"{name} at {at}", foreign, tuple(notes), _unready(scene))
    return Taken(inventory, *said, hooks=hooks, charts=charts, autoscaled=autoscaled(scene))


def of_both(git: Taken, cluster: Taken) -> Taken:
    """Take Git's Flux objects and what the cluster knows that they bring."""
    charts = replace(cluster.charts, named=git.named)
    both = joined(git.inventory, cluster.inventory, git.held, cluster.hooks, charts)
    absent = [f"{name}: {_has(name)} has it, and the cluster has not" for name in both.absent]
    left = [f"{subject}, which Git has not: it is left out" for subject in both.left_out]
    return Taken(
        both.inventory,
        f"{git.origin}, and from {cluster.origin}",
        {**cluster.foreign, **git.foreign},
        (*git.notes, *left),
        (*absent, *cluster.unready),
        autoscaled=cluster.autoscaled,
    )


def autoscaled_in(taken: Taken) -> tuple[str, ...]:
    """Say with how many pods each autoscaled workload of an inventory counts, and how many it had."""
    subjects = (
        (codes.subject(item.kind, item.key), item.pods) for item in taken.inventory.workloads
    )
    return tuple(
        f"{subject}: at least {pods}; it had {taken.autoscaled[subject]}"
        for subject, pods in subjects
        if subject in taken.autoscaled
    )


def must_be_healthy(taken: Taken) -> None:
    """:raises EnvironmentWrong: when the cluster is not healthy, with what is not."""
    if taken.unready:
        raise EnvironmentWrong(
            f"{taken.origin} is not healthy: {len(taken.unready)} things are not ready\n"
            + "\n".join(f"  {line}" for line in listed(taken.unready)),
            reference="cluster-unhealthy",
            hint="an inventory of it would not miss what is lost; take it when `rekindle diagnose` finds nothing, "
            "or say --even-unhealthy and review each line",
        )


def checked(raw: dict[str, Any]) -> Inventory:
    """:raises EnvironmentWrong: when what was found is no inventory, with each place."""
    try:
        return Inventory.model_validate(raw)
    except ValidationError as error:
        places = (
            f"  {'.'.join(map(str, found['loc']))}: {found['msg'].removeprefix('Value error, ')}"
            for found in error.errors(include_url=False)
        )
        raise EnvironmentWrong(
            "what was found is no inventory:\n" + "\n".join(listed(tuple(places))),
            reference="inventory-invalid",
            hint="names and counts must be those that Kubernetes allows: mend them where they come from",
        ) from error


def listed(lines: tuple[str, ...], most: int = TOLD) -> tuple[str, ...]:
    """Return the first *most* lines, and how many more there are."""
    more = len(lines) - most
    return (*lines[:most], f"... and {more} more") if more > 0 else lines


def document(taken: Taken, file: str | None) -> dict[str, Any]:
    """Return everything as JSON; *file* is where the inventory was written."""
    return {
        "schema": "rekindle.inventoried/1",
        "file": file,
        "origin": taken.origin,
        "foreign": dict(taken.foreign),
        "notes": list(taken.notes),
        "unready": list(taken.unready),
        "autoscaled": list(autoscaled_in(taken)),
        "inventory": taken.inventory.model_dump(mode="json", by_alias=True),
    }


def _only_a_cluster_knows(inventory: Inventory) -> tuple[str, ...]:
    notes = []
    if inventory.helmreleases:
        count = len(inventory.helmreleases)
        notes.append(f"the workloads and CRDs of {count} HelmReleases: a cluster knows them")
    if not inventory.nodes and any(item.kind == "DaemonSet" for item in inventory.workloads):
        notes.append("how many pods the DaemonSets have: no nodes are known without a plan")
    return tuple(notes)


def _has(subject: str) -> str:
    return "the plan" if subject.startswith("k8s-node/") else "Git"


def _unready(scene: Scene) -> tuple[str, ...]:
    """Say what is not ready, and the causes that a diagnosis finds besides."""
    lines = [redact_text(line) for line in unready(scene)]
    named = {line.partition(": ")[0] for line in lines}
    lines += [
        f"{root.finding.subject}: {root.finding.message}"
        for root in diagnosed.of_scene(scene).roots
        if root.finding.clears_itself != "yes" and root.finding.subject not in named
    ]
    return tuple(lines)


def _left(scene: Scene) -> list[tuple[str, str]]:
    """Return the CRDs that are left over, each with what had brought it."""
    crds = sorted(scene.of("CustomResourceDefinition").items())
    owned = ((name, found.metadata) for name, found in crds)
    return [(name, owner_of(scene, meta)) for name, meta in owned if is_left_over(scene, meta)]


def _must_answer(snapshot: Snapshot, name: str, helps: str) -> None:
    looks = [snapshot.objects.get(kind, Unseen(0.0, "not-asked")) for kind in NEEDED]
    silent = [look for look in looks if isinstance(look, Unseen)]
    if len(silent) < len(looks):
        return
    why = redact_text(silent[0].why or silent[0].code)
    if any(look.code in OURS_TO_MEND for look in silent):
        raise EnvironmentWrong(
            f"{name} does not let us look: {why}",
            reference="kubeconfig-unusable",
            hint="check --kubeconfig, its context and its credentials: `kubectl auth can-i list deployments -A`",
        )
    raise NoApi(
        f"{name} does not answer: {why}",
        reference="api-unanswered",
        hint=helps,
    )
