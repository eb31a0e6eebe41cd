"""
Which revision everything should reach: what the source serves, as long as it descends from what it served before.

"Mend it in Git and push" is how recoveries are won, so a push during the night is followed. A history that was
rewritten is something else: what this run has counted on may be in nobody's branch any more, and a person is asked.
Where nobody can tell (no clone, a commit that no remote gives, or not with all of its history) it is followed, and
said: the goal is what others are measured by, and moves on again. To stay would be a no, and hold up all that waits.
"""

from __future__ import annotations

import re

from engine.allowing import answer_to
from engine.answer import Act, Answer, Ask, Wait
from engine.judging import GOAL
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Outcome
from phases import codes
from phases.section import Section
from phases.verbs import ANCESTRY

# What git says of two commits; the codes of a settled ``git.ancestry``.
DESCENDS, REWRITTEN, UNTOLD = "descends", "rewritten", "untold"
_COMMIT = re.compile(r"(?:^|[@/:])([0-9a-f]{40}|[0-9a-f]{64})$")
SHOWN = 12


def served(plan: Plan, facts: Facts) -> str:
    """Return the revision that the source serves; empty: not known."""
    section: Section = plan.target
    fact = facts.get(section.source)
    return str(fact.detail["revision"]) if fact is not None and fact.code == codes.READY else ""


def goal(plan: Plan, memory: Memory) -> str:
    """Return the revision to reach: the served one, unless that may not be followed yet."""
    found = served(plan, memory.facts)
    if not found or _objection(plan, memory, found) is not None:
        return memory.goal
    return found


def objection(plan: Plan, memory: Memory) -> Answer | None:
    """Return what stands between this run and a revision that is served by now; None: nothing does."""
    found = served(plan, memory.facts)
    return _objection(plan, memory, found) if found else None


def commit_of(revision: str) -> str:
    """Return the commit of a source's revision (``main@sha1:...``); empty: it is none of Git's."""
    match = _COMMIT.search(revision)
    return match.group(1) if match else ""


def _objection(plan: Plan, memory: Memory, found: str) -> Answer | None:
    old, new = commit_of(memory.goal), commit_of(found)
    if memory.watches or not old or not new or old == new:
        return None
    target = f"{old}..{new}"
    attempt = memory.last_of(ANCESTRY, target)
    if _is_silent(plan, memory, target):
        return None
    if attempt is None or attempt.outcome is Outcome.UNSETTLED:
        arguments = {"repository": plan.target.repository, "old": old, "new": new}
        return Act(ANCESTRY, target, arguments, "another revision is served than before")
    if attempt.outcome is None:
        return Wait("git is asked whether the new revision descends from the one before")
    if attempt.code != REWRITTEN:
        return None
    question = _question(memory, found, old, new)
    return None if answer_to(memory, GOAL, question) == "given" else question


def _is_silent(plan: Plan, memory: Memory, target: str) -> bool:
    """Say whether git may not be asked, or was asked as often as it may be without an answer: then nobody can tell."""
    verb, last = plan.verbs[ANCESTRY], memory.last_of(ANCESTRY, target)
    if last is not None and last.outcome is not Outcome.UNSETTLED:
        return False
    tried = memory.attempts.get(f"{ANCESTRY} {target}", 0)
    exhausted = last is not None and tried >= verb.retry.attempts
    return exhausted or not verb.enabled or memory.forbidden(ANCESTRY, target) is not None


def _question(memory: Memory, found: str, old: str, new: str) -> Ask:
    return Ask(
        question=f"the source serves {_short(found, new)}, which does not descend from {_short(memory.goal, old)}; "
        "is that what should run?",
        consequence="Flux applies it already, and prunes what it no longer has; a yes makes it the goal of this run",
        evidence={"before": memory.goal, "now": found},
    )


def _short(revision: str, commit: str) -> str:
    return revision.replace(commit, commit[:SHOWN])
