"""
A run driven as the program drives it, inside the test: sessions that die at chosen points, one world that goes on.

A ``Story`` owns what outlives a process: the journal, the cluster, and the list of what the cluster was told to do.
Each call of ``session`` is one process; it opens the run or resumes it exactly as ``rekindle.session`` does.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from engine.folding import fold, fold_all
from engine.judging import Rules
from engine.memory import Attempt, Memory
from engine.observing import doubts_left
from engine.plan import Plan, from_compiled
from engine.ports import NO_REQUESTS, Closing, Requests, nothing_more
from engine.recipe import Recipe
from engine.runner import Ended, Runner
from engine.turn import Turn
from engine.world import Identity, Intent, Question, Wakeup, World
from journal import codec
from journal import entries as e
from journal.entries import AnyEntry, Instant, Json
from journal.redactor import redact_payload
from journal.row import Row

RUN = "r"
MOST_WAKEUPS = 6_000  # far more than any small recovery needs: whoever gets here turns for ever


class Died(Exception):  # noqa: N818  no error: the process is gone
    """The process was killed here."""


class Endless(AssertionError):  # noqa: N818  a finding, named as one
    """The session turned more often than any recovery needs to."""


@dataclass(frozen=True, slots=True)
class Death:
    """
    Where a process dies: at the *nth* time (from 1) that it passes *point*, counting only what is about *verb*.

    Points: ``before-`` and ``after-`` a ``commit``, a ``start``, an ``adopt``; ``after-next``: something happened in
    the world and nothing of it was written.
    """

    point: str
    nth: int
    verb: str = ""


@dataclass(slots=True)
class Fate:
    """Counts the points that a process passes, and kills it at the one that was chosen."""

    death: Death | None = None
    passed: int = 0
    armed: bool = True

    def at(self, point: str, verbs: Sequence[str] = ()) -> None:
        """Pass a point, or die there."""
        death = self.death
        if not self.armed or death is None or death.point != point:
            return
        if death.verb and death.verb not in verbs:
            return
        self.passed += 1
        if self.passed == death.nth:
            raise Died(f"{point} {', '.join(verbs)}")


class Book(Protocol):
    """A journal that outlives its sessions: one in memory, or the real one."""

    fate: Fate

    @property
    def epoch(self) -> int: ...

    @property
    def previous_heartbeat(self) -> Instant: ...

    def open(self, opened: e.RunOpened) -> None: ...

    def resume(self) -> None: ...

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> Sequence[Row]: ...

    def heartbeat(self, now: Instant) -> None: ...

    def close(self) -> None: ...

    def die(self) -> None: ...

    def entries(self) -> list[AnyEntry]: ...

    def folded(self) -> Memory: ...


def verbs_of(entries: Sequence[AnyEntry]) -> list[str]:
    """Which verbs a commit is about."""
    return [x.verb for x in entries if isinstance(x, e.ActionIntended | e.ActionSettled)]


@dataclass(slots=True)
class Logbook:
    """A journal in memory: what is committed survives, and comes back as every reader would see it."""

    rows: list[Row] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)  # number of rows after each commit
    checkpoints: dict[int, bytes] = field(
        default_factory=dict
    )  # by the number of rows they stand for
    epoch: int = 0
    heartbeat_world: Instant = 0.0
    previous_heartbeat: Instant = 0.0
    fate: Fate = field(default_factory=Fate)

    def open(self, opened: e.RunOpened) -> None:
        """Begin the run: RunOpened and LeaseTaken are one commit."""
        self.epoch, self.heartbeat_world = 1, opened.at
        self._write([opened, e.LeaseTaken(at=opened.at, epoch=1, holder="me")])

    def resume(self) -> None:
        """Take the lease, as ``Journal.resume`` does: at the last instant that the journal knows."""
        self.previous_heartbeat = self.heartbeat_world
        at = max(self.rows[-1].at, self.heartbeat_world)
        self.epoch, self.heartbeat_world = self.epoch + 1, at
        self.append([e.LeaseTaken(at=at, epoch=self.epoch, holder="me", took_over_from="me")])

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> Sequence[Row]:
        """One commit: all or nothing, and a process may die on either side of it."""
        assert (lease_seconds is not None) == any(
            isinstance(x, e.ActionIntended) for x in entries
        ), "an intent extends the lease in its own commit"
        self.fate.at("before-commit", verbs_of(entries))
        written = self._write(entries)
        if checkpoint is not None:
            self.checkpoints[len(self.rows)] = checkpoint
        self.fate.at("after-commit", verbs_of(entries))
        return written

    def _write(self, entries: Sequence[AnyEntry]) -> list[Row]:
        written = []
        for given in entries:
            entry = codec.decode_fresh(redact_payload(codec.encode(given)))
            number = len(self.rows) + 1
            row = Row(
                id=number,
                run_id=RUN,
                seq=number,
                kind=codec.kind_of(entry),
                at=entry.at,
                wall_ns=0,
                epoch=self.epoch,
                entry=entry,
            )
            self.rows.append(row)
            written.append(row)
        self.commits.append(len(self.rows))
        return written

    def heartbeat(self, now: Instant) -> None:
        """Remember that somebody is alive."""
        self.heartbeat_world = now

    def close(self) -> None:
        """Nothing to let go of."""

    def die(self) -> None:
        """Nothing to let go of."""

    def entries(self) -> list[AnyEntry]:
        """All that is committed."""
        return [row.entry for row in self.rows if row.entry is not None]

    def folded(self) -> Memory:
        """Fold as ``rekindle.folding`` does: from the last checkpoint on."""
        after, memory = 0, Memory()
        if self.checkpoints:
            after = max(self.checkpoints)
            memory = msgspec.json.decode(self.checkpoints[after], type=Memory)
        return fold_all(memory, self.entries()[after:])


@dataclass(frozen=True, slots=True)
class Told:
    """Something the world was told to start, and what was durable at that moment."""

    intent: Intent
    at: Instant
    durable: int  # rows committed before it


@dataclass
class Client:
    """The world as one process sees it: where that may die, and what it told the world."""

    world: World
    fate: Fate
    told: list[Told]
    durable: Callable[[], int]
    blindfold: Callable[[Any], Any]
    most_wakeups: int = MOST_WAKEUPS
    wakeups: int = 0

    def identity(self) -> Identity:
        return self.world.identity()

    def now(self) -> Instant:
        return self.world.now()

    def look(self) -> Any:  # noqa: ANN401  the domain's look
        return self.blindfold(self.world.look())

    def start(self, intent: Intent) -> None:
        self.fate.at("before-start", [intent.verb])
        self.told.append(Told(intent, self.world.now(), self.durable()))
        self.world.start(intent)
        self.fate.at("after-start", [intent.verb])

    def adopt(self, intent: Intent) -> None:
        self.fate.at("before-adopt", [intent.verb])
        self.world.adopt(intent)
        self.fate.at("after-adopt", [intent.verb])

    def ask(self, question: Question) -> bool:
        return self.world.ask(question)

    def expects(self) -> bool:
        return self.world.expects()

    def next(self, until: Instant | None) -> Wakeup:
        self.wakeups += 1
        if self.wakeups > self.most_wakeups:
            raise Endless(f"{self.wakeups} wake-ups, and no end")
        wakeup = self.world.next(until)
        verbs = [
            t.intent.verb
            for t in self.told
            for s in wakeup.settlements
            if s.action == t.intent.action
        ]
        self.fate.at("after-next", verbs)
        return wakeup

    def interrupt(self) -> None:
        self.world.interrupt()

    def summary(self) -> dict[str, Json]:
        return self.world.summary()

    def close(self) -> None:
        self.world.close()


@dataclass(frozen=True, slots=True)
class WorldClock:
    """The host's clocks, going as the world's does: so that heartbeats are written."""

    now: Callable[[], Instant]

    def wall(self) -> float:
        return self.now()

    def monotonic(self) -> float:
        return self.now()


@dataclass(slots=True)
class Watching:
    """Keeps every turn that changed something."""

    turns: list[Turn]

    def turned(self, rules: Rules, turn: Turn) -> None:
        del rules
        self.turns.append(turn)

    def wrote(self, rows: Sequence[Row]) -> None:
        del rows


@dataclass
class Story:
    """
    A run and its world, over as many processes as it takes.

    *connect* makes a new client of the same cluster; *pass_time* lets the cluster live on with nobody connected.
    """

    recipe: Recipe
    plan: Plan
    connect: Callable[[], World]
    pass_time: Callable[[float], None]
    book: Book = field(default_factory=Logbook)
    blindfold: Callable[[Any], Any] = field(default=lambda snapshot: snapshot)
    requests: Requests = field(default_factory=lambda: NO_REQUESTS)
    seed: int = 0
    dice_offset: int = 0  # so many processes threw no dice at all
    told: list[Told] = field(default_factory=list)
    endings: list[str] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    wakeups: int = 0
    most_wakeups: int = MOST_WAKEUPS
    opened: bool = False
    doubts: tuple[Attempt, ...] = ()
    request: dict[str, Json] = field(default_factory=dict)
    closing: Closing = nothing_more

    def cancel_and_begin_anew(self) -> None:
        """Somebody gives this run up and opens another, as ``rekindle cancel`` and ``run`` do."""
        known = fold(self.book.folded(), e.CancelRequested(at=0.0, actor="somebody"))
        self.doubts = doubts_left(self.plan, known)
        self.book, self.opened = Logbook(), False

    def session(self, death: Death | None = None) -> Ended | None:
        """One process: open or resume, pursue; None when it died."""
        client: Client | None = None
        self.book.fate = Fate(death)
        try:
            if not self.opened:
                runner, client = self._open()
            else:
                assert not self.closed(), "a closed run is not resumed"
                runner, client = self._resume()
            ended = runner.run()
            self.book.append([e.LeaseLost(at=ended.memory.now, epoch=self.book.epoch)])
            self.book.close()
        except Died:
            self.book.die()
            self.endings.append("died")
            return None
        finally:
            if client is not None:
                self.wakeups += client.wakeups
        self.endings.append(ended.outcome)
        if ended.outcome == "waiting":
            assert open_questions(ended.memory), "the run waits for an answer that nobody can give"
        return ended

    def _client(self) -> Client:
        return Client(
            world=self.connect(),
            fate=self.book.fate,
            told=self.told,
            durable=lambda: len(self.book.entries()),
            blindfold=self.blindfold,
            most_wakeups=self.most_wakeups,
        )

    def _open(self) -> tuple[Runner, Client]:
        client = self._client()
        identity = msgspec.to_builtins(client.identity())
        self.book.open(
            e.RunOpened(
                at=client.now(),
                run_id=RUN,
                purpose="rehearse",
                cluster=self.plan.cluster,
                identity=identity,
                plan=self.plan.compiled(),
                plan_digest=self.plan.digest(),
                version="0",
                initial=self.plan.machine.initial,
                doubts=tuple(msgspec.to_builtins(doubt) for doubt in self.doubts),
                request=self.request,
            )
        )
        self.opened = True
        return self._runner(client, self.plan, self.book.folded()), client

    def _resume(self) -> tuple[Runner, Client]:
        self.book.resume()
        opened = self.book.entries()[0]
        assert isinstance(opened, e.RunOpened)
        plan = from_compiled(opened.plan, self.recipe)
        memory = self.book.folded()
        client = self._client()
        runner = self._runner(client, plan, memory)
        runner.resume(
            "me",
            idle_seconds=max(0.0, client.now() - max(memory.now, self.book.previous_heartbeat)),
            fresh_deadlines=memory.interrupted in {"stuck", "waiting"},
        )
        return runner, client

    def _runner(self, client: Client, plan: Plan, memory: Memory) -> Runner:
        return Runner(
            rules=Rules.of(self.recipe, plan),
            logbook=self.book,
            world=client,
            memory=memory,
            dice=random.Random(f"{self.seed} {self.book.epoch - self.dice_offset}").random,
            clock=WorldClock(client.now),
            watcher=Watching(self.turns),
            requests=self.requests,
            closing=self.closing,
        )

    def to_the_end(
        self, deaths: Sequence[tuple[Death, float]] = (), resumes: int = 3, pause: float = 0.0
    ) -> str:
        """
        Live through *deaths* (each with the seconds until somebody resumes), then resume until done.

        A session that ends stuck or waiting is resumed *resumes* times at most, *pause* seconds later. Return how the
        last one ended.
        """
        ended: Ended | None = None
        for death, idle in deaths:
            self.session(death)
            if self.closed():
                return self.closed()
            self.pass_time(idle)
        for _ in range(resumes + 1):
            ended = self.session()
            if self.closed():
                return self.closed()
            self.pass_time(pause)
        assert ended is not None
        return ended.outcome

    def closed(self) -> str:
        """How the run was closed, if it is: nobody resumes it then."""
        return self.book.folded().outcome if self.opened else ""


def open_questions(memory: Memory) -> list[str]:
    """What a person can answer: as ``rekindle approve`` lists it."""
    return [
        item.approval
        for item in memory.approvals.values()
        if not item.answer and item.subject in memory.answers
    ]


def prefixes(entries: Sequence[AnyEntry]) -> Iterator[tuple[Memory, AnyEntry]]:
    """Walk a journal: what was known before each entry, and the entry."""
    memory = Memory()
    for entry in entries:
        yield memory, entry
        memory = fold(memory, entry)
