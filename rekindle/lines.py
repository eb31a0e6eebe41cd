"""One line an entry: the same words in the log, in the live view and in plain output."""

from __future__ import annotations

from engine.patience import spoken
from journal import entries as e
from journal.entries import Finding
from rekindle.applied import applied
from rekindle.behind import blocked
from rekindle.ledger import sentence
from rekindle.spans import clock

TEXT = 160


def asked_for(entry: e.RunOpened) -> str:
    """Say what was asked of a run beyond its goal: each verb with the nodes that it is about."""
    return "; ".join(
        f"{verb} {', '.join(map(str, said.get('nodes', ())))}"
        for verb, said in entry.request.items()
    )


def jumped(seconds: float) -> str:
    """Say that the host's clock did not go as its time did."""
    span = spoken(abs(seconds))
    if seconds < 0:
        return f"the clock was set back by {span}; deadlines are moved with it"
    return f"the clock is {span} ahead: this machine slept, or its clock was set; deadlines are moved with it"


def describe(entry: e.AnyEntry | None) -> str:
    """Say what happened; an empty line for what only the machine needs."""
    match entry:
        case None:
            return "(withdrawn)"
        case e.RunOpened():
            origin = entry.identity.get("recorded_from")
            again = f", recorded as run {origin}" if origin else ""
            also = f"; asked for: {asked_for(entry)}" if entry.request else ""
            return f"run {entry.run_id} opened: {entry.purpose} of {entry.cluster}{again}{also}"
        case e.RunResumed():
            left = f", open: {', '.join(entry.open_actions)}" if entry.open_actions else ""
            return f"resumed by {entry.holder}{left}"
        case e.RunInterrupted():
            took = sentence(entry.summary, entry.at)
            return f"session ended: {entry.why}{f'; {took}' if took else ''}"
        case e.RunClosed():
            took = sentence(entry.summary, entry.at)
            return f"run closed: {entry.outcome}{f'; {took}' if took else ''}"
        case e.CancelRequested():
            return f"{entry.actor} asked to cancel"
        case e.LeaseTaken():
            return f"lease {entry.epoch} taken by {entry.holder}"
        case e.LeaseLost():
            return f"lease {entry.epoch} given up"
        case e.Preflighted():
            return _preflighted(entry)
        case e.TakenOver():
            return f"taken over by {entry.actor}: from here on it acts"
        case e.Note():
            corrects = entry.time is not None or entry.cause
            word = "correcting" if corrects else "about"
            about = f", {word} entry {entry.corrects}" if entry.corrects else ""
            return f"note by {entry.actor}{about}: {entry.text}"
        case _:
            return _describe_work(entry)


def _describe_work(entry: e.AnyEntry) -> str:
    match entry:
        case e.Observed():
            return _observed(entry)
        case e.FindingsChanged():
            return _cut(_found(entry))
        case e.Moved():
            return f"{entry.source} → {entry.target}: {entry.why}"
        case e.Decided():
            return _decided(entry)
        case e.TimerSet():
            return f"timer {entry.name} set for {clock(entry.due)} ({spoken(entry.span)})"
        case e.TimerCancelled():
            return f"timer {entry.name} cancelled"
        case e.TimerFired():
            return f"timer {entry.name} fired"
        case e.GoalMoved():
            return f"goal: {entry.revision}"
        case e.ClockJumped():
            return jumped(entry.seconds)
        case e.PlanChanged():
            return f"plan changed ({entry.verdict}): {entry.plan_digest[:12]}"
        case e.Redacted():
            return f"entry {entry.seq} withdrawn: {entry.why}"
        case _:
            return _describe_action(entry)


def _describe_action(entry: e.AnyEntry) -> str:
    match entry:
        case e.RetryScheduled():
            return f"{entry.verb} {entry.target}: {entry.code}; again in {spoken(entry.delay)}"
        case e.ActionIntended():
            again = f" (attempt {entry.attempt})" if entry.attempt > 1 else ""
            source = f", from {found}" if (found := applied(entry)) else ""
            return f"{entry.action} {entry.verb} {entry.target}{again}{source}"
        case e.ActionSettled():
            code = f" ({entry.code})" if entry.code else ""
            by = f", told by {entry.by}" if entry.by != "action" else ""
            return f"{entry.action} {entry.verb} {entry.target}: {entry.outcome}{code}{by}"
        case e.ApprovalAsked():
            meant = f" (a yes means: {entry.consequence})" if entry.consequence else ""
            return f"approval {entry.approval} asked: {entry.question}{meant}"
        case e.ApprovalGiven():
            return f"approval {entry.approval} given by {entry.actor}"
        case e.ApprovalRefused():
            return f"approval {entry.approval} refused by {entry.actor}"
        case e.ByHand():
            shown = entry.evidence
            proof = f"{shown.get('subject')}: {shown.get('old')} → {shown.get('new')}"
            return f"not by this run: {entry.verb} {entry.target} ({proof})"
        case _:
            return ""


def _observed(entry: e.Observed) -> str:
    parts = [f"{subject}: {fact.code}" for subject, fact in list(entry.changed.items())[:4]]
    more = len(entry.changed) + len(entry.removed) - len(parts)
    if more > 0:
        parts.append(f"and {more} more")
    return _cut("; ".join(parts))


def _decided(entry: e.Decided) -> str:
    parts = [
        f"{subject}: {body['answer']}"
        for subject, body in list(entry.answers.items())[:4]
        if "answer" in body
    ]
    more = len(entry.answers) - len(parts)
    if more > 0:
        parts.append(f"and {more} more")
    if entry.removed:
        parts.append(f"{len(entry.removed)} done")
    return _cut("; ".join(parts))


def _preflighted(entry: e.Preflighted) -> str:
    said = [f"{found.check} {found.verdict}" for found in entry.objections]
    return _cut(f"preflight of {entry.checked} rows: {', '.join(said) or 'all in order'}")


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"


def _found(entry: e.FindingsChanged) -> str:
    """Name the roots; what they explain is counted."""
    roots = [cause(finding) for finding in entry.changed.values() if finding.root]
    symptoms = len(entry.changed) - len(roots)
    behind = [f"{symptoms} explained by causes"] if symptoms else []
    gone = [f"cleared: {', '.join(entry.cleared)}"] if entry.cleared else []
    return "; ".join((*roots, *behind, *gone))


def cause(finding: Finding) -> str:
    """Say a root in one line: what it is, and how much is behind it."""
    when = "will block next: " if finding.next_after else ""
    behind = blocked(finding.victims, finding.through)
    return f"{when}{finding.message}{f' ({behind})' if behind else ''}"
