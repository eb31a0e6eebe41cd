"""
Giving back: what this run applied itself is its owner's again once the owner has reconciled it.

An object that is applied server-side has its fields owned by whoever applied them. If rekindle kept them, a field that
is removed in Git later would stay in the cluster for ever, and nobody would know why.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.answer import Act, Answer, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Verdict
from journal.entries import Outcome
from phases import flux_synced
from phases.verbs import GIVE_BACK


def objection(plan: Plan, memory: Memory) -> Answer | None:
    """
    Return what is to be given back next, once everything that Git says is there; None: nothing, or not yet.

    It is a courtesy to the owner: a recovery that reached its goal is not held up by it for ever, and not at all where
    it may not be done.
    """
    if memory.watches or not plan.verbs[GIVE_BACK].enabled:
        return None
    left = next(_left(plan, memory), None)
    if left is None or flux_synced.guard(plan, memory.facts).verdict is not Verdict.HOLDS:
        return None
    if memory.busy(left.target) is not None:
        return Wait(f"{left.target} is given back to its owner")
    reason = f"{left.verb} applied it, and its owner has reconciled since"
    return Act(GIVE_BACK, left.target, {"path": left.arguments["path"]}, reason)


def _left(plan: Plan, memory: Memory) -> Iterator[Attempt]:
    """
    Return what was applied and is not given back, the latest first.

    What an earlier run still owes is among it: a run that ended stuck has no end of its own.
    """
    verbs = [name for name, verb in plan.verbs.items() if verb.returned_by == GIVE_BACK]
    applied = [attempt for verb in verbs for attempt in memory.attempts_at(verb)]
    for attempt in sorted(applied, key=lambda attempt: -attempt.intended_at):
        last = memory.last_of(GIVE_BACK, attempt.target)
        if attempt.outcome is Outcome.FAILED or "path" not in attempt.arguments:
            continue  # nothing was applied
        if memory.forbidden(GIVE_BACK, attempt.target) is not None:
            continue  # something is missing that it needs: the preflight said so
        earlier = last is None or last.intended_at < attempt.intended_at
        if earlier or (last is not None and not _is_over(plan, last, memory)):
            yield attempt


def _is_over(plan: Plan, last: Attempt, memory: Memory) -> bool:
    """Say whether it was given back, was refused for good, or was tried as often as it may be."""
    if last.outcome in {None, Outcome.DONE}:
        return last.outcome is Outcome.DONE
    retry = plan.verbs[GIVE_BACK].retry
    if memory.attempts.get(f"{GIVE_BACK} {last.target}", 0) >= retry.attempts:
        return True
    return last.outcome is Outcome.FAILED and last.code not in retry.on
