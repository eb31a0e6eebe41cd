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
from rekindle.lines import clock

FAMILIES = ("node", "k8s-node", "namespace", "kustomization", "helmrelease", "externalsecret")
GOOD = {"node": {"running"}}


@dataclass(frozen=True, slots=True)
class View:
    """
    A run at one moment. Instants are world time.

    *waits_for*, *can_succeed* and *must_do* are the three sentences; *counts* maps a family of subjects to
    (good, all); *approvals* are open questions as (id, question, consequence, typed).
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
    approvals: tuple[tuple[str, str, str, str], ...]
    outcome: str


def states_of(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the states of a compiled plan in their order, and ``done``."""
    machine = plan["machine"]
    names: list[str] = []
    name = machine["initial"]
    while name in machine["states"] and name not in names:
        names.append(name)
        name = machine["states"][name]["next"]
    return (*names, "done")


def view(memory: Memory, states: tuple[str, ...], journal: str = "") -> View:
    """Say where things stand; *journal* goes into what the operator is told to type."""
    timer = memory.timers.get(f"deadline/{memory.state}")
    deadline = timer.due if timer is not None else None
    wanted = {subject for subject, body in memory.answers.items() if body.get("answer") == "ask"}
    approvals = tuple(
        (item.approval, item.question, item.consequence, item.typed)
        for item in memory.approvals.values()
        if not item.answer and item.subject in wanted
    )
    running = tuple(memory.open.values())
    return View(
        run_id=memory.run_id,
        cluster=memory.cluster,
        state=memory.state,
        states=states,
        now=memory.now,
        opened_at=memory.opened_at,
        entered_at=memory.entered_at,
        deadline=deadline,
        waits_for=_waits_for(memory),
        can_succeed=_can_succeed(memory, deadline),
        must_do=_must_do(memory, approvals, journal),
        counts=counts_of(memory),
        running=running,
        approvals=approvals,
        outcome=memory.outcome or memory.interrupted,
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


def _answers(memory: Memory, kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [(s, body) for s, body in memory.answers.items() if body.get("answer") == kind]


def _named(subject: str, text: str) -> str:
    """Put the subject before a reason that does not name it already."""
    bare = subject.partition("/")[2] or subject
    return text if bare in text or subject == "machine" else f"{subject}: {text}"


def _waits_for(memory: Memory) -> str:
    if memory.state == "done":
        return "nothing: everything that should run, runs"
    if memory.open:
        first = min(memory.open.values(), key=lambda attempt: attempt.intended_at)
        more = f", and {len(memory.open) - 1} more" if len(memory.open) > 1 else ""
        limit = clock(first.intended_at + first.deadline_seconds)
        begun = clock(first.intended_at)
        return f"{first.verb} {first.target}, begun {begun}, ended by {limit} at the latest{more}"
    for kind in ("ask", "stuck"):
        found = _answers(memory, kind)
        if found:
            subject, body = found[0]
            text = str(body.get("question") or body.get("message"))
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return _named(subject, text) + more
    waits = _answers(memory, "wait") + _answers(memory, "act")
    if not waits:
        return "the first look" if not memory.facts else "nothing"
    order = {"no": 0, "unknown": 1, "yes": 2}
    informative = sorted(
        waits,
        key=lambda item: (
            str(item[1].get("reason", "")).startswith("not applied yet"),
            order.get(str(item[1].get("can_clear", "yes")), 2),
        ),
    )
    subject, body = informative[0]
    more = f" (and {len(waits) - 1} more)" if len(waits) > 1 else ""
    return _named(subject, str(body.get("reason", ""))) + more


def _can_succeed(memory: Memory, deadline: float | None) -> str:
    by = f"; decided by {clock(deadline)} at the latest" if deadline is not None else ""
    if memory.state == "done":
        return "it has"
    stuck = _answers(memory, "stuck")
    moving = memory.open or _answers(memory, "wait") or _answers(memory, "act")
    if _answers(memory, "ask") and not memory.open:
        return f"not before a person has answered{by}"
    if stuck and not moving:
        return "no, not by waiting"
    lasting = [finding for finding in memory.findings.values() if finding.clears_itself == "no"]
    if lasting:
        worst = max(lasting, key=lambda finding: len(finding.blocks))
        blocked = f", which blocks {len(worst.blocks)} objects" if worst.blocks else ""
        return f"not by waiting alone: {worst.message}{blocked}{by}"
    doubtful = any(
        body.get("can_clear") in {"unknown", "no"} for _, body in _answers(memory, "wait")
    )
    return f"not known yet{by}" if doubtful and not memory.open else f"yes{by}"


def _must_do(memory: Memory, approvals: tuple[tuple[str, str, str, str], ...], journal: str) -> str:
    if approvals:
        identity, _, _, typed = approvals[0]
        more = f" (and {len(approvals) - 1} more)" if len(approvals) > 1 else ""
        what = f" --type '{typed}'" if typed else ""
        where = f" --journal {journal}" if journal else ""
        return f"answer: rekindle approve {identity}{what}{where}{more}"
    stuck = _answers(memory, "stuck")
    if stuck and not memory.open:
        return str(stuck[0][1].get("hint", ""))
    return "nothing"


def headline(seen: View) -> str:
    """The three sentences in one plain line."""
    age = spoken(seen.now - seen.entered_at)
    done = " ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    return f"{seen.state} for {age}; {seen.waits_for}; can it succeed: {seen.can_succeed}; {done}"
