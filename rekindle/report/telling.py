"""What a follower holds → the story: its lists as they are, and the sentences that a person reads first."""

from __future__ import annotations

from collections.abc import Iterator

from engine.patience import spoken
from rekindle.lines import stamp
from rekindle.report.figures import metrics
from rekindle.report.following import Follower
from rekindle.report.lessons import challenges, counted, next_steps, went_well
from rekindle.report.story import (
    Action,
    Cause,
    Chain,
    Goal,
    Ledger,
    Run,
    Sign,
    Story,
    Verdict,
)
from rekindle.report.unproven import unproven
from rekindle.report.validation import validation

KINDS = {"rehearse": "Rehearsed Recovery", "watch": "Watched Recovery"}
GOALS = {
    "node-maintenance": "Every planned node answers",
    "talos-ready": "Talos runs on all nodes and etcd is healthy",
    "cni-up": "The network is up on every node (CNI, DNS)",
    "flux-synced": "GitOps synchronization is restored: Flux applied all that Git holds",
    "pods-healthy": "All applications are deployed and healthy",
}
REFERENCES = (
    "Rules of causes: docs/explanation/diagnosis.md",
    "Classes of dead waits: docs/explanation/dead-wait.md",
    "What this report proves and what not: docs/explanation/postmortem.md",
)


def told(found: Follower, run: Run, chain: Chain, ledger: Ledger | None) -> Story:
    """Tell a run."""
    section = found.compiled.get("section", {})
    actions = found.doings.finished()
    verdict = found.causes.verdict(found.memory)
    counted = found.full_since if found.full_since is not None else found.seen_at
    checks = validation(found.facts, section, counted)
    causes = tuple(found.causes.found)
    signs = found.causes.first_signs(found.memory.looked_at)
    return Story(
        title=f"Milestone: {KINDS.get(run.purpose, 'Recovery')} of Cluster {run.cluster}",
        summary=tuple(_summary(found, run, verdict, actions)),
        background=tuple(_background(run, signs)),
        run=run,
        chain=chain,
        goals=_goals(found),
        sessions=found.sessions.finished(alive=run.alive),
        stays=found.stays.finished(run.ended),
        pods=found.curve.drawn(),
        actions=actions,
        approvals=tuple(found.doings.approvals.values()),
        by_hand=found.doings.by_hand.items,
        first_signs=signs,
        causes=causes,
        verdict=verdict,
        ledger=ledger,
        validation=checks,
        metrics=metrics(found, verdict, ledger),
        changes=found.changes.items,
        remarks=found.remarks.items,
        went_well=tuple(went_well(found, verdict, actions)),
        challenges=tuple(challenges(found, ledger, actions)),
        next_steps=tuple(next_steps(found, run, actions)),
        unproven=tuple(unproven(found, run, chain, actions)),
        references=(f"Journal {run.journal}, run {run.run_id}", *REFERENCES),
        left_out=_left_out(found, len(actions)),
    )


def _goals(found: Follower) -> tuple[Goal, ...]:
    """One box a state of the plan; it is ticked once the state was left forwards for good."""
    reached = found.stays.reached
    names = [name for name in found.stays.order if name != "done"]
    return tuple(
        Goal(GOALS.get(name, name), name in reached, name, reached.get(name)) for name in names
    )


def _summary(
    found: Follower, run: Run, verdict: Verdict, actions: tuple[Action, ...]
) -> Iterator[str]:
    what = "A rehearsal on a simulated cluster" if run.simulated else "A recovery of a real cluster"
    if run.purpose == "watch":
        what = "A run that only watched" + (" a simulated cluster" if run.simulated else "")
    scenario = f" (scenario {run.scenario})" if run.scenario else ""
    yield f"{what}, {run.cluster}{scenario}. It began at {stamp(run.opened)} and {_ended(run)}."
    yield from _pods(found)
    yield from _why(verdict, found.causes.found)
    yield _done(found, actions)
    corrections = sum(bool(remark.corrects or remark.finding) for remark in found.remarks.items)
    if corrections:
        yield f"{counted(corrections, 'correction')} by people: see Notes and corrections."


def _ended(run: Run) -> str:
    took = spoken(run.seconds)
    if run.ended is None:
        return f"is open: its latest entry is of {stamp(run.last)}, {took} later, in {run.state}"
    how = "reached its goal" if run.outcome == "done" else f"was {run.outcome} in {run.state}"
    return f"{how} at {stamp(run.ended)}, {took} later"


def _pods(found: Follower) -> Iterator[str]:
    first, points = found.first_pods, found.curve.points
    if first is None or not points:
        yield "Pods were never counted."
        return
    last = points[-1]
    yield (
        f"Of {last.expected} pods that should run, {first[1]} were Ready at the first look and "
        f"{last.ready} at the last."
    )


def _why(verdict: Verdict, causes: list[Cause]) -> Iterator[str]:
    if verdict.at is None or verdict.seconds is None:
        yield "No cause was found that waiting could never clear."
        return
    roots = [cause for cause in causes if cause.at_verdict]
    lasting = sum(cause.clears_itself == "no" for cause in roots)
    yield (
        f"{counted(len(roots), 'cause')} stood behind it, {lasting} of which could never clear by waiting; that was "
        f"known {spoken(verdict.seconds)} after the first look: "
        + "; ".join(_caused(cause) for cause in roots)
        + "."
    )


def _caused(cause: Cause) -> str:
    return f"{cause.message} [corrected: {cause.corrected}]" if cause.corrected else cause.message


def _done(found: Follower, actions: tuple[Action, ...]) -> str:
    costly = [action for action in actions if action.destroys]
    text = f"{counted(found.doings.begun, 'action')} begun"
    if not costly:
        return f"{text}; none of them destroyed anything."
    approvals = found.doings.approvals
    who = sorted({approvals[a.approval].actor for a in costly if a.approval in approvals})
    return (
        f"{text}; {len(costly)} of them destroyed something, allowed by "
        f"{', '.join(who) or 'nobody that the journal names'}."
    )


def _background(run: Run, signs: tuple[Sign, ...]) -> Iterator[str]:
    dated = [sign for sign in signs if sign.at is not None and sign.at < run.opened]
    if dated and dated[0].at is not None:
        first = dated[0]
        before = spoken(run.opened - dated[0].at)
        yield (
            f"The earliest sign is of {stamp(dated[0].at)}, {before} before this run began: {first.text}."
        )
        yield (
            "Who did what to the cluster before the run began is not in its journal: the signs are what the cluster "
            "itself still told."
        )
    elif signs:
        yield f"The first sign was seen at {stamp(signs[0].seen)}: {signs[0].text}."
    else:
        yield "Nothing was found wrong that has a cause of its own."


def _left_out(found: Follower, actions: int) -> dict[str, int]:
    counts = {
        "actions": found.doings.begun - actions,
        "approvals": found.doings.asked - len(found.doings.approvals),
        "by_hand": found.doings.by_hand.left_out,
        "causes": found.causes.left_out,
        "changes": found.changes.left_out,
        "remarks": found.remarks.left_out,
        "sessions": found.sessions.kept.left_out,
        "stays": found.stays.kept.left_out,
    }
    return {name: count for name, count in counts.items() if count > 0}
