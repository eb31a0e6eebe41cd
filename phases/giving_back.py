"""
Giving back: what this run applied itself is its owner's again once the owner has reconciled it.

An object that is applied server-side has its fields owned by whoever applied them. If rekindle kept them, a field that
is removed in Git later would stay in the cluster for ever, and nobody would know why.

A CRD goes back as soon as what brings it, by the inventory, is Ready as it is now, and not only at the end of the
night. Who owns what is looked at once more at the target: where the owner has not taken it up, nothing is given back,
and the end asks again. Of the roots no inventory knows the owner: they go back once everything that Git says is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.answer import Act, Answer, Subject, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import OWED, Verdict
from journal.entries import Outcome
from phases import codes, flux_synced
from phases.section import Section
from phases.verbs import GIVE_BACK


def objection(plan: Plan, memory: Memory) -> Answer | None:
    """
    Return what is to be given back next; None: nothing, or not yet.

    It is a courtesy to the owner: it holds up nothing but the end, that not for ever, and not at all where it may not
    be done.
    """
    if memory.watches or not plan.verbs[GIVE_BACK].enabled:
        return None
    left = tuple(_left(plan, memory))
    if not left:
        return None
    ends = flux_synced.guard(plan, memory.facts).verdict is Verdict.HOLDS
    for attempt in left:
        owner = "" if ends else _through(plan, memory, attempt)
        if not ends and not owner:
            continue
        if memory.busy(attempt.target) is not None:
            return Wait(f"{attempt.target} is given back to its owner")
        known = {"owner": owner} if owner else {}
        reason = f"{attempt.verb} applied it, and {owner or 'its owner'} has reconciled since"
        return Act(GIVE_BACK, attempt.target, {"path": attempt.arguments["path"], **known}, reason)
    return None


def _through(plan: Plan, memory: Memory, attempt: Attempt) -> Subject:
    """Return the owner of what was applied, if it is known, is through, and was not found to own too little already."""
    section: Section = plan.target
    owner = section.bringers.get(attempt.target, "")
    fact = memory.facts.get(owner)
    # One that Git suspends is Ready as it is, but reconciles nothing: of that no fact has a generation.
    if fact is None or fact.code != codes.READY or "generation" not in fact.detail:
        return ""
    last = memory.last_of(GIVE_BACK, attempt.target)
    early = last is not None and last.intended_at > attempt.intended_at and last.code == OWED
    return "" if early else owner


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
    if last.outcome is None:
        return False
    if last.outcome is Outcome.DONE and last.code != OWED:
        return True
    retry = plan.verbs[GIVE_BACK].retry
    if memory.attempts.get(f"{GIVE_BACK} {last.target}", 0) >= retry.attempts:
        return True
    return last.outcome is Outcome.FAILED and last.code not in retry.on
