"""
What no waiting ends is said at once; and never where something of ours is about to end it.

Mutants, each killed here: any condition of ``_is_final`` left out; victims keep their hope; a destructive remedy
becomes a hint.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.memory import Attempt, Memory
from journal.entries import Finding, Remedy
from phases.sentence import NUDGED_SECONDS, STANDING_SECONDS, sentenced
from phases.verbs import NUDGE

SUBJECT, VICTIM, OTHER = "helmrelease/apps/web", "kustomization/flux-system/apps", "store/vault"
ROOT = Finding(
    SUBJECT,
    "chart-wrong",
    "HelmRelease apps/web has no chart",
    clears_itself="no",
    rule="H5",
    root=True,
    victims=(VICTIM,),
    remedies=(
        Remedy("forceAt", "destructive"),
        Remedy("pin the chart by hand", "reversible"),
        Remedy("correct the chart's version in Git", "look"),
    ),
)
WAITS: dict[str, Answer] = {subject: Wait("not yet") for subject in (SUBJECT, VICTIM, OTHER)}
NOW = 1000.0


def memory(stood: float = STANDING_SECONDS, **fields: Any) -> Memory:  # noqa: ANN401
    return Memory(now=NOW, found_at={"f": NOW - stood}, **fields)


def test_what_can_never_clear_is_stuck_and_what_waits_behind_it_has_no_hope() -> None:
    told = sentenced(WAITS, {"f": ROOT}, memory())

    stuck = told[SUBJECT]
    assert isinstance(stuck, Stuck)
    assert stuck.reference == "cause-cannot-clear"
    assert "HelmRelease apps/web has no chart" in stuck.message
    assert stuck.hint.startswith("correct the chart's version in Git; pin the chart by hand;")
    assert "forceAt" not in stuck.hint
    assert told[VICTIM] == Wait("not yet", can_clear="no")
    assert told[OTHER] == WAITS[OTHER]


def test_what_destroys_is_no_hint_even_where_nothing_else_is_known() -> None:
    root = replace(ROOT, remedies=(Remedy("forceAt", "destructive"), Remedy("/finalize", "never")))

    stuck = sentenced(WAITS, {"f": root}, memory())[SUBJECT]
    assert isinstance(stuck, Stuck)
    assert stuck.hint.startswith("mend its cause; ")


@pytest.mark.parametrize(
    "root",
    [
        replace(ROOT, clears_itself="unknown"),
        replace(ROOT, clears_itself="yes"),
        replace(ROOT, root=False),
        replace(ROOT, next_after=("other",)),
        replace(ROOT, rule="N6"),  # finalizers: a person is asked
        replace(ROOT, rule="C4"),  # CRDs: applied out of band
        replace(ROOT, rule="T16"),  # the network: its command
    ],
)
def test_no_sentence_where_waiting_or_the_recovery_may_help(root: Finding) -> None:
    assert sentenced(WAITS, {"f": root}, memory()) == WAITS


def test_a_cause_is_given_the_time_that_a_controller_needs() -> None:
    assert sentenced(WAITS, {"f": ROOT}, memory(STANDING_SECONDS - 1)) == WAITS
    assert sentenced(WAITS, {"f": ROOT}, Memory(now=NOW)) == WAITS


@pytest.mark.parametrize(
    "answer",
    [
        Act(NUDGE, SUBJECT, {}, "its cause has cleared"),
        Ask("may I?", "something", {}),
        Stuck("suspended-in-cluster", "it is suspended", "ask why"),
    ],
)
def test_what_is_done_or_asked_or_said_already_stands(answer: Answer) -> None:
    answers = {**WAITS, SUBJECT: answer}

    assert sentenced(answers, {"f": ROOT}, memory()) == answers


@pytest.mark.parametrize("cause", ["source-absent", "key-missing"])
def test_what_is_not_there_may_still_be_brought_by_what_is_not_applied_yet(cause: str) -> None:
    """Mutants: it is final all the same; or never while its own victims wait."""
    root = replace(ROOT, cause=cause)
    pending = {**WAITS, "kustomization/flux-system/other": Wait("not yet")}

    assert sentenced(pending, {"f": root}, memory()) == pending
    assert isinstance(sentenced(WAITS, {"f": root}, memory())[SUBJECT], Stuck)
    built = replace(ROOT, cause="build-failed")
    assert isinstance(sentenced(pending, {"f": built}, memory())[SUBJECT], Stuck)


def test_a_nudge_is_given_the_time_of_an_attempt() -> None:
    def nudged(ago: float) -> Memory:
        last = Attempt("a1", NUDGE, SUBJECT, 1, 1, NOW - ago, 15.0)
        return memory(last={f"{NUDGE} {SUBJECT}": last})

    assert sentenced(WAITS, {"f": ROOT}, nudged(NUDGED_SECONDS - 1)) == WAITS
    assert isinstance(sentenced(WAITS, {"f": ROOT}, nudged(NUDGED_SECONDS))[SUBJECT], Stuck)


def test_a_root_without_an_answer_of_its_own_is_said_all_the_same() -> None:
    assert isinstance(sentenced({}, {"f": ROOT}, memory())[SUBJECT], Stuck)
