"""A world that can be rebuilt: a cluster, its client, and the log of all that the client was told to do."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from engine.world import Intent, Question, Wakeup
from journal.entries import Instant
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.errors import WorldGone
from rekindle.simulator.faults import Faults
from rekindle.simulator.scenario import TREES, load_scenario
from rekindle.simulator.world import LONGEST_SECONDS, SimWorld
from rekindle.simulator.worldlog import (
    SCHEMA,
    Adopted,
    AnyLine,
    Asked,
    Connected,
    Opened,
    Passed,
    Paused,
    Started,
    WorldLog,
)


class Hosted:
    """Obeys commands, each written down before; made from a log, it obeys those of the log first."""

    def __init__(
        self, world: str, scenario: Path, seed: int, log: Path, faults: dict[str, Any] | None = None
    ) -> None:
        self.world = world
        loaded = load_scenario(scenario)
        digest = hashlib.sha256(scenario.read_bytes())
        digest.update((TREES / loaded.tree).read_bytes())
        self._log, lines = WorldLog.open(log)
        if not lines:
            lines = [
                Opened(
                    now=loaded.start.timestamp(),
                    schema=SCHEMA,
                    world=world,
                    scenario=loaded.name,
                    seed=seed,
                    digest=digest.hexdigest(),
                    faults=faults or {},
                )
            ]
            self._log.append(lines[0])
        opened = _opened(lines[0], world, digest.hexdigest())
        known = msgspec.convert(opened.faults, Faults)
        self.cluster = SimCluster(loaded, seed=opened.seed, faults=known)
        self.client = SimWorld(self.cluster)
        self._rebuild(lines[1:])

    def _rebuild(self, lines: list[AnyLine]) -> None:
        for index, line in enumerate(lines):
            after = lines[index + 1] if index + 1 < len(lines) else None
            match line:
                case Connected():
                    self.client = SimWorld(self.cluster)
                case Started(intent=intent):
                    self.client.start(intent)
                case Adopted(intent=intent):
                    self.client.adopt(intent)
                case Asked(question=question):
                    self.client.ask(question)
                case Passed(until=until):
                    if isinstance(after, Paused):
                        self.advance(after.now)
                    else:
                        self.client.next(until)
                case _:
                    pass

    # --- commands --------------------------------------------------------------------------------

    @property
    def now(self) -> Instant:
        """The world's time."""
        return self.cluster.loop.now

    def connect(self) -> None:
        """Make a new client; the one before it is gone."""
        self._log.append(Connected(now=self.now))
        self.client = SimWorld(self.cluster)

    def start(self, intent: Intent) -> None:
        """Begin an action."""
        self._log.append(Started(now=self.now, intent=intent))
        self.client.start(intent)

    def adopt(self, intent: Intent) -> None:
        """Take over an action."""
        self._log.append(Adopted(now=self.now, intent=intent))
        self.client.adopt(intent)

    def ask(self, question: Question) -> bool:
        """Ask the scenario's operator."""
        self._log.append(Asked(now=self.now, question=question))
        return self.client.ask(question)

    # --- time ------------------------------------------------------------------------------------

    def begin_next(self, until: Instant | None) -> Instant | None:
        """Write down that time passes; return the instant at which it ends at the latest (None: at once)."""
        if until is None and self.cluster.loop.due() is not None:
            until = self.now + LONGEST_SECONDS
        self._log.append(Passed(now=self.now, until=until))
        return None if until is None else max(until, self.now)

    def next(self, until: Instant | None) -> Wakeup:
        """Let time pass to the end; call ``begin_next`` before."""
        return self.client.next(until)

    def pause(self, now: Instant) -> Wakeup:
        """End a ``next`` before its time, at this instant."""
        self._log.append(Paused(now=now))
        return self.advance(now)

    def advance(self, now: Instant) -> Wakeup:
        """Let everything happen that is due by an instant, and no more."""
        loop = self.cluster.loop
        while (due := loop.due()) is not None and due <= now:
            loop.step()
        loop.now = max(loop.now, now)
        return self.client.take()


def _opened(opened: AnyLine, world: str, digest: str) -> Opened:
    if not isinstance(opened, Opened) or opened.schema != SCHEMA or opened.world != world:
        raise WorldGone(
            f"the log is not that of world {world}",
            reference="world-log-unreadable",
            hint="begin the rehearsal again",
        )
    if opened.digest != digest:
        raise WorldGone(
            f"scenario {opened.scenario} is not the one that world {world} was made of",
            reference="world-changed",
            hint="begin the rehearsal again",
        )
    return opened
