"""What every call to a simulated target has in common: how it ends, and who refuses it before it is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.world import DENIED, INVALID, TRANSIENT
from journal.entries import Outcome
from rekindle.simulator.talos import PLAIN, Machine

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

Arguments = dict[str, Any]


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


def machine_of(cluster: SimCluster, arguments: Arguments) -> Machine | Answer:
    """Return the machine that a call is for, if it can be reached."""
    machine = cluster.machines.by_name.get(str(arguments.get("node", "")))
    if machine is None:
        return no(INVALID, "no such node")
    if not machine.up or machine.name in cluster.unseen:
        return no(TRANSIENT, f"dial tcp {machine.address}:50000: connect: connection refused")
    return machine


def authentic(machine: Machine) -> Answer | None:
    """Refuse a call with our certificate where nobody knows it."""
    if machine.stage in PLAIN or machine.stage == "foreign":
        return no(DENIED, "x509: certificate signed by unknown authority")
    return None
