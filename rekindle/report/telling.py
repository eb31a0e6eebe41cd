"""What a follower holds → the story: its lists as they are, and the sentences that a person reads first."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from journal.entries import Instant, Outcome
from phases.verbs import RELEASE
from rekindle.lines import asked_for
from rekindle.report.answering import untoward
from rekindle.report.beginning import set_back, told_of_clock, told_of_hands
from rekindle.report.cleaning import clean
from rekindle.report.corrections import both
from rekindle.report.corrections import told as dated
from rekindle.report.emptied import said
from rekindle.report.figures import first_counted, metrics, on_their_way_out, stale
from rekindle.report.following import Follower
from rekindle.report.happenings import Action, HandDeed
from rekindle.report.lessons import (
    challenges,
    counted,
    given_up,
    known_after,
    next_steps,
    went_well,
)
from rekindle.report.mending import Actions
from rekindle.report.own import follows
from rekindle.report.reasons import Cause, Ledger, Sign, Verdict
from rekindle.report.roots import REMOVED, SIGNS
from rekindle.report.rows import in_flight, mended, sessions_of, stays_of
from rekindle.report.signs import in_words, since_when
from rekindle.report.story import Chain, Goal, Run, Story
from rekindle.report.timeline import Happened, events
from rekindle.report.unproven import unproven
from rekindle.report.validation import validation
from rekindle.spans import between, stamp

KINDS = {"rehearse": "Rehearsed Recovery", "watch": "Watched Recovery"}
GOALS = {
    "node-maintenance": "Every planned node answers",
    "talos-ready": "Talos runs on all nodes and etcd is healthy",
    "cni-up": "The network is up on every node (CNI, DNS)",
    "flux-synced": "GitOps synchronization is restored: Flux applied all that Git holds",
    "pods-healthy": "All applications are deployed and healthy",
}
BY_ITSELF, MAY = {"no": "", "yes": " (clears by itself)"}, " (may clear by itself)"
SCRIPTED = "the scenario's scripted operator"
NEVER_SEEN = "Whether anything was wrong is not known: this run never saw the cluster."
REFERENCES = (
    "Rules of causes: docs/explanation/diagnosis.md",
    "Classes of dead waits: docs/explanation/dead-wait.md",
    "What this report proves and what not: docs/explanation/postmortem.md",
)


def told(found: Follower, run: Run, chain: Chain, ledger: Ledger | None) -> Story:
    """Tell a run."""
    section = found.compiled.get("section", {})
    beside, put = found.corrections.beside, found.corrections.put
    run, actions = put(run), beside(found.doings.finished())
    found.causes.at_last(found.facts)
    found.causes.found = [
        _owned(found, one, named)
        for one, named in zip(beside(found.causes.found, "id"), found.causes.named, strict=True)
    ]
    verdict = put(found.causes.verdict(found.memory, found.looked_by, found.sentenced_by))
    stays, sessions = stays_of(found, run), sessions_of(found, run)
    by_key = Actions(actions)
    causes = tuple(mended(found, cause, by_key) for cause in found.causes.found)
    silences = untoward(beside(found.answering.silences), actions, found.last)
    deeds = sorted(found.doings.by_hand.items, key=lambda deed: deed.at)
    approvals, by_hand = beside(found.doings.approvals.values()), beside(deeds)
    changes = beside(found.changes.items)
    lines, left = events(
        Happened(run, sessions, stays, causes, approvals, actions, by_hand, changes, silences)
    )
    signs = found.causes.first_signs(
        found.memory.looked_at, found.corrections
    )  # sentences count all of them
    return Story(
        title=f"Milestone: {KINDS.get(run.purpose, 'Recovery')} of Cluster {run.cluster}",
        summary=tuple(_summary(found, run, verdict, actions, signs)),
        background=tuple(_background(run, signs, by_hand, looked=found.seen_at is not None)),
        run=run,
        chain=chain,
        goals=beside(_goals(found)),
        sessions=sessions,
        stays=stays,
        pods=beside(found.curve.drawn()),
        actions=actions,
        approvals=approvals,
        by_hand=by_hand,
        first_signs=signs[:SIGNS],
        causes=causes,
        verdict=verdict,
        ledger=in_flight(ledger, actions),
        validation=beside(validation(found.facts, section, found.counted, found.answering)),
        metrics=beside(metrics(found, verdict, ledger)),
        changes=changes,
        remarks=found.remarks.items,
        went_well=tuple(went_well(found, verdict, actions)),
        challenges=tuple(challenges(found, ledger, actions, silences)),
        next_steps=tuple(next_steps(found, run, actions, silences)),
        unproven=tuple(unproven(found, run, chain, actions)),
        references=(f"Journal {run.journal}, run {run.run_id}", *REFERENCES),
        events=lines,
        preflight=beside(found.preflights.rows.values()),
        preflighted=found.preflights.checked if found.preflights.looks else None,
        times_corrected=found.corrections.times,
        set_back=set_back(found.clock),
        left_out=_left_out(found, len(actions), left),
    )


def _owned(found: Follower, cause: Cause, named: tuple[str, ...]) -> Cause:
    """Say of a cause that it follows from resets of this run, where it does: by what it *named* when it was found."""
    nodes = found.compiled.get("section", {}).get("talos", {}).get("nodes", {})
    planes = [name for name, node in nodes.items() if node.get("role") == "controlplane"]
    healed = found.stays.reached.get("pods-healthy")
    ours = found.own.of(replace(cause, victims=named), planes, healed[0] if healed else None)
    return replace(cause, ours=ours)


def _goals(found: Follower) -> tuple[Goal, ...]:
    """One box a state of the plan; it is ticked once the state was left forwards for good."""
    names = [name for name in found.stays.order if name != "done"]
    return tuple(_goal(name, found.stays.reached.get(name)) for name in names)


def _goal(name: str, reached: tuple[Instant, int] | None) -> Goal:
    text = GOALS.get(name, name)
    if reached is None:
        return Goal(text, reached=False, state=name)
    at, seq = reached
    return Goal(text, reached=True, state=name, at=at, of={"at": seq})


def _summary(
    found: Follower,
    run: Run,
    verdict: Verdict,
    actions: tuple[Action, ...],
    signs: tuple[Sign, ...],
) -> Iterator[str]:
    what = "A rehearsal on a simulated cluster" if run.simulated else "A recovery of a real cluster"
    if run.purpose == "watch":
        what = "A run that only watched" + (" a simulated cluster" if run.simulated else "")
    scenario = f" (scenario {run.scenario})" if run.scenario else ""
    yield f"{what}, {run.cluster}{scenario}. It began at {dated(run, 'opened')} and {_ended(run)}."
    yield from told_of_clock(found.clock)
    yield from told_of_hands(run, found.changes.items)
    if found.opened.request:
        yield f"Asked for when it began, beyond its goal: {clean(asked_for(found.opened))}."
    yield from _pods(found)
    yield from _why(verdict, found.causes.found)
    gone = [sign.name for sign in signs if sign.unexplained == REMOVED]
    if gone:
        was, bring, them = (
            ("were", "they bring", "them") if len(gone) > 1 else ("was", "it brings", "it")
        )
        yield (
            f"Beside that {' and '.join(gone)} {was} not there, nor what only {bring}: somebody or something removed "
            f"{them}."
        )
    yield _done(found, actions)
    corrections = sum(
        bool(remark.corrects or (remark.finding and remark.text)) for remark in found.remarks.items
    )
    if corrections:
        yield f"{counted(corrections, 'correction')} by people: see Notes and corrections."


def _ended(run: Run) -> str:
    took = both(run.took, run.took_truly)
    if run.ended is None:
        return f"is open: its latest entry is of {stamp(run.last)}, {took} later, in {run.state}"
    how = "reached its goal" if run.outcome == "done" else f"was {run.outcome} in {run.state}"
    return f"{how} at {dated(run, 'ended')}, {took} later"


def _pods(found: Follower) -> Iterator[str]:
    first, points, there = found.ready.first, found.curve.points, found.existing.first
    if first is None or not points:
        yield "Pods were never counted."
        return
    last = points[-1]
    existed = f"{there.number} existed and " if there is not None else ""
    leaving = there.leaving if there is not None else None
    left = f" (beside them {on_their_way_out(leaving)})" if leaving else ""
    yield (
        f"Of {last.expected} pods that should run, {existed}{first.number} were Ready "
        f"{first_counted(found)}{left}{stale(found)}; {last.ready} were Ready at the last look."
    )


def _why(verdict: Verdict, causes: list[Cause]) -> Iterator[str]:
    if verdict.looked_at is None:
        yield NEVER_SEEN
        return
    if verdict.at is None or verdict.seconds is None:
        yield "No cause was found that waiting could never clear."
        return
    roots = sorted(  # what nothing clears first, each kind in the order of time
        (cause for cause in causes if cause.at_verdict),
        key=lambda cause: cause.clears_itself != "no",
    )
    lasting = sum(cause.clears_itself == "no" for cause in roots)
    yield (
        f"{counted(len(roots), 'cause')} stood behind it, {_could_not_clear(lasting, len(roots))}; that was known "
        f"{known_after(verdict)}:"
    )
    for number, cause in enumerate(roots, start=1):
        own = "" if lasting == len(roots) else BY_ITSELF.get(cause.clears_itself, MAY)
        yield f"({number}) {_caused(cause)}{own}."


def _could_not_clear(lasting: int, of: int) -> str:
    if lasting < of:
        return f"{lasting} of which could not clear by {'itself' if lasting == 1 else 'themselves'}"
    return "which could not clear by itself" if of == 1 else "none of which could clear by itself"


def _caused(cause: Cause) -> str:
    said = f" ({follows(cause.ours)})" if cause.ours else ""
    return f"{cause.verdict_message or cause.message}{said}" + (
        f" [corrected: {cause.corrected}]" if cause.corrected else ""
    )


def _done(found: Follower, actions: tuple[Action, ...]) -> str:
    costly = [action for action in actions if action.destroys]
    text = f"{counted(found.doings.begun, 'action')} {'was' if found.doings.begun == 1 else 'were'} begun"
    if not costly:
        return f"{text}; none that destroys anything."
    sure = [action for action in costly if action.outcome == Outcome.DONE.value]
    gave = sum(action.verb == RELEASE for action in sure)
    parts = [f"{gave} gave something up"] if gave else []
    parts += [f"{len(sure) - gave} destroyed something"] if gave < len(sure) else []
    left = len(costly) - len(sure)
    if left and sure:
        parts += [f"whether {left} more did is not known"]
    elif left:
        them = "it" if found.doings.begun == 1 else f"{left} of them"
        parts += [f"whether {them} destroyed or gave something up is not known"]
    return f"{text}; {' and '.join(parts)}, {_allowed(found, costly)}: {given_up(costly)}."


def _allowed(found: Follower, costly: list[Action]) -> str:
    """Say who allowed what destroys something, and that nobody did where the journal has no answer."""
    approvals = found.doings.approvals
    known = [approvals[a.approval].actor for a in costly if a.approval in approvals]
    who = ", ".join(SCRIPTED if actor == "scenario" else actor for actor in sorted({*known}))
    if not known:
        return "allowed by nobody that the journal names"
    left = len(costly) - len(known)
    return f"allowed by {who}" + (
        f", {left} of them by nobody that the journal names" if left else ""
    )


def _background(
    run: Run, signs: tuple[Sign, ...], by_hand: tuple[HandDeed, ...], *, looked: bool
) -> Iterator[str]:
    first = next((one for one in signs if one.broke is not None and one.broke < run.opened), None)
    if first is not None and first.broke is not None:
        before = both(between(first.broke, run.opened), between(first.broke, run.when("opened")))
        yield (
            f"The earliest sign is of {since_when(first)}, {before} before this run began: {in_words(first)}."
        )
        for sign in signs[1:]:
            if sign.at is None and sign.broke is not None and not sign.root:
                yield f"{in_words(sign)}; so it was since {since_when(sign)}."
        gone = [sign.name for sign in signs if sign.unexplained == REMOVED and sign.broke is None]
        if gone:
            was, it = ("were", "they") if len(gone) > 1 else ("was", "it")
            yield (
                f"{' and '.join(gone)} {was} removed, and nothing in the cluster tells when: {it} may have gone before "
                "all else, and all else because of it."
            )
        yield (
            "Who did what to the cluster before the run began is not in its journal: the signs are what the cluster "
            "itself still told."
        )
    elif signs:
        first = min(signs, key=lambda sign: sign.when("seen"))
        what = first.text if first.root else f"{first.name} {first.text}"
        ours = f", which {follows(first.ours)}" if first.ours else ""
        yield f"The first sign was seen at {dated(first, 'seen')}: {what}{ours}."
    elif looked:
        yield "Nothing was found wrong that has a cause of its own."
    else:
        yield NEVER_SEEN
    yield from said(by_hand)


def _left_out(found: Follower, actions: int, lines: int) -> dict[str, int]:
    counts = {
        "events": lines,
        "preflight": found.preflights.left_out,
        "actions": found.doings.begun - actions,
        "approvals": found.doings.asked - len(found.doings.approvals),
        "by_hand": found.doings.by_hand.left_out,
        "causes": found.causes.left_out,
        "changes": found.changes.left_out,
        "remarks": found.remarks.left_out,
        "sessions": found.sessions.kept.left_out,
        "silences": found.answering.over.left_out,
        "stays": found.stays.kept.left_out,
    }
    return {name: count for name, count in counts.items() if count > 0}
