"""
A run's journal as Prometheus metrics.

Counters count entries, so none of them ever falls while its run goes on; what may fall is a gauge. Seconds are world
time. What is not known (a ledger before the end, a verdict that never was) has no sample: zero would be a claim.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from engine.folding import fold
from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry
from journal.row import Lease, Row
from journal.steady import SteadyClock, as_written
from phases.codes import PODS
from rekindle.projections.exposition import Family, text
from rekindle.sentences import questions
from rekindle.view import states_of

OPEN = "open"
OUTCOMES = (OPEN, *(outcome.value for outcome in e.RunOutcome))
ANSWERS = ("given", "refused")
SETTLED = tuple(outcome.value for outcome in e.Outcome)


@dataclass(slots=True)
class Tally:
    """What the rows of one run add up to. Memory: O(rules and verbs), and what the run's own fold keeps."""

    opened: e.RunOpened | None = None
    clock: SteadyClock = field(default_factory=SteadyClock)
    memory: Memory = field(default_factory=Memory)
    states: tuple[str, ...] = ()
    stayed: dict[str, float] = field(default_factory=dict)
    entered: Counter[str] = field(default_factory=Counter)
    intended: Counter[str] = field(default_factory=Counter)
    settled: Counter[tuple[str, str]] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    def see(self, row: Row) -> None:
        """Take in a row; of a withdrawn one only its kind and its instant are left."""
        row = self.clock.see(row)
        self.kinds[row.kind] += 1
        self.until(row.at)
        entry = row.entry
        if entry is None:
            return
        self._count(entry)
        self.memory = fold(self.memory, _light(entry))

    def until(self, instant: float) -> None:
        """Count the time up to *instant* for the present state; after the last one nothing is pursued."""
        now = self.memory.now
        if self.memory.state in self.states[:-1] and instant > now and not self.memory.outcome:
            state = self.memory.state
            self.stayed[state] = self.stayed.get(state, 0.0) + instant - now
        if self.opened is not None and instant > now:
            self.memory = replace(self.memory, now=instant)

    def _count(self, entry: AnyEntry) -> None:
        match entry:
            case e.RunOpened():
                self.opened = entry
                self.states = states_of(entry.plan)
                self.entered[entry.initial] += 1
            case e.PlanChanged():
                self.states = states_of(entry.plan)
            case e.Moved():
                self.entered[entry.target] += 1
            case e.ActionIntended():
                self.intended[entry.verb] += 1
            case e.ActionSettled():
                self.settled[entry.verb, entry.outcome.value] += 1
            case e.FindingsChanged():
                news = entry.changed.keys() - self.memory.findings.keys()
                self.found.update(entry.changed[name].rule or "none" for name in news)
            case e.ApprovalAsked():
                self.asked += 1
            case e.ApprovalGiven() | e.ApprovalRefused():
                given = isinstance(entry, e.ApprovalGiven)
                self.answered[ANSWERS[0 if given else 1]] += 1
            case e.ByHand():
                self.by_hand[entry.verb] += 1
            case _:
                pass


def _light(entry: AnyEntry) -> AnyEntry:
    """Leave of a look what is counted here: the facts of a large cluster are copied for nothing."""
    if not isinstance(entry, e.Observed):
        return entry
    kept = {PODS: entry.changed[PODS]} if PODS in entry.changed else {}
    gone = (PODS,) if PODS in entry.removed else ()
    return e.Observed(at=entry.at, changed=kept, removed=gone)


def metrics(rows: Iterable[Row], lease: Lease | None = None, *, held: bool | None = None) -> str:
    """
    Return the metrics of a run. *rows* are its own, from the first; *lease*, if it is the newest run of its file.

    *held*: somebody pursues it just now; None: not known. Without an opening entry there is nothing to tell.
    """
    tally = Tally()
    for row in rows:
        tally.see(row)
    if tally.opened is None:
        return ""
    families = families_of(tally, lease, held=held)
    return text(families, cluster=tally.memory.cluster, purpose=tally.memory.purpose)


def families_of(tally: Tally, lease: Lease | None, *, held: bool | None) -> list[Family]:
    """Return every metric, also those that have nothing to say."""
    return [*_run(tally, lease, held), *_states(tally, lease), *_work(tally), *_times(tally)]


def _run(tally: Tally, lease: Lease | None, held: bool | None) -> list[Family]:  # noqa: FBT001  three values
    opened, memory = tally.opened, tally.memory
    info = Family("rekindle_run_info", "gauge", "The run that this file is about; always 1.")
    outcome = Family(
        "rekindle_run_outcome", "gauge", "How the run ended: 1 for the one that is so."
    )
    begun = Family("rekindle_run_opened_timestamp_seconds", "gauge", "World time of the opening.")
    last = Family("rekindle_run_last_timestamp_seconds", "gauge", "World time of the last entry.")
    beat = Family(
        "rekindle_last_heartbeat_timestamp_seconds",
        "gauge",
        "Host time at which the session that holds the run, or held it last, said that it lives.",
    )
    holds = Family("rekindle_run_held", "gauge", "1 while a session pursues the run.")
    kinds = Family("rekindle_journal_entries_total", "counter", "Entries of the run, by kind.")
    if opened is not None:
        simulated = "true" if opened.world else "false"
        info.add(1, run_id=opened.run_id, version=opened.version, simulated=simulated)
        begun.add(opened.at)
    last.add(as_written(memory.now))
    for name in OUTCOMES:
        outcome.add(int(name == (memory.outcome or OPEN)), outcome=name)
    if lease is not None:
        beat.add(lease.heartbeat_wall)
    if held is not None:
        holds.add(int(held))
    for kind, count in sorted(tally.kinds.items()):
        kinds.add(count, kind=kind)
    return [info, outcome, begun, last, beat, holds, kinds]


