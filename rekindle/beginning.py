"""The one question before a recovery of a real cluster begins: this plan, this cluster, shall it?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from engine.judging import Rules
from engine.plan import Plan
from engine.world import World
from rekindle import asking, foresight
from rekindle.doctor.check import Check
from rekindle.output import tell
from rekindle.recipes import recipe

UNKNOWN_CA = "not known: the talosconfig names none that can be read"


def somebody_is_there() -> bool:
    """Say whether a person can read the question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def wanted(
    plan: Plan,
    world: World,
    checks: Sequence[Check] = (),
    request: dict[str, Any] | None = None,
) -> bool:
    """
    Show the plan in short and whose cluster it is about, and ask once.

    *checks* are those of the preflight; *request* is what is asked of this run.
    """
    seconds = foresight.LOOK_SECONDS
    tell(f"looking at {plan.cluster}, for {seconds:g} s if something does not answer ...")
    rules = Rules.of(recipe(), plan)
    document = foresight.document(rules, foresight.look(rules, world, checks, request))
    for line in foresight.lines(document, short=True):
        tell(line)
    identity = world.identity()
    tell(f"cluster {identity.cluster}, CA {identity.ca or UNKNOWN_CA}")
    return asking.line("begin? [y/N] ").lower() in {"y", "yes"}
