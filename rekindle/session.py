"""
A session: a journal that is opened or resumed, a world, a runner, and what the operator sees of it.

``run``, ``resume``, ``rehearse`` and ``watch`` differ only in where plan and world come from.
"""

from __future__ import annotations

import random
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from engine import guests
from engine.errors import EnvironmentWrong, Exit
from engine.judging import Rules
from engine.memory import Memory
from engine.observing import doubts_left
from engine.plan import Plan, from_compiled
from engine.ports import Requests
from engine.runner import Runner
from engine.world import World
from journal import entries as e
from journal import options as durability
from journal.entries import Instant, LeaseLost
from journal.lease import Holder
from journal.store import Journal
from phases.durations import handed_on
from phases.section import Section
from rekindle import __version__, preflight, signals
from rekindle.asked import answering, requests_of, take_in_notes
from rekindle.clocks import HostClock
from rekindle.doctor.check import Check
from rekindle.elaborating import elaborated
from rekindle.ending import closing_of, left_at_once, tell_ended
from rekindle.folding import Found, newest, opening
from rekindle.looks.film import film_of
from rekindle.looks.recorder import RecordedWorld, Recorder, Say
from rekindle.notifying import Notifier
from rekindle.output import tell
from rekindle.recipes import recipe
from rekindle.resuming import standing, telling
from rekindle.signals import Orders
from rekindle.typed import command
from rekindle.watchers import Show, watcher_for
from rekindle.worlds import Claimable, clock_of


@dataclass(frozen=True, slots=True)
class Opening:
    """
    What a new run is opened with, before its world exists.

    *request*: what is asked of it beyond its goal, by verb. *lasting*: reaching its goal does not end it.
    """

    purpose: str
    plan: Plan
    at: Instant
    identity: dict[str, Any]
    world: dict[str, Any] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """
    How a session behaves.

    *approve*: ids that count as approved as soon as they are asked; *record*: what it sees is kept beside the journal.
    *checks*: what a preflight found that was told already; None: the session makes its own. *verbose*: each cause is
    told in full when it is found.
    """

    journal: Path
    as_json: bool = False
    approve: tuple[str, ...] = ()
    patient: bool = False
    record: bool = False
    checks: tuple[Check, ...] | None = None
    verbose: bool = False


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
        request=opening.request,
        lasting=opening.lasting,
        doubts=tuple(msgspec.to_builtins(doubt) for doubt in doubts)
        if _same(before, opening)
        else (),
        took=handed_on(plan.target, before.memory)
        if before is not None and _same(before, opening)
        else {},
    )
    with signals.held() as orders:
        journal = Journal.open_run(
            options.journal,
            opened,
            holder=Holder.here(),
            options=_durability(simulated=bool(opening.world)),
        )
        return _pursue(journal, plan, options, make_world, orders)


def _durability(*, simulated: bool) -> durability.Options:
    """Say what a commit has to survive: a simulated cluster does not survive a power cut either."""
    return durability.REHEARSAL if simulated else durability.DEFAULTS


def _same(before: Found | None, opening: Opening) -> bool:
    """Say whether the run before was of the same cluster: a scenario's world is always a new one."""
    return before is not None and not before.simulated and not opening.world


def resume_run(
    found: Found,
    options: Options,
    make_world: MakeWorld,
    *,
    plan: Plan | None = None,
    take_over: bool = False,
    identity: dict[str, Any] | None = None,
) -> Exit:
    """
    Go on with the newest run of a journal; *plan* is the operator's file as it is today, if there is one.

    *take_over*: a run that only watched acts from here on; written before anything else is done, and with the plan that
    it gets for that. *identity*: how its cluster is known then, where it had no plan.
    """
    with signals.held() as orders:
        journal = Journal.resume(
            options.journal,
            holder=Holder.here(),
            options=_durability(simulated=found.simulated),
        )
        try:
            known, changed = _adopt(found, plan, take_over=take_over)
            if take_over:
                at, actor = found.memory.now, str(Holder.here())
                changed.append(e.TakenOver(at=at, actor=actor, identity=identity or {}))
            if changed:
                journal.append(changed)
        except EnvironmentWrong:
            journal.close()
            raise
        return _pursue(journal, known, options, make_world, orders, resumed=True)


def _adopt(
    found: Found, plan: Plan | None, *, take_over: bool
) -> tuple[Plan, list[e.PlanChanged | e.TakenOver]]:
    """Take the operator's plan of today in the place of the journal's; return what is to be written of that."""
    known = from_compiled(found.plan, recipe())
    guests.demanded(plan or known)
    plan = plan or _with_phases_of_today(known)
    if plan.digest() == known.digest():
        return known, []
    changed = e.PlanChanged(
        at=found.memory.now,
        plan=plan.compiled(),
        plan_digest=plan.digest(),
        previous_digest=known.digest(),
        verdict=compare(known, plan, found.memory, take_over=take_over),
    )
    return plan, [changed]


def _with_phases_of_today(known: Plan) -> Plan:
    """Name the versions that are here: what decides from now on is what the journal has to name."""
    found = guests.changed(known, recipe())
    for name, (then, today) in found.items():
        tell(
            f"the phase {name!r} is of {today['distribution']} {today['version']} now; the run was opened with "
            f"{then['distribution']} {then['version']}"
        )
    return replace(known, foreign={**known.foreign, **{n: now for n, (_, now) in found.items()}})


