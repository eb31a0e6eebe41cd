"""What happens by itself: the scenario's events, and the faults that have an hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rekindle.simulator.scenario import EventSpec

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster
    from rekindle.simulator.talos import Machine


def plan_events(cluster: SimCluster) -> None:
    """Put everything that has an instant into the queue."""
    start, loop, faults = cluster.start, cluster.loop, cluster.faults
    for event in cluster.scenario.events:
        loop.at(start + event.at, _happening(cluster, event))
    for node, at in faults.reboots:
        loop.at(start + at, _happening(cluster, EventSpec(at, "reboot", node)))
    for node, begin, end in faults.off:
        loop.at(start + begin, _happening(cluster, EventSpec(begin, "power-off", node)))
        loop.at(start + end, _happening(cluster, EventSpec(end, "power-on", node)))
    for name, begin, end in faults.unseen:
        loop.at(start + begin, lambda name=name: _hide(cluster, name, hidden=True))  # type: ignore[misc]
        loop.at(start + end, lambda name=name: _hide(cluster, name, hidden=False))  # type: ignore[misc]


def _hide(cluster: SimCluster, name: str, *, hidden: bool) -> None:
    if hidden:
        cluster.unseen.setdefault(name, cluster.loop.now)
    else:
        cluster.unseen.pop(name, None)
    cluster.extra += 1


def _reboot(cluster: SimCluster, machine: Machine) -> None:
    if machine.configured:
        cluster.machines.reboot(machine)


def _power_off(cluster: SimCluster, machine: Machine) -> None:
    if machine.stage != "off":
        cluster.machines.power_off(machine)


def _alarm(cluster: SimCluster, machine: Machine) -> None:
    if machine.etcd_data is not None:
        machine.etcd_data.alarms = ("NOSPACE",)
        cluster.machines.touch(machine)


def _power_on(cluster: SimCluster, machine: Machine) -> None:
    cluster.machines.power_on(machine)


def _wipe(cluster: SimCluster, machine: Machine) -> None:
    cluster.machines.wipe(machine)


def _empty(cluster: SimCluster, machine: Machine) -> None:
    cluster.pods.forget_images(machine.name)
    cluster.machines.empty(machine)


def _replace(cluster: SimCluster, machine: Machine) -> None:
    cluster.pods.forget_images(machine.name)
    cluster.machines.replace(machine)


OF_MACHINES: dict[str, Callable[[SimCluster, Machine], None]] = {
    "alarm": _alarm,
    "empty": _empty,
    "power-off": _power_off,
    "power-on": _power_on,
    "reboot": _reboot,
    "replace": _replace,
    "wipe": _wipe,
}


def _happening(cluster: SimCluster, event: EventSpec) -> Callable[[], None]:
    def happen() -> None:
        machine = cluster.machines.by_name.get(event.node)
        if machine is not None and event.do in OF_MACHINES:
            OF_MACHINES[event.do](cluster, machine)
        elif event.do == "delete":
            cluster.api.delete(event.kind, event.key)
        elif event.do == "push":
            cluster.sources.push(event.revision, rewrites=event.rewrites)
            cluster.extra += 1

    return happen
