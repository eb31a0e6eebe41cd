"""
A trivial operator for tests of the simulator: it looks, does what is plainly missing, and waits.

It is no recovery tool: it has no journal, no doubts and no deadlines. *without* names verbs that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.world import Intent
from journal.entries import Outcome
from phases.followed import Objects
from phases.objects import condition
from phases.snapshot import Seen, Snapshot
from rekindle.simulator.world import SimWorld


class Driver:
    """Drives a world until *goal* holds or *hours* have passed."""

    def __init__(self, world: SimWorld, without: tuple[str, ...] = ()) -> None:
        self.world = world
        self.without = without
        self.open: dict[str, str] = {}
        self.done: set[str] = set()
        self.tried: dict[str, int] = {}
        self.wakeups = 0
        self._number = 0

    def act(self, verb: str, target: str, again: str = "", **arguments: Any) -> None:  # noqa: ANN401
        key = f"{verb} {target} {again}"
        if verb in self.without or key in self.open.values() or key in self.done:
            return
        if any(name.startswith(f"{verb} {target} ") for name in self.open.values()):
            return
        self._number += 1
        action = f"a{self._number}"
        self.open[action] = key
        self.world.start(Intent(action, verb, target, 1, 1, 900.0, self.world.now(), arguments))

    def run(self, goal: Callable[[Snapshot], bool], hours: float = 10.0) -> bool:
        end = self.world.now() + hours * 3600
        while self.world.now() < end:
            snapshot = self.world.look()
            if goal(snapshot):
                return True
            self.step(snapshot)
            wakeup = self.world.next(min(end, self.world.now() + 60))
            self.wakeups += 1
            for settled in wakeup.settlements:
                key = self.open.pop(settled.action)
                if settled.outcome is Outcome.DONE:
                    self.done.add(key)
        return False

    # --- what is plainly missing -----------------------------------------------------------------

    def step(self, snapshot: Snapshot) -> None:
        looks = {
            name: seen.value for name, seen in snapshot.nodes.items() if isinstance(seen, Seen)
        }
        nodes = self.world.cluster.scenario.nodes
        for name, look in looks.items():
            if look.stage == "maintenance":
                self.act(
                    "talos.apply",
                    name,
                    node=name,
                    insecure=True,
                    config="x",
                    again=look.machine_uuid,
                )
        ready = [
            name for name in nodes if name in looks and looks[name].stage in ("booting", "running")
        ]
        if len(ready) < len(nodes):
            return
        if all(look.etcd in ("Preparing", "Waiting") for look in looks.values()):
            self.act("etcd.bootstrap", ready[0], node=ready[0])
        if not any(look.etcd_healthy for look in looks.values()):
            return
        if isinstance(snapshot.kubeconfig, Seen) and snapshot.kubeconfig.value.state != "ours":
            self.act("kubeconfig.fetch", ready[0], node=ready[0])
        if all(isinstance(seen, Seen) for seen in snapshot.objects.values()):
            kinds = {
                kind: seen.value
                for kind, seen in snapshot.objects.items()
                if isinstance(seen, Seen)
            }
            self.kubernetes(snapshot, kinds)

    def kubernetes(self, snapshot: Snapshot, kinds: dict[str, Objects]) -> None:
        world = self.world
        controllers = world.cluster.controllers
        if len(kinds["Node"]) < len(snapshot.nodes):
            return
        if world.cluster.cni not in kinds["DaemonSet"] or controllers[1] not in kinds["Deployment"]:
            self.act(
                "command.run", "cni", again=str(len(world.cluster.commands.log)), command="cni"
            )
            return
        if not all(world.cluster.alive(key) for key in controllers):
            return
        if len(kinds["GitRepository"]) == 0:
            self.act("root.apply", "roots", again=str(len(kinds["CustomResourceDefinition"])))
        for name, holders in snapshot.holders.items():
            for holder in holders.value if isinstance(holders, Seen) else ():
                self.act(
                    "finalizer.release",
                    f"{name} {holder.name}",
                    kind=holder.kind,
                    namespace=holder.namespace,
                    name=holder.name,
                    uid=holder.uid,
                    finalizers=list(holder.finalizers),
                )
        self.registrations(kinds)
        for key, found in kinds["Kustomization"].items():
            self.kustomization(key, found, kinds)

    def registrations(self, kinds: dict[str, Objects]) -> None:
        for name, found in kinds["APIService"].items():
            available = condition(found.status.conditions, "Available")
            if available is not None and available.status != "True":
                self.remove("apiservice.remove", "APIService", name, found)
        said = [condition(k.status.conditions, "Ready") for k in kinds["Kustomization"].values()]
        for name, found in kinds["ValidatingWebhookConfiguration"].items():
            for webhook in found.webhooks:
                uncalled = f'failed calling webhook "{webhook.name}"'
                if any(ready is not None and uncalled in ready.message for ready in said):
                    kind = "ValidatingWebhookConfiguration"
                    self.remove("webhook.remove", kind, name, found)

    def remove(self, verb: str, kind: str, name: str, found: Any) -> None:  # noqa: ANN401
        self.act(verb, name, kind=kind, name=name, uid=found.metadata.uid)

    def kustomization(self, key: str, found: Any, kinds: dict[str, Objects]) -> None:  # noqa: ANN401
        ready = condition(found.status.conditions, "Ready")
        if ready is None or ready.reason != "ReconciliationFailed":
            return
        cause = ""
        if "no matches for kind" in ready.message:
            kind = ready.message.split('kind "')[1].split('"')[0]
            crd = next(
                (
                    item.where.crd
                    for item in self.world.cluster.tree.items()
                    if item.kind == kind and item.where.crd
                ),
                "",
            )
            if self.world.cluster.api.established(crd):
                cause = f"crd {crd}"
            elif crd not in kinds["CustomResourceDefinition"]:
                self.act("crd.preapply", crd, crd=crd)
        elif "failed calling webhook" in ready.message:
            if not kinds["ValidatingWebhookConfiguration"]:
                cause = "webhooks"
        elif "timeout waiting for: [Namespace/" in ready.message and not any(
            name.metadata.deletion_timestamp for name in kinds["Namespace"].values()
        ):
            cause = "namespaces"
        if cause:
            namespace, _, name = key.rpartition("/")
            token = f"{cause} {ready.last_transition_time}"
            self.act(
                "flux.nudge",
                key,
                again=token,
                kind="Kustomization",
                namespace=namespace,
                name=name,
                uid=found.metadata.uid,
                requested_at=token,
            )


def everything(pods: int) -> Callable[[Snapshot], bool]:
    """The goal: all that a tree with so many pods brings is there and ready."""
    return lambda snapshot: recovered(snapshot, pods)


def recovered(snapshot: Snapshot, pods: int) -> bool:
    """Every expected pod is there and ready, and every Kustomization and release is."""
    kinds = {kind: seen.value for kind, seen in snapshot.objects.items() if isinstance(seen, Seen)}
    if not kinds or len(kinds["Pod"]) != pods:
        return False
    things = [
        *kinds["Pod"].values(),
        *kinds["Kustomization"].values(),
        *kinds["HelmRelease"].values(),
        *kinds["ExternalSecret"].values(),
    ]
    for thing in things:
        ready = condition(thing.status.conditions, "Ready")
        if ready is None or ready.status != "True":
            return False
    return bool(kinds["Kustomization"])
