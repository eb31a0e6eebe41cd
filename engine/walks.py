"""
Walks: the same steps for one item after the other, written once in the plan and turned into plain states.

A machine is a ladder of goals, pursued one at a time. "cordon, drain, upgrade, uncordon" over all nodes at once would
drain everything: so a walk becomes all four states of the first node, then all four of the second. After the loader
nobody knows walks; what is left of one is what each state says of itself (``walked``), and what the engine makes of it:
nothing is begun at one item while another is not back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.answer import Act, Answer, Subject, Wait
from engine.checked import validated
from engine.errors import Problem
from engine.memory import Memory
from engine.models import MachineModel, WalkedModel, WalkModel
from engine.recipe import Judgement, Verdict
from engine.yamlfile import Marks

HERE: Final = ("machine", "states")
OURS: Final = "walked"


def expanded(
    given: Mapping[str, Any],
    items: Mapping[str, tuple[str, ...]],
    marks: Marks,
    problems: list[Problem],
) -> dict[str, Any] | None:
    """Return the plan's machine with each walk in it turned into states; None where one cannot be made out."""
    machine = dict(given)
    states = machine.get("states")
    if not isinstance(states, dict):
        return machine
    before = len(problems)
    made: dict[str, Any] = {}
    first: dict[str, str] = {}
    for name, raw in states.items():
        if not (isinstance(raw, dict) and "over" in raw):
            made[name] = raw
            continue
        steps = _steps(str(name), raw, items, marks, problems)
        if steps:
            first[name] = next(iter(steps))
        for step, body in steps.items():
            if step in made or step in states:
                text = f"{step!r} is a state of its own already"
                problems.append(marks.problem((*HERE, name), text))
            made[step] = body
    if len(problems) > before:
        return None
    for body in made.values():
        if isinstance(body, dict):
            _led(body, "next", first)
    machine["states"] = made
    _led(machine, "initial", first)
    return machine


def _led(body: dict[str, Any], key: str, first: Mapping[str, str]) -> None:
    """Lead to a walk's first step what names the walk; what is no name is somebody else's error to tell."""
    name = body.get(key)
    if isinstance(name, str) and name in first:
        body[key] = first[name]


def refused(given: object, marks: Marks) -> list[Problem]:
    """Say where a plan file writes what only the loader may."""
    states = given.get("states") if isinstance(given, dict) else None
    text = "is written by the loader, for the states that it makes of a walk"
    return [
        marks.problem((*HERE, str(name), OURS), text)
        for name, raw in (states.items() if isinstance(states, dict) else ())
        if isinstance(raw, dict) and OURS in raw
    ]


def _steps(
    name: str,
    raw: dict[str, Any],
    items: Mapping[str, tuple[str, ...]],
    marks: Marks,
    problems: list[Problem],
) -> dict[str, dict[str, Any]]:
    """Make the states of one walk, in their order."""
    walk = validated(WalkModel, raw, marks, (*HERE, name), problems)
    if walk is None:
        return {}
    found = items.get(walk.over)
    if not found:
        known = ", ".join(sorted(items)) or "nothing"
        text = f"there is nothing to walk over called {walk.over!r}; there is {known}"
        problems.append(marks.problem((*HERE, name, "over"), text))
        return {}
    steps = list(walk.steps)
    for step in steps:
        until = walk.steps[step].until
        if until and until not in steps:
            text = f"{until!r} is no step of this walk"
            problems.append(marks.problem((*HERE, name, "steps", step, "until"), text))
    parts = _parts(walk)
    order = [(item, place) for item in found for place in range(len(steps))]
    names = [f"{steps[place]}-{item}" for item, place in order]
    made: dict[str, dict[str, Any]] = {}
    for (item, place), state, following in zip(order, names, [*names[1:], walk.next], strict=True):
        body = dict(raw["steps"][steps[place]])
        if body.get("until"):
            body["until"] = f"{body['until']}-{item}"
        walked = {"walk": name, "over": walk.over, "item": item, "part": parts[place]}
        made[state] = {**body, "next": following, OURS: walked}
        _mark(marks, (*HERE, name, "steps", steps[place]), (*HERE, state))
    return made


