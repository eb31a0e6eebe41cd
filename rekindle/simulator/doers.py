"""What each verb does at its target, and what refuses it there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.world import (
    ACCEPTED,
    ALREADY_EXISTS,
    CONFLICT,
    DENIED,
    INVALID,
    NOT_FOUND,
    PRECONDITION,
    TRANSIENT,
)
from journal.entries import Outcome
from phases.objects import condition
from phases.readiness.flux import is_held
from phases.readiness.saying import is_true
from phases.revisions import DESCENDS, REWRITTEN, UNTOLD
from rekindle.simulator.api import Refused, terminating
from rekindle.simulator.calls import DONE, Answer, Arguments, authentic, machine_of, no
from rekindle.simulator.etcd_doers import recover, remove_member, snapshot
from rekindle.simulator.flux import REQUESTED, RESET
from rekindle.simulator.shapes import with_meta
from rekindle.simulator.tree import Item

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

LABELS = {"app.kubernetes.io/applied-by": "rekindle"}
ESO_REQUESTED = "force-sync"


# --- Talos ---------------------------------------------------------------------------------------


def apply_config(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl apply-config``: only maintenance takes it without our certificate."""
    machine = machine_of(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if arguments.get("insecure"):
        if machine.stage == "installing":
            return no(PRECONDITION, "configuration was already applied and node is rebooting")
        if machine.stage != "maintenance":
            return no(DENIED, "remote error: tls: certificate required")
        cluster.machines.apply(machine, str(arguments.get("sha256") or arguments.get("config")))
        return DONE
    return authentic(machine) or Answer(Outcome.DONE, "", {"mode": "no-reboot", "changed": False})


def bootstrap(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl bootstrap``: refused on data, on workers and too early; never because of another cluster."""
    machine = machine_of(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if refused := authentic(machine):
        return refused
    if not machine.control_plane:
        return no(PRECONDITION, "bootstrap can only be performed on a control plane node")
    if machine.etcd_data is not None:
        return no(ALREADY_EXISTS, "etcd data directory is not empty")
    if machine.etcd != "Preparing":
        return no(PRECONDITION, "bootstrap is not available yet")
    first = not cluster.machines.clusters
    cluster.machines.bootstrap(machine)
    if not first:
        cluster.restore({})  # the API knows what its etcd has: nothing
    return DONE


def reset(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl reset``: accepted, and the rest only the machine shows; never without labels, never in maintenance."""
    machine = machine_of(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if refused := authentic(machine):
        return refused
    seen = {"machine_uuid": machine.uuid, "boot_id": machine.boot_id}
    for name, value in seen.items():
        if arguments.get(name) != value:
            return no(CONFLICT, f"another {name}")
    scope = set(arguments.get("scope") or ())
    if not scope or not scope <= {"STATE", "EPHEMERAL"}:
        return no(INVALID, "a reset names its labels")
    if machine.stage not in ("booting", "running"):
        return no(PRECONDITION, f"locked: the machine is {machine.stage}")
    cluster.machines.reset(
        machine,
        state="STATE" in scope,
        ephemeral="EPHEMERAL" in scope,
        graceful=bool(arguments.get("graceful")),
    )
    return Answer(Outcome.UNSETTLED, ACCEPTED, {"scope": sorted(scope)})


def fetch_kubeconfig(cluster: SimCluster, arguments: Arguments) -> Answer:
    """``talosctl kubeconfig``: any configured control plane can issue one."""
    machine = machine_of(cluster, arguments)
    if isinstance(machine, Answer):
        return machine
    if refused := authentic(machine):
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
        # What is on its way out is refused (403); what is not there is not found.
        if text := cluster.maker.refusal(item):
            return no(DENIED if "terminated" in text else NOT_FOUND, text.strip())
        if text := cluster.maker.dry_run(item):
            return no(TRANSIENT, text.strip())
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
    if refused := _not_now(kind, found, arguments):
        return refused
    if text := cluster.api.admission(kind, namespace, "UPDATE"):
        return no(TRANSIENT, text)
    token = str(arguments["requested_at"])
    flux = kind in ("Kustomization", "HelmRelease", "GitRepository")
    annotations = {**found.metadata.annotations, REQUESTED if flux else ESO_REQUESTED: token}
    if arguments.get("reset"):
        annotations[RESET] = token
    cluster.api.put(kind, with_meta(found, annotations=annotations))
    return DONE


def _not_now(kind: str, found: Any, arguments: Arguments) -> Answer | None:  # noqa: ANN401  any object
    """Look at the object a last time, as the real adapter does: what it was decided on may be over."""
    if arguments.get("generation") not in (None, found.metadata.generation):
        return no(CONFLICT, f"generation is {found.metadata.generation} by now")
    if terminating(found):
        return no(PRECONDITION, "it is being deleted")
    if getattr(found.spec, "suspend", False):
        return no(PRECONDITION, "it is suspended")
    if is_held(kind, found.status.conditions):
        return no(CONFLICT, "a worker of its controller holds it just now")
    if is_true(condition(found.status.conditions, "Ready")) and not arguments.get("ready"):
        return no(CONFLICT, "it is Ready by now")
    return None


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


def ancestry(cluster: SimCluster, arguments: Arguments) -> Answer:
    """Ask the operator's clone whether one commit descends from another."""
    found = cluster.sources.descends(str(arguments["old"]), str(arguments["new"]))
    code = UNTOLD if found is None else DESCENDS if found else REWRITTEN
    return Answer(Outcome.DONE, code)


def give_back(cluster: SimCluster, _arguments: Arguments) -> Answer:
    """Take our field manager off; who owns which field is not simulated, and nothing rests on it here."""
    return _api(cluster) or DONE


DOERS: dict[str, Callable[[SimCluster, Arguments], Answer]] = {
    "apply.give-back": give_back,
    "apiservice.remove": remove_object,
    "crd.preapply": preapply_crd,
    "etcd.bootstrap": bootstrap,
    "etcd.recover": recover,
    "etcd.remove-member": remove_member,
    "etcd.snapshot": snapshot,
    "finalizer.release": release_finalizer,
    "flux.nudge": nudge,
    "git.ancestry": ancestry,
    "kubeconfig.fetch": fetch_kubeconfig,
    "node.reset": reset,
    "root.apply": apply_root,
    "talos.apply": apply_config,
    "webhook.remove": remove_object,
}
