"""What a report must not let anybody believe: everything that was not looked at, or that only says so of itself."""

from __future__ import annotations

from collections.abc import Iterator

from journal.entries import Outcome
from phases.verbs import RELEASE
from rekindle.report.cleaning import clean
from rekindle.report.following import Follower
from rekindle.report.happenings import Action
from rekindle.report.story import BROKEN, Chain, Run
from rekindle.report.validation import skipped
from rekindle.spans import stamp

SHOWN = 5


def unproven(found: Follower, run: Run, chain: Chain, actions: tuple[Action, ...]) -> Iterator[str]:
    """Say it in sentences, what weighs most first."""
    if chain.verdict == BROKEN:
        until = (
            f"entry {chain.entry} of the file and what follows it" if chain.entry else "which entry"
        )
        yield clean(f"The journal is damaged ({chain.message}): {until} is not told here.")
    if run.simulated:
        yield "Nothing about a real cluster: this one was simulated, and so were its people."
    yield from _doubts(actions)
    yield from found.preflights.unproven()
    yield from skipped(found.facts)
    yield from _unseen(found)
    yield from _standing(found)
    yield from _data(found, actions)
    yield from _inventory(found)
    if found.withdrawn:
        were = "1 entry was" if found.withdrawn == 1 else f"{found.withdrawn} entries were"
        yield f"{were} withdrawn; what was said there is not in here."
    yield from _beginning(found)
    yield from _steadiness(found, run)


def _beginning(found: Follower) -> Iterator[str]:
    """Only a person who says what the cause was tells who began it; a remark about anything else does not."""
    causes, removed = found.causes.found, found.causes.removed
    if not causes or (found.causes.told_who and not removed):
        return
    noted = len(found.remarks.items)
    were = "nobody added a note"
    if noted:
        were = "1 note was added, and it corrects no cause"
    if noted > 1:
        were = f"{noted} notes were added, and none corrects a cause"
    if any(cause.named for cause in causes):
        were = "what people corrected is the cause of something that came later"
    if found.causes.told_who:
        names = " and ".join(removed[:SHOWN])
        were = f"what people corrected does not say who or what removed {names}"
    asked = found.opened.request
    since = (
        "beside what was asked of this run, its journal does not tell"
        if asked
        else "this run's journal begins afterwards"
    )
    yield f"Who or what began it: {since}, and {were}."


def _doubts(actions: tuple[Action, ...]) -> Iterator[str]:
    for action in actions:
        if action.outcome in {Outcome.UNSETTLED.value, "open"}:
            yield f"How {action.action} ({action.verb} {action.name}) ended: {action.settled_how}."


def _unseen(found: Follower) -> Iterator[str]:
    if found.seen_at is None:
        yield "How the cluster is: this run never saw it."
    elif not found.curve.points:
        yield "How many pods run: they were never counted."


def _standing(found: Follower) -> Iterator[str]:
    left = sorted({clean(f.message) for f in found.memory.findings.values()})
    if left:
        more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
        told = "; ".join(left[:SHOWN])
        yield clean(f"That these cleared, for they stand at the last look: {told}{more}.", 2_000)


def _data(found: Follower, actions: tuple[Action, ...]) -> Iterator[str]:
    yield (
        "That volumes, databases and Secrets hold what they held before: only whether things are Ready is looked at, "
        "never their data."
    )
    costly = [action for action in actions if action.destroys]
    for consequence in sorted({action.destroys for action in costly if action.verb == RELEASE}):
        yield f"What became of what was given up: {consequence}."
    for consequence in sorted({action.destroys for action in costly if action.verb != RELEASE}):
        yield f"That no more is gone than was agreed to: {consequence}."
    if found.doings.by_hand.items:
        yield (
            "Who did what was done by hand: the facts show the effect and not the person, and a controller may have "
            "brought it as well."
        )


def _inventory(found: Follower) -> Iterator[str]:
    inventory = found.compiled.get("section", {}).get("inventory")
    if not isinstance(inventory, dict):
        yield "That nothing is missing: the plan of this run has no inventory to count against."
        return
    unknown = [clean(key) for key in inventory.get("unknown", ())]
    if unknown:
        names = ", ".join(unknown[:SHOWN])
        yield clean(f"That all is there of what {names} bring: they follow sources of their own.")
    yield "That nothing is missing which the inventory does not list."


def _steadiness(found: Follower, run: Run) -> Iterator[str]:
    if run.outcome == "done" and found.full_since is not None:
        held = found.corrections.took(
            (found.full_by, found.full_since), (found.closed_by, found.end)
        )
        yield f"That it stays so: all pods were Ready for {held} when the run was closed."
    elif run.ended is None:
        yield f"Anything after the latest entry ({stamp(run.last)}, in {run.state}): the run is open."
