"""
The loop around the turn: world, journal, requests, signals.

One thread decides and writes. What is written is durable before anything starts; a journal error ends everything at
once. The runner can be killed between any two of its lines: whoever resumes finds a question, never a lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from engine.allowing import asked
from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.cadence import Cadence
from engine.errors import Exit
from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import VERDICT, Memory
from engine.observing import Dice, intent_of
from engine.plan import DONE
from engine.ports import NO_REQUESTS, Clock, Closing, Logbook, Requests, Watcher, nothing_more
from engine.tied import TiedWorld
from engine.turn import MARGIN_SECONDS, Turn, take
from engine.world import Question, Wakeup, World
from journal import entries as e
from journal.entries import AnyEntry, Instant, Json, RunOutcome

CLOCK_JUMP_SECONDS = 2.0
SIGNAL = "signal"
POLL_SECONDS = 1.0  # how soon a request from another terminal is seen
SIMULATED_POLL_SECONDS = 60.0  # of a clock that runs as fast as the machine can
HEARTBEAT_SECONDS = 5.0
CHECKPOINT_ENTRIES = 1_000  # after so many without a move; whoever reads folds what came since


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended: done, stuck, waiting, cancelled or interrupted."""

    outcome: str
    memory: Memory
    turn: Turn | None

    @property
    def exit_code(self) -> Exit:
        """What the process answers with."""
        return {
            "done": Exit.DONE,
            "stuck": Exit.STUCK,
            "waiting": Exit.WAITING,
            "cancelled": Exit.CANCELLED,
            "interrupted": Exit.INTERRUPTED,
        }[self.outcome]


