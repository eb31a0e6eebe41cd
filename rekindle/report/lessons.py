"""What went well, what did not, and what is left to do: sentences that the facts bear out, and no others."""

from __future__ import annotations

from collections.abc import Iterator

from engine.patience import spoken
from journal.entries import Outcome
from rekindle.report.cleaning import clean
from rekindle.report.following import Follower
from rekindle.report.story import Action, Ledger, Run, Verdict
from rekindle.sentences import questions

QUICK_SECONDS = 10.0
LASTING_SECONDS = 30.0
SHOWN = 5


def went_well(found: Follower, verdict: Verdict, actions: tuple[Action, ...]) -> Iterator[str]:
    """Say what the journal proves to have gone well."""
    if verdict.seconds is not None and verdict.seconds <= QUICK_SECONDS:
        yield f"What waiting could never mend was named {spoken(verdict.seconds)} after the first look."
    killed, states = found.sessions.killed, found.stays
    if killed and actions:
        yield f"The run was killed {_times(killed)} and went on: each intent was in the journal before its action."
    costly = [action for action in actions if action.destroys]
    asked = [action for action in costly if action.approval]
    if costly and len(asked) == len(costly):
        yield f"All {len(costly)} actions that cost something waited for a person's typed word."
    failed = [a for a in actions if a.outcome == Outcome.FAILED.value]
    if actions and not failed:
        yield f"None of {len(actions)} actions was refused or failed."
    if states.reached and not states.backwards:
        yield "No state that was reached was lost again."
    if found.full_since is not None:
        took = spoken(found.full_since - found.opened.at)
        yield f"Every expected pod was Ready {took} after the start."


def challenges(
    found: Follower, ledger: Ledger | None, actions: tuple[Action, ...]
) -> Iterator[str]:
    """Say what cost time, and what did not work at once."""
    lasting = sorted(
        (cause for cause in found.causes.found if cause.clears_itself == "no"),
        key=lambda cause: cause.since if cause.since is not None else cause.found,
    )
    for cause in lasting[:SHOWN]:
        since = cause.since if cause.since is not None else cause.found
        end = cause.cleared if cause.cleared is not None else found.last
        still = "" if cause.cleared is not None else ", and still stands"
        yield f"{cause.message}: for {spoken(end - since)}{still}."
    if ledger is not None:
        waits = [w for w in ledger.waits if not w.beside and w.seconds >= LASTING_SECONDS]
        for wait in waits[:SHOWN]:
            yield f"Dead wait: {spoken(wait.seconds)} for {wait.name} ({wait.code})."
    failed = [a for a in actions if a.outcome == Outcome.FAILED.value]
    if failed:
        codes = ", ".join(sorted({f"{a.verb}: {a.code or 'failed'}" for a in failed})[:SHOWN])
        yield f"{len(failed)} of {len(actions)} actions failed ({codes})."
    doubtful = [a for a in actions if a.doubtful]
    if doubtful:
        yield f"How {counted(len(doubtful), 'action')} ended was not told by the action itself."
    if found.stays.backwards:
        yield f"The run went backwards {_times(found.stays.backwards)}: what was reached was lost again."
    refused = [a for a in found.doings.approvals.values() if a.answer == "refused"]
    if refused:
        yield f"{len(refused)} questions were answered with no."


def next_steps(found: Follower, run: Run, actions: tuple[Action, ...]) -> Iterator[str]:
    """Say what a person should do now."""
    if run.ended is None:
        for item in questions(found.memory)[:SHOWN]:
            yield f"Answer: {clean(item.question)} (rekindle approve {clean(item.approval)})"
        if run.alive is not True:
            yield "Go on with this run: rekindle resume."
    for body in found.memory.answers.values():
        if body.get("answer") == "stuck" and run.ended is None:
            yield f"{clean(body.get('message', ''))}: {clean(body.get('hint', ''))}"
    for action in actions:
        if action.outcome in {Outcome.UNSETTLED.value, "open"}:
            yield f"Look at what {action.action} ({action.verb} {action.name}) did."
    for consequence in sorted({a.destroys for a in actions if a.destroys}):
        yield f"Look after what was given up: {consequence}."
    yield from _so_that_it_does_not_come_again(found)


def _so_that_it_does_not_come_again(found: Follower) -> Iterator[str]:
    told: set[str] = set()
    for cause in found.causes.found:
        if cause.clears_itself != "no":
            continue
        for remedy in cause.remedies:
            if "Git" in remedy.text and remedy.text not in told:
                told.add(remedy.text)
                yield f"So that it does not come again ({cause.name}): {remedy.text}."
    doubts = [f for f in found.memory.findings.values() if f.root]
    for finding in doubts[:SHOWN]:
        yield f"Mend what still stands: {clean(finding.message)}."


def counted(number: int, noun: str) -> str:
    """Count things in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
