"""
The three sentences: what is it waiting for, can that succeed, what must I do.

They are about the run as it is now: a question that was answered is waited for no more, a run that nobody holds goes on
only when somebody resumes it, a closed one never does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from engine.memory import TOO_LATE, Approval, Attempt, Memory
from rekindle.causes import roots
from rekindle.spans import clock
from rekindle.typed import command, with_journal

_UID = re.compile(r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
REHEARSE = "rehearse"
DOUBTFUL = frozenset({"unknown", "no"})
ALL_RUNS = "nothing: everything that should run, runs"


@dataclass(frozen=True, slots=True)
class Standing:
    """
    A run, and what its memory does not know: *held* says whether a session pursues it, *closed* how it ended.

    *journal* goes into what the operator is told to type.
    """

    memory: Memory
    journal: str = ""
    held: bool = True
    closed: str = ""

    @property
    def deadline(self) -> float | None:
        """The instant at which the state is given up, in world time."""
        timer = self.memory.timers.get(f"deadline/{self.memory.state}")
        return timer.due if timer is not None else None

    def answers(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Answers of a kind, what only ran out of time last; of questions those that nobody has answered."""
        found = [(s, body) for s, body in self.memory.answers.items() if body.get("answer") == kind]
        if kind == "stuck":
            # A deadline says of no object what is wrong with it: the way out stands before it.
            return sorted(found, key=lambda item: item[1].get("reference") == TOO_LATE)
        if kind != "ask":
            return found
        waiting = {item.subject for item in questions(self.memory)}
        return [(subject, body) for subject, body in found if subject in waiting]

    @property
    def answered(self) -> bool:
        """Say whether answers are there that no session has taken up."""
        asked = {s for s, body in self.memory.answers.items() if body.get("answer") == "ask"}
        return bool(asked - {subject for subject, _ in self.answers("ask")})


def questions(memory: Memory) -> tuple[Approval, ...]:
    """Return what is asked now and not answered yet."""
    found = []
    for item in memory.approvals.values():
        body = memory.answers.get(item.subject, {})
        same = body.get("question", item.question) == item.question
        if not item.answer and body.get("answer") == "ask" and same:
            found.append(item)
    return tuple(found)


def name_of(subject: str, memory: Memory) -> str:
    """Say a subject as people know it: an object that is known by its UID has a name, too."""
    if not _UID.match(subject.partition("/")[2]):
        return subject
    fact = memory.facts.get(subject)
    detail = fact.detail if fact is not None else {}
    parts = [str(detail[key]) for key in ("namespace", "name") if detail.get(key)]
    return f"{detail.get('kind', 'object')} {'/'.join(parts)}" if parts else subject


def action(attempt: Attempt, memory: Memory) -> str:
    """Say an action: its id in the journal, its verb, and what it is done to."""
    return f"{attempt.action} {attempt.verb} {name_of(attempt.target, memory)}"


def waits_for(now: Standing) -> str:
    """Say what the run waits for."""
    memory = now.memory
    if memory.state == "done":
        return ALL_RUNS
    if now.closed:
        return "nothing: this run is closed"
    if memory.open:
        first = min(memory.open.values(), key=lambda attempt: attempt.intended_at)
        more = f", and {len(memory.open) - 1} more" if len(memory.open) > 1 else ""
        limit = clock(first.intended_at + first.deadline_seconds)
        begun = clock(first.intended_at)
        what = f"{first.verb} {name_of(first.target, memory)}"
        return f"{what}, begun {begun}, ended by {limit} at the latest{more}"
    for kind in ("ask", "stuck"):
        found = now.answers(kind)
        if found:
            subject, body = found[0]
            text = str(body.get("question") or body.get("message"))
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return named(subject, text, memory) + more
    if now.answered:
        return "a session that acts on your answers"
    return least_hopeful(now)


