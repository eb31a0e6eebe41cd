"""
Promise: whatever the crashes, the lost answers and the reboots, etcd is bootstrapped at most once.

Method: Hypothesis chooses where processes die (before and after a commit, a start, an adoption, between a settlement
and its entry), which requests and answers are lost, who cannot be seen, who reboots, and how late etcd shows itself
(up to twenty minutes). The cluster counts bootstraps and etcd clusters. Nobody answers questions: a person may order a
second bootstrap, the program may not.

Three guards stand one behind the other, and each alone holds: the phase's doubt (``talos_ready._in_doubt``), the
engine's backstop (``judging._doubt``) and the refusal at the target. Mutants, killed here in seconds: both doubts off
and the repetition free to choose another machine; both doubts off and unseen control planes ignored. With the doubts
off on the same machine the target still refuses: that mutant is for ``test_once``.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.simulator.faults import Faults
from tests.properties.clusters import (
    NOBODY,
    SEEDS,
    TALOS_ONLY,
    deaths,
    examples,
    faults,
    lives,
    story,
)
from tests.properties.harness import Death

TALOS = ("etcd.bootstrap", "talos.apply", "kubeconfig.fetch")
Life = list[tuple[Death, float]]


@given(
    seed=SEEDS,
    trouble=faults(TALOS),
    life=lives(4, TALOS),
    pause=st.sampled_from([0.0, 60.0, 900.0]),
)
@settings(max_examples=examples(0.6))
def test_etcd_is_bootstrapped_at_most_once(
    seed: int, trouble: Faults, life: Life, pause: float
) -> None:
    run, cluster = story("cold", seed=seed, faults=trouble, operator=NOBODY, machine=TALOS_ONLY)

    run.to_the_end(life, resumes=3, pause=pause)

    assert cluster.counters()["clusters_made"] <= 1
    assert cluster.counters()["bootstraps"] <= 1


@given(
    seed=SEEDS,
    trouble=faults(TALOS),
    death=deaths(("etcd.bootstrap",)),
    idle=st.sampled_from([0.0, 20.0, 200.0, 900.0]),
    life=lives(2, TALOS),
)
@settings(max_examples=examples(0.4))
def test_cancelling_and_beginning_anew_is_no_way_around(
    seed: int, trouble: Faults, death: Death, idle: float, life: Life
) -> None:
    """Mutant, killed here: ``doubts_left`` returns nothing. What settled as done is ``test_doubts``."""
    run, cluster = story("cold", seed=seed, faults=trouble, operator=NOBODY, machine=TALOS_ONLY)
    run.session(death)
    if run.closed():
        return
    run.pass_time(idle)
    doubtful = [told for told in run.told if told.intent.verb == "etcd.bootstrap"]
    happened = cluster.counters()["bootstraps"] == 1
    run.cancel_and_begin_anew()

    run.to_the_end(life, resumes=2, pause=60.0)

    if happened:
        # The target would refuse as well; that it is not even asked is this program's own promise.
        assert doubtful == [told for told in run.told if told.intent.verb == "etcd.bootstrap"]
    assert cluster.counters()["clusters_made"] <= 1
    assert cluster.counters()["bootstraps"] <= 1


@given(seed=SEEDS, trouble=faults(), life=lives(2, TALOS))
@settings(max_examples=examples(0.3))
def test_not_even_in_a_whole_recovery(seed: int, trouble: Faults, life: Life) -> None:
    run, cluster = story("cold", seed=seed, faults=trouble, operator=NOBODY)

    run.to_the_end(life, resumes=2, pause=60.0)

    assert cluster.counters()["clusters_made"] <= 1
    assert cluster.counters()["bootstraps"] <= 1
