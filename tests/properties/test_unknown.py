"""
Promise: what cannot be seen moves nothing and starts nothing that cannot be taken back.

Method, three ways. A look at a cluster in any state of its recovery is blindfolded, source by source: a guard's
verdict may become unknown by that, never broken and never better than it was. A whole recovery loses sight of nodes,
of the API and of single kinds for a while: it never moves backwards for it. And each intent of a ``once`` verb is held
against what the journal knew just before it: every control plane seen for a bootstrap, the very object for a release.

Mutants, killed here: an unseen node breaks ``node-maintenance``; an unseen control plane is left out of the bootstrap's
reckoning; the Node object of a machine that is out of sight counts as Ready (found by this property, not invented).
"""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.memory import Memory
from engine.recipe import Verdict
from journal import entries as e
from journal.entries import AnyEntry
from phases import codes
from phases.recipe import recipe
from phases.snapshot import KINDS, Seen, Snapshot, Unseen
from phases.verbs import BOOTSTRAP, RELEASE
from rekindle.simulator.faults import Faults
from tests.properties.clusters import (
    NODES,
    SEEDS,
    YES,
    examples,
    faults,
    plan_of,
    scenario,
    story,
    windows,
)
from tests.properties.harness import prefixes

SOURCES = (*(f"node/{name}" for name in NODES), "api", "kubeconfig", "holders", *KINDS)
Window = tuple[str, float, float]


def blindfolded(snapshot: Snapshot, hidden: set[str]) -> Snapshot:
    """The same look without some of its sources."""
    gone = Unseen(0.0, "silent", "i/o timeout")
    nodes = {n: gone if f"node/{n}" in hidden else seen for n, seen in snapshot.nodes.items()}
    objects = {kind: gone if kind in hidden else seen for kind, seen in snapshot.objects.items()}
    holders = {n: gone if "holders" in hidden else seen for n, seen in snapshot.holders.items()}
    return replace(
        snapshot,
        nodes=nodes,
        objects=objects,
        holders=holders,
        api=gone if "api" in hidden else snapshot.api,
        kubeconfig=gone if "kubeconfig" in hidden else snapshot.kubeconfig,
    )


def in_another_boot(snapshot: Snapshot, names: set[str]) -> Snapshot:
    """The same look just after some nodes came back, before their kubelets could say so."""
    nodes = {
        name: replace(seen, value=replace(seen.value, boot_id="another"))
        if name in names and isinstance(seen, Seen)
        else seen
        for name, seen in snapshot.nodes.items()
    }
    return replace(snapshot, nodes=nodes)


@cache
def looks(name: str, seed: int) -> tuple[Snapshot, ...]:
    """Every look of a recovery with a reboot in it."""
    found: list[Snapshot] = []

    def keep(snapshot: Snapshot) -> Snapshot:
        found.append(snapshot)
        return snapshot

    trouble = Faults(reboots=(("n3", 90.0 + 35 * seed), ("n2", 230.0)))
    run, _ = story(name, seed=seed, faults=trouble, operator=YES, blindfold=keep)
    run.to_the_end()
    return tuple(found)


@given(
    name=st.sampled_from(["cold", "june"]),
    seed=st.integers(0, 5),
    where=st.floats(0, 1, exclude_max=True),
    hidden=st.sets(st.sampled_from(SOURCES), min_size=1, max_size=4),
    rebooted=st.sets(st.sampled_from(NODES), max_size=1),
)
@settings(max_examples=examples(4))
def test_less_seen_is_less_known(
    name: str, seed: int, where: float, hidden: set[str], rebooted: set[str]
) -> None:
    found = looks(name, seed)
    snapshot = in_another_boot(found[int(where * len(found))], rebooted)
    plan = plan_of(scenario(name))
    seeing = recipe().reduce(plan, snapshot)
    blind = recipe().reduce(plan, blindfolded(snapshot, hidden))

    for state, guard in recipe().guards.items():
        before, after = guard(plan, seeing).verdict, guard(plan, blind)
        assert after.verdict in {before, Verdict.UNKNOWN}, (state, before, after)


@given(
    name=st.sampled_from(["cold", "june", "healthy"]),
    seed=SEEDS,
    sights=st.lists(windows(SOURCES), min_size=1, max_size=3),
)
@settings(max_examples=examples(0.5))
def test_what_goes_out_of_sight_moves_nothing_backwards(
    name: str, seed: int, sights: list[Window]
) -> None:
    begin = scenario(name).start.timestamp()

    def blindfold(snapshot: Any) -> Any:  # noqa: ANN401  the domain's look
        now = snapshot.at - begin
        return blindfolded(snapshot, {source for source, a, b in sights if a <= now < b})

    run, _ = story(name, seed=seed, operator=YES, blindfold=blindfold)

    run.to_the_end(resumes=1)

    order = [*run.plan.states, "done"]
    for entry in run.book.entries():
        if isinstance(entry, e.Moved):
            assert order.index(entry.source) < order.index(entry.target)
    knew_enough(run.book.entries())


@given(name=st.sampled_from(["cold", "june"]), seed=SEEDS, trouble=faults())
@settings(max_examples=examples(0.4))
def test_what_cannot_be_taken_back_is_done_in_full_sight(
    name: str, seed: int, trouble: Faults
) -> None:
    run, _ = story(name, seed=seed, faults=trouble, operator=YES)

    run.to_the_end(resumes=1)

    knew_enough(run.book.entries())


def knew_enough(entries: list[AnyEntry]) -> None:
    """Hold each intent of a once verb against what was known just before it."""
    for memory, entry in prefixes(entries):
        if isinstance(entry, e.ActionIntended) and entry.verb == BOOTSTRAP:
            unseen = [n for n in NODES if memory.facts[codes.node(n)].code == codes.UNSEEN]
            assert not unseen or said_yes_to(memory, unseen), f"{unseen} may hide an etcd"
            shown = [memory.facts[codes.node(n)] for n in NODES if n not in unseen]
            assert {fact.code for fact in shown} == {codes.WAITS_FOR_ETCD}
            assert not any(fact.detail["members"] for fact in shown)
        if isinstance(entry, e.ActionIntended) and entry.verb == RELEASE:
            fact = memory.facts[entry.target]
            assert fact.detail["uid"] == entry.arguments["uid"]
            assert memory.facts[f"namespace/{fact.detail['namespace']}"].code == codes.TERMINATING


def said_yes_to(memory: Memory, unseen: list[str]) -> bool:
    """Say whether a person allowed the bootstrap without exactly these nodes."""
    return any(
        item.answer == "given" and item.evidence.get("unseen") == unseen
        for item in memory.approvals.values()
    )
