"""
A recorded night is reduced, diagnosed and decided again: the whole pure half.

Mutants that turn one of these red: compare no facts; compare findings of looks that nobody diagnosed; decide by the
journal's facts only; give a look the entries of the next turn.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from engine.answer import Wait
from engine.folding import fold_all
from engine.memory import Memory
from engine.parted import What, Why
from engine.plan import Plan
from engine.recipe import Decide, Facts, Findings
from journal.entries import AnyEntry, Fact, Observed
from phases import codes
from phases.recipe import recipe
from phases.snapshot import Snapshot
from rekindle.looks.takes import Takes
from tests.looks.making import Night, night


@pytest.fixture(scope="module")
def june(tmp_path_factory: pytest.TempPathFactory) -> Night:
    return night(tmp_path_factory.mktemp("june"))


@pytest.mark.parametrize("name", ["cold", "june", "healthy"])
def test_a_recorded_night_comes_out_the_same(tmp_path: Path, name: str) -> None:
    found = night(tmp_path, name)

    result, takes = found.replayed()

    assert result.differences == []
    assert takes.said == []
    counted = result.replayer.counted
    assert counted.looks == len(found.seen)
    assert counted.diagnoses >= 4
    assert counted.decisions > 0


def test_other_facts_today_are_named_and_so_is_the_decision_that_they_change(june: Night) -> None:
    usual = recipe()

    def reduce(plan: Plan, snapshot: Snapshot) -> Facts:
        """Today's code calls every node unknown to Kubernetes."""
        facts = dict(usual.reduce(plan, snapshot))
        return {s: Fact("Absent") if s.startswith("k8s-node/") else f for s, f in facts.items()}

    result, _ = june.replayed(replace(usual, reduce=reduce))

    facts = [one for one in result.differences if one.what is What.FACTS]
    decided = [one for one in result.differences if one.what is What.DECISION]
    assert facts[0].why is Why.CODE
    assert set(facts[0].today) == {"k8s-node/n1", "k8s-node/n2", "k8s-node/n3"}
    assert {body["code"] for body in facts[0].today.values()} == {"Absent"}
    assert decided
    assert {one.why for one in decided} == {Why.FACTS}
    assert any("k8s-node/n1" in reason for reason in decided[0].because)


def test_facts_that_are_gone_today_are_a_difference(june: Night) -> None:
    usual = recipe()

    def reduce(plan: Plan, snapshot: Snapshot) -> Facts:
        return {s: f for s, f in usual.reduce(plan, snapshot).items() if s != codes.PODS}

    result, _ = june.replayed(replace(usual, reduce=reduce))

    gone = [one for one in result.differences if codes.PODS in one.today]
    assert gone
    assert gone[0].today[codes.PODS] is None
    assert gone[0].journaled[codes.PODS]["code"] == "counted"


def test_other_findings_today_are_named(june: Night) -> None:
    usual = recipe()

    def diagnose(plan: Plan, snapshot: Snapshot) -> Findings:
        found = usual.diagnose(plan, snapshot)
        return {
            k: msgspec.structs.replace(f, message="it was the switch") for k, f in found.items()
        }

    result, _ = june.replayed(replace(usual, diagnose=diagnose))

    found = [one for one in result.differences if one.what is What.FINDINGS]
    assert found
    assert {body["message"] for body in found[0].today.values()} == {"it was the switch"}
    assert all(body["message"] != "it was the switch" for body in found[0].journaled.values())


def test_a_look_that_brought_nothing_new_is_decided_upon_as_well(june: Night) -> None:
    """Mutant: begin no turn with a look. The journal alone has no trace of such a turn."""
    bounds = [(take.after, take.until) for take in Takes(june.film)]
    silent = [after for after, until in bounds if after == until]
    known = fold_all(Memory(), june.entries[: silent[0]])
    usual = recipe()

    def idle(decide: Decide) -> Decide:
        return lambda plan, facts, findings, memory: (
            {"moon": Wait("wait for everything")}
            if memory == known
            else decide(plan, facts, findings, memory)
        )

    today = replace(usual, phases={name: idle(decide) for name, decide in usual.phases.items()})
    result, _ = june.replayed(today)

    assert [one.position for one in result.differences] == [silent[0]]
    assert result.replayer.counted.turns == len(june.seen)


def test_without_an_end_in_order_the_last_look_counts_for_nothing(tmp_path: Path) -> None:
    found = night(tmp_path, "healthy", orderly=False)

    result, _ = found.replayed()

    assert result.same
    assert result.replayer.counted.looks == len(found.seen) - 1


@pytest.mark.parametrize("figure", [codes.EXISTING, codes.LEAVING])
def test_a_journal_that_is_older_than_a_figure_replays_the_same(june: Night, figure: str) -> None:
    """Mutant: leave ``figures`` out of the recipe, or one of them."""
    older = replace(june, entries=[without(figure, entry) for entry in june.entries])

    result, _ = older.replayed()

    assert result.differences == []


def test_a_figure_that_a_journal_has_is_held_against_todays(june: Night) -> None:
    """Mutant: leave all figures out of what is compared."""
    usual = recipe()

    def reduce(plan: Plan, snapshot: Snapshot) -> Facts:
        facts = usual.reduce(plan, snapshot)
        return {s: Fact("7") if s == codes.EXISTING else f for s, f in facts.items()}

    result, _ = june.replayed(replace(usual, reduce=reduce))

    assert {one.what for one in result.differences} == {What.FACTS}
    assert all(set(one.today) == {codes.EXISTING} for one in result.differences)


def without(subject: str, entry: AnyEntry) -> AnyEntry:
    if not isinstance(entry, Observed):
        return entry
    return msgspec.structs.replace(
        entry, changed={s: fact for s, fact in entry.changed.items() if s != subject}
    )
