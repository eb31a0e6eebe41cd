"""
The recipe that the program runs by: the domain's, and the phases that other distributions offer.

They are found by the entry point group ``rekindle.phases``, and imported only when a plan names them. A name that is
built in, or that two distributions offer, is refused wherever a plan is loaded: nobody should have to guess whose phase
pursued a state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from engine.recipe import Guest, Phase, Recipe
from phases import recipe as domain
from rekindle.hospitality import Hosted, lacks, where

GROUP = "rekindle.phases"


@cache
def recipe() -> Recipe:
    """Return the domain's recipe with everything that is installed beside us."""
    return welcoming(domain.recipe(), tuple(entry_points(group=GROUP)))


def welcoming(ours: Recipe, offered: Sequence[EntryPoint]) -> Recipe:
    """Let phases of other distributions in; *offered* are their entry points."""

    @cache
    def guest(name: str) -> Guest | None:
        found = next((point for point in offered if point.name == name), None)
        return _invited(found) if found is not None else None

    return replace(ours, guest=guest, unwelcome=(*_clashes(ours, offered),))


def _clashes(ours: Recipe, offered: Sequence[EntryPoint]) -> list[str]:
    """Say which names are taken."""
    taken = {*ours.phases, *ours.guards, *ours.own}
    counted = Counter(point.name for point in offered)
    found = [
        f"{whose(point)} offers a phase {point.name!r}, which is built in; uninstall it, or give it another name"
        for point in offered
        if point.name in taken
    ]
    for name, count in counted.items():
        if count > 1 and name not in taken:
            both = " and ".join(sorted(whose(p) for p in offered if p.name == name))
            found.append(f"{both} both offer a phase {name!r}; uninstall one of them")
    return found


def whose(point: EntryPoint) -> str:
    """Name the distribution of an entry point, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def _invited(point: EntryPoint) -> Guest:
    """Import a phase; whatever goes wrong with it is said of it, in words of one line."""
    name = point.dist.name if point.dist is not None else point.value
    version = point.dist.version if point.dist is not None else ""
    try:
        found: object = point.load()
    except Exception as error:  # noqa: BLE001  an import may raise anything
        text = str(error).partition("\n")[0][:200]
        return Guest(name, version, None, f"{type(error).__name__}: {text}")
    try:
        missing = lacks(found)
    except Exception as error:  # noqa: BLE001  a property may raise anything
        return Guest(name, version, None, where(error))
    if missing:
        text = f"{point.value} has no {', '.join(missing)}: see the contract in engine.recipe.Phase"
        return Guest(name, version, None, text)
    phase: Phase = Hosted(point.name, f"{name} {version}", found)
    return Guest(name, version, phase)
