"""
A command, until a probe says that what it was to bring is there: the phase for states that a plan makes up.

``options: {command: NAME, probe: NAME, settle: 30s}``. The goal is what the probe shows, never how the command ended;
where the probe cannot tell, nothing is begun. The command is run again while the probe says "not yet": it must be
convergent. *settle* is how long after the command's end its effect may take to show.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.answer import Answer, Stuck, Subject, Wait
from engine.checked import said
from engine.memory import Attempt, Memory
from engine.patience import seconds
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact, Outcome
from phases import codes
from phases.inventory import Name
from phases.placeholders import used
from phases.probing import key_of, node_of, row_of, subject, values_of
from phases.section import Section
from phases.verbs import COMMAND, command_target, run_command

VERSION: Final = "1"
UNSEEN: Final = Fact(codes.UNOBSERVABLE, "not asked yet")


class Options(BaseModel):
    """What a state says to this phase."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: Name
    probe: Name
    settle: str = "30s"


def _options(plan: Plan, state: str) -> Options:
    return Options.model_validate(plan.machine.states[state].options)


def check(plan: Plan, state: str) -> Sequence[str]:
    """Resolve every name, and hold the arguments against what the state is about."""
    section: Section = plan.target
    try:
        options = _options(plan, state)
    except ValidationError as error:
        found = error.errors(include_url=False)
        return [f"{'.'.join(map(str, one['loc'])) or 'options'}: {said(one)}" for one in found]
    problems: list[str] = []
    try:
        seconds(options.settle)
    except ValueError as error:
        problems.append(f"settle: {error}")
    command, probe = section.commands.get(options.command), section.probes.get(options.probe)
    if command is None:
        problems.append(f"no command {options.command!r} under commands")
    if probe is None:
        problems.append(f"no probe {options.probe!r} under probes")
    values = values_of(section, node_of(plan, state))
    for name, argv in (
        (options.command, command.argv if command is not None else None),
        (options.probe, probe.argv if probe is not None else None),
    ):
        if argv is not None:
            problems += _misplaced(name, used(argv), walks=bool(values))
    return problems


def _untold(memory: Memory, probe: str, why: str) -> Answer:
    """Where the preflight knows why nobody can tell (the probe's program is missing), waiting is in vain."""
    row = row_of(probe)
    found = next((one for one in memory.objections if one.check == row and one.blocks), None)
    if found is None:
        return Wait(why, can_clear="unknown")
    return Stuck(
        reference="preflight-failed",
        message=f"{why}, and {found.check} is not in order: {found.subject}: {found.said}",
        hint=f"{found.todo}; `rekindle resume` looks again",
    )


def _misplaced(name: str, names: Sequence[str], *, walks: bool) -> list[str]:
    """A walk's commands must differ from node to node; what is not in a walk has no node to name."""
    if walks and not names:
        return [f"{name!r} is the same for every node: put {{node}} or {{address}} into its argv"]
    if names and not walks:
        return [f"{name!r} names {{{names[0]}}}, and this state is about no node"]
    return []


def guard(plan: Plan, state: str, facts: Facts) -> Judgement:
    """Hold when the probe says so."""
    options = _options(plan, state)
    key = key_of(options.probe, node_of(plan, state))
    fact = facts.get(subject(key), UNSEEN)
    if fact.code == codes.HOLDS:
        return Judgement(Verdict.HOLDS, f"{key} says so", 1, 1)
    if fact.code == codes.NOT_YET:
        return Judgement(Verdict.BROKEN, f"{key} says not yet", 0, 1)
    return Judgement(Verdict.UNKNOWN, f"{key} cannot tell: {fact.reason}", 0, 1)


def decide(
    plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Run the command where the probe says "not yet", unless one runs or has just ended."""
    del findings
    options, node = _options(plan, state), node_of(plan, state)
    judged = guard(plan, state, facts)
    target = command_target(options.command, node)
    if judged.verdict is Verdict.HOLDS:
        return {}
    running = _running(memory, target)
    if running is not None:
        return {target: Wait(f"{running.target} is still running")}
    if judged.verdict is Verdict.UNKNOWN:
        return {target: _untold(memory, options.probe, judged.why)}
    due = _shows_until(memory.last_of(COMMAND, target), seconds(options.settle))
    if due is not None and not memory.passed(due):
        return {target: Wait(f"{options.command} has ended; {judged.why}", due)}
    values = values_of(plan.target, node)
    return {target: run_command(plan, options.command, judged.why, values)}


def _running(memory: Memory, target: Subject) -> Attempt | None:
    """Return a command that runs, of whatever state: two of them may work on the same thing."""
    return next((a for a in memory.open.values() if a.verb == COMMAND and a.target != target), None)


def _shows_until(last: Attempt | None, settle_seconds: float) -> float | None:
    """
    Return the instant until which what a command did may not show yet.

    Also of one whose end nobody saw: it may have done everything.
    """
    if last is None or last.settled_at is None or last.outcome is Outcome.FAILED:
        return None
    return last.settled_at + settle_seconds
