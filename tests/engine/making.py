"""A domain of three goals, whose phases say what a test wants: enough to see the engine without a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from engine.answer import Act, Answer
from engine.folding import fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.plan import Plan, of_parts
from engine.recipe import (
    Alarming,
    Deeds,
    Effect,
    Facts,
    Findings,
    Happened,
    Judgement,
    Owed,
    Recipe,
    Retry,
    Verb,
    Verdict,
)
from engine.turn import Turn, take
from engine.world import Identity, Intent, Question, Wakeup
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding, Instant
from journal.redactor import redact_payload
from journal.row import Row

START = 1_000.0
STATES = ("ground", "walls", "roof")
MACHINE: dict[str, Any] = {
    "initial": "ground",
    "states": {
        "ground": {"next": "walls", "deadline": {"after": 600}},
        "walls": {"next": "roof", "deadline": {"after": 600}},
        "roof": {"next": "done", "deadline": {"after": 600}},
    },
    "regress": {"damping": 30, "limit": [3, 1800]},
}
Wishes = dict[str, Answer] | Callable[[Memory], dict[str, Answer]]


def _guard(name: str) -> Callable[[Plan, Facts], Judgement]:
    def guard(plan: Plan, facts: Facts) -> Judgement:
        del plan
        fact = facts.get(name)
        if fact is None or fact.code == "hidden":
            return Judgement(Verdict.UNKNOWN, f"{name} is not seen", 0, 1)
        if fact.code == "broken":
            return Judgement(Verdict.BROKEN, f"{name} is broken", 0, 1)
        return Judgement(Verdict.HOLDS, f"{name} stands", 1, 1)

    return guard


def told(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """Probe by the fact ``probe/TARGET``, whose code is what it says."""
    del plan
    fact = facts.get(f"probe/{intent.target}")
    return Happened(fact.code) if fact is not None else Happened.UNKNOWN


QUICK = Retry(attempts=3, backoff_seconds=10.0, backoff_limit_seconds=10.0, full_jitter=False)
VERBS = {
    "paint": Verb("paint", Effect.CONVERGENT, 60.0, QUICK),
    "pour": Verb(
        "pour",
        Effect.ONCE,
        60.0,
        QUICK,
        probe=told,
        guard="the mould is full",
        destroys="the mould",
        scope="cluster",
    ),
    "saw": Verb(
        "saw",
        Effect.ONCE,
        60.0,
        QUICK,
        probe=told,
        guard="it is shorter than its plan",
        typed_approval=True,
    ),
}


@dataclass
class Site:
    """What phases wish, by state; a wish may depend on the memory."""

    wishes: dict[str, Wishes] = field(default_factory=dict)
    verbs: Mapping[str, Verb] = field(default_factory=lambda: dict(VERBS))
    deeds: Deeds = field(default=lambda _plan, _before, _after, _wished: ())
    alarming: Alarming = field(default=lambda _before, _after: False)
    owed: Owed = field(default=lambda _plan, _memory: {})

    def decide(self, name: str) -> Callable[[Plan, Facts, Findings, Memory], dict[str, Answer]]:
        def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> Any:  # noqa: ANN401
            del plan, facts, findings
            wish = self.wishes.get(name, {})
            return wish(memory) if callable(wish) else wish

        return decide

    def recipe(self) -> Recipe:
        return Recipe(
            reduce=lambda _plan, look: look.facts,
            diagnose=lambda _plan, look: look.findings,
            guards={name: _guard(name) for name in STATES},
            phases={name: self.decide(name) for name in STATES},
            verbs=self.verbs,
            machine=MACHINE,
            section=lambda raw, _marks, _include, _problems: raw,
            target=lambda section: section,
            goal=lambda _plan, memory: (
                memory.facts["goal"].reason if "goal" in memory.facts else ""
            ),
            counts=lambda _plan, facts: {"subjects": len(facts)},
            deeds=self.deeds,
            alarming=self.alarming,
            owed=self.owed,
        )

    def rules(self, **machine: Any) -> Rules:  # noqa: ANN401
        recipe = self.recipe()
        return Rules.of(recipe, of_parts("house", {**MACHINE, **machine}, {}, recipe))


@dataclass(frozen=True)
class Look:
    """What the world shows."""

    facts: dict[str, Fact]
    findings: dict[str, Finding] = field(default_factory=dict)


def look(**codes: str) -> Look:
    return Look({name: Fact(code) for name, code in codes.items()})


STANDING = look(ground="ok", walls="ok", roof="ok")


def opened(rules: Rules, at: Instant = START, **identity: str) -> e.RunOpened:
    return e.RunOpened(
        at=at,
        run_id="r1",
        purpose="run",
        cluster="house",
        identity=dict(identity),
        plan=rules.plan.compiled(),
        plan_digest=rules.plan.digest(),
        version="0",
        initial=rules.plan.machine.initial,
    )


def begun(rules: Rules, *entries: AnyEntry, state: str = "") -> Memory:
    """*state* puts the machine there, whatever the entries say."""
    memory = fold_all(Memory(), [opened(rules), *entries])
    return msgspec.structs.replace(memory, state=state or memory.state)


def steady_dice() -> float:
    return 0.5


def turn(
    rules: Rules,
    memory: Memory,
    seen: Look,
    now: Instant = START + 1,
    *,
    draining: bool = False,
    tied: bool = False,
) -> Turn:
    return take(rules, memory, seen, now, steady_dice, draining=draining, tied=tied)


def entries(done: Turn, kind: type[Any]) -> list[Any]:
    return [entry for commit in done.commits for entry in commit.entries if isinstance(entry, kind)]


def intended(
    verb: str,
    target: str,
    action: str = "a1",
    at: Instant = START,
    **arguments: Any,  # noqa: ANN401
) -> e.ActionIntended:
    return e.ActionIntended(
        at=at,
        action=action,
        verb=verb,
        target=target,
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
        arguments=arguments,
    )


def settled(
    verb: str,
    target: str,
    outcome: str,
    code: str = "",
    action: str = "a1",
    at: Instant = START,
) -> e.ActionSettled:
    return e.ActionSettled(
        at=at, action=action, verb=verb, target=target, outcome=e.Outcome(outcome), code=code
    )


def tried(
    verb: str, target: str, outcome: str, code: str = "", *, action: str = "a1", at: Instant = START
) -> tuple[AnyEntry, AnyEntry]:
    return (
        intended(verb, target, action, at),
        settled(verb, target, outcome, code, action, at),
    )


def act(verb: str, target: str, **arguments: Any) -> Act:  # noqa: ANN401
    return Act(verb, target, arguments, "it is time")


# --- a world, a logbook and a clock for the runner -----------------------------------------------


class Order:
    """What happened, in order, over all the ports."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def __call__(self, step: str) -> None:
        self.steps.append(step)


