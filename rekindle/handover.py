"""
Between watching and acting: whose run is open in a journal, and how one that only watched is given hands.

The run stays the same: what was seen, decided and done by hand is what a session with hands goes on from.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import Exit, UsageWrong
from engine.plan import from_compiled
from journal.troubles import held
from rekindle import beginning
from rekindle.folding import Found
from rekindle.output import tell
from rekindle.recipes import recipe
from rekindle.session import Options, resume_run
from rekindle.worlds import world_of


def take_over(found: Found, options: Options, *, yes: bool) -> Exit:
    """
    Go on with a run that only watched, with hands; a terminal is asked once, as before a first real run.

    :raises LeaseHeld: while somebody still watches.
    """
    path = options.journal
    if found.alive:  # before its cluster is looked at: who watches is told, not disturbed
        raise held(path)
    plan = from_compiled(found.plan, recipe())
    if not can_act(found):
        raise UsageWrong(
            f"{found.memory.run_id} watched without a plan: it knows no machine and no command to act with",
            reference="watch-unplanned",
            hint="`rekindle run PLAN` begins a run that looks before it acts; `rekindle cancel` ends this watch",
        )
    world = world_of(found, plan, path)
    try:
        asks = not yes and not found.simulated and beginning.somebody_is_there()
        if asks and not beginning.wanted(plan, world):
            tell("nothing was taken over")
            return Exit.CANCELLED
        return resume_run(found, options, lambda _found, _plan: world, take_over=True)
    finally:
        world.close()


def can_act(found: Found) -> bool:
    """Say whether a watch can be given hands: without a plan it knows no machine and no command."""
    return bool(found.plan["section"]["talos"]["nodes"])


def refuse_open(found: Found, journal: Path) -> None:
    """Refuse to go on with an open run as something else than it is."""
    watches = found.memory.watches
    on = "watches on" if watches else "goes on with it"
    if watches and can_act(found):
        on += ", `rekindle resume --take-over` lets it act"
    raise UsageWrong(
        f"{journal} has an open run, {found.memory.run_id} ({found.memory.purpose})",
        reference="run-open",
        hint=f"`rekindle resume` {on}, `rekindle cancel` closes it for good",
    )
