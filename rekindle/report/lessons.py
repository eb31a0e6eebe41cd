"""What went well, what did not, and what is left to do: sentences that the facts bear out, and no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from journal.entries import Instant, Outcome
from phases import codes
from phases.verbs import RELEASE
from phases.wait_classes import UNKNOWN
from rekindle.report.answering import Silence, silent, silent_in, why_silent
from rekindle.report.cleaning import clean
from rekindle.report.corrections import both
from rekindle.report.corrections import told as dated
from rekindle.report.emptied import EMPTIED
from rekindle.report.following import OPENED, Follower
from rekindle.report.happenings import Action
from rekindle.report.phrases import spent
from rekindle.report.reasons import Cause, Ledger, Verdict
from rekindle.report.roots import NODES, STAGES, was_not_asked
from rekindle.report.story import Run
from rekindle.sentences import questions, to_answer
from rekindle.spans import between, exact
from rekindle.typed import command
from rekindle.watching import spoken, would

QUICK_SECONDS = 10.0
LASTING_SECONDS = 30.0
SHOWN = 5
WISH = 400
# What machines were when a run began, for whoever asks why.
WERE = {
    STAGES[codes.MAINTENANCE]: "without a configuration",
    STAGES[codes.UNSEEN]: "without an answer",
    STAGES[codes.FOREIGN]: "of another cluster",
}


def went_well(found: Follower, verdict: Verdict, actions: tuple[Action, ...]) -> Iterator[str]:
    """Say what the journal proves to have gone well."""
    if verdict.seconds is not None and verdict.seconds <= QUICK_SECONDS:
        yield f"What waiting could never mend was named {known_after(verdict)}."
    killed, resumed, states = found.sessions.killed, found.sessions.resumed, found.stays
    if killed and resumed and actions:
        yield (
            f"The run was killed {_times(killed)} and resumed {_times(resumed)}: each intent was in the journal "
            "before its action."
        )
    costly = [action for action in actions if action.destroys]
    asked = [action for action in costly if action.approval]
    if costly and len(asked) == len(costly):
        what = "The one action" if len(costly) == 1 else f"Each of the {len(costly)} actions"
        verb = (
            "destroys something or gives it up"
            if len(costly) == 1
            else "destroy something or give it up"
        )
        yield f"{what} that {verb} waited until somebody had allowed it."
    done = [a for a in actions if a.outcome == Outcome.DONE.value]
    if actions and len(done) == len(actions):
        yield f"No action was refused or failed: {_all(len(actions))} done."
    if states.reached and not states.backwards:
        yield "No state that was reached was lost again."
    if found.full_since is not None:
        took = found.corrections.took((OPENED, found.opened.at), (found.full_by, found.full_since))
        yield f"Every expected pod was Ready {took} after the start."


def challenges(
    found: Follower,
    ledger: Ledger | None,
    actions: tuple[Action, ...],
    silences: tuple[Silence, ...],
) -> Iterator[str]:
    """Say what cost time, and what did not work at once."""
    lasting = sorted(
        (cause for cause in found.causes.found if cause.clears_itself == "no"),
        key=lambda cause: cause.broke if cause.broke is not None else cause.found,
    )
    for cause in lasting[:SHOWN]:
        still = "" if cause.end is not None else ", and still"
        yield f"For {_sure(cause)}{_long(cause, found.last)}{still}: {cause.message}{_worst(cause)}."
    yield from silent(silences, found.last)
    if ledger is not None:
        rows = spent(ledger, between(found.opened.at, found.end))
        long = {w.code for w in ledger.waits if not w.beside and w.seconds >= LASTING_SECONDS}
        for row in [row for row in rows if not row.beside and row.code in long][:SHOWN]:
            yield f"Dead wait: {exact(row.seconds)} for {row.what} ({row.code}{by_journal(found)})."
        yield from _unknown(ledger, rows[-1].seconds, found.answering.silences)
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
        was = "was" if len(refused) == 1 else "were"
        yield f"{counted(len(refused), 'question')} {was} answered with no."


def next_steps(
    found: Follower, run: Run, actions: tuple[Action, ...], silences: tuple[Silence, ...]
) -> Iterator[str]:
    """Say what a person should do now."""
    if run.ended is None:
        for item in questions(found.memory)[:SHOWN]:
            yield f"Answer: {clean(item.question)} ({clean(to_answer(item, run.journal))})"
        yield from _would_do(found, run)
        if run.alive is not True:
            on = "Go on watching" if found.memory.watches else "Go on with this run"
            yield f"{on}: {command('resume', journal=run.journal)}"
    for body in found.memory.answers.values():
        if body.get("answer") == "stuck" and run.ended is None:
            yield f"{clean(body.get('message', ''))}: {clean(body.get('hint', ''))}"
    for action in actions:
        if action.outcome in {Outcome.UNSETTLED.value, "open"}:
            yield f"Look at what {action.action} ({action.verb} {action.name}) did."
    costly = [a for a in actions if a.destroys]
    if left := [a for a in costly if a.verb == RELEASE]:
        yield f"Look where what was given up lies now, and whether it is wanted: {given_up(left)}."
    if gone := [a for a in costly if a.verb != RELEASE]:
        yield f"Look whether anything is missed of what was allowed to be destroyed: {given_up(gone)}."
    yield from _who_removed(found)
    yield from _lost_machines(found)
    yield from why_silent(silences)
    yield from _so_that_it_does_not_come_again(found)


def _would_do(found: Follower, run: Run) -> Iterator[str]:
    """Say of a run that only watches what it would do, and how it is let."""
    if not found.memory.watches:
        return
    nodes = found.compiled.get("section", {}).get("talos", {}).get("nodes")
    wishes = would(replace(found.memory, facts=found.facts)) if nodes else []
    for wish in wishes[:SHOWN]:
        yield clean(f"It only watches, and would: {spoken(wish)}.", WISH)
    if len(wishes) > SHOWN:
        yield f"It would do {len(wishes) - SHOWN} things more; rekindle status names what it would do now."
    if wishes:
        yield f"Let it act: {command('resume', '--take-over', journal=run.journal)}"


def given_up(costly: Sequence[Action]) -> str:
    """Name what was given up or destroyed, by what it costs."""
    costs: dict[str, list[str]] = {}
    for action in costly:
        costs.setdefault(action.destroys, []).append(action.name)
    said = []
    for cost, names in costs.items():
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        said.append(f"{', '.join(names[:SHOWN])}{more} ({cost})")
    return "; ".join(said)


def _unknown(ledger: Ledger, seconds: int, silences: Sequence[Silence]) -> Iterator[str]:
    """Time of the path that has no class: where the most of it went, and who did not answer then."""
    if not seconds:
        return
    spans: dict[str, int] = {}
    for step in ledger.path:
        if step.code == UNKNOWN:
            spans[step.subject] = spans.get(step.subject, 0) + between(step.begun, step.ended)
    named = ", ".join(_longest(spans, seconds))
    where = f" (most of it for {named})" if named else ""
    lost = silent_in(((s.begun, s.ended) for s in ledger.path if s.code == UNKNOWN), silences)
    yield (
        f"Not known: {exact(seconds)} of the path have no class: the journal has no sign of one{where}."
        + (f" In that time machines did not answer: {lost}." if lost else "")
    )


def _longest(spans: Mapping[str, int], seconds: int) -> Iterator[str]:
    """Name the two longest; steps are told to the second, and come to no more than the whole of *seconds*."""
    left = seconds
    for subject, length in sorted(spans.items(), key=lambda item: -item[1])[:2]:
        if left > 0:
            yield f"{subject or 'nothing more'} {exact(min(length, left))}"
        left -= length


def _who_removed(found: Follower) -> Iterator[str]:
    """A root of the tree that is not there was removed, and no cause of the cluster says by whom; a person may."""
    names = found.causes.removed
    if names:
        yield (
            f"Find out who or what removed {' and '.join(names[:SHOWN])}: the API server's audit log, the history of "
            "the folder in Git, and whoever has the rights; rekindle note --cause then puts it beside the cause."
        )


def _lost_machines(found: Follower) -> Iterator[str]:
    """What is still lost has to come back or be replaced; why the others were, nothing in the cluster says."""
    facts = found.facts
    unseen = [s for s in sorted(facts) if s.startswith(NODES) and facts[s].code == codes.UNSEEN]
    lost = [s for s in unseen if not was_not_asked(facts[s])]
    if lost:
        yield (
            f"Bring back {_bare(lost)}, or replace what is gone for good: nothing answered there at the latest look. "
            "Of what is replaced, delete the Node object, which frees the pods that hang on it, and take a control "
            "plane's member out of etcd."
        )
    if found.causes.told_who:
        return
    why: dict[str, list[str]] = {}
    for sign in found.causes.gone if not _was_all_bare(found) else ():
        if sign.text in WERE and sign.subject not in lost:
            why.setdefault(WERE[sign.text], []).append(sign.subject)
    for said, names in why.items():
        yield (
            f"Find out why {_bare(names)} {'was' if len(names) == 1 else 'were'} {said} when this run began: power, "
            "console, disk, the machine's own log; rekindle note --cause then puts it beside the cause."
        )
    emptied = [deed.target for deed in found.doings.by_hand.items if deed.verb == EMPTIED]
    if emptied:
        yield f"Find out who or what emptied etcd of {_bare(emptied)}: no action of this run did."


def _was_all_bare(found: Follower) -> bool:
    """Where every machine is new, a cluster is made, and none was lost."""
    return found.causes.bare >= sum(subject.startswith(NODES) for subject in found.facts)


def _bare(subjects: Sequence[str]) -> str:
    more = f" and {len(subjects) - SHOWN} more" if len(subjects) > SHOWN else ""
    return ", ".join(subject.removeprefix(NODES) for subject in subjects[:SHOWN]) + more


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


def since_first_look(seconds: float) -> str:
    """Say how long after the first look something was known."""
    return f"{exact(seconds)} after the first look" if seconds >= 1.0 else "at the first look"


def known_after(verdict: Verdict) -> str:
    """Say how long after the first look it was known that waiting would never do; beside it, by corrected instants."""
    said = since_first_look(verdict.seconds or 0.0)
    return (
        said if verdict.again is None else f"{said} [corrected: {since_first_look(verdict.again)}]"
    )


def by_journal(found: Follower) -> str:
    """Say of what the ledger tells that no correction is in it, where there is one of a time."""
    return ", by the journal's own instants" if found.corrections.times else ""


def _long(cause: Cause, last: Instant) -> str:
    """Say how long a cause stood, from since when it has been so where the cluster or a person tells that."""
    since = cause.since if cause.since is not None else cause.found
    end = cause.end if cause.end is not None else last
    begun = cause.broke if cause.broke is not None else cause.when("found")
    ended = (
        cause.when("over" if cause.over is not None else "cleared")
        if cause.end is not None
        else last
    )
    return both(between(since, end), between(begun, ended))


def _worst(cause: Cause) -> str:
    return (
        ""
        if cause.worst_at is None
        else f"; at its worst ({dated(cause, 'worst_at')}): {cause.worst}"
    )


def _sure(cause: Cause) -> str:
    """A cause began before it was found, and ended before the look that missed it: not all instants are known."""
    known = cause.over is not None or cause.end is None
    if cause.since is None:
        return "at least " if known else "about "
    return "" if known else "at most "


def _all(count: int) -> str:
    return "it was" if count == 1 else f"all {count} were"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
