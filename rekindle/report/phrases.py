"""What a template says of a value in words: when a cause ended, who allowed an action, what a run's time went to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from phases.nudges import brief
from rekindle.report.corrections import told
from rekindle.report.happenings import Action, Approval, Change
from rekindle.report.legend import KINDS
from rekindle.report.own import follows
from rekindle.report.reasons import Cause, Ledger, Sign
from rekindle.report.story import Story
from rekindle.spans import between, clock, shares, span, stamp

PROOFS = 3  # of a cause's evidence; JSON has more
MOST = 5  # actions that are named one by one


def chain(ledger: Ledger, took: int) -> int:
    """Return the longest chain of work in whole seconds: no more than the run *took*, whose seconds are cut off."""
    return min(round(ledger.critical_path), took)


def aside(story: Story) -> str:
    """Say why the path of a run without its goal may have less work on it than the longest chain has."""
    ledger = story.ledger
    if ledger is None or story.run.outcome == "done":
        return ""
    if chain(ledger, story.run.took) <= round(ledger.useful):
        return ""
    return (
        "The goal is not reached: the path below leads to what would come last, and some of the work in CP was done "
        "beside it."
    )


def ended(cause: Cause) -> str:
    """Say when a cause was over; where no fact tells that, at which look it was not found any more."""
    if cause.over is not None:
        after = span(between(cause.found, cause.over))
        return f"gone {stamp(cause.over)}, {after} after it was found"
    if cause.cleared is None:
        return "it still stands"
    after = span(between(cause.found, cause.cleared))
    left = f"not found any more at the look of {stamp(cause.cleared)}, {after} after it was found"
    return f"{left}; what clears it was not seen to come since" if cause.awaited else left


def allowed(one: Action, approvals: Sequence[Approval]) -> str:
    """Say who allowed an action and when; or that nobody had to."""
    answer = next((given for given in approvals if given.approval == one.approval), None)
    if answer is None or answer.answered is None:
        return (
            f"question {one.approval}, not answered" if one.approval else "no question was needed"
        )
    return f"{answer.answer} by {answer.actor} at {told(answer, 'answered')}"


def stood(cause: Cause, story: Story) -> str:
    """Say whether a cause stood at the verdict, and when that was."""
    verdict = story.verdict
    stands = cause.at_verdict and verdict.at is not None
    return f"Stood at the verdict ({told(verdict, 'at')})" if stands else ""


def done_here(cause: Cause, actions: Sequence[Action]) -> str:
    """Name the actions of this run that were about a cause, by verb, and when the first of each was begun."""
    verbs: dict[str, list[Action]] = {}
    for one in actions:
        if one.action in cause.done:
            verbs.setdefault(one.verb, []).append(one)
    said = []
    for verb, several in verbs.items():
        names = ", ".join(one.action for one in several[:MOST])
        more = f" and {len(several) - MOST} more" if len(several) > MOST else ""
        said.append(f"{verb} {names}{more} ({told(several[0], 'intended', clock)})")
    return "; ".join(said)


# What is over, in the words of ``phases.clearing``: by the family of the cause that a nudge was sent for.
OVER = {
    "api": "the API {} is in nobody's way any more",
    "apiserver": "the API server answers",
    "backend": "somebody stands behind the Service {}",
    "dependency": "{} is Ready",
    "health": "{} is Ready",
    "kind": "the kind {} is served",
    "namespace": "the namespace {} is no longer being deleted",
    "namespace-gone": "the namespace {} is no longer being deleted",
    "namespace-missing": "the namespace {} is there",
    "object": "{} is Ready",
    "resumed": "a person resumed after the run was stuck: only an attempt shows whether {} is mended",
    "source": "its source is Ready, and served",
    "store": "the store {} is Ready",
    "reason": "the network is up, which it was not when {} was said",
    "webhook": "the webhook {} is in nobody's way any more",
}


def because(one: Action) -> str:
    """Say why an object was woken: what it had failed for is over. Empty: the action was for no cause of that kind."""
    family, _, name = brief(one.because).partition(":")
    said = OVER.get(family)
    if said is None:
        return f"what it waited for is over: {one.because}" if one.because else ""
    return said.format(name.partition("@")[0])


def evidence(cause: Cause) -> str:
    """Name the first few proofs."""
    found = cause.evidence
    more = f" and {len(found) - PROOFS} more" if len(found) > PROOFS else ""
    return "; ".join(found[:PROOFS]) + more


def none_of(changes: Sequence[Change]) -> list[str]:
    """Say of each kind of change that people ask for that there was none."""
    kinds = {change.kind for change in changes}
    return [name for kind, name in KINDS if kind not in kinds]


def unexplained(sign: Sign) -> str:
    """Say whether a sign is a cause of its own, was brought about by somebody or by us, or follows from another."""
    return follows(sign.ours) or "yes" if sign.root else sign.unexplained or "no"


class Spent(NamedTuple):
    """A row of the ledger in whole seconds."""

    what: str
    code: str
    seconds: int
    beside: bool


USEFUL = "useful: somebody was at work on what the run waited for"


def spent(ledger: Ledger, total: int) -> tuple[Spent, ...]:
    """Round the ledger so that the rows which are on the path add up to *total*, which is shown for the run."""
    waits = [wait for wait in ledger.waits if not wait.beside]
    useful, unknown, *dead = shares(
        total, (ledger.useful, ledger.unknown, *(wait.seconds for wait in waits))
    )
    rows = [Spent(USEFUL, "useful", useful, beside=False)]
    rows += [
        Spent(wait.name, wait.code, seconds, beside=False)
        for wait, seconds in zip(waits, dead, strict=True)
    ]
    rows += [
        Spent(wait.name, wait.code, round(wait.seconds), beside=True)
        for wait in ledger.waits
        if wait.beside
    ]
    return (*rows, Spent("not known", "unknown", unknown, beside=False))
