"""
A recorded run as a scenario: the cluster that it met, the times that it took, the answers that it got.

Pure: entries in, a scenario and a tree out, with everything that was assumed in words. A run that acted, a watch of
somebody who recovered by hand and a rehearsal are read in the same way: only what was seen counts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from journal import entries as e
from journal.entries import Instant
from phases import codes
from phases.section import Section
from rekindle.simulator.nights import Night
from rekindle.simulator.planted import REVISION, Wanted, tree_of
from rekindle.simulator.remains import Remains
from rekindle.simulator.scenario import (
    SCHEMA,
    CommandSpec,
    Initial,
    KubeconfigState,
    OperatorRule,
    ProbeSpec,
    Recorded,
    Scenario,
)
from rekindle.simulator.timings import Timings
from rekindle.simulator.tree import Tree
from rekindle.simulator.witnessed import Remarks, Witness, witness_of

THINK_SECONDS = 45.0
AGE_SECONDS = 864000.0


@dataclass(frozen=True)
class Recording:
    """What a run comes to."""

    scenario: Scenario
    tree: Tree
    seen: Witness
    remarks: Remarks


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
        self.remarks = Remarks()
        self.timings = Timings(seen, self.section, self.remarks)
        self.remains = Remains(seen, self.section, self.remarks)

    def recording(self, machine: dict[str, Any]) -> Recording:
        """Make everything."""
        tree, notes = self._tree()
        scenario = self._scenario(tree, machine)
        self._about_the_journal()
        self.remarks.assumed += notes
        return Recording(scenario, tree, self.seen, self.remarks)

    def _tree(self) -> tuple[Tree, tuple[str, ...]]:
        starts = self.timings.starts()
        wanted = Wanted(
            nodes=len(self.section.talos.nodes),
            starts=starts,
            start=self.timings.usual(starts),
            machinery=self.timings.machinery(),
            revision=next((moved.revision for moved in self.seen.goals), REVISION),
        )
        tree, notes = tree_of(self.section.inventory, wanted)
        if self.seen.lived:
            tree = replace(tree, beside=self.remains.beside_of(frozenset(tree.crds())))
            tree = replace(tree, beside=(*self.remains.undefined_of(tree), *tree.beside))
        return tree, notes

    def _scenario(self, tree: Tree, machine: dict[str, Any]) -> Scenario:
        opened, lived = self.seen.opened, self.seen.lived
        left = self.remains.left_of(tree) if lived else None
        before = self.remains.before(left) if lived else 0.0
        night = Night(self.seen, before, self.remarks)
        nodes = {
            name: night.node(name, node.address, node.role)
            for name, node in self.section.talos.nodes.items()
        }
        night.objects()
        night.events += self.remains.deletions(before) if lived else []
        return Scenario(
            schema=SCHEMA,
            name=name_of(opened.run_id),
            title=f"Recorded: {opened.cluster}, {_stamp(opened.at):%Y-%m-%d %H:%M} UTC",
            description=self._description(),
            cluster=opened.cluster,
            tree=f"{name_of(opened.run_id)}.tree.yaml",
            start=_stamp(opened.at),
            nodes=nodes,
            commands=self._commands(tree),
            probes={name: ProbeSpec("mark", mark=name) for name in self.section.probes},
            plan=self._plan(machine),
            seed=zlib.crc32(opened.run_id.encode()) & 0x7FFFFFFF,
            initial=Initial(
                cluster=lived,
                age=max(AGE_SECONDS, 2 * before),
                before=before,
                kubeconfig=self._kubeconfig(),
                left=left,
            ),
            events=night.sorted_events(),
            operator=self._operator(),
            request=opened.request,
            recorded=Recorded(opened.run_id, opened.purpose, opened.version),
        )

    def _commands(self, tree: Tree) -> dict[str, CommandSpec]:
        """Say what the commands did; of those that a state runs until its probe tells, only that it told."""
        found = self.timings.commands(tree)
        states = self.seen.opened.plan.get("machine", {}).get("states", {})
        for state in states.values():
            name, probe = (state.get("options", {}).get(key) for key in ("command", "probe"))
            if name in found and probe in self.section.probes:
                found[name] = replace(found[name], marks=str(probe))
        if self.section.probes:
            text = "what a probe asks about was not there at the start, and its command brings it"
            self.remarks.assumed.append(text)
        return found

    def _description(self) -> str:
        kind = {"watch": "A watch", "rehearse": "A rehearsal"}.get(
            self.seen.opened.purpose, "A run"
        )
        lived = self.seen.lived
        found = "found a cluster that had lived" if lived else "began with machines and no cluster"
        return f"{kind}, {self.seen.opened.run_id}, {found}. Made from its journal."

    def _about_the_journal(self) -> None:
        if self.seen.withdrawn:
            self.remarks.inexpressible.append(
                f"{self.seen.withdrawn} entries are withdrawn and could not be read"
            )
        if self.seen.plans:
            self.remarks.inexpressible.append(
                f"the plan was changed {self.seen.plans} times; it is the first one here"
            )

    # --- people, and the rest --------------------------------------------------------------------

    def _operator(self) -> tuple[OperatorRule, ...]:
        rules: dict[str, OperatorRule] = {}
        for question in self.seen.questions.values():
            if question.answer is None:
                self.remarks.assumed.append(f"nobody answered {question.text!r}")
                continue
            rules[question.text] = OperatorRule(
                question.text, question.answer, round(question.think, 1)
            )
        self.remarks.recorded += [f"{len(rules)} questions were answered"] if rules else []
        self.remarks.assumed.append(
            f"every other question is answered with yes after {THINK_SECONDS:g} s"
        )
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
                self.remarks.assumed.append(
                    f"our kubeconfig was {code or 'not seen'}: taken as absent"
                )
                return "absent"

    def _plan(self, machine: dict[str, Any]) -> dict[str, Any]:
        plan = {key: value for key, value in self.raw.items() if key != "inventory"}
        own = self.seen.opened.plan.get("machine", {})
        if own and own != machine:
            plan["machine"] = own
        return plan


def _stamp(at: Instant) -> datetime:
    return datetime.fromtimestamp(at, UTC)
