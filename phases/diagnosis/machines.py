"""
Machines, as Talos shows them before and beside Kubernetes (catalogue T1-T3, T5, T11, T12, T18).

Only the nodes of a plan are looked at. One cause is said once, however many machines have it. Talos tells what is so
and not since when, so that none of these says a duration: in a run it is counted from when it was first found. What
has not answered lately is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Finding, Remedy
from phases import codes
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, destructive, look, never, reversible
from phases.diagnosis.scene import Scene
from phases.diagnosis.words import listed, named
from phases.objects import condition
from phases.snapshot import NodeLook

BOOTING: Final = "booting"
BOOTED: Final = {BOOTING, codes.RUNNING}  # Talos tells unmet conditions in no other stage
DENIED: Final = "denied"
MACHINE: Final = "machine"


def looks(scene: Scene, wanted: Callable[[NodeLook], bool] = lambda _: True) -> dict[str, NodeLook]:
    """Return the machines that answer now and of which *wanted* holds, by name."""
    return {
        n: found for n, found in scene.machines().items() if found is not None and wanted(found)
    }


def are(names: Sized) -> str:
    """Return the verb for so many."""
    return "is" if len(names) == 1 else "are"


def behind(scene: Scene, names: Iterable[str]) -> tuple[Subject, ...]:
    """Return what machines hold up: themselves, and their Node objects as long as those are not Ready."""
    held: list[Subject] = []
    for name in sorted(names):
        held.append(codes.node(name))
        node = scene.get("Node", name)
        ready = condition(node.status.conditions, "Ready") if node is not None else None
        if node is not None and (ready is None or ready.status != "True"):
            held.append(codes.k8s_node(name))
    return tuple(held)


def about(scene: Scene, rule: str, names: Iterable[str], **fields: Any) -> Finding:  # noqa: ANN401
    """Make a finding about machines, with the look at each as evidence."""
    fields.setdefault("evidence", tuple(f"nodes[{name}].stage" for name in sorted(names)))
    fields.setdefault("blocks", behind(scene, names))
    return Finding(rule=rule, **fields)


@dataclass(frozen=True, slots=True)
class _Stage:
    """What is said of all machines that are at one *stage*: ``machine a is SAYS``."""

    rule: str
    stage: str
    subject: Subject
    cause: str
    says: str
    clears_itself: str
    clears_when: str
    remedies: tuple[Remedy, ...]

    def find(self, scene: Scene) -> Iterable[Finding]:
        """Find them."""
        found = looks(scene, lambda look_: look_.stage == self.stage)
        if found:
            yield about(
                scene,
                self.rule,
                found,
                subject=self.subject,
                cause=self.cause,
                message=f"{named(found, MACHINE)} {are(found)} {self.says}",
                clears_itself=self.clears_itself,
                clears_when=self.clears_when,
                remedies=self.remedies,
            )


# Machines in maintenance have no configuration, or were given one this moment: nothing tells which.
UNCONFIGURED: Final = _Stage(
    "T1",
    codes.MAINTENANCE,
    "unconfigured-machines",
    "maintenance",
    "in maintenance: nothing of a cluster runs there before its configuration is given",
    UNKNOWN,
    "each has left maintenance",
    (
        look("which machine is which: by MAC address, disk serial or UUID"),
        reversible("apply its own configuration to each, over the maintenance API"),
        never("give one another's configuration: role and addresses are in it"),
    ),
)
# Their certificates are of other secrets than ours: another cluster, or secrets made anew.
FOREIGN: Final = _Stage(
    "T3",
    codes.FOREIGN,
    "foreign-machines",
    "other-secrets",
    "configured with other secrets than our talosconfig knows",
    NO,
    "each is signed by the authority of our talosconfig",
    (
        look("compare the authority of talosconfig and configuration with Git's history"),
        reversible("take the secrets that the machines were made with, from Git or backup"),
        destructive("reset the machine: its data is gone, and whose it was is not known"),
    ),
)
# They come back empty, or hang where etcd does not let them leave.
RESETTING: Final = _Stage(
    "T12",
    "resetting",
    "resetting-machines",
    "resetting",
    "being reset: Talos goes away before it comes back in maintenance",
    UNKNOWN,
    "each shows itself in maintenance",
    (
        look(
            "the machine itself until then; what a client of the reset says or hangs at is no evidence"
        ),
        look("whether etcd has a quorum: a graceful reset waits for etcd to let it leave"),
        destructive("reset it without grace: its member stays in etcd and must be removed"),
    ),
)


def _distrusting(scene: Scene) -> Iterable[Finding]:
    """T2: machines are configured, ask for a certificate, and take ours for none of theirs."""
    found = [name for name, code in scene.unseen_machines().items() if code == DENIED]
    if found:
        yield about(
            scene,
            "T2",
            found,
            subject="distrusting-machines",
            cause="denied",
            message=f"{named(found, MACHINE)} {are(found)} configured: our talosconfig is not let in",
            clears_itself=UNKNOWN,
            evidence=tuple(f"nodes[{name}] unseen: {DENIED}" for name in found),
            clears_when="each answers our talosconfig",
            remedies=(
                look("whether the talosconfig is this cluster's, has not expired, and has a role"),
                never("reset it to get in: it runs, and has its data"),
            ),
        )


def _without_time(scene: Scene) -> Iterable[Finding]:
    """T5: the clock is not in sync: etcd does not begin, a bootstrap is refused, and certificates do not hold."""
    found = looks(scene, lambda look_: look_.stage in BOOTED and "time" in look_.unmet)
    if found:
        yield about(
            scene,
            "T5",
            found,
            subject="machines-without-time",
            cause="time-not-in-sync",
            message=f"the clock of {named(found, MACHINE)} is not in sync: "
            f"{'it is on the way up, or no time server is reached; ' if _boots(found) else ''}"
            "services wait for it, and a bootstrap is refused",
            clears_itself=UNKNOWN,
            evidence=tuple(f"nodes[{name}].unmet time" for name in found),
            clears_when="Talos calls the time in sync",
            remedies=(
                look("whether the time server, DNS and the gateway can be reached from there"),
                look("the clock of the machine itself: its battery may be empty"),
                never("switch the synchronisation off: certificates are judged by that clock"),
            ),
        )


def _unmet(scene: Scene) -> Iterable[Finding]:
    """T11: machines are up and lack their network, or ran already and lack services of Talos."""
    seen = looks(scene, lambda look_: look_.stage in BOOTED and bool(_lacks(look_)))
    found = {name: _lacks(look_) for name, look_ in seen.items()}
    if found:
        told = (f"{name} lacks {' and '.join(lacks)}" for name, lacks in found.items())
        yield about(
            scene,
            "T11",
            found,
            subject="machines-unmet",
            cause="unmet-conditions",
            message=f"Talos {'is on its way up, or' if _boots(seen) else 'is up and'} does not get on: {listed(told)}",
            clears_itself=UNKNOWN,
            evidence=tuple(
                f"nodes[{name}].unmet {', '.join(found[name])}" for name in sorted(found)
            ),
            clears_when="Talos names none of these as unmet",
            remedies=(
                look(
                    "what Talos says of it: talosctl get machinestatus, and the log of the service"
                ),
                look("link, VLAN, DHCP and the way to the registry of its images"),
                reversible(
                    "switch the power of a machine off and on, while the others have a quorum"
                ),
            ),
        )


def _boots(found: Mapping[str, NodeLook]) -> bool:
    """Say whether what machines lack may be on its way: every boot goes through that, and Talos tells no instants."""
    return any(look_.stage == BOOTING for look_ in found.values())


def _lacks(look_: NodeLook) -> tuple[str, ...]:
    """
    Return what is not there and should be.

    A boot waits for services by its nature, and a control plane whose etcd is ill or unknown for that: T8, T19.
    """
    etcd_is_why = look_.etcd is None or (look_.etcd != "" and not look_.etcd_healthy)
    services = look_.stage == codes.RUNNING and not etcd_is_why
    return tuple(
        name
        for name in sorted(look_.unmet)
        if name == "network" or (services and name == "services")
    )


def _silent_server(scene: Scene) -> Iterable[Finding]:
    """T18: nothing answers where the kubeconfig points, mostly a virtual address, and control planes answer."""
    api = scene.api()
    if api is None or not api.silent:
        return
    ready = sorted(name for name, is_ready in api.readyz.items() if is_ready)
    yield Finding(
        subject=codes.KUBECONFIG,
        cause="server-silent",
        message=f"nothing answers at {quote(api.silent)}, where the kubeconfig points; the API answers on "
        f"{named(ready, 'node') if ready else 'a node'} itself",
        clears_itself=UNKNOWN,
        rule="T18",
        evidence=(f"api.silent {quote(api.silent)}", "api.readyz"),
        clears_when="the API answers there",
        remedies=(
            look("whether etcd is well: who has the virtual address is elected through it"),
            reversible("go through a control plane's own address until then (rekindle does)"),
            never("give the address to a machine by hand: two would have it once it is elected"),
        ),
    )


MAINTENANCE: Final = (
    "talos v1.13 internal/app/maintenance/server/server.go: no client certificate is asked for"
)
STAGES: Final = "talos v1.13 internal/app/machined/pkg/controllers/runtime/machine_status.go"
TIME: Final = (
    "talos v1.13 internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go: time is not in sync yet; "
    "controllers/runtime/machine_status.go"
)
RESETS: Final = "talos v1.13 internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer.go; talos#11119, #8802"
ELECTED: Final = "talos v1.13 internal/app/machined/pkg/controllers/network/operator/vip.go"

RULES = (
    Rule(
        "T1", "a machine waits for its configuration", Proof.SOURCE, MAINTENANCE, UNCONFIGURED.find
    ),
    Rule("T2", "a machine does not let us in", Proof.SOURCE, MAINTENANCE, _distrusting),
    Rule("T3", "a machine has other secrets", Proof.SOURCE, MAINTENANCE, FOREIGN.find),
    Rule("T5", "a machine's clock is not in sync", Proof.SOURCE, TIME, _without_time),
    Rule("T11", "Talos does not get on", Proof.SOURCE, STAGES, _unmet),
    Rule("T12", "a machine is being reset", Proof.SOURCE, RESETS, RESETTING.find),
    Rule(
        "T18", "nothing answers where the kubeconfig points", Proof.SOURCE, ELECTED, _silent_server
    ),
)
