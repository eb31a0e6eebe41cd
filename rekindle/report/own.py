"""
Causes that this run brought about itself: what follows from a machine that it reset, by what it was asked for.

A machine is away from the intent of its reset until its Node is Ready again in another boot. What then begins and names
only machines that are away follows from that; of etcd, if one of its control planes is. Where every control plane was
reset the cluster began anew, and so did its network, DNS and Flux. A circle in Git, or a dead webhook, does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from journal import entries as e
from journal.entries import Fact, Instant, Outcome
from phases import codes
from phases.lives import RESET
from rekindle.report.reasons import Cause

NODE, K8S_NODE, PODS_ON = codes.node(""), codes.k8s_node(""), "pods-on/"
OF_MACHINES = frozenset({"L20", "T1", "T12", "T15", "T16", "T17"})
OF_ETCD = frozenset({"T8", "T19"})
OF_CLUSTER = frozenset({"F1", "L2", "L3", "T16", "X2"})
CUT_SECONDS = 1.0  # the API cuts its instants to the second


@dataclass(slots=True)
class _Away:
    """A machine that was told to reset itself, in the boot *boot*: until it is *up* in another one, and *back*."""

    name: str
    boot: str
    begun: Instant
    up: bool = False
    back: Instant | None = None


@dataclass(slots=True)
class Own:
    """Folded entry by entry, by the action that told each machine."""

    away: dict[str, _Away] = field(default_factory=dict)

    def see(self, entry: e.AnyEntry, facts: Mapping[str, Fact]) -> None:
        """Take in what was begun, refused or observed; *facts* are those after it."""
        match entry:
            case e.ActionIntended() if entry.verb == RESET:
                boot = str(entry.arguments.get("boot_id") or "")
                name = entry.target.removeprefix(NODE)
                self.away[entry.action] = _Away(name, boot, entry.at)
            case e.ActionSettled() if entry.outcome is Outcome.FAILED:
                self.away.pop(entry.action, None)
            case e.Observed():
                for one in self.away.values():
                    self._look(one, facts, entry.at)
            case _:
                pass

    def _look(self, one: _Away, facts: Mapping[str, Fact], at: Instant) -> None:
        if one.back is not None:
            return
        machine, node = facts.get(codes.node(one.name)), facts.get(codes.k8s_node(one.name))
        if one.up and node is not None and node.code == codes.READY:
            one.back = at
        boot = machine.detail.get("boot_id") if machine is not None else ""
        if machine is not None and machine.code == codes.RUNNING and boot and boot != one.boot:
            one.up = True

    def of(self, cause: Cause, planes: Collection[str], healed: Instant | None) -> tuple[str, ...]:
        """Name the machines whose reset by this run a cause follows from; *healed*: when all was well again."""
        begun = cause.found if cause.broke is None else cause.broke
        mine = [one for one in self.away.values() if one.begun - CUT_SECONDS < begun]
        away = {one.name for one in mine if one.back is None or begun < one.back}
        if cause.rule in OF_MACHINES:
            named = set(_machines((cause.subject, *cause.victims)))
            if named and named <= away:
                return tuple(sorted(named))
        if cause.rule in OF_ETCD:
            return tuple(sorted(away.intersection(planes)))
        whole = bool(planes) and {one.name for one in self.away.values()} >= set(planes)
        if cause.rule in OF_CLUSTER and whole and (healed is None or begun < healed):
            return tuple(sorted({one.name for one in mine}))
        return ()


def _machines(subjects: Iterable[str]) -> Iterable[str]:
    for subject in subjects:
        for family in (NODE, K8S_NODE, PODS_ON):
            if subject.startswith(family):
                yield subject.removeprefix(family)


def follows(names: Collection[str]) -> str:
    """Say it in words; empty: the cause is none of our doing."""
    return f"follows from our reset of {', '.join(names)}" if names else ""
