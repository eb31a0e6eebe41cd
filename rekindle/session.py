"""
A session: a journal that is opened or resumed, a world, a runner, and what the operator sees of it.

``run``, ``resume`` and ``rehearse`` differ only in where plan and world come from.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from engine.errors import EnvironmentWrong, Exit
from engine.judging import Rules
from engine.memory import Memory
from engine.observing import doubts_left
from engine.plan import Plan, from_compiled
from engine.runner import Ended, Requests, Runner
from engine.world import World
from journal import entries as e
from journal.entries import AnyEntry, Instant, LeaseLost, Outcome
from journal.lease import Holder
from journal.store import Journal
from phases.recipe import recipe
from rekindle import __version__
from rekindle.asked import requests_of
from rekindle.clocks import HostClock
from rekindle.document import of_run
from rekindle.folding import Found, newest
from rekindle.output import print_json, tell
from rekindle.watchers import watcher_for


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new run is opened with, before its world exists."""

    purpose: str
    plan: Plan
    at: Instant
    identity: dict[str, Any]
    world: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """How a session behaves. *approve*: ids that count as approved as soon as they are asked."""

    journal: Path
    as_json: bool = False
    approve: tuple[str, ...] = ()
    patient: bool = False


REHEARSE = "rehearse"
MakeWorld = Callable[[Found, Plan], World]


def open_run(
    opening: Opening, options: Options, make_world: MakeWorld, *, before: Found | None
) -> Exit:
    """Open a new run and pursue it; *before* is the journal's newest run so far."""
    plan = opening.plan
    doubts = doubts_left(plan, before.memory) if before is not None else ()
    opened = e.RunOpened(
        at=opening.at,
        run_id=new_run_id(),
        purpose=opening.purpose,
        cluster=plan.cluster,
        identity=opening.identity,
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        version=__version__,
        initial=plan.machine.initial,
        world=opening.world,
        doubts=tuple(msgspec.to_builtins(doubt) for doubt in doubts)
        if _same(before, opening)
        else (),
    )
    journal = Journal.open_run(options.journal, opened, holder=Holder.here())
    return _pursue(journal, plan, options, make_world, resumed=False)


def _same(before: Found | None, opening: Opening) -> bool:
    """Say whether the run before was of the same cluster: a rehearsal's world is always a new one."""
    return before is not None and before.opened.purpose == opening.purpose != REHEARSE


def resume_run(
    found: Found, options: Options, make_world: MakeWorld, *, plan: Plan | None = None
) -> Exit:
    """Go on with the newest run of a journal; *plan* is the operator's file as it is today, if there is one."""
    journal = Journal.resume(options.journal, holder=Holder.here())
    known = from_compiled(found.plan, recipe())
    if plan is not None and plan.digest() != known.digest():
        try:
            verdict = compare(known, plan, found.memory)
        except EnvironmentWrong:
            journal.close()
            raise
        journal.append(
            [
                e.PlanChanged(
                    at=found.memory.now,
                    plan=plan.compiled(),
                    plan_digest=plan.digest(),
                    previous_digest=known.digest(),
                    verdict=verdict,
                )
            ]
        )
        known = plan
    return _pursue(journal, known, options, make_world, resumed=True)


def compare(old: Plan, new: Plan, memory: Memory) -> str:
    """
    Say whether a run may go on under another plan.

    :raises EnvironmentWrong: when the state it is in, or the cluster, is another one in the new plan.
    """
    same_states = old.states == new.states
    if old.cluster == new.cluster and (same_states or memory.state in new.states):
        return "compatible"
    raise EnvironmentWrong(
        f"the open run {memory.run_id} is of another plan: {old.cluster} in state {memory.state}",
        reference="plan-incompatible",
        hint="`rekindle resume` goes on with the plan in the journal; `rekindle cancel` closes that run for good",
    )


def _pursue(
    journal: Journal, plan: Plan, options: Options, make_world: MakeWorld, *, resumed: bool
) -> Exit:
    begun = time.monotonic()
    show = watcher_for(sys.stderr, str(journal.path))
    world: World | None = None
    try:
        found = newest(options.journal)
        if found is None:
            message = "the journal was there a moment ago"
            raise AssertionError(message)
        world = make_world(found, plan)
        runner = Runner(
            rules=Rules.of(recipe(), plan),
            logbook=journal,
            world=world,
            memory=found.memory,
            dice=random.SystemRandom().random,
            clock=HostClock(),
            watcher=show,
            requests=_with_approvals(requests_of(journal.path, show.say), options),
            patient=options.patient,
        )
        if resumed:
            show.say(standing(found.memory))
            _resume(runner, journal, found, world)
        with _signals(runner, journal.path):
            ended = runner.run()
        journal.close(LeaseLost(at=ended.memory.now, epoch=journal.epoch))
        counted = {**recipe().counts(plan, ended.memory.facts), **world.summary()}
        if ended.memory.outcome and found.opened.purpose == REHEARSE:
            from rekindle.rehearsal import end_world

            end_world(world)
    finally:
        show.close()
        if world is not None:
            world.close()
        journal.close()
    wall = time.monotonic() - begun
    _tell(ended, options, counted, wall)
    return ended.exit_code


