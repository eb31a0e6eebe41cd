"""What happens by itself: the scenario's events, and the faults that have an hour."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rekindle.simulator.scenario import EventSpec

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster


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


def _happening(cluster: SimCluster, event: EventSpec) -> Callable[[], None]:
    def happen() -> None:
        machine = cluster.machines.by_name.get(event.node)
        match event.do:
            case "reboot" if machine is not None:
                if machine.configured:
                    cluster.machines.reboot(machine)
            case "power-off" if machine is not None:
                if machine.stage != "off":
                    cluster.machines.power_off(machine)
            case "power-on" if machine is not None:
                cluster.machines.power_on(machine)
            case "wipe" if machine is not None:
                cluster.machines.wipe(machine)
            case "delete":
                cluster.api.delete(event.kind, event.key)
            case "push":
                cluster.sources.revision = event.revision
                cluster.extra += 1
            case _:
                pass

    return happen
