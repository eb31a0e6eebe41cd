"""The simulator as the engine's World: a client of a simulated cluster, which may be thrown away."""

from __future__ import annotations

from engine.world import COALESCE_SECONDS, Identity, Intent, Question, Reply, Settlement, Wakeup
from journal.entries import Instant, Json
from phases.snapshot import Snapshot
from rekindle.simulator.cluster import SimCluster
from rekindle.simulator.faults import Faults
from rekindle.simulator.look import Looker
from rekindle.simulator.scenario import Scenario

LONGEST_SECONDS = 3600.0  # a wait without an end still returns


class SimWorld:
    """
    A client of a cluster.

    Given a ``Scenario`` it makes a cluster of its own; given a ``SimCluster`` it goes on with that one, and what the
    client before it had started is no longer its own: ``adopt`` it. ``next(None)`` returns when something
    changed, and at the latest after an hour of world time; if nothing is left that could ever happen, at once and with
    the clock where it was.
    """

    def __init__(
        self,
        source: Scenario | SimCluster,
        *,
        seed: int | None = None,
        faults: Faults | None = None,
    ) -> None:
        if isinstance(source, SimCluster):
            self.cluster = source
        else:
            self.cluster = SimCluster(source, seed=seed, faults=faults)
        self._looker = Looker(self.cluster)
        self._settlements: list[Settlement] = []
        self._replies: list[Reply] = []
        self._interrupted = False
        self._seen = self.cluster.signature()
        self.cluster.actions.connect(self._settlements.append)
        self.cluster.people.deliver = self._replies.append

    def identity(self) -> Identity:
        """Say which cluster this is."""
        name = self.cluster.scenario.cluster
        return Identity(name, f"sim:{name}", "simulated")

    def now(self) -> Instant:
        """Tell the world's time."""
        return self.cluster.loop.now

    def look(self) -> Snapshot:
        """Return a snapshot of this instant."""
        return self._looker.look()

    def listed(self) -> Snapshot:
        """Return a snapshot of this instant, with the kinds that only an inventory reads."""
        return self._looker.listed()

    def start(self, intent: Intent) -> None:
        """Begin an action."""
        self.cluster.actions.start(intent)

    def adopt(self, intent: Intent) -> None:
        """Take over an action of a client that has died."""
        self.cluster.actions.adopt(intent)

    def ask(self, question: Question) -> bool:
        """Tell the scenario's operator; say whether there is one for this question."""
        return self.cluster.people.ask(question)

    def expects(self) -> bool:
        """Say whether the scenario has an event that is still to come."""
        cluster = self.cluster
        return any(cluster.start + event.at > cluster.loop.now for event in cluster.scenario.events)

    def next(self, until: Instant | None) -> Wakeup:
        """Let time pass until something happens that can be seen, or the instant has come."""
        loop = self.cluster.loop
        limit = loop.now + LONGEST_SECONDS if until is None else max(until, loop.now)
        while not self.has_news():
            due = loop.due()
            if due is None and until is None:
                break
            if due is None or due > limit:
                loop.now = limit
                break
            loop.step()
        else:
            horizon = min(loop.now + COALESCE_SECONDS, limit)
            while (due := loop.due()) is not None and due <= horizon:
                loop.step()
            loop.now = max(loop.now, horizon)
        return self.take()

    def has_news(self) -> bool:
        """Say whether ``next`` would return at once."""
        return bool(
            self._settlements
            or self._replies
            or self._interrupted
            or self._seen != self.cluster.signature()
        )

    def take(self) -> Wakeup:
        """Return the news so far."""
        signature = self.cluster.signature()
        wakeup = Wakeup(tuple(self._settlements), signature != self._seen, tuple(self._replies))
        self._seen = signature
        self._interrupted = False
        self._settlements.clear()
        self._replies.clear()
        return wakeup

    def interrupt(self) -> None:
        """Make ``next`` return soon."""
        self._interrupted = True

    def summary(self) -> dict[str, Json]:
        """Return what the cluster itself counted, and the run that it was made from, if it was."""
        recorded = self.cluster.scenario.recorded
        origin = {"recorded_from": recorded.run} if recorded is not None else {}
        return {**self.cluster.counters(), **origin}

    def close(self) -> None:
        """Let go; the cluster lives on."""