def least_hopeful(now: Standing) -> str:
    """Say what of all that is waited for is the least likely to come by itself."""
    memory = now.memory
    waits = now.answers("wait") + now.answers("act")
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
    return named(subject, str(body.get("reason", "")), memory) + more


def named(subject: str, text: str, memory: Memory) -> str:
    """Put the subject before a reason that does not name it already."""
    name = name_of(subject, memory)
    bare = name.partition("/")[2] or name
    return text if bare in text or name in text or subject == "machine" else f"{name}: {text}"


def can_succeed(now: Standing) -> str:
    """Say whether waiting helps."""
    memory = now.memory
    by = f"; decided by {clock(now.deadline)} at the latest" if now.deadline is not None else ""
    if memory.state == "done":
        return "it has"
    if now.closed:
        return "no: this run is over, the goal was not reached"
    stuck = now.answers("stuck")
    hoped_for = any(body.get("can_clear") != "no" for _, body in now.answers("wait"))
    moving = memory.open or hoped_for or now.answers("act")
    if now.answers("ask") and not memory.open:
        return f"not before a person has answered{by}"
    if stuck and not moving:
        return "no, not by waiting"
    lasting = [root for root in roots(memory) if root.clears_itself == "no"]
    if lasting and not now.answered:
        worst = lasting[0]
        blocked = f", which blocks {len(worst.victims)} objects" if worst.victims else ""
        return f"not by waiting alone: {worst.message}{blocked}{by}"
    if stuck and not now.answered:
        return f"{not_for(stuck, memory)}{by}"
    if not now.held:
        return "yes, once it is resumed" if now.answered else "not before it is resumed"
    return f"not known yet{by}" if is_doubtful(now) and not memory.open else f"yes{by}"


def not_for(stuck: list[tuple[str, dict[str, Any]]], memory: Memory) -> str:
    """Say what no waiting ends, where other things go on."""
    subject, body = stuck[0]
    more = f" and {len(stuck) - 1} more" if len(stuck) > 1 else ""
    return f"not for {name_of(subject, memory)}{more}: {body.get('message')}; the rest goes on"


def is_doubtful(now: Standing) -> bool:
    """Say whether something may never come, by what is said of it or of a cause that it is behind."""
    waits = dict(now.answers("wait"))
    if any(body.get("can_clear") in DOUBTFUL for body in waits.values()):
        return True
    return any(
        root.clears_itself in DOUBTFUL
        and not waits.keys().isdisjoint((root.subject, *root.victims))
        for root in roots(now.memory)
        if not root.next_after
    )


def must_do(now: Standing) -> str:
    """Say what the operator is to do, as a command if there is one."""
    memory = now.memory
    if now.closed:
        return _after_the_end(now)
    going_on = command("resume", journal=now.journal)
    asked = questions(memory)
    if asked:
        typed = to_answer(asked[0], now.journal)
        more = f" (and {len(asked) - 1} more)" if len(asked) > 1 else ""
        return f"answer: {typed}{more}" + ("" if now.held else f", then {going_on}")
    stuck = now.answers("stuck")
    if stuck and not memory.open and not now.answered:
        return with_journal(str(stuck[0][1].get("hint", "")), now.journal)
    return "nothing" if now.held or memory.state == "done" else f"go on: {going_on}"


def _after_the_end(now: Standing) -> str:
    memory = now.memory
    if memory.outcome == "done":
        return "nothing"
    left = memory.summary.get("left_open") or ()
    doubt = f"; look first at what {', '.join(map(str, left))} did" if left else ""
    if memory.purpose == REHEARSE:
        return f"nothing; `rekindle rehearse` begins anew{doubt}"
    return with_journal(f"nothing; `rekindle run PLAN` begins a new run{doubt}", now.journal)


def to_answer(item: Approval, journal: str) -> str:
    """Write the command that says yes."""
    what = ("--type", item.typed) if item.typed else ()
    return command("approve", item.approval, *what, journal=journal)
