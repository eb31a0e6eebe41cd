"""
What the operator sees: the run in three sentences and a handful of figures.

Built from the folded journal alone, so that ``status`` on a laptop without a cluster says the same as the live view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.memory import Attempt, Memory
from engine.patience import spoken
from journal.entries import Finding
from rekindle import sentences, watching
from rekindle.causes import roots
from rekindle.sentences import Standing, action, questions
from rekindle.spans import between, clock

FAMILIES = ("node", "k8s-node", "namespace", "kustomization", "helmrelease", "externalsecret")
GOOD = {"node": {"running"}}
LOCAL = ("kubeconfig", "root")  # known from our own disk, whoever answers
ENDING = "ending: at the next safe point; Ctrl-C again leaves at once"
NOT_SEEN = {"unseen", "Unobservable", "unknown", "down"}


@dataclass(frozen=True, slots=True)
class View:
    """
    A run at one moment. Instants are world time; *simulated*: of a cluster whose clock is not the host's.

    *waits_for*, *can_succeed* and *must_do* are the three sentences; *counts* maps a family of subjects to
    (good, all); *causes* are the roots of what is wrong; *approvals* are open questions as (id, question, consequence,
    typed); *doing* are running actions; *eta* says when it will be done (empty: nobody worked it out). *watches*:
    nothing is begun, and *must_do* says what would be.
    """

    run_id: str
    cluster: str
    state: str
    states: tuple[str, ...]
    now: float
    opened_at: float
    entered_at: float
    deadline: float | None
    waits_for: str
    can_succeed: str
    must_do: str
    counts: dict[str, tuple[int, int]]
    running: tuple[Attempt, ...]
    doing: tuple[str, ...]
    causes: tuple[Finding, ...]
    approvals: tuple[tuple[str, str, str, str], ...]
    outcome: str
    closed: str
    simulated: bool
    eta: str = ""
    watches: bool = False

    @property
    def age(self) -> str:
        """How long it is in its state, as the two instants are shown."""
        return spoken(between(self.entered_at, self.now))


def states_of(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the states of a compiled plan in their order, and ``done``."""
    machine = plan["machine"]
    names: list[str] = []
    name = machine["initial"]
    while name in machine["states"] and name not in names:
        names.append(name)
        name = machine["states"][name]["next"]
    return (*names, "done")


def view(
    memory: Memory,
    states: tuple[str, ...],
    journal: str = "",
    *,
    held: bool = True,
    closed: str = "",
) -> View:
    """Say where things stand; *held*: a session pursues the run; *closed*: how, by whom and when it was ended."""
    now = Standing(memory, journal, held, closed)
    running = tuple(memory.open.values())
    watches = memory.watches and not closed
    said = watching if watches else sentences
    return View(
        run_id=memory.run_id,
        cluster=memory.cluster,
        state=memory.state,
        states=states,
        now=memory.now,
        opened_at=memory.opened_at,
        entered_at=memory.entered_at,
        deadline=None if closed else now.deadline,
        waits_for=said.waits_for(now),
        can_succeed=said.can_succeed(now),
        must_do=said.must_do(now),
        counts=counts_of(memory),
        running=running,
        doing=tuple(action(attempt, memory) for attempt in running),
        causes=() if closed else tuple(roots(memory)),
        approvals=tuple(
            (item.approval, item.question, item.consequence, item.typed)
            for item in (() if closed else questions(memory))
        ),
        outcome=memory.outcome or memory.interrupted,
        closed=closed,
        simulated=memory.identity.get("kind") == "simulated",
        watches=watches,
    )


def counts_of(memory: Memory) -> dict[str, tuple[int, int]]:
    """Count each family of subjects, and the pods."""
    counts: dict[str, tuple[int, int]] = {}
    for family in FAMILIES:
        good = GOOD.get(family, {"Ready"})
        found = [fact.code for s, fact in memory.facts.items() if s.partition("/")[0] == family]
        if found:
            counts[family] = (sum(code in good for code in found), len(found))
    pods = memory.facts.get("pods")
    if pods is not None:
        counts["pods"] = (int(pods.detail["ready"]), int(pods.detail["expected"]))
    return counts


def nothing_seen(memory: Memory) -> bool:
    """Say whether no source told anything: then nobody can say how things stand."""
    told = (fact.code for subject, fact in memory.facts.items() if subject not in LOCAL)
    return all(code in NOT_SEEN for code in told)


def yes_means(seen: View) -> str:
    """Say what the yes brings about that *must_do* hands over, for that can be typed unread; else nothing."""
    if seen.watches or not seen.approvals:
        return ""
    _, question, consequence, _ = seen.approvals[0]
    return consequence if len(seen.approvals) == 1 else f"{question} {consequence}"


def headline(seen: View) -> str:
    """The three sentences in one plain line."""
    age = seen.age
    done = " ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    if seen.watches:
        parts = [f"you are in {seen.state}, for {age}", f"waits for {seen.waits_for}"]
        wanted = seen.must_do
    else:
        parts = [f"{seen.state} for {age}", seen.waits_for]
        wanted = "" if seen.must_do == "nothing" else f"you must: {seen.must_do}"
    meant = yes_means(seen)
    parts += [f"can it succeed: {seen.can_succeed}", done, wanted]
    parts += [f"a yes means: {meant}"] if meant else []
    return "; ".join(part for part in parts if part)


def ending(seen: View) -> str:
    """What an operator who pressed Ctrl-C waits for."""
    if not seen.running:
        return ENDING
    limits = (f"until {clock(a.intended_at + a.deadline_seconds)}" for a in seen.running)
    doing = "; ".join(f"{what} {limit}" for what, limit in zip(seen.doing, limits, strict=True))
    return f"ending: {doing}; Ctrl-C again leaves at once"
