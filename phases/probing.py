"""
Probes: commands that only look, and what their exit codes say of a goal.

0: it holds. The probe's own ``not_yet``: it does not. Anything else, a probe that cannot be started, one that was ended
at its deadline, one that was not asked for a while: not known. (A ``kubectl`` that is refused says 1; so a code that
means "no" has to be said.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from engine.patience import seconds
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact, Instant
from phases import codes
from phases.placeholders import filled
from phases.readiness.saying import unobservable
from phases.section import Section
from phases.snapshot import Seen, Snapshot, Unseen

COMMAND_UNTIL: Final = "command-until"
LATE_SECONDS: Final = 60.0  # how much later than planned a look may be and still count


@dataclass(frozen=True, slots=True)
class Wanted:
    """A probe to run, again and again: *key* is its name, and the node's where there is one."""

    key: str
    argv: tuple[str, ...]
    directory: str
    environment: Mapping[str, str]
    every_seconds: float
    deadline_seconds: float
    not_yet: int

    @property
    def good_for_seconds(self) -> float:
        """How old its answer may be."""
        return self.every_seconds + self.deadline_seconds + LATE_SECONDS


def key_of(probe: str, node: str = "") -> str:
    """Name one probe of a snapshot."""
    return f"{probe}/{node}" if node else probe


def row_of(probe: str) -> str:
    """Name the row of doctor and of the preflight that is about a probe."""
    return f"tools.probe/{probe}"


def subject(key: str) -> str:
    """Subject of what a probe says."""
    return f"probe/{key}"


def node_of(plan: Plan, state: str) -> str:
    """Name the node that a state of a walk is about (empty: it is about none)."""
    walked = plan.machine.states[state].walked
    return walked.item if walked is not None and walked.over == codes.NODES else ""


def values_of(section: Section, node: str) -> dict[str, str]:
    """Return what may be put into arguments that are about a node."""
    known = section.talos.nodes.get(node)
    return {"node": node, "address": known.address} if known is not None else {}


def wanted(plan: Plan) -> tuple[Wanted, ...]:
    """List the probes that the plan's states ask for, each once."""
    found: dict[str, Wanted] = {}
    for probe, node in _asked(plan):
        key = key_of(probe, node)
        if key not in found:
            found[key] = _wanted(plan.target, key, probe, node)
    return tuple(found.values())


def askers(plan: Plan) -> dict[str, frozenset[str]]:
    """Name the commands that wait for each probe; "" for a state that only asks. Nobody asks a probe left out."""
    found: dict[str, set[str]] = {}
    for name, probe in _pursuing(plan):
        command = plan.machine.states[name].options.get("command", "")
        found.setdefault(probe, set()).add(str(command))
    return {probe: frozenset(commands) for probe, commands in found.items()}


def _asked(plan: Plan) -> Iterator[tuple[str, str]]:
    for name, probe in _pursuing(plan):
        yield probe, node_of(plan, name)


def _pursuing(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the states that ask a probe, each with its probe."""
    for name, state in plan.machine.states.items():
        probe = state.options.get("probe")
        pursued = COMMAND_UNTIL in (state.phase or name, state.guard)
        if pursued and probe in plan.target.probes:
            yield name, str(probe)


def _wanted(section: Section, key: str, probe: str, node: str) -> Wanted:
    known = section.probes[probe]
    return Wanted(
        key=key,
        argv=filled(known.argv, values_of(section, node)),
        directory=known.directory,
        environment=known.environment,
        every_seconds=seconds(known.every),
        deadline_seconds=seconds(known.deadline),
        not_yet=known.not_yet,
    )


def facts_of(plan: Plan, snapshot: Snapshot) -> Facts:
    """Judge what every wanted probe said last."""
    if not plan.target.probes:
        return {}
    return {
        subject(probe.key): _fact(probe, snapshot.probes.get(probe.key), snapshot.at)
        for probe in wanted(plan)
    }


def _fact(probe: Wanted, look: Seen[int] | Unseen | None, now: Instant) -> Fact:
    if look is None:
        return Fact(codes.UNOBSERVABLE, "not asked yet")
    if isinstance(look, Unseen):
        return unobservable(look)
    if now - look.at > probe.good_for_seconds:
        return Fact(codes.UNOBSERVABLE, "no answer any more", look.at)
    if look.value == 0:
        return Fact(codes.HOLDS)
    if look.value == probe.not_yet:
        return Fact(codes.NOT_YET)
    return Fact(codes.UNOBSERVABLE, f"exit {look.value}: neither 0 nor {probe.not_yet}")