class Book:
    """A logbook in a list, redacting as the real one does."""

    epoch = 1

    def __init__(self, order: Order) -> None:
        self.order = order
        self.commits: list[tuple[AnyEntry, ...]] = []
        self.leases: list[float | None] = []
        self.checkpoints: list[tuple[int, bytes]] = []  # with the number of entries before
        self.fails_on: type[Any] | None = None

    @property
    def entries(self) -> list[AnyEntry]:
        return [entry for commit in self.commits for entry in commit]

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> Sequence[Row]:
        if self.fails_on is not None and isinstance(entries[-1], self.fails_on):
            message = "the disk is gone"
            raise OSError(message)
        written = tuple(
            msgspec.json.decode(redact_payload(msgspec.json.encode(entry)), type=AnyEntry)
            for entry in entries
        )
        self.commits.append(written)
        self.leases.append(lease_seconds)
        if checkpoint is not None:
            self.checkpoints.append((len(self.entries), checkpoint))
        self.order("wrote " + " ".join(type(entry).__name__ for entry in written))
        return [
            Row(
                id=number,
                run_id="r1",
                seq=number,
                kind=type(entry).__name__,
                at=entry.at,
                wall_ns=0,
                epoch=1,
                entry=entry,
            )
            for number, entry in enumerate(written, start=1)
        ]

    def heartbeat(self, now: Instant) -> None:
        self.order(f"heartbeat {now:g}")


class House:
    """A world that plays wake-ups one after the other; each may change what is seen."""

    def __init__(self, order: Order, seen: Look) -> None:
        self.order = order
        self.seen = seen
        self.time = START
        self.script: list[Callable[[House], Wakeup]] = []
        self.started: list[Intent] = []
        self.adopted: list[Intent] = []
        self.questions: list[Question] = []
        self.answers_itself = False
        self.has_a_script = False

    def identity(self) -> Identity:
        return Identity("house")

    def now(self) -> Instant:
        return self.time

    def look(self) -> Look:
        return self.seen

    def start(self, intent: Intent) -> None:
        self.order(f"start {intent.verb} {intent.target}")
        self.started.append(intent)

    def adopt(self, intent: Intent) -> None:
        self.adopted.append(intent)

    def ask(self, question: Question) -> bool:
        self.questions.append(question)
        return self.answers_itself

    def expects(self) -> bool:
        return self.has_a_script

    def next(self, until: Instant | None) -> Wakeup:
        if not self.script:
            message = f"nothing left to happen, until {until}"
            raise AssertionError(message)
        return self.script.pop(0)(self)

    def interrupt(self) -> None:
        self.order("world interrupted")

    def summary(self) -> dict[str, Any]:
        return {"floods": 0}

    def close(self) -> None:
        self.order("closed")


@dataclass
class Hands:
    """A clock that a test sets."""

    now: float = 50_000.0
    uptime: float = 100.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.uptime


class Nobody:
    """A watcher that looks away."""

    def turned(self, rules: Rules, turn: Turn) -> None:
        pass

    def wrote(self, rows: Sequence[Row]) -> None:
        pass
