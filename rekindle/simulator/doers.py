"""What each verb does at its target, and what refuses it there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.world import (
    ALREADY_EXISTS,
    CONFLICT,
    DENIED,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    TRANSIENT,
)
from journal.entries import Outcome
from rekindle.simulator.api import Refused, terminating
from rekindle.simulator.flux import REQUESTED, RESET
from rekindle.simulator.shapes import with_meta
from rekindle.simulator.talos import PLAIN, Machine
from rekindle.simulator.tree import Item

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

Arguments = dict[str, Any]
LABELS = {"app.kubernetes.io/applied-by": "rekindle"}
ESO_REQUESTED = "force-sync"


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended."""

    outcome: Outcome
    code: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


DONE = Answer(Outcome.DONE)


def no(code: str, error: str) -> Answer:
    """Refuse: certainly without effect."""
    return Answer(Outcome.FAILED, code, {"error": error})


# --- Talos ---------------------------------------------------------------------------------------


def _machine(cluster: SimCluster, arguments: Arguments) -> Machine | Answer:
    machine = cluster.machines.by_name.get(str(arguments.get("node", "")))
    if machine is None:
        return no(INVALID, "no such node")
    if not machine.up or machine.name in cluster.unseen:
        return no(TRANSIENT, f"dial tcp {machine.address}:50000: connect: connection refused")
    return machine


def _authentic(machine: Machine) -> Answer | None:
    """Refuse a call with our certificate where nobody knows it."""
    if machine.stage in PLAIN or machine.stage == "foreign":
        return no(DENIED, "x509: certificate signed by unknown authority")
    return None


def apply_config(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl apply-config``: only maintenance takes it without our certificate."""
    machine = _machine(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if arguments.get("insecure"):
        if machine.stage == "installing":
            return no(PRECONDITION, "configuration was already applied and node is rebooting")
        if machine.stage != "maintenance":
            return no(DENIED, "remote error: tls: certificate required")
        cluster.machines.apply(machine, str(arguments.get("sha256") or arguments.get("config")))
        return DONE
    return _authentic(machine) or Answer(Outcome.DONE, "", {"mode": "no-reboot", "changed": False})


def bootstrap(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl bootstrap``: refused on data, on workers and too early; never because of another cluster."""
    machine = _machine(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if refused := _authentic(machine):
        return refused
    if not machine.control_plane:
        return no(PRECONDITION, "bootstrap can only be performed on a control plane node")
    if machine.etcd_data is not None:
        return no(ALREADY_EXISTS, "etcd data directory is not empty")
    if machine.etcd != "Preparing":
        return no(PRECONDITION, "bootstrap is not available yet")
    cluster.machines.bootstrap(machine)
    return DONE


def fetch_kubeconfig(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl kubeconfig``: any configured control plane can issue one."""
    machine = _machine(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if refused := _authentic(machine):
        return refused
    cluster.kubeconfig = "ours"
    return DONE


# --- Kubernetes ----------------------------------------------------------------------------------


def _api(cluster: SimCluster) -> Answer | None:
    if cluster.kubeconfig != "ours":
        return no(DENIED, "no kubeconfig of this cluster")
    if not cluster.api.up or "api" in cluster.unseen:
        return no(TRANSIENT, "connect: connection refused")
    return None


def preapply_crd(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Server-side apply of one definition."""
    if refused := _api(cluster):
        return refused
    name = str(arguments.get("crd", ""))
    if name not in cluster.tree.crds():
        return no(INVALID, f"no manifest of {name}")
    if text := cluster.api.admission("CustomResourceDefinition", "", "CREATE"):
        return no(TRANSIENT, text)
    cluster.crds.apply(name, LABELS)
    return DONE


def apply_root(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Server-side apply of the source and the root Kustomizations."""
    del arguments
    if refused := _api(cluster):
        return refused
    items = [Item("GitRepository", key=cluster.maker.source)]
    items += [Item("Kustomization", key=key) for key in cluster.tree.roots]
    for item in items:
        if text := cluster.maker.dry_run(item):
            return no(PRECONDITION, text.strip())
    for item in items:
        try:
            cluster.maker.apply(item, LABELS)
        except Refused as error:
            return no(PRECONDITION, error.message)
    return DONE


def nudge(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Ask a controller to reconcile an object now, by annotation; refused if it is another object."""
    if refused := _api(cluster):
        return refused
    kind = str(arguments["kind"])
    namespace = str(arguments.get("namespace", ""))
    name = str(arguments["name"])
    key = f"{namespace}/{name}" if namespace else name
    found = cluster.api.get(kind, key)
    if found is None:
        return no(NOT_FOUND, f"{kind} {key} not found")
    if arguments.get("uid") not in (None, "", found.metadata.uid):
        return no(CONFLICT, "the object is another one")
    if text := cluster.api.admission(kind, namespace, "UPDATE"):
        return no(TRANSIENT, text)
    token = str(arguments["requested_at"])
    flux = kind in ("Kustomization", "HelmRelease", "GitRepository")
    annotations = {**found.metadata.annotations, REQUESTED if flux else ESO_REQUESTED: token}
    if arguments.get("reset"):
        annotations[RESET] = token
    cluster.api.put(kind, with_meta(found, annotations=annotations))
    return DONE


def release_finalizer(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Take finalizers off one object: this one, and only while it is Terminating."""
    if refused := _api(cluster):
        return refused
    kind = str(arguments["kind"])
    namespace = str(arguments.get("namespace", ""))
    name = str(arguments["name"])
    key = f"{namespace}/{name}" if namespace else name
    found = cluster.api.get(kind, key)
    if found is None:
        return no(NOT_FOUND, f"{kind} {key} not found")
    if arguments.get("uid") != found.metadata.uid:
        return no(CONFLICT, "the object is another one")
    if not terminating(found):
        return no(CONFLICT, "the object is not Terminating")
    cluster.api.release(kind, key, tuple(arguments.get("finalizers", ())))
    return DONE


def remove_object(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Delete one object without a namespace: the one of this uid; that it is gone already is success."""
    if refused := _api(cluster):
        return refused
    kind, name = str(arguments["kind"]), str(arguments["name"])
    found = cluster.api.get(kind, name)
    if found is None:
        return Answer(Outcome.DONE, NOT_FOUND)
    if arguments.get("uid") != found.metadata.uid:
        return no(CONFLICT, "the object is another one")
    cluster.api.delete(kind, name)
    return DONE


DOERS: dict[str, Callable[[SimCluster, Arguments], Answer]] = {
    "apiservice.remove": remove_object,
    "crd.preapply": preapply_crd,
    "etcd.bootstrap": bootstrap,
    "finalizer.release": release_finalizer,
    "flux.nudge": nudge,
    "kubeconfig.fetch": fetch_kubeconfig,
    "root.apply": apply_root,
    "talos.apply": apply_config,
    "webhook.remove": remove_object,
}
