"""
Every verb, done to the simulated cluster: latency, faults, settlements, and what a dead client leaves behind.

An action goes on in the cluster whatever becomes of its client; only its answer is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.world import INVALID, NO_ANSWER, TRANSIENT, Intent, Settlement
from journal.entries import Instant, Outcome
from rekindle.simulator.calls import Answer
from rekindle.simulator.doers import DOERS
from rekindle.simulator.events import Process

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

NO_ANSWER_SECONDS = 20.0
LATENCY = {
    "talos.apply": 2.0,
    "etcd.bootstrap": 1.5,
    "node.reset": 1.0,
    "etcd.recover": 4.0,
    "etcd.snapshot": 3.0,
    "kubeconfig.fetch": 1.0,
    "root.apply": 2.0,
    "crd.preapply": 1.0,
}
QUICK_SECONDS = 0.2
Deliver = Callable[[Settlement], None]


@dataclass
class Record:
    """An action that was started. *client* is who waits for its settlement; 0: nobody any more."""

    intent: Intent
    started: Instant
    client: int
    ended: bool = False
    adopted: bool = False
    process: Process | None = None


class Actions:
    """The actions of this cluster's whole life. ``log`` has (instant, verb, target, what)."""

    def __init__(self, cluster: SimCluster) -> None:
        self._cluster = cluster
        self._records: dict[str, Record] = {}
        self._client = 0
        self._deliver: Deliver = lambda _settlement: None
        self.counts: Counter[str] = Counter()
        self.log: list[tuple[Instant, str, str, str]] = []
        self.clusters_before = 0

    def connect(self, deliver: Deliver) -> None:
        """Give all settlements from now on to a new client; what earlier ones waited for is lost."""
        self._client += 1
        self._deliver = deliver

    # --- starting --------------------------------------------------------------------------------

    def start(self, intent: Intent) -> None:
        """Begin an action."""
        loop = self._cluster.loop
        record = Record(intent, loop.now, self._client)
        self._records[intent.action] = record
        self.counts[intent.verb] += 1
        self._note(intent, "started")
        if intent.verb == "command.run":
            self._command(record)
            return
        fault = self._fault(intent.verb)
        delay = LATENCY.get(intent.verb, QUICK_SECONDS)
        silence = min(NO_ANSWER_SECONDS, intent.deadline_seconds)
        if fault == "refuse":
            refused = Answer(Outcome.FAILED, TRANSIENT, {"error": "connection refused"})
            loop.after(QUICK_SECONDS, lambda: self._end(record, refused))
        elif fault == "lose-request":
            loop.after(silence, lambda: self._end(record, Answer(Outcome.UNSETTLED, NO_ANSWER)))
        else:
            rest = silence if fault == "lose-answer" else delay / 2
            loop.after(delay / 2, lambda: self._do(record, rest, lost=fault == "lose-answer"))

    def _fault(self, verb: str) -> str:
        faults, number = self._cluster.faults, f"{verb}#{self.counts[verb]}"
        for names, what in (
            (faults.refusals, "refuse"),
            (faults.lost_requests, "lose-request"),
            (faults.lost_answers, "lose-answer"),
        ):
            if number in names or verb in names:
                return what
        if faults.refusal_rate or faults.lost_answer_rate:
            dice = self._cluster.loop.random.random()
            if dice < faults.refusal_rate:
                return "refuse"
            if dice < faults.refusal_rate + faults.lost_answer_rate:
                return "lose-answer"
        return ""

    def _do(self, record: Record, rest: float, *, lost: bool) -> None:
        doer = DOERS.get(record.intent.verb)
        if doer is None:
            answer = Answer(Outcome.FAILED, INVALID, {"error": "no such verb"})
        else:
            answer = doer(self._cluster, record.intent.arguments)
        self._note(record.intent, answer.code or answer.outcome.value)
        if lost:
            answer = Answer(Outcome.UNSETTLED, NO_ANSWER)
        self._cluster.loop.after(rest, lambda: self._end(record, answer))

    # --- commands --------------------------------------------------------------------------------

    def _command(self, record: Record) -> None:
        loop, commands = self._cluster.loop, self._cluster.commands
        name = str(record.intent.arguments.get("command", record.intent.target))
        node = str(record.intent.arguments.get("node", ""))
        if not commands.known(name):
            unknown = Answer(Outcome.FAILED, INVALID, {"error": f"undeclared command {name}"})
            loop.after(QUICK_SECONDS, lambda: self._end(record, unknown))
            return

        def done(code: float | None) -> None:
            exit_code = int(code or 0)
            outcome = Outcome.DONE if exit_code == 0 else self._bad_exit(name)
            evidence: dict[str, Any] = {"exit_code": exit_code}
            self._end(record, Answer(outcome, f"exit-{exit_code}", evidence))

        process = Process(loop, commands.run(name, node), done=done)
        record.process = process
        process.go()
        loop.after(record.intent.deadline_seconds, lambda: self._expire(record, name))

    def _bad_exit(self, name: str) -> Outcome:
        """Say of a command that may be repeated that it failed; of another nobody can promise anything."""
        plan = self._cluster.scenario.plan.get("commands", {}).get(name, {})
        once = plan.get("effect", "convergent") == "once"
        return Outcome.UNSETTLED if once else Outcome.FAILED

    def _expire(self, record: Record, name: str) -> None:
        if not record.ended and record.process is not None:
            record.process.stop()
            self._cluster.commands.ended(name, -15)
            self._end(record, Answer(Outcome.UNSETTLED, "timeout", {"exit_code": None}))

    # --- ending and adopting ---------------------------------------------------------------------

    def _end(self, record: Record, answer: Answer) -> None:
        record.ended = True
        if record.client != self._client:
            return
        if record.adopted:
            answer = _orphaned(record.intent)
        action = record.intent.action
        self._deliver(Settlement(action, answer.outcome, answer.code, answer.evidence))

    def adopt(self, intent: Intent) -> None:
        """
        Take over an action of a client that has died.

        Nobody can tell any more how it ended: it settles as in doubt, once nothing of it is running.
        """
        record = self._records.get(intent.action)
        if record is None or record.ended:
            record = Record(intent, self._cluster.loop.now, self._client, adopted=True)
            orphan = record
            self._cluster.loop.after(
                QUICK_SECONDS, lambda: self._end(orphan, _orphaned(orphan.intent))
            )
            return
        record.client = self._client
        record.adopted = True

    def _note(self, intent: Intent, what: str) -> None:
        self.log.append((self._cluster.loop.now, intent.verb, intent.target, what))


def _orphaned(intent: Intent) -> Answer:
    evidence: dict[str, Any] = {"adopted": True}
    if intent.verb == "command.run":
        evidence["exit_code"] = None
    return Answer(Outcome.UNSETTLED, NO_ANSWER, evidence)