def _parts(walk: WalkModel) -> list[str]:
    """Say of each step whether it takes its item away, or brings it back."""
    steps = list(walk.steps)
    untils = [walk.steps[step].until for step in steps]
    turns = max((steps.index(until) for until in untils if until in steps), default=len(steps))
    first = next((place for place, until in enumerate(untils) if until), len(steps))
    named = {first: "takes", turns: "turns"}
    return ["returns" if place > turns else named.get(place, "") for place, _ in enumerate(steps)]


def is_first(machine: MachineModel, name: str) -> bool:
    """Say whether a state stands for all that one step was turned into: what is wrong with it is said once."""
    walked = machine.states[name].walked
    if walked is None:
        return True
    items = (
        s.walked.item
        for s in machine.states.values()
        if s.walked is not None and s.walked.walk == walked.walk
    )
    return walked.item == next(items)


def _mark(marks: Marks, old: tuple[str, ...], new: tuple[str, ...]) -> None:
    """Let what is said of a state that a walk was turned into point at its step."""
    moved = {
        (*new, *path[len(old) :]): place
        for path, place in marks.places.items()
        if path[: len(old)] == old
    }
    marks.places.update(moved)


def held_back(
    machine: MachineModel, memory: Memory, judged: Mapping[str, Judgement], wished: Answer
) -> Answer:
    """
    Return what becomes of an action in the state that is pursued: begun only where its goal is known to be open.

    In a walk nothing is begun while anything else runs, and nothing that takes an item away while another is away or
    may be. Steps that bring an item back are never held up by another.
    """
    if not isinstance(wished, Act) or memory.state not in judged:
        return wished
    state, mine = machine.states[memory.state], judged[memory.state]
    if state.until and mine.verdict is not Verdict.BROKEN:
        return Wait(mine.why, can_clear="unknown")
    walked = state.walked
    if walked is None:
        return wished
    for attempt in memory.open.values():
        if attempt.target != wished.target:
            return Wait(f"{attempt.verb} {attempt.target} is running: one at a time")
    if walked.part == "returns":
        return wished
    for item in _others(machine, walked):
        why = _away(machine, judged, walked.walk, item)
        if why:
            return Wait(f"{item} is not back: {why}", can_clear="unknown")
    return wished


def _others(machine: MachineModel, walked: WalkedModel) -> list[str]:
    """Name the other items of a walk, sorted: a plan that a journal had has its states in another order."""
    found = [
        state.walked.item
        for state in machine.states.values()
        if state.walked is not None and state.walked.walk == walked.walk
    ]
    return sorted({item for item in found if item != walked.item})


def _away(machine: MachineModel, judged: Mapping[str, Judgement], walk: str, item: str) -> str:
    """
    Say why an item counts as away (empty: it is there).

    What takes it away is not known not to hold, and what it was taken away for, or what brings it back, is not known
    to hold.
    """
    mine = {
        name: state.walked.part
        for name, state in machine.states.items()
        if state.walked is not None and (state.walked.walk, state.walked.item) == (walk, item)
    }
    taken = [judged[name] for name, part in mine.items() if part == "takes"]
    if all((one.own or one.verdict) is Verdict.BROKEN for one in taken):
        return ""
    # Sorted for the same reason as above: what is answered must not depend on where the plan was read.
    rest = [judged[name] for name in sorted(mine) if mine[name] in {"turns", "returns"}]
    return next((one.why for one in rest if one.verdict is not Verdict.HOLDS), "")


def gated(
    machine: MachineModel,
    memory: Memory,
    judged: Mapping[str, Judgement],
    wished: Mapping[Subject, Answer],
) -> dict[Subject, Answer]:
    """Hold back, of all that a phase wishes, what may not begin now."""
    # Hundreds of answers are waits; to ask for each costs more than to decide most of them.
    return {
        s: held_back(machine, memory, judged, answer) if isinstance(answer, Act) else answer
        for s, answer in wished.items()
    }
