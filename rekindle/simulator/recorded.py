"""
A recorded run as a scenario: the cluster that it met, the times that it took, the answers that it got.

Pure: entries in, a scenario and a tree out, with everything that was assumed in words. A run that acted, a watch of
somebody who recovered by hand and a rehearsal are read in the same way: only what was seen counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant, Outcome
from phases import codes
from phases.inventory import WORKLOADS
from phases.path import ENOUGH
from phases.section import Section
from rekindle.simulator.nights import Night
from rekindle.simulator.planted import DAEMONSET, REVISION, Ref, Wanted, tree_of
from rekindle.simulator.pods import CACHED_IMAGE
from rekindle.simulator.remains import Remains
from rekindle.simulator.scenario import (
    SCHEMA,
    CommandSpec,
    Initial,
    KubeconfigState,
    OperatorRule,
    Recorded,
    Scenario,
)
from rekindle.simulator.tree import Item, Tree
from rekindle.simulator.witnessed import Ran, Witness, witness_of

THINK_SECONDS = 45.0
COMMAND_SECONDS = 40.0
LONGEST_START = 600.0  # a Deployment gives up after so long: what took longer was something else
AGE_SECONDS = 864000.0


@dataclass(frozen=True)
class Recording:
    """
    What a run comes to.

    *recorded*, *assumed* and *inexpressible* are sentences for whoever reviews the scenario.
    """

    scenario: Scenario
    tree: Tree
    seen: Witness
    recorded: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    inexpressible: list[str] = field(default_factory=list)


def recording_of(
    opened: e.RunOpened, entries: Iterable[e.AnyEntry | None], machine: dict[str, Any]
) -> Recording | None:
    """
    Make a scenario of a run; None where the run never saw anything of its cluster.

    *machine* is the machine of a plan that has none of its own: only another one goes into the scenario.
    """
    seen = witness_of(opened, entries)
    return _Making(seen).recording(machine) if seen.saw_anything else None


def name_of(run_id: str) -> str:
    """Name the scenario of a run."""
    return f"from-{run_id}"


class _Making:
    def __init__(self, seen: Witness) -> None:
        self.seen = seen
        self.raw: dict[str, Any] = dict(seen.opened.plan["section"])
        self.section = Section.model_validate(self.raw)
        self.recorded: list[str] = []
        self.assumed: list[str] = []
        self.inexpressible: list[str] = []

    def recording(self, machine: dict[str, Any]) -> Recording:
        seen, remains = self.seen, Remains(self.seen, self.section)
        lived = seen.lived
        starts = self._starts()
        wanted = Wanted(
            nodes=len(self.section.talos.nodes),
            starts=starts,
            start=self._usual(starts),
            machinery=self._machinery(),
            revision=next((moved.revision for moved in seen.goals), REVISION),
        )
        tree, assumed = tree_of(self.section.inventory, wanted)
        if lived:
            tree = replace(tree, beside=remains.beside_of(frozenset(tree.crds())))
        before = remains.before() if lived and seen.look else 0.0
        night = Night(seen, before)
        scenario = Scenario(
            schema=SCHEMA,
            name=name_of(seen.opened.run_id),
            title=f"Recorded: {seen.opened.cluster}, {_stamp(seen.opened.at):%Y-%m-%d %H:%M} UTC",
            description=self._description(lived=lived),
            cluster=seen.opened.cluster,
            tree=f"{name_of(seen.opened.run_id)}.tree.yaml",
            start=_stamp(seen.opened.at),
            seed=zlib.crc32(seen.opened.run_id.encode()) & 0x7FFFFFFF,
            nodes={
                name: night.node(name, node.address, node.role)
                for name, node in self.section.talos.nodes.items()
            },
            initial=Initial(
                cluster=lived,
                age=max(AGE_SECONDS, 2 * before),
                before=before,
                kubeconfig=self._kubeconfig(),
                left=remains.left_of(tree) if lived else None,
            ),
            commands=self._commands(tree),
            operator=self._operator(),
            plan=self._plan(machine),
            recorded=Recorded(seen.opened.run_id, seen.opened.purpose, seen.opened.version),
        )
        night.objects()
        scenario = replace(scenario, events=night.sorted_events())
        self.inexpressible += [*remains.inexpressible, *night.inexpressible]
        self._about_the_journal()
        assumed_all = [*self.assumed, *remains.notes, *night.notes, *assumed]
        return Recording(scenario, tree, seen, self.recorded, assumed_all, self.inexpressible)

    def _description(self, *, lived: bool) -> str:
        kind = {"watch": "A watch", "rehearse": "A rehearsal"}.get(self.seen.opened.purpose, "A run")
        found = "found a cluster that had lived" if lived else "began with machines and no cluster"
        return f"{kind}, {self.seen.opened.run_id}, {found}. Made from its journal."

    def _about_the_journal(self) -> None:
        if self.seen.withdrawn:
            self.inexpressible.append(f"{self.seen.withdrawn} entries are withdrawn and could not be read")
        if self.seen.plans:
            self.inexpressible.append(f"the plan was changed {self.seen.plans} times; it is the first one here")

    # --- how long things took --------------------------------------------------------------------

    def _starts(self) -> dict[Ref, float]:
        """Return the seconds a pod of each workload took, where the run saw one come up."""
        ready = [self.seen.became(codes.k8s_node(n), codes.READY) for n in self.seen.node_names]
        floor = min((at for at in ready if at is not None), default=0.0)
        found: dict[Ref, float] = {}
        for kind, key, subject, pods in self.section.workloads:
            network = key in (self.section.cni.daemonset, *self.section.cni.deployments)
            took = self.seen.took(subject, 0.0 if network else floor)
            if took is None:
                continue
            one_by_one = max(pods, 1) if kind == "StatefulSet" else 1
            found[kind, key] = round(min(took / one_by_one / self._warmth(kind, pods), LONGEST_START), 1)
        self.recorded.append(f"the start of {len(found)} of {len(self.section.workloads)} workloads was seen")
        return found

    def _warmth(self, kind: str, pods: int) -> float:
        """
        Say which share of a start with a pull was seen: a node that ran such a pod before has its image.

        That was every node, where there was a pod on each; else pods come to other nodes more often than not.
        """
        everywhere = kind == DAEMONSET or pods >= len(self.seen.node_names)
        return CACHED_IMAGE if self.seen.lived and everywhere else 1.0

    def _usual(self, starts: dict[Ref, float]) -> float:
        if len(starts) < ENOUGH:
            usual = Item("").start
            self.assumed.append(f"a pod of another workload takes {usual:g} s, the simulator's usual")
            return usual
        if len(starts) < len(self.section.workloads):
            self.assumed.append("a pod of another workload takes as long as the median of those")
        return round(median(starts.values()), 1)

    # --- commands --------------------------------------------------------------------------------

    def _machinery(self) -> tuple[tuple[str, str, int], ...]:
        listed = {("DaemonSet", self.section.cni.daemonset)}
        listed |= {("Deployment", k) for k in self.section.cni.deployments}
        listed |= {("Deployment", k) for k in self.section.flux.controllers}
        return tuple((k, key, pods) for k, key, _, pods in self.section.workloads if (k, key) in listed)

    def _commands(self, tree: Tree) -> dict[str, CommandSpec]:
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
        if len(attempts) > len(done):
            failed = len(attempts) - len(done)
            self.inexpressible.append(f"command {name} did not end well {failed} times; here it always does")
        if ran is None:
            self.assumed.append(f"command {name} was not seen to end: it takes {COMMAND_SECONDS:g} s of its own")
            return CommandSpec(COMMAND_SECONDS, helmreleases=brings)
        own = self._own_seconds(ran, [tree.helmreleases[key].installs for key in brings])
        self.recorded.append(
            f"command {name} took {ran.ended - ran.begun:.0f} s, {own:.0f} s of it besides what it waited for"
        )
        return CommandSpec(own, helmreleases=brings)

    def _brought(self, name: str, ran: Ran | None, owners: dict[Ref, str]) -> tuple[str, ...]:
        """Return the releases that a command brings: those that must come from it, and those that came with it."""
        needed: list[Ref] = []
        if name == self.section.cni.command:
            needed += [(DAEMONSET, self.section.cni.daemonset)]
            needed += [("Deployment", key) for key in self.section.cni.deployments]
        if name == (self.section.flux.command or self.section.cni.command):
            needed += [("Deployment", key) for key in self.section.flux.controllers]
        came: list[tuple[Instant, str]] = []
        if ran is not None and not self._flux_at(ran.begun):
            root = self.seen.came(self.section.source, ran.begun) or ran.ended
            for (kind, key), owner in owners.items():
                at = self.seen.came(codes.subject(kind, key), ran.begun)
                if at is not None and at <= min(ran.ended, root) and self._absent_at(kind, key, ran.begun):
                    came.append((at, owner))
        first = [owners[ref] for ref in needed if ref in owners]
        order = {owner: at for at, owner in sorted(came, reverse=True)}
        rest = [owner for _, owner in sorted(came)]
        found = tuple(dict.fromkeys((*first, *rest)))
        if not came:
            self.assumed.append(f"what command {name} brings was not seen: {', '.join(found) or 'nothing'}")
            return found
        return tuple(sorted(found, key=lambda key: (order.get(key, 0.0), found.index(key))))

    def _absent_at(self, kind: str, key: str, at: Instant) -> bool:
        changes = [f for t, f in self.seen.history.get(codes.subject(kind, key), ()) if t <= at]
        return not changes or changes[-1].code in {codes.ABSENT, codes.UNOBSERVABLE}

    def _flux_at(self, at: Instant) -> bool:
        """Say whether Flux had anything to sync then: what came later may have come from it."""
        changes = [f for t, f in self.seen.history.get(self.section.source, ()) if t <= at]
        return bool(changes) and changes[-1].code not in {codes.ABSENT, codes.UNOBSERVABLE}

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

    # --- people, and the rest --------------------------------------------------------------------

    def _operator(self) -> tuple[OperatorRule, ...]:
        rules: dict[str, OperatorRule] = {}
        for question in self.seen.questions.values():
            if question.answer is None:
                self.assumed.append(f"nobody answered {question.text!r}")
                continue
            rules[question.text] = OperatorRule(question.text, question.answer, round(question.think, 1))
        self.recorded.append(f"{len(rules)} questions were answered")
        self.assumed.append(f"every other question is answered with yes after {THINK_SECONDS:g} s")
        return (*rules.values(), OperatorRule("*", answer=True, think=THINK_SECONDS))

    def _kubeconfig(self) -> KubeconfigState:
        fact = self.seen.first.get(codes.KUBECONFIG)
        match fact.code if fact is not None else "":
            case "ours":
                return "ours"
            case "foreign":
                return "foreign"
            case "absent":
                return "absent"
            case code:
                self.assumed.append(f"our kubeconfig was {code or 'not seen'}: taken as absent")
                return "absent"

    def _plan(self, machine: dict[str, Any]) -> dict[str, Any]:
        plan = {key: value for key, value in self.raw.items() if key != "inventory"}
        own = self.seen.opened.plan.get("machine", {})
        if own and own != machine:
            plan["machine"] = own
        return plan


def _stamp(at: Instant) -> datetime:
    return datetime.fromtimestamp(at, UTC)
