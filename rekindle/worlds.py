"""
Which world a run is about: the real cluster of its plan, or the simulated one that its first entry names.

A real run meets a real cluster only if that shows the CA that the run was opened with.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

from engine.errors import EnvironmentWrong
from engine.plan import Plan
from engine.world import Identity, World
from rekindle.folding import Found


@runtime_checkable
class Claimable(Protocol):
    """A world in which more than one operator may act: it is told for whom this session does."""

    def claim(self, operator: str) -> None:
        """Act for this operator."""


def world_of(found: Found, plan: Plan, journal: Path) -> World:
    """Make, or find again, the world of a run."""
    if not found.simulated:
        return _checked(real(plan, journal), found.memory.identity)
    from rekindle.rehearsal import world_again

    return world_again(found)


def real(plan: Plan, journal: Path) -> World:
    """Reach for the real cluster; nothing is asked before the first look."""
    from phases.probing import wanted
    from rekindle.adapters.cluster import RealWorld

    program = plan.target.talos.talosctl
    if plan.target.talos.nodes and shutil.which(program) is None:
        raise EnvironmentWrong(
            f"{program} is not on PATH",
            reference="talosctl-missing",
            hint="install talosctl in the cluster's version, or name it in the plan: talos.talosctl",
        )
    return RealWorld(plan.target, plan.cluster, journal, probes=wanted(plan))


def clock_of(world: World) -> Callable[[], float]:
    """Return how to ask for the world's time between turns, from any thread; a simulated one's is estimated."""
    estimate: Callable[[], float] | None = getattr(world, "estimate", None)
    return world.now if estimate is None else estimate


def identity_of(world: World) -> dict[str, Any]:
    """Write an identity as JSON, for the journal."""
    found: dict[str, Any] = msgspec.to_builtins(world.identity())
    return found


def _checked(world: World, known: dict[str, Any]) -> World:
    """Refuse to go on with a run of one cluster on another."""
    here, then = world.identity(), msgspec.convert(known, Identity)
    if here.cluster == then.cluster and then.ca in {"", here.ca}:
        return world
    world.close()
    raise EnvironmentWrong(
        f"this run was opened for {then.cluster} with CA {then.ca[:16]}, and here is {here.cluster} "
        f"with CA {here.ca[:16] or 'unknown'}",
        reference="foreign-cluster",
        hint="check the talosconfig that the plan names; nothing was asked of either cluster",
    )
