"""
A domain of lights and switches: the engine without a cluster.

Each state's goal is that its light is on. The verb ``switch`` turns one on after a while; ``once`` does the same and
may not be repeated on doubt. A light may flicker: it can be put out from outside.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.answer import Act, Answer, Ask, Done, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan, of_parts
from engine.recipe import (
    Effect,
    Facts,
    Findings,
    Happened,
    Judgement,
    Recipe,
    Retry,
    Verb,
    Verdict,
)
from engine.world import Identity, Intent, Question, Settlement, Wakeup
from journal.entries import Fact, Instant, Json, Outcome
from tests.properties.harness import Story

START = 1_000_000.0


class Look(msgspec.Struct, frozen=True):
    """Which lights are on, off, or cannot be seen (None)."""

    lights: dict[str, bool | None]


def light(name: str) -> Subject:
    """Subject of a light."""
    return f"light/{name}"


def reduce(plan: Plan, look: Look) -> Facts:
    """One fact a light."""
    codes = {True: "on", False: "off", None: "unseen"}
    return {light(name): Fact(codes[look.lights.get(name)]) for name in plan.states}


def guard_of(name: str) -> Callable[[Plan, Facts], Judgement]:
    """The goal of a state: its light is on."""

    def guard(plan: Plan, facts: Facts) -> Judgement:
        del plan
        code = facts[light(name)].code if light(name) in facts else "unseen"
        verdict = {"on": Verdict.HOLDS, "off": Verdict.BROKEN, "unseen": Verdict.UNKNOWN}[code]
        return Judgement(verdict, f"{name} is {code}", int(code == "on"), 1)

    return guard


def phase_of(
    name: str, verb: str
) -> Callable[[Plan, Facts, Findings, Memory], dict[Subject, Answer]]:
    """Switch the light on, and wait until it shows."""

    def decide(
        plan: Plan, facts: Facts, findings: Findings, memory: Memory
    ) -> dict[Subject, Answer]:
        del plan, findings
        fact = facts.get(light(name))
        if fact is None or fact.code == "unseen":
            return {light(name): Wait("cannot be seen", can_clear="unknown")}
        if fact.code == "on":
            return {light(name): Done()}
        last = memory.last_of(verb, light(name))
        mine = last is not None and last.intended_at >= memory.entered_at
        if last is not None and last.outcome is Outcome.DONE and mine and verb != "fuse":
            return {light(name): Wait("switched, not on yet")}
        ask = Ask(f"switch {name} on?", "it may blow", {"light": name}) if verb == "fuse" else None
        return {light(name): Act(verb, light(name), {"light": name}, "it is off", ask)}

    return decide


def happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """A light that is on was switched; one that is off may still come on."""
    del plan
    fact = facts.get(str(intent.target))
    return Happened.YES if fact is not None and fact.code == "on" else Happened.UNKNOWN


VERBS = {
    "switch": Verb("switch", Effect.CONVERGENT, 30.0, Retry(attempts=6)),
    "once": Verb("once", Effect.ONCE, 30.0, Retry(attempts=3), probe=happened, guard="a fuse"),
    "fuse": Verb("fuse", Effect.ONCE, 30.0, Retry(attempts=9), probe=happened, guard="a fuse"),
}


def recipe_of(names: Sequence[str], verbs: Mapping[str, str] | None = None) -> Recipe:
    """Make the recipe of some lights; *verbs* says which verb each is switched with."""
    by = dict.fromkeys(names, "switch") | dict(verbs or {})
    return Recipe(
        reduce=reduce,
        diagnose=lambda _plan, _look: {},
        guards={name: guard_of(name) for name in names},
        phases={name: phase_of(name, by[name]) for name in names},
        verbs=VERBS,
        machine={},
        section=lambda raw, _marks, _include, _problems: raw,
        target=lambda section: section,
        goal=lambda _plan, _facts: "",
        counts=lambda plan, facts: {
            "on": sum(
                facts[light(name)].code == "on" for name in plan.states if light(name) in facts
            )
        },
    )


@dataclass
class House:
    """The lights themselves. *delays*: seconds from the switch to the light."""

    lights: dict[str, bool | None]
    delays: Mapping[str, float]
    now: Instant = START
    count: int = 0
    told: list[str] = field(default_factory=list)
    lost: frozenset[int] = frozenset()  # which switches (from 0) nobody hears the end of
    events: list[tuple[Instant, int, Callable[[], None]]] = field(default_factory=list)
    clients: int = 0

    def at(self, when: Instant, do: Callable[[], None]) -> None:
        """Let something happen."""
        heapq.heappush(self.events, (max(when, self.now), len(self.told) + self.count, do))
        self.count += 1

    def set(self, name: str, shown: bool | None) -> None:  # noqa: FBT001  a light's state
        """Turn a light on or off, or hide it."""
        self.lights[name] = shown

    def step(self, until: Instant) -> bool:
        """Let the next event happen, if it is due by then."""
        if not self.events or self.events[0][0] > until:
            self.now = max(self.now, until)
            return False
        when, _, do = heapq.heappop(self.events)
        self.now = max(self.now, when)
        do()
        return True

    def pass_time(self, seconds: float) -> None:
        """Live on with nobody there."""
        end = self.now + seconds
        while self.step(end):
            pass


@dataclass
class HouseWorld:
    """A client of a house."""

    house: House
    settlements: list[Settlement] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.house.clients += 1
        self.number = self.house.clients

    def identity(self) -> Identity:
        return Identity("toy", "sim:toy", "simulated")

    def now(self) -> Instant:
        return self.house.now

    def look(self) -> Look:
        return Look(dict(self.house.lights))

    def start(self, intent: Intent) -> None:
        house, name = self.house, str(intent.arguments["light"])
        lost = len(house.told) in house.lost
        house.told.append(intent.action)
        house.at(house.now + house.delays.get(name, 0.0), lambda: house.set(name, True))
        outcome = Outcome.UNSETTLED if lost else Outcome.DONE
        house.at(house.now + 1.0, lambda: self._settle(intent, outcome))

    def _settle(self, intent: Intent, outcome: Outcome) -> None:
        if self.number == self.house.clients:
            code = "no-answer" if outcome is Outcome.UNSETTLED else ""
            self.settlements.append(Settlement(intent.action, outcome, code))

    def adopt(self, intent: Intent) -> None:
        self.house.at(self.house.now, lambda: self._settle(intent, Outcome.UNSETTLED))

    def ask(self, question: Question) -> bool:
        del question
        return False

    def expects(self) -> bool:
        return False

    def next(self, until: Instant | None) -> Wakeup:
        limit = self.house.now + 3600.0 if until is None else max(until, self.house.now)
        before = dict(self.house.lights)
        while not self.settlements and before == self.house.lights:
            if not self.house.step(limit):
                break
        settled, self.settlements = tuple(self.settlements), []
        return Wakeup(settled, before != self.house.lights)

    def interrupt(self) -> None:
        """Nothing blocks here."""

    def summary(self) -> dict[str, Json]:
        return {"switched": len(self.house.told)}

    def close(self) -> None:
        """The house stays."""


def chain(
    names: Sequence[str],
    states: Mapping[str, Mapping[str, Any]] | None = None,
    **machine: Any,  # noqa: ANN401
) -> dict[str, Any]:
    """A machine that pursues *names* in their order."""
    following = [*names[1:], "done"]
    table = {
        name: {"next": after, "deadline": {"after": "30m"}, **(states or {}).get(name, {})}
        for name, after in zip(names, following, strict=True)
    }
    return {"initial": names[0], "states": table, **machine}


def story_of(recipe: Recipe, machine: Mapping[str, Any], house: House) -> Story:
    """A run over a house."""
    return Story(
        recipe=recipe,
        plan=of_parts("toy", machine, {}, recipe),
        connect=lambda: HouseWorld(house),
        pass_time=house.pass_time,
    )
