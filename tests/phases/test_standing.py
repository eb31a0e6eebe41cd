"""What is not ready of a list, from look to look: as if it were counted anew each time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from journal.entries import Fact
from phases import codes
from phases.standing import Standing

SUBJECTS = ("deployment/a/x", "deployment/a/y", "daemonset/b/z")
PODS = (1, 2, 3)
CODES = st.sampled_from([codes.READY, codes.PROGRESSING, codes.ABSENT])
FACT = st.builds(
    lambda code, ready: Fact(code, detail={"ready": ready}),
    CODES,
    st.integers(min_value=0, max_value=4),
)
LOOKS = st.lists(
    st.dictionaries(st.sampled_from([*SUBJECTS, "deployment/c/other"]), FACT), max_size=6
)


@given(LOOKS)
def test_it_says_of_every_look_what_counting_it_anew_says(looks: list[dict[str, Fact]]) -> None:
    """Mutants: ``_follow`` without ``_is_open``, without ``_ready``, or without keeping what it found."""
    standing = Standing(SUBJECTS, PODS)
    for facts in [*looks, *looks[::-1]]:
        found = [(subject, facts.get(subject)) for subject in SUBJECTS]
        ready = [
            0 if fact is None else min(fact.detail["ready"], pods)
            for (_, fact), pods in zip(found, PODS, strict=True)
        ]

        assert standing.open_in(facts) == [
            (subject, fact) for subject, fact in found if fact is None or fact.code != codes.READY
        ]
        assert standing.ready_pods_in(facts) == sum(ready)
    assert standing.pods_wanted == sum(PODS)


def test_workloads_beyond_their_number_do_not_stand_for_others() -> None:
    """Mutant: ``_follow`` without ``min``."""
    facts = {SUBJECTS[0]: Fact(codes.READY, detail={"ready": 9})}

    assert Standing(SUBJECTS, PODS).ready_pods_in(facts) == 1
