"""
What no waiting ends, by the catalogue of causes: said at once, with the way out, and not at a deadline.

The 59 minutes of the night that this program comes from were lost after five seconds. But a sentence that is wrong ends
a recovery that would have succeeded, so that it is passed only on a root that has stood for a while, and never where
the recovery itself has a verb for the cause.
"""

from __future__ import annotations

from engine.answer import Act, Answer, Ask, Stuck, Subject, Wait
from engine.memory import Memory
from engine.recipe import Findings
from journal.entries import Finding
from phases.verbs import NUDGE

STANDING_SECONDS = 30.0  # what a controller is about to change by itself is over by then
NUDGED_SECONDS = 300.0  # a whole attempt after our nudge, and the look at it
LACKING = ("absent", "missing")  # words in the causes of what is not there
# Rules whose cause the recovery itself clears, or asks a person about: its nodes and network, CRDs, finalizers.
OURS = ("T", "L", "N", "C", "K4", "F1")


def sentenced(
    answers: dict[Subject, Answer], findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Replace waits that no waiting ends: Stuck for a cause that can never clear, and no hope for what is behind it."""
    told = dict(answers)
    for name, root in findings.items():
        if not _is_final(name, root, answers, memory):
            continue
        for subject in root.victims:
            answer = told.get(subject)
            if isinstance(answer, Wait) and answer.can_clear != "no":
                told[subject] = Wait(answer.reason, answer.until, can_clear="no")
        told[root.subject] = Stuck(
            reference="cause-cannot-clear",
            message=f"{root.message}: no waiting ends this",
            hint=_way_out(root),
        )
    return told


def _is_final(name: str, root: Finding, answers: dict[Subject, Answer], memory: Memory) -> bool:
    if not root.root or root.clears_itself != "no" or root.next_after:
        return False
    if root.rule.startswith(OURS) or isinstance(answers.get(root.subject), Act | Ask | Stuck):
        return False
    if _may_still_come(root, answers):
        return False
    nudged = memory.last_of(NUDGE, root.subject)
    if nudged is not None and not memory.passed(nudged.intended_at + NUDGED_SECONDS):
        return False
    found_at = memory.found_at.get(name)
    return found_at is not None and memory.passed(found_at + STANDING_SECONDS)


def _may_still_come(root: Finding, answers: dict[Subject, Answer]) -> bool:
    """What is not there may be brought by any Kustomization that is not applied yet, but for those that wait for it."""
    if not any(word in root.cause for word in LACKING):
        return False
    behind = {root.subject, *root.victims}
    return any(s.startswith("kustomization/") and s not in behind for s in answers)


def _way_out(root: Finding) -> str:
    """Say what a person can do, the harmless before the rest; what destroys is never a hint."""
    ways = [
        r.text
        for danger in ("look", "nudge", "reversible")
        for r in root.remedies
        if r.danger == danger
    ]
    mend = "; ".join(ways[:2]) if ways else "mend its cause"
    return f"{mend}; once it is mended this goes on: `rekindle resume`"
