"""
Phases that are told their state: which of them a machine needs, whose they are, and what they say.

Some come with the recipe, others from other distributions (guests). A plan that names a guest which is not there, or
cannot be used, does not load; a journal that names one is read without it, and says so as soon as it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from engine.answer import Answer, Subject
from engine.errors import EnvironmentWrong, Problem
from engine.models import MachineModel, StateModel
from engine.recipe import Behind, Facts, Findings, Judgement, Phase, Recipe, Verdict
from engine.yamlfile import Marks

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.plan import Plan

HERE = ("machine", "states")
Foreign = dict[str, Mapping[str, str]]


def _is_known(name: str, recipe: Recipe) -> bool:
    return name in recipe.phases or name in recipe.own


def _named(machine: MachineModel) -> Iterator[str]:
    for name, state in machine.states.items():
        yield state.phase or name
        if state.guard:
            yield state.guard


def missing(name: str, state: StateModel, recipe: Recipe, marks: Marks) -> Iterator[Problem]:
    """Say what a state names that is not there, or cannot be used; whose it is, is part of it."""
    phase = state.phase or name
    guard = state.guard or (name if phase in recipe.phases else phase)
    for key, wanted, known in (
        ("guard", guard, recipe.guards),
        ("phase", phase, recipe.phases),
    ):
        if wanted in known or wanted in recipe.own or (key == "guard" and wanted == phase):
            continue
        guest = recipe.guest(wanted)
        if guest is None:
            yield marks.problem((*HERE, name), f"no {key} {wanted!r}")
        elif guest.phase is None:
            whose = f"{guest.distribution} {guest.version}".rstrip()
            text = f"the phase {wanted!r} of {whose} cannot be used: {guest.trouble}"
            yield marks.problem((*HERE, name, "phase"), text)


def invited(machine: MachineModel, recipe: Recipe) -> tuple[dict[str, Phase], Foreign]:
    """Return the phases that a machine's states are told to, and whose those of other distributions are."""
    own: dict[str, Phase] = {}
    foreign: Foreign = {}
    for name in _named(machine):
        guest = None if _is_known(name, recipe) else recipe.guest(name)
        if name in recipe.own:
            own[name] = recipe.own[name]
        elif guest is not None and guest.phase is not None:
            own[name] = guest.phase
            foreign[name] = whose(guest.distribution, guest.version, guest.phase.VERSION)
    return own, foreign


def whose(distribution: str, version: str, contract: str) -> dict[str, str]:
    """Write down whose a phase is, as the journal has it."""
    return {"distribution": distribution, "version": version, "phase": contract}


def again(machine: MachineModel, recipe: Recipe, foreign: Foreign) -> dict[str, Phase]:
    """Return the same for a journal's plan; what is not there any more is a phase that says so."""
    own, _ = invited(machine, recipe)
    for name, told in foreign.items():
        if name not in own:
            guest = recipe.guest(name)
            trouble = guest.trouble if guest is not None else "it is not installed here"
            own[name] = Absent(name, str(told["distribution"]), str(told["version"]), trouble)
    return own


def changed(plan: Plan, recipe: Recipe) -> dict[str, tuple[Mapping[str, str], Mapping[str, str]]]:
    """Say of which phases another version is here than the plan was made with: by name, then and now."""
    _, here = invited(plan.machine, recipe)
    return {
        name: (told, here[name])
        for name, told in plan.foreign.items()
        if name in here and here[name] != told
    }


def checked(plan: Plan, marks: Marks) -> list[Problem]:
    """Ask each phase that is told its state what is wrong with what the plan tells it; each sentence once."""
    found: dict[tuple[int, int, str], Problem] = {}
    for name, state in plan.machine.states.items():
        phase = plan.own.get(state.phase or name)
        for text in phase.check(plan, name) if phase is not None else ():
            problem = marks.problem((*HERE, name, "options"), text)
            found.setdefault((problem.line, problem.column, text), problem)
    return list(found.values())


