"""How long things took in a recorded run, and what its commands brought: what the simulator has to be told for both."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from journal.entries import Instant, Outcome
from phases import codes
from phases.durations import ENOUGH
from phases.kinds import WORKLOADS
from phases.section import Section
from rekindle.simulator.planted import DAEMONSET, Ref
from rekindle.simulator.pods import CACHED_IMAGE
from rekindle.simulator.scenario import CommandSpec
from rekindle.simulator.tree import Item, Tree
from rekindle.simulator.witnessed import GONE, Ran, Remarks, Witness

COMMAND_SECONDS = 40.0
UNINSTALL_SECONDS = 10.0  # after so long, what an uninstall takes is gone
LONGEST_START = 600.0  # a Deployment gives up after so long: what took longer was something else


@dataclass
class Timings:
    """Durations in seconds; what is said to whoever reviews them goes to *remarks*."""

    seen: Witness
    section: Section
    remarks: Remarks

    # --- workloads -------------------------------------------------------------------------------

    def starts(self) -> dict[Ref, float]:
        """Return the seconds a pod of each workload took, where the run saw one come up."""
        ready = self._nodes_ready()
        network = (self.section.cni.daemonset, *self.section.cni.deployments)
        found: dict[Ref, float] = {}
        for kind, key, subject, pods in self.section.workloads:
            pinned = kind != "Deployment"  # its pods wait for their own node, not for any
            floors = () if key in network else ready if pinned else ready[:1]
            took = self.seen.took(subject, floors)
            if took is None:
                continue
            one_by_one = max(pods, 1) if kind == "StatefulSet" else 1
            found[kind, key] = round(
                min(took / one_by_one / self._warmth(kind, pods), LONGEST_START), 1
            )
        self.remarks.recorded.append(
            f"the start of {len(found)} of {len(self.section.workloads)} workloads was seen"
        )
        return found

    def _nodes_ready(self) -> tuple[Instant, ...]:
        """Return the instants at which a Node became Ready: before, pods of its did not start."""
        changes = (self.seen.history.get(codes.k8s_node(name), ()) for name in self.seen.node_names)
        return tuple(
            sorted(at for found in changes for at, fact in found if fact.code == codes.READY)
        )

    def _warmth(self, kind: str, pods: int) -> float:
        """
        Say which share of a start with a pull was seen: a node that ran such a pod before has its image.

        That was every node, where there was a pod on each; else pods come to other nodes more often than not.
        """
        everywhere = kind == DAEMONSET or pods >= len(self.seen.node_names)
        return CACHED_IMAGE if self.seen.lived and everywhere else 1.0

    def usual(self, starts: dict[Ref, float]) -> float:
        """Return the seconds a pod takes of which none was seen to come up."""
        if len(starts) < ENOUGH:
            usual = Item("").start
            self.remarks.assumed.append(
                f"a pod that was not seen to start takes {usual:g} s, the simulator's usual"
            )
            return usual
        if len(starts) < len(self.section.workloads):
            self.remarks.assumed.append(
                "a pod that was not seen to start takes the median of those that were"
            )
        return round(median(starts.values()), 1)

    # --- commands --------------------------------------------------------------------------------

    def machinery(self) -> tuple[tuple[str, str, int], ...]:
        """Return the network's and Flux's own workloads: kind, key, pods."""
        listed = {("DaemonSet", self.section.cni.daemonset)}
        listed |= {("Deployment", k) for k in self.section.cni.deployments}
        listed |= {("Deployment", k) for k in self.section.flux.controllers}
        return tuple(
            (k, key, pods) for k, key, _, pods in self.section.workloads if (k, key) in listed
        )

    def commands(self, tree: Tree) -> dict[str, CommandSpec]:
        """Say of each command of the plan how long it works by itself, and which releases of the tree it brings."""
        owners = {
            (item.kind, item.id): key
            for key, spec in tree.helmreleases.items()
            for item in spec.installs
            if item.kind in WORKLOADS
        }
        return {name: self._command(name, tree, owners) for name in self.section.commands}

    def _command(self, name: str, tree: Tree, owners: dict[Ref, str]) -> CommandSpec:
        attempts = [ran for ran in self.seen.commands if ran.name == name]
        done = [ran for ran in attempts if ran.outcome is Outcome.DONE]
        ran = next(iter(done), None)
        brings = self._brought(name, ran, owners)
        failed = len(attempts) - len(done)
        if failed:
            times = "once" if failed == 1 else f"{failed} times"
            self.remarks.inexpressible.append(
                f"command {name} did not end well {times}; here it always does"
            )
        if ran is None:
            self.remarks.assumed.append(
                f"command {name} was not seen to end: it takes {COMMAND_SECONDS:g} s of its own"
            )
            return CommandSpec(COMMAND_SECONDS, helmreleases=brings)
        plain = tuple(key for key in brings if self._outlived(key, ran, owners))
        if plain:
            text = f"what command {name} brought outlived its release: it brings plain objects of {', '.join(plain)}"
            self.remarks.recorded.append(text)
        own = self._own_seconds(ran, [tree.helmreleases[key].installs for key in brings])
        self.remarks.recorded.append(
            f"command {name} took {ran.ended - ran.begun:.0f} s, {own:.0f} s of it besides what it waited for"
        )
        return CommandSpec(
            own,
            helmreleases=tuple(key for key in brings if key not in plain),
            objects=tuple(item for key in plain for item in tree.helmreleases[key].installs),
        )

    def _outlived(self, release: str, ran: Ran, owners: dict[Ref, str]) -> bool:
        """
        Say whether a release ended after its command, and took nothing of what that had brought.

        Helm's uninstall takes whatever bears the release's name: what stayed was brought in another way.
        """
        history = self.seen.history.get(codes.subject("HelmRelease", release), ())
        gone = (
            at
            for (_, before), (at, fact) in pairwise(history)
            if at > ran.begun and (before.code, fact.code) == (codes.TERMINATING, codes.ABSENT)
        )
        end = next(gone, None)
        own = [ref for ref, owner in owners.items() if owner == release]
        if end is None or not own:
            return False
        return not any(self._absent_at(*ref, end + UNINSTALL_SECONDS) for ref in own)

    def _brought(self, name: str, ran: Ran | None, owners: dict[Ref, str]) -> tuple[str, ...]:
        """Return the releases that a command brings: those that must come from it, and those that came with it."""
        first = [owners[ref] for ref in self._needed(name) if ref in owners]
        came = self._came(name, ran, owners)
        # Its order is that in which they came, if all were seen to come; else that of the plan.
        found = tuple(came) if set(first) <= set(came) else tuple(dict.fromkeys((*first, *came)))
        if not came:
            said = ", ".join(found) or "nothing"
            self.remarks.assumed.append(f"what command {name} brings was not seen: {said}")
        return found

    def _needed(self, name: str) -> list[Ref]:
        """Return the workloads of which the plan says that this command brings them."""
        needed: list[Ref] = []
        if name == self.section.cni.command:
            needed += [(DAEMONSET, self.section.cni.daemonset)]
            needed += [("Deployment", key) for key in self.section.cni.deployments]
        if name == (self.section.flux.command or self.section.cni.command):
            needed += [("Deployment", key) for key in self.section.flux.controllers]
        return needed

    def _came(self, name: str, ran: Ran | None, owners: dict[Ref, str]) -> list[str]:
        """Return the releases of which something appeared while the command ran, and Flux had nothing to sync."""
        by_hand = [d.at for d in self.seen.by_hand if d.target == codes.subject("command", name)]
        begin = ran.begun if ran is not None else self.seen.opened.at
        end = ran.ended if ran is not None else min(by_hand, default=begin)
        if self._flux_at(begin):
            return []
        end = min(end, self.seen.came(self.section.source, begin) or end)
        found: dict[str, Instant] = {}
        for (kind, key), owner in owners.items():
            at = self.seen.came(codes.subject(kind, key), begin)
            if at is not None and begin < at <= end and self._absent_at(kind, key, begin):
                found[owner] = min(at, found.get(owner, at))
        # Many appear in one look, in no order; and who waits for pods before there is a network waits for ever.
        network = owners.get((DAEMONSET, self.section.cni.daemonset))
        return sorted(found, key=lambda owner: (owner != network, found[owner]))

    def _absent_at(self, kind: str, key: str, at: Instant) -> bool:
        changes = [f for t, f in self.seen.history.get(codes.subject(kind, key), ()) if t <= at]
        return not changes or changes[-1].code in GONE

    def _flux_at(self, at: Instant) -> bool:
        """Say whether Flux had anything to sync then: what came later may have come from it."""
        changes = [f for t, f in self.seen.history.get(self.section.source, ()) if t <= at]
        return bool(changes) and changes[-1].code not in GONE

    def _own_seconds(self, ran: Ran, brought: list[tuple[Item, ...]]) -> float:
        """Return a command's seconds without those in which it waited for pods: those will pass by themselves."""
        spans: list[tuple[Instant, Instant]] = []
        for installs in brought:
            for item in installs:
                subject = codes.subject(item.kind, item.id)
                came = self.seen.came(subject, ran.begun) if item.kind in WORKLOADS else None
                ready = self.seen.became(subject, codes.READY, came) if came is not None else None
                if came is not None and ready is not None and came < ran.ended:
                    spans.append((came, min(ready, ran.ended)))
        waited, till = 0.0, ran.begun
        for begin, end in sorted(spans):
            waited += max(0.0, end - max(begin, till))
            till = max(till, end)
        return round(max(ran.ended - ran.begun - waited, 1.0), 1)