class Runner:
    """A session of a run."""

    def __init__(  # noqa: PLR0913  the ports of the engine, each named at the call
        self,
        *,
        rules: Rules,
        logbook: Logbook,
        world: World,
        memory: Memory,
        dice: Dice,
        clock: Clock,
        watcher: Watcher,
        requests: Requests = NO_REQUESTS,
        patient: bool = False,
        tied: bool = False,
        closing: Closing = nothing_more,
    ) -> None:
        """
        Make a session.

        *memory* is the fold of all that is written; *patient*: Stuck and Ask do not end the session; *tied*: it looks
        and decides, and begins nothing, so that nothing but its goal or a person ends it; *closing* is asked at a
        run's end for figures that only its whole journal tells.
        """
        self.memory = memory
        self._rules = rules
        self._logbook = logbook
        self._world: World = TiedWorld(world) if tied else world
        self._dice = dice
        self._clock = clock
        self._watcher = watcher
        self._requests = requests
        self._patient = patient or tied
        self._tied = tied
        self._closing = closing
        self._interrupted = False
        self._answered_for = False
        self._cadence = Cadence()
        self._since_checkpoint = 0
        self._turn: Turn | None = None
        self._last_wall = clock.wall()
        self._last_monotonic = clock.monotonic()
        self._last_heartbeat = self._last_monotonic

    def interrupt(self) -> None:
        """Ask the session to end at the next safe point; callable from a signal handler."""
        self._interrupted = True
        self._world.interrupt()

    def resume(self, holder: str, *, idle_seconds: float, fresh_deadlines: bool) -> None:
        """Write that this process goes on, and hand to the world what an earlier one left open."""
        now = self._world.now()
        self._note_set_back(now)
        self._write(
            e.RunResumed(
                at=now,
                holder=holder,
                idle_seconds=idle_seconds,
                open_actions=tuple(self.memory.open),
                fresh_deadlines=fresh_deadlines,
            )
        )
        for attempt in self.memory.open.values():
            self._world.adopt(intent_of(attempt))

    def run(self) -> Ended:
        """Turn until the goal is reached, or nothing is left to do without a person."""
        wakeup = Wakeup(changed=True)
        while True:
            self._note_clock()
            self._take_in(wakeup)
            if wakeup.changed or self._due():
                self._take_turn()
            ended = self._ended()
            if ended is not None:
                return ended
            self._heartbeat()
            self._checkpoint()
            wakeup = self._world.next(self._until())

    def _heartbeat(self) -> None:
        if self._clock.monotonic() - self._last_heartbeat >= HEARTBEAT_SECONDS:
            self._last_heartbeat = self._clock.monotonic()
            self._logbook.heartbeat(self._world.now())

    def _checkpoint(self) -> None:
        """
        Keep what the journal says so far, between two turns: a night may pass without a move.

        Of what was written, so that no reader gets another memory by it than by all the entries.
        """
        if self._since_checkpoint >= CHECKPOINT_ENTRIES:
            self._append((), checkpoint=msgspec.json.encode(self.memory))

    def _until(self) -> Instant:
        now = self._world.now()
        wake_at = self._turn.wake_at if self._turn else None
        simulated = self.memory.identity.get("kind") == "simulated"
        latest = now + (SIMULATED_POLL_SECONDS if simulated else POLL_SECONDS)
        latest = min(latest, max(now, self._cadence.due(self.memory.now)))
        return latest if wake_at is None else min(max(wake_at, now), latest)

    def _due(self) -> bool:
        wake_at = self._turn.wake_at if self._turn else None
        now = self._world.now()
        return (wake_at is not None and wake_at <= now) or now >= self._cadence.due(self.memory.now)

    def _take_in(self, wakeup: Wakeup) -> None:
        """Write settlements, each alone and at once; then what people said."""
        for settlement in wakeup.settlements:
            known = self.memory.open.get(settlement.action)
            known = known or next(
                (a for a in self.memory.last.values() if a.action == settlement.action), None
            )
            if known is None:
                continue
            self._write(
                e.ActionSettled(
                    at=self._world.now(),
                    action=settlement.action,
                    verb=known.verb,
                    target=known.target,
                    outcome=settlement.outcome,
                    code=settlement.code,
                    evidence=settlement.evidence,
                )
            )
        for reply in wakeup.replies:
            kind = e.ApprovalGiven if reply.yes else e.ApprovalRefused
            now = self._world.now()
            self._write(
                kind(at=now, approval=reply.approval, digest=reply.digest, actor=reply.actor)
            )
        news = bool(wakeup.settlements or wakeup.replies)
        for entry, done in self._requests.take(self.memory, self._world.now()):
            self._write(entry)
            done()
            news = True
        if news and not wakeup.changed:
            self._take_turn()

    def _take_turn(self) -> None:
        draining = self._interrupted or self.memory.cancel_requested
        snapshot, now = self._world.look(), self._now_unjumped()
        turn = take(
            self._rules,
            self.memory,
            snapshot,
            now,
            self._dice,
            draining=draining,
            diagnosing=now >= self._cadence.due(self.memory.now),
            tied=self._tied,
        )
        if turn.diagnosed:
            self._cadence.diagnosed(now)
        longest = max((intent.deadline_seconds for intent in turn.intents), default=None)
        for commit in turn.commits:
            body = msgspec.json.encode(commit.checkpoint) if commit.checkpoint else None
            intends = commit is turn.commits[-1] and longest is not None
            lease = longest + MARGIN_SECONDS if longest is not None and intends else None
            self._append(commit.entries, checkpoint=body, lease_seconds=lease)
        for intent in turn.intents:
            self._world.start(intent)
        is_first, self._turn = self._turn is None, turn
        self._answered_for = self._tell_questions(turn)
        if turn.commits or is_first:
            # As it is in the journal, and in the order in which everybody else will read it.
            self._watcher.turned(self._rules, replace(turn, memory=self.memory))

    def _tell_questions(self, turn: Turn) -> bool:
        """Tell the world of open questions; say whether somebody there will answer one."""
        expects = False
        wanted = {
            asked(turn.memory, subject, answer).approval
            for subject, answer in turn.answers.items()
            if isinstance(answer, Ask)
        }
        for approval in turn.memory.approvals.values():
            if approval.answer or approval.approval not in wanted:
                continue
            question = Question(
                approval=approval.approval,
                digest=approval.digest,
                subject=approval.subject,
                question=approval.question,
                typed=approval.typed,
            )
            expects = self._world.ask(question) or expects
        return expects

    def _ended(self) -> Ended | None:
        if self.memory.open:
            return None  # also when all is well: a closed run could not settle it any more
        if self.memory.state == DONE:
            return self._close(RunOutcome.DONE)
        if self.memory.cancel_requested:
            return self._close(RunOutcome.CANCELLED)
        if self._interrupted:
            return self._leave(SIGNAL, "interrupted")
        if self._turn is None or self._patient or self._answered_for:
            return None
        answers = self._turn.answers.values()
        if any(_may_still_change(answer) for answer in answers):
            return None
        if any(isinstance(answer, Ask) for answer in answers):
            return self._leave("waiting", "waiting")
        if any(isinstance(answer, Stuck) for answer in answers) and not self._is_expecting():
            return self._leave("stuck", "stuck")
        return None

    def _is_expecting(self) -> bool:
        """A rehearsal's people may be about to mend what it is stuck on: they get the state's own time for it."""
        is_late = f"deadline/{self.memory.state}" in self.memory.fired
        return not is_late and self._world.expects()

    def _close(self, outcome: RunOutcome) -> Ended:
        now = self._world.now()
        summary = self._summary(now)
        self._write(e.RunClosed(at=now, outcome=outcome, state=self.memory.state, summary=summary))
        return Ended(outcome.value, self.memory, self._turn)

    def _leave(self, why: str, outcome: str) -> Ended:
        """Many a run ends here, whatever it may do later: what its time went to is said, but nobody waits for that."""
        now = self._world.now()
        summary = {} if why == SIGNAL else self._summary(now)
        self._write(e.RunInterrupted(at=now, why=why, summary=summary))
        return Ended(outcome, self.memory, self._turn)

    def _summary(self, now: Instant) -> dict[str, Json]:
        counted = self._rules.recipe.counts(self._rules.plan, self.memory.facts)
        summary = {**counted, **self._world.summary(), **self._closing(now)}
        if self.memory.verdict_seconds is not None:
            summary[VERDICT] = self.memory.verdict_seconds
        return summary

    def _note_clock(self) -> None:
        """A laptop that slept, or a clock that was set: deadlines of active time must not count it."""
        wall, monotonic = self._clock.wall(), self._clock.monotonic()
        jump = self._jump_to(wall, monotonic)
        self._last_wall, self._last_monotonic = wall, monotonic
        if jump:
            self._note_jump(self._world.now(), jump)

    def _jump_to(self, wall: float, monotonic: float) -> float:
        """Return by how much the clock has jumped since it was last noted; 0: it has not."""
        jump = (wall - self._last_wall) - (monotonic - self._last_monotonic)
        simulated = self.memory.identity.get("kind") == "simulated"
        return 0.0 if simulated or abs(jump) <= CLOCK_JUMP_SECONDS else jump

    def _jump(self) -> float:
        return self._jump_to(self._clock.wall(), self._clock.monotonic())

    def _now_unjumped(self) -> Instant:
        """
        Return what time it is without a jump that nobody has noted yet.

        Who slept in the middle of a look would else begin the turn at the awakening, with every deadline over. Noted is
        it before the next turn, as any other: a look and the entries of its turn belong together.
        """
        while True:
            jump, now = self._jump(), self._world.now()
            if abs(self._jump() - jump) <= CLOCK_JUMP_SECONDS:
                return now - jump

    def _note_set_back(self, now: Instant) -> None:
        """A clock that was set back while nobody held the run: until it had caught up, no time would seem to pass."""
        back = now - self.memory.now
        simulated = self.memory.identity.get("kind") == "simulated"
        if back < -CLOCK_JUMP_SECONDS and not simulated:
            self._note_jump(now, back)

    def _note_jump(self, now: Instant, seconds: float) -> None:
        """
        Write that the clock jumped.

        The last sign of life before that is of the other clock: a process that dies before the next one would resume at
        an instant that is hours ahead, and find its deadlines passed.
        """
        self._logbook.heartbeat(now)
        self._write(e.ClockJumped(at=now, seconds=round(seconds, 3)))

    def _write(self, entry: AnyEntry) -> None:
        self._append((entry,))

    def _append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> None:
        """Fold what was written, not what was meant: a redacted entry is all that a resumed run will know."""
        rows = self._logbook.append(entries, checkpoint=checkpoint, lease_seconds=lease_seconds)
        written = tuple(row.entry for row in rows if row.entry is not None)
        self.memory = fold_all(self.memory, written)
        self._since_checkpoint = 0 if checkpoint else self._since_checkpoint + len(rows)
        if rows:
            self._watcher.wrote(rows)


def _may_still_change(answer: Answer) -> bool:
    """A wait that cannot clear by itself keeps nobody waiting."""
    return isinstance(answer, Act) or (isinstance(answer, Wait) and answer.can_clear != "no")