def _ended_without_a_way(memory: Memory) -> bool:
    """Say whether the last session had nothing left to do: then resuming is a person's word to try again."""
    kinds = {body.get("answer") for body in memory.answers.values()}
    stuck = bool(kinds) and kinds <= {"stuck", "ask"}
    return memory.interrupted in {"stuck", "waiting"} or (bool(memory.interrupted) and stuck)


def standing(memory: Memory) -> str:
    """Say what a resumed run finds: done, open, and what it goes on with."""
    done = sum(attempt.outcome is Outcome.DONE for attempt in memory.last.values())
    doubtful = sum(attempt.outcome is Outcome.UNSETTLED for attempt in memory.last.values())
    open_ = ", ".join(f"{a.verb} {a.target}" for a in memory.open.values()) or "none"
    asked = sum(not item.answer for item in memory.approvals.values())
    return (
        f"resuming {memory.run_id} in {memory.state}: {done} actions done, {doubtful} in doubt, open: {open_}; "
        f"{asked} questions unanswered; everything is looked at before anything is done"
    )


def _resume(runner: Runner, journal: Journal, found: Found, world: World) -> None:
    lease = journal.previous_lease
    alive_until = max(found.memory.now, lease.heartbeat_world if lease is not None else 0.0)
    runner.resume(
        str(Holder.here()),
        idle_seconds=max(0.0, world.now() - alive_until),
        fresh_deadlines=_ended_without_a_way(found.memory),
    )


def _with_approvals(requests: Requests, options: Options) -> Requests:
    """Let ``--approve ID`` answer as soon as exactly that question is open: the id is of its digest."""
    if not options.approve:
        return requests
    actor = f"{Holder.here().name} (--approve)"

    def take(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
        taken = requests.take(memory, now)
        for item in memory.approvals.values():
            if item.approval in options.approve and not item.answer:
                given = e.ApprovalGiven(
                    at=now, approval=item.approval, digest=item.digest, actor=actor
                )
                taken.append((given, lambda: None))
        return taken

    return Requests(take)


def _tell(ended: Ended, options: Options, counted: dict[str, Any], wall: float) -> None:
    journal = str(options.journal)
    if options.as_json:
        memory, outcome = ended.memory, ended.outcome
        print_json(
            of_run(memory, outcome=outcome, counted=counted, journal=journal, wall_seconds=wall)
        )
    if ended.outcome not in {"done", "cancelled"}:
        tell(f"to go on: rekindle resume --journal {journal}")
    if ended.outcome in {"stuck", "waiting"} and ended.turn is not None:
        _tell_way_out(ended, journal)


def _tell_way_out(ended: Ended, journal: str) -> None:
    for body in ended.memory.answers.values():
        if body.get("answer") == "stuck":
            tell(f"stuck ({body['reference']}): {body['message']}")
            tell(f"hint: {body['hint']}")
    for item in ended.memory.approvals.values():
        if not item.answer and item.subject in ended.memory.answers:
            tell(f"approval {item.approval}: {item.question}")
            tell(f"  consequence: {item.consequence}")
            typed = f" --type '{item.typed}'" if item.typed else ""
            tell(f"  rekindle approve {item.approval}{typed} --journal {journal}")


def tell_closed(found: Found, options: Options) -> Exit:
    """``resume`` on a closed run: print its document again and exit by its outcome."""
    if options.as_json:
        memory, journal = found.memory, str(options.journal)
        print_json(of_run(memory, outcome=memory.outcome, counted=memory.summary, journal=journal))
    tell(f"run {found.memory.run_id} is closed: {found.memory.outcome}")
    return Exit.DONE if found.memory.outcome == "done" else Exit.CANCELLED


def new_run_id() -> str:
    """A name for a run: sortable by the host's time, unique by chance."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{secrets.token_hex(3)}"


class _signals:  # noqa: N801  reads as a statement: with _signals(...)
    """The first signal ends the session at the next safe point; the second leaves at once."""

    def __init__(self, runner: Runner, journal: Path) -> None:
        self._runner = runner
        self._journal = journal
        self._asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handle)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            text = f"\nto go on: rekindle resume --journal {self._journal}\n"
            os.write(2, text.encode())
            os._exit(Exit.INTERRUPTED)
        self._asked = True
        os.write(
            2,
            b"\nending: what is in flight is finished or timed out first; again to leave at once\n",
        )
        self._runner.interrupt()
