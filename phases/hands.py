"""What is in the recovery's own hands: which of its verbs clears which cause."""

from __future__ import annotations

from collections.abc import Collection

from engine.answer import Subject
from journal.entries import Finding
from phases.codes import THROUGH_A_KIND
from phases.verbs import COMMAND, PREAPPLY, RECOVER, RELEASE, REMOVE_MEMBER, ROOT

# Causes that the recovery clears itself, or asks a person about, and by which verb; of a rule with several causes only
# those that are named. Apart from these a nudge clears what only waits for its next attempt: such an answer is an Act.
VERB_FOR: dict[str, str] = {
    "C1": RELEASE,
    "C4": PREAPPLY,
    "F1:absent": COMMAND,
    f"K4:{THROUGH_A_KIND}": PREAPPLY,
    "N5": RELEASE,
    "N6": RELEASE,
    "N7": RELEASE,
    "N8": RELEASE,
    "N9": RELEASE,
    "T14:stale-member": REMOVE_MEMBER,
    "T16": COMMAND,
    "T19:quorum-lost": RECOVER,
    "X2:flux-gone": COMMAND,
    "X2:root-gone": ROOT,
}


def verb_for(root: Finding, early: Collection[Subject] = ()) -> str:
    """
    Name the verb by which the recovery clears a cause itself; empty: there is none.

    *early*: the CRDs that a plan may apply out of band. Of what is expected and absent those are in its hands as well:
    what Helm does not put back needs nothing but its manifest.
    """
    if root.rule == "X2" and root.subject in early:
        return PREAPPLY
    return VERB_FOR.get(root.rule) or VERB_FOR.get(f"{root.rule}:{root.cause}", "")