def demanded(plan: Plan) -> None:
    """
    Refuse a plan that cannot be pursued here, before anything is begun.

    :raises EnvironmentWrong: when a phase of another distribution is not there.
    """
    for phase in plan.own.values():
        if isinstance(phase, Absent):
            phase.refuse()


@dataclass(frozen=True, slots=True)
class Absent:
    """Stands where a phase was that this installation has not; whatever it is asked, it says so."""

    name: str
    distribution: str
    version: str
    trouble: str
    VERSION: str = ""

    def refuse(self) -> NoReturn:
        """
        Say what is missing.

        :raises EnvironmentWrong: always.
        """
        raise EnvironmentWrong(
            f"this run needs the phase {self.name!r} of {self.distribution} {self.version}: {self.trouble}",
            reference="phase-missing",
            hint=f"install {self.distribution} {self.version} beside rekindle; nothing was begun without it",
        )

    def check(self, plan: Plan, state: str) -> Sequence[str]:
        """Say so."""
        del plan, state
        self.refuse()

    def guard(self, plan: Plan, state: str, facts: Facts) -> Judgement:
        """Say so."""
        del plan, state, facts
        self.refuse()

    def decide(
        self, plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
    ) -> Mapping[Subject, Answer]:
        """Say so."""
        del plan, state, facts, findings, memory
        self.refuse()


# --- what they say -------------------------------------------------------------------------------


def judgements(
    recipe: Recipe, plan: Plan, order: Sequence[str], facts: Facts
) -> dict[str, Judgement]:
    """Ask every guard, in the order of the states; a goal that is only needed ``until`` another holds ends with it."""
    judged = {name: _judgement(recipe, plan, name, facts) for name in order}
    for name in reversed(order):
        until = plan.machine.states[name].until
        if until:
            judged[name] = _until(judged[name], judged[until], until)
    return judged


def _judgement(recipe: Recipe, plan: Plan, name: str, facts: Facts) -> Judgement:
    state = plan.machine.states[name]
    phase = state.phase or name
    guard = state.guard or (phase if phase in plan.own else name)
    if guard in plan.own:
        return plan.own[guard].guard(plan, name, facts)
    return recipe.guards[guard](plan, facts)


def _until(mine: Judgement, later: Judgement, until: str) -> Judgement:
    """Either goal will do, in three values: what is open is known to be open only if the later one is, too."""
    if later.verdict is Verdict.HOLDS and mine.verdict is not Verdict.HOLDS:
        why = f"not needed any more: {until} holds"
        return Judgement(Verdict.HOLDS, why, mine.expected, mine.expected, own=mine.verdict)
    if later.verdict is Verdict.UNKNOWN and mine.verdict is Verdict.BROKEN:
        why = f"{mine.why}; whether it is still needed is not known: {later.why}"
        return Judgement(Verdict.UNKNOWN, why, mine.done, mine.expected, own=mine.verdict)
    return mine


def wishes(
    recipe: Recipe, plan: Plan, name: str, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Ask a state's phase; what the domain holds back is held back whosever phase it is."""
    phase = plan.machine.states[name].phase or name
    said = (
        plan.own[phase].decide(plan, name, facts, findings, memory)
        if phase in plan.own
        else recipe.phases[phase](plan, facts, findings, memory)
    )
    return recipe.held(plan, facts, memory, dict(said))


def behind(
    recipe: Recipe, plan: Plan, memory: Memory, answers: Mapping[Subject, Answer]
) -> Collection[Subject]:
    """
    Name what waits in vain behind what is stuck: the domain knows that of its own phases.

    What a phase of others means by a subject only that one knows: it says so, if it has a ``behind`` of its own.
    """
    phase = plan.machine.states[memory.state].phase or memory.state
    if phase not in plan.own:
        return recipe.behind(plan, memory, answers)
    asked: Behind | None = getattr(plan.own[phase], "behind", None)
    return asked(plan, memory, answers) if asked is not None else ()