def compare(old: Plan, new: Plan, memory: Memory, *, take_over: bool = False) -> str:
    """
    Say whether a run may go on under another plan; whoever gives one to a watch takes it over.

    :raises EnvironmentWrong: when the state it is in, or the cluster, is another one in the new plan.
    """
    same_states = old.states == new.states
    asks = bool(old.target.talos.nodes), bool(new.target.talos.nodes)
    given = take_over and asks == (False, True)
    if asks[0] != asks[1] and not given:
        raise EnvironmentWrong(
            f"the open run {memory.run_id} watches without a plan; it gets one only by being taken over",
            reference="plan-incompatible",
            hint="`rekindle resume --take-over PLAN` lets it act; `rekindle cancel` closes that watch for good",
        )
    # A kubeconfig has a name of its own for the cluster: there the CA was compared.
    if (given or old.cluster == new.cluster) and (same_states or memory.state in new.states):
        return "compatible"
    raise EnvironmentWrong(
        f"the open run {memory.run_id} is of another plan: {old.cluster} in state {memory.state}",
        reference="plan-incompatible",
        hint="`rekindle resume` goes on with the plan in the journal; `rekindle cancel` closes that run for good",
    )


def _pursue(
    journal: Journal,
    plan: Plan,
    options: Options,
    make_world: MakeWorld,
    orders: Orders,
    *,
    resumed: bool = False,
) -> Exit:
    begun = time.monotonic()
    orders.last_words = f"to go on: {command('resume', journal=journal.path)}"
    show = watcher_for(sys.stderr, str(journal.path))
    orders.listen(show.ending, close=show.close)
    world: World | None = None
    recorder: Recorder | None = None
    notifier: Notifier | None = None
    try:
        found = newest(options.journal)
        if found is None:
            message = "the journal was there a moment ago"
            raise AssertionError(message)
        world = make_world(found, plan)
        claimed(world, found.memory, journal.path)
        show.clock = clock_of(world)
        if not resumed:
            show.wrote(opening(options.journal, found.memory.run_id))
        memory, again = preflight.written(journal, found.memory, plan, options.checks, show.say)
        notifier = notifier_of(plan, show, journal.path, found)
        if options.record:
            recorder = recorder_of(journal, show.say)
        runner = Runner(
            rules=Rules.of(recorder.over(recipe()) if recorder else recipe(), plan),
            logbook=journal,
            world=RecordedWorld(world, recorder) if recorder else world,
            memory=memory,
            dice=random.SystemRandom().random,
            clock=HostClock(),
            watcher=elaborated(
                telling(notifier or show, found.memory, show.say, resumed=resumed),
                show.say,
                verbose=options.verbose,
            ),
            requests=again(_with_approvals(requests_of(journal.path, show.say), options)),
            patient=options.patient,
            closing=partial(closing_of, journal, found.memory.run_id, plan),
            tied=found.memory.watches,
        )
        if resumed:
            show.say(standing(found.memory))
            _resume(runner, journal, found, world)
        orders.listen(runner.interrupt, close=show.close)
        if options.as_json:
            orders.document = lambda: left_at_once(runner.memory, plan, options.journal, begun)
        ended = runner.run()
        if recorder is not None:
            recorder.done()
        take_in_notes(journal, ended.memory.now)
        journal.close(LeaseLost(at=ended.memory.now, epoch=journal.epoch))
        counted = recipe().counts(plan, ended.memory.facts) | world.summary() | ended.memory.summary
        if ended.memory.outcome and found.simulated:
            from rekindle.rehearsal import end_world

            end_world(world)
    finally:
        show.close()
        if notifier is not None:
            notifier.finish()
        if recorder is not None:
            recorder.close()
        if world is not None:
            world.close()
        journal.close()
    wall = time.monotonic() - begun
    can_act = bool(plan.target.talos.nodes)
    tell_ended(ended, options.journal, counted, wall, as_json=options.as_json, can_act=can_act)
    return ended.exit_code


def claimed(world: World, memory: Memory, journal: Path) -> None:
    """Say for whom a real cluster is acted on: this journal on this machine, whichever process it is."""
    if isinstance(world, Claimable) and not memory.watches:
        here = Holder.here()
        world.claim(f"{here.name}@{here.host} ({journal.absolute()}, boot {here.boot_id[:8]})")


def notifier_of(plan: Plan, show: Show, journal: Path, found: Found) -> Notifier | None:
    """Tell whom the plan names; a drill wakes nobody."""
    section: Section = plan.target
    if section.notify is None or found.simulated:
        return None
    standing = (plan.cluster, found.memory.state)
    return Notifier(section.notify, show, str(journal), show.say, standing)


def recorder_of(journal: Journal, say: Say) -> Recorder:
    """Keep what this session will see; ``replay`` reduces and diagnoses it again."""
    path = film_of(journal.path, journal.run_id)
    return Recorder(path, lambda: journal.last_seq, say)


def _ended_without_a_way(memory: Memory) -> bool:
    """Say whether the last session had nothing left to do: then resuming is a person's word to try again."""
    kinds = {body.get("answer") for body in memory.answers.values()}
    stuck = bool(kinds) and kinds <= {"stuck", "ask"}
    return memory.interrupted in {"stuck", "waiting"} or (bool(memory.interrupted) and stuck)


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
    return answering(requests, frozenset(options.approve), actor)


def new_run_id() -> str:
    """A name for a run: sortable by the host's time, unique by chance."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    return f"{stamp}-{secrets.token_hex(3)}"