def _states(tally: Tally, lease: Lease | None) -> list[Family]:
    now = Family("rekindle_state", "gauge", "1 for the state that the run is in.")
    stayed = Family(
        "rekindle_state_seconds_total", "counter", "World time in a state, all visits together."
    )
    entered = Family("rekindle_state_entries_total", "counter", "How often a state was entered.")
    if lease is not None and not tally.memory.outcome:
        tally.until(tally.clock.of(lease.heartbeat_world))
    for name in tally.states:
        now.add(int(name == tally.memory.state), state=name)
        entered.add(tally.entered[name], state=name)
    for name in tally.states[:-1]:
        stayed.add(tally.stayed.get(name, 0.0), state=name)
    return [now, stayed, entered]


def _work(tally: Tally) -> list[Family]:
    memory = tally.memory
    intended = Family("rekindle_actions_intended_total", "counter", "Actions begun, by verb.")
    settled = Family(
        "rekindle_actions_settled_total",
        "counter",
        "Settlements, by verb and outcome; a doubt that a probe settles later counts twice.",
    )
    open_ = Family("rekindle_actions_open", "gauge", "Actions begun and not settled.")
    found = Family("rekindle_findings_total", "counter", "Causes that appeared, by rule.")
    standing = Family("rekindle_findings", "gauge", "Causes that stand, by rule.")
    roots = Family(
        "rekindle_root_causes", "gauge", "Causes that nothing explains, by whether they clear."
    )
    asked = Family("rekindle_questions_total", "counter", "Questions that a person was asked.")
    answered = Family("rekindle_answers_total", "counter", "Answers of people, by answer.")
    waiting = Family("rekindle_questions_open", "gauge", "Questions that wait for a person.")
    hands = Family("rekindle_by_hand_total", "counter", "Deeds of others, by verb.")
    for verb in sorted(tally.intended):
        intended.add(tally.intended[verb], verb=verb)
        open_.add(sum(a.verb == verb for a in memory.open.values()), verb=verb)
        for outcome in SETTLED:
            settled.add(tally.settled[verb, outcome], verb=verb, outcome=outcome)
    stands = Counter(finding.rule or "none" for finding in memory.findings.values())
    for rule, count in sorted(tally.found.items()):
        found.add(count, rule=rule)
        standing.add(stands[rule], rule=rule)
    clears = Counter(one.clears_itself for one in memory.findings.values() if one.root)
    for name in ("yes", "no", "unknown"):
        roots.add(clears[name], clears_itself=name)
    asked.add(tally.asked)
    for name in ANSWERS:
        answered.add(tally.answered[name], answer=name)
    waiting.add(0 if memory.outcome else len(questions(memory)))
    for verb, count in sorted(tally.by_hand.items()):
        hands.add(count, verb=verb)
    return [intended, settled, open_, found, standing, roots, asked, answered, waiting, hands]


def _times(tally: Tally) -> list[Family]:
    memory = tally.memory
    ready = Family("rekindle_pods_ready", "gauge", "Pods that are ready, of those that should be.")
    expected = Family("rekindle_pods_expected", "gauge", "Pods that should be there.")
    verdict = Family(
        "rekindle_time_to_verdict_seconds",
        "gauge",
        "From the first look until a cause was named that can never clear by itself.",
    )
    pods = memory.facts.get(PODS)
    if pods is not None:
        ready.add(float(pods.detail["ready"]))
        expected.add(float(pods.detail["expected"]))
    if memory.sentence is not None and memory.looked_at is not None:
        verdict.add(memory.sentence.at - memory.looked_at)
    ledger = memory.summary.get("ledger")
    return [ready, expected, verdict, *(_ledger(ledger) if isinstance(ledger, dict) else [])]


def _ledger(ledger: dict[str, Any]) -> list[Family]:
    """Say what a closed run's time went to, as its closing entry has it."""
    total = Family("rekindle_run_seconds", "gauge", "World time from the opening to the end (T).")
    path = Family(
        "rekindle_critical_path_seconds", "gauge", "What the work alone would have taken (CP)."
    )
    ratio = Family("rekindle_critical_path_ratio", "gauge", "T/CP; 1 is a run without dead wait.")
    dead = Family("rekindle_dead_wait_seconds", "gauge", "Time on the path in which nobody worked.")
    useful = Family("rekindle_useful_seconds", "gauge", "Time on the path in which work was done.")
    unknown = Family("rekindle_unexplained_seconds", "gauge", "Time that nothing explains.")
    total.add(float(ledger["seconds"]))
    path.add(float(ledger["critical_path_seconds"]))
    if ledger.get("ratio") is not None:
        ratio.add(float(ledger["ratio"]))
    for name, seconds in sorted((ledger.get("dead") or {}).items()):
        dead.add(float(seconds), **{"class": str(name)})
    useful.add(float(ledger["useful"]))
    unknown.add(float(ledger["unknown"]))
    return [total, path, ratio, dead, useful, unknown]
