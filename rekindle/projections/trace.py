"""
A run's journal as a trace: the run is its root, stays in states are its children, actions are theirs.

Moves and what became of sessions and plans are events of the run, causes and questions events of the stay in which they
came. All instants are world time; where the host's clock was set back, they go on where they were, as a trace must. Ids
are made from the run's id and the place in the journal: told again, a trace is the same one, so that a backend replaces
what it had of a run that was still open.

A span is OK only where observation proved it: a goal that held, a run that is done. An action that settled as done is
UNSET; what failed, or is in doubt, is ERROR.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from journal import entries as e
from journal.entries import AnyEntry, Finding
from journal.row import Row
from journal.steady import as_written, steady
from rekindle.projections.otlp import (
    SPAN_BYTES,
    TRACE_BYTES,
    Kind,
    Span,
    Status,
    Value,
    identity,
    request,
)
from rekindle.view import states_of

DONE = "done"
SCOPE = "rekindle"


def trace(rows: Iterable[Row]) -> str:
    """Return the trace of a run from its rows, the first one first; an empty text without an opening entry."""
    story: _Story | None = None
    for row in steady(rows):
        if story is None:
            if isinstance(row.entry, e.RunOpened):
                story = _Story.of(row.entry, row)
            continue
        story.see(row)
    return story.told() if story is not None else ""


@dataclass(slots=True)
class _Story:
    """Spans as they grow. Memory: O(stays, actions and their events)."""

    opened: e.RunOpened
    run: Span
    stay: Span
    states: tuple[str, ...]
    stays: list[Span] = field(default_factory=list)
    actions: dict[str, Span] = field(default_factory=dict)
    causes: set[str] = field(default_factory=set)
    visits: dict[str, int] = field(default_factory=dict)
    now: float = 0.0

    @classmethod
    def of(cls, opened: e.RunOpened, row: Row) -> _Story:
        """Begin with the run, and the stay in its first state."""
        run_id = opened.run_id
        values: dict[str, Value | None] = {
            "rekindle.plan.digest": opened.plan_digest,
            "rekindle.doubts": len(opened.doubts),
        }
        root = Span(
            f"{opened.purpose} {opened.cluster}",
            identity(SPAN_BYTES, run_id, "run"),
            "",
            opened.at,
            opened.at,
            values=values,
        )
        story = cls(opened, root, root, states_of(opened.plan), now=opened.at)
        story._enter(opened.initial, row.seq)
        return story

    def see(self, row: Row) -> None:
        """Take in a row; a withdrawn one has only its instant."""
        self.now = max(self.now, row.at)
        if row.entry is not None:
            self._happened(row.entry, row.seq)

    def _happened(self, entry: AnyEntry, seq: int) -> None:
        match entry:
            case e.Moved():
                self._move(entry, seq)
            case e.ActionIntended() | e.ActionSettled():
                self._act(entry, seq)
            case e.FindingsChanged():
                self._find(entry)
            case e.ApprovalAsked() | e.ApprovalGiven() | e.ApprovalRefused() | e.ByHand():
                self._people(entry)
            case e.RunClosed():
                self._close(entry)
            case e.PlanChanged():
                self.states = states_of(entry.plan)
                self._event("plan changed", {"rekindle.plan.digest": entry.plan_digest})
            case _:
                self._session(entry)

    def _event(self, name: str, values: Mapping[str, Value | None]) -> None:
        self.run.event(name, self.now, values)

    def _enter(self, state: str, seq: int) -> None:
        if state == DONE:  # nothing is pursued any more: what still happens, happens to the run
            self.stay = self.run
            return
        self.visits[state] = visit = self.visits.get(state, 0) + 1
        span_id = identity(SPAN_BYTES, self.opened.run_id, "state", seq)
        self.stay = Span(state, span_id, self.run.span_id, self.now, self.now)
        self.stay.values = {"rekindle.state": state, "rekindle.visit": visit}
        self.stays.append(self.stay)

    def _move(self, entry: e.Moved, seq: int) -> None:
        self.stay.ended = self.now
        forward = self._place(entry.target) > self._place(entry.source)
        self.stay.status = Status.OK if forward else Status.ERROR
        self.stay.said = "" if forward else entry.why
        self.stay.values["rekindle.why"] = entry.why
        moved = {"rekindle.from": entry.source, "rekindle.to": entry.target}
        self._event("moved", {**moved, "rekindle.why": entry.why})
        self._enter(entry.target, seq)

    def _place(self, state: str) -> int:
        return self.states.index(state) if state in self.states else -1

    def _act(self, entry: e.ActionIntended | e.ActionSettled, seq: int) -> None:
        if isinstance(entry, e.ActionIntended):
            span_id = identity(SPAN_BYTES, self.opened.run_id, "action", seq)
            begun = Span(entry.verb, span_id, self.stay.span_id, self.now, self.now, Kind.CLIENT)
            begun.values = {
                "rekindle.action": entry.action,
                "rekindle.verb": entry.verb,
                "rekindle.target": entry.target,
                "rekindle.attempt": entry.attempt,
                "rekindle.deadline_seconds": entry.deadline_seconds,
                "rekindle.outcome": "open",
            }
            self.actions[entry.action] = begun
            return
        span = self.actions.get(entry.action)
        if span is None:  # its intent was withdrawn, or is of another run
            return
        span.ended = self.now
        doubtful = entry.outcome is not e.Outcome.DONE
        span.status = Status.ERROR if doubtful else Status.UNSET
        span.said = entry.code or entry.outcome.value
        outcome = entry.outcome.value
        settled = {"rekindle.outcome": outcome, "rekindle.code": entry.code}
        span.values.update({**settled, "rekindle.told_by": entry.by})
        span.event("settled", self.now, {**settled, "rekindle.told_by": entry.by})

    def _find(self, entry: e.FindingsChanged) -> None:
        for name, finding in entry.changed.items():
            if name not in self.causes:
                self.causes.add(name)
                self.stay.event("cause found", self.now, _cause(name, finding))
        for name in entry.cleared:
            self.causes.discard(name)
            self.stay.event("cause cleared", self.now, {"rekindle.finding": name})

    def _people(
        self, entry: e.ApprovalAsked | e.ApprovalGiven | e.ApprovalRefused | e.ByHand
    ) -> None:
        if isinstance(entry, e.ByHand):
            values = {"rekindle.verb": entry.verb, "rekindle.target": entry.target}
            self.stay.event("by hand", self.now, values)
            return
        asked: dict[str, Value | None] = {"rekindle.approval": entry.approval}
        if isinstance(entry, e.ApprovalAsked):
            asked.update({"rekindle.subject": entry.subject, "rekindle.question": entry.question})
            asked["rekindle.consequence"] = entry.consequence
            self.stay.event("approval asked", self.now, asked)
            return
        answer = "given" if isinstance(entry, e.ApprovalGiven) else "refused"
        asked["rekindle.actor"] = entry.actor
        self.stay.event(f"approval {answer}", self.now, asked)

    def _session(self, entry: AnyEntry) -> None:
        match entry:
            case e.RunResumed():
                idle = {"rekindle.idle_seconds": entry.idle_seconds}
                self._event("resumed", {"rekindle.holder": entry.holder, **idle})
            case e.RunInterrupted():
                self._event("interrupted", {"rekindle.why": entry.why})
            case e.CancelRequested() | e.TakenOver():
                name = "taken over" if isinstance(entry, e.TakenOver) else "cancel requested"
                self._event(name, {"rekindle.actor": entry.actor})
            case e.GoalMoved():
                self._event("goal moved", {"rekindle.revision": entry.revision})
            case e.ClockJumped():
                self._event("clock jumped", {"rekindle.seconds": as_written(entry.seconds)})
            case e.Note():
                self._event("note", {"rekindle.actor": entry.actor, "rekindle.text": entry.text})
            case _:
                pass

    def _close(self, entry: e.RunClosed) -> None:
        done = entry.outcome is e.RunOutcome.DONE
        self.run.status = Status.OK if done else Status.ERROR
        self.run.said = entry.outcome.value
        self.run.values["rekindle.outcome"] = entry.outcome.value
        ledger = entry.summary.get("ledger")
        if isinstance(ledger, dict):
            for name in ("critical_path_seconds", "ratio", "useful", "unknown"):
                self.run.values[f"rekindle.ledger.{name}"] = ledger.get(name)

    def told(self) -> str:
        """Write it; what is still open ends at the last entry, and says that it is open."""
        self.run.ended = self.now
        self.run.values.setdefault("rekindle.outcome", "open")
        self.stay.ended = self.now
        for span in self.actions.values():
            if span.values["rekindle.outcome"] == "open":
                span.ended = self.now
        opened = self.opened
        resource: dict[str, Value | None] = {
            "service.name": "rekindle",
            "service.version": opened.version,
            "k8s.cluster.name": opened.cluster,
            "rekindle.run.id": opened.run_id,
            "rekindle.purpose": opened.purpose,
            "rekindle.simulated": bool(opened.world),
        }
        trace_id = identity(TRACE_BYTES, opened.run_id, "trace")
        spans = [self.run, *self.stays, *self.actions.values()]
        made = [span.as_json(trace_id) for span in spans]
        return request(resource, SCOPE, opened.version, made)


def _cause(name: str, finding: Finding) -> dict[str, Value | None]:
    return {
        "rekindle.finding": name,
        "rekindle.rule": finding.rule,
        "rekindle.subject": finding.subject,
        "rekindle.message": finding.message,
        "rekindle.root": finding.root,
        "rekindle.clears_itself": finding.clears_itself,
        "rekindle.victims": len(finding.victims),
    }
