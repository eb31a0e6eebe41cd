"""
The three sentences of a run that only watches, and what it would do.

Nobody is asked and nothing is begun: so it waits for people, and says what it would do in their place.
"""

from __future__ import annotations

from typing import Any

import msgspec

from engine.answer import Ask
from engine.memory import Memory
from journal.entries import Finding
from rekindle import sentences
from rekindle.causes import roots
from rekindle.sentences import Standing, least_hopeful, name_of, named
from rekindle.typed import command

# What may be advised: it takes nothing from anybody.
MILD = frozenset({"look", "nudge", "reversible"})


class Wish(msgspec.Struct, frozen=True):
    """
    An action that a run would take; *name* is its target as people know it.

    *question* is what it would ask before (empty: nothing), *typed* what would have to be typed, *approval* the id
    under which ``resume --take-over --approve`` says yes beforehand. Without a verb it is a question and no more.
    """

    verb: str
    target: str
    name: str
    why: str
    question: str = ""
    typed: str = ""
    approval: str = ""


def would(memory: Memory) -> list[Wish]:
    """Return what the run would do now, actions before questions."""
    acts, asks = [], []
    for subject, body in memory.answers.items():
        match body.get("answer"):
            case "act":
                verb, target = str(body["verb"]), str(body["target"])
                why = str(body.get("reason", ""))
                acts.append(Wish(verb, target, name_of(target, memory), why))
            case "ask":
                asks.append(_asking(subject, body, memory))
    return [*acts, *asks]


def _asking(subject: str, body: dict[str, Any], memory: Memory) -> Wish:
    from engine.allowing import asked  # `status` of a run that acts does without it

    question = Ask(
        str(body["question"]),
        str(body.get("consequence", "")),
        dict(body.get("evidence") or {}),
        str(body.get("typed", "")),
    )
    target = str(question.evidence.get("target") or subject)
    return Wish(
        verb=str(question.evidence.get("verb", "")),
        target=target,
        name=name_of(target, memory),
        why=question.consequence,
        question=question.question,
        typed=question.typed,
        approval=asked(memory, subject, question).approval,
    )


def spoken(wish: Wish) -> str:
    """Say a wish."""
    what = f"{wish.verb} {wish.name}".strip()
    return f"{what} (asking first: {wish.question})" if wish.question else f"{what} ({wish.why})"


def waits_for(now: Standing) -> str:
    """Say what has to happen next, whoever does it."""
    memory = now.memory
    if memory.at_goal:
        return sentences.ALL_RUNS
    for kind in ("ask", "stuck"):
        found = [(s, body) for s, body in memory.answers.items() if body.get("answer") == kind]
        if found:
            subject, body = found[0]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            return named(subject, str(body.get("question") or body.get("message")), memory) + more
    return least_hopeful(now)


def can_succeed(now: Standing) -> str:
    """Say whether waiting helps while nobody acts."""
    from phases.verbs import NUDGE

    memory = now.memory
    if memory.at_goal:
        return "it has"
    kinds = {str(body.get("answer")) for body in memory.answers.values()}
    root = _lasting(memory)
    if root is not None:
        behind = f", which blocks {len(root.victims)} objects" if root.victims else ""
        return f"this wait cannot succeed because {root.message}{behind}"
    if any(wish.verb != NUDGE for wish in would(memory)):
        return "not by waiting: somebody has to do what I would do"
    stuck = now.answers("stuck")
    if stuck:
        moving = "wait" in kinds
        return sentences.not_for(stuck, memory) if moving else "no, not by waiting"
    return "not known yet" if sentences.is_doubtful(now) else "yes"


def must_do(now: Standing) -> str:
    """Say what would be done now, in the operator's place."""
    memory = now.memory
    if memory.at_goal:
        return "nothing"
    wishes = would(memory)
    if wishes:
        more = f" (and {len(wishes) - 1} more)" if len(wishes) > 1 else ""
        return f"I would: {spoken(wishes[0])}{more}"
    stuck = [body for body in memory.answers.values() if body.get("answer") == "stuck"]
    if stuck:
        return f"I would stop here: {stuck[0].get('message')}; {stuck[0].get('hint')}"
    root = _lasting(memory)
    return "I would: wait" if root is None else _advice(root)


def _lasting(memory: Memory) -> Finding | None:
    """Return the heaviest root that never clears by itself: the one of which waiting is said to be in vain."""
    return next((root for root in roots(memory) if root.clears_itself == "no"), None)


def _advice(root: Finding) -> str:
    """Say the first thing that may be done about a root: no run does it, so it is nobody's wish but advice."""
    mild = [one for one in root.remedies if one.danger in MILD]
    if not mild:
        return "somebody has to decide: nothing that can be taken back is known to help"
    return f"somebody has to act, first: {mild[0].text} ({mild[0].danger})"


def handed_over(journal: object) -> str:
    """Write the command that lets it act."""
    return command("resume", "--take-over", journal=journal)
