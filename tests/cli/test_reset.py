"""
``--reset``: what is asked of a run is checked before it is opened, stands in its first entry, and is asked for once.

Mutants: take the request into a run that is open; leave the check of the plan's leave, of names or of labels out; let
a scenario that was made of a wipe wipe by itself instead of asking.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import entries as e
from journal.entries import AnyEntry
from journal.reader import Reader
from rekindle.document import figures
from tests.cli.conftest import Program
from tests.phases.resetting import allowing, asked_for, nodes, told, wiped

pytestmark = pytest.mark.program

STAGED = """
import rekindle.cli.run, rekindle.planfile, rekindle.rehearsal, rekindle.worlds
plan, world = rekindle.rehearsal.in_process("wipe")
rekindle.planfile.read_plan = lambda path: plan
rekindle.worlds.real = lambda plan, journal: world
"""
# The scenario's own operator is asleep: whoever is asked is the person of this test.
ASLEEP = STAGED + "world.ask = lambda question: False\n"


def entries(journal: Path) -> list[AnyEntry]:
    with Reader(journal) as reader:
        run = reader.newest_run()
        assert run is not None
        return [row.entry for row in reader.rows(run.run_id) if row.entry is not None]


@pytest.mark.parametrize(
    ("scenario", "words", "said"),
    [
        ("healthy", ("--reset", "all"), "machine.verbs.node.reset.enabled: true"),
        ("wipe", ("--reset", "k8s-1,k8s-9"), "no node k8s-9"),
        ("wipe", ("--reset", ""), "no node ''"),
        ("wipe", ("--reset", "k8s-1", "--reset-scope", "BOOT"), "'BOOT' is not of STATE"),
        ("wipe", ("--reset", "k8s-1", "--reset-scope", ""), "'' is not of STATE"),
    ],
)
def test_what_cannot_be_asked_for_is_said_before_anything(
    rekindle: Program, scenario: str, words: tuple[str, ...], said: str
) -> None:
    answer = rekindle("plan", "--scenario", scenario, *words)

    assert answer.code == 64
    assert "reset-what" in answer.err
    assert said in answer.err


def test_the_plan_says_what_would_be_wiped_and_what_to_type(rekindle: Program) -> None:
    answer = rekindle("plan", "--scenario", "wipe", "--reset", "k8s-2,k8s-3")

    assert answer.code == 1
    assert "asked for and not done: reset k8s-2, k8s-3" in answer.out
    assert "node.reset node/k8s-2" in answer.out
    assert "user disks are not touched" in answer.out
    assert "to type: k8s-3" in answer.out
    assert "k8s-1 (" not in answer.out


def test_a_run_is_asked_once_and_an_open_one_is_not_asked_for_something_else(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = tmp_path / "j.db"
    given = ("--journal", str(journal), "--yes", "--json")

    first = rekindle("run", "--reset", "all", *given, code=ASLEEP)
    assert first.code == 4, first.err
    (opened,) = [x for x in entries(journal) if isinstance(x, e.RunOpened)]
    nodes = ["k8s-1", "k8s-2", "k8s-3"]
    assert opened.request == {"node.reset": {"nodes": nodes, "scope": ["STATE", "EPHEMERAL"]}}

    other = rekindle("run", "--reset", "k8s-1", *given, code=ASLEEP)
    assert other.code == 64
    assert "was not asked for this reset" in other.err
    for words in (("--reset", "all"), ()):
        again = rekindle("run", *words, *given, code=ASLEEP)
        assert again.code == 4, again.err
    asked = [x for x in entries(journal) if isinstance(x, e.ApprovalAsked)]
    assert [x.typed for x in asked] == nodes, "the same run, and no question is asked twice"
    told = rekindle("log", "--journal", str(journal)).out.splitlines()[0]
    assert "asked for: node.reset k8s-1, k8s-2, k8s-3" in told


def test_an_approval_of_one_node_wipes_that_one_alone(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    given = ("--journal", str(journal), "--yes", "--json")
    rekindle("run", "--reset", "all", *given, code=ASLEEP)
    first = next(x for x in entries(journal) if isinstance(x, e.ApprovalAsked))

    answer = rekindle("run", *given, "--approve", first.approval, code=ASLEEP)

    assert answer.code == 4, answer.err
    begun = [x for x in entries(journal) if isinstance(x, e.ActionIntended)]
    assert [(x.verb, x.target) for x in begun] == [
        ("etcd.snapshot", "node/k8s-1"),
        ("node.reset", "node/k8s-1"),
    ]


def test_a_real_run_counts_the_wipes_that_were_seen() -> None:
    """Mutant: count what settled; a simulated world counts for itself, so nothing else would notice."""
    the_plan = allowing()
    entries_ = [*wiped("cp-1"), *told("cp-2", outcome="done", by="action")]
    memory = asked_for(the_plan, nodes(), *entries_)

    assert figures(memory, {})["wipes"] == 1


def test_the_whole_circle_and_the_same_again_from_its_journal(
    rekindle: Program, tmp_path: Path
) -> None:
    journal, again = tmp_path / "j.db", tmp_path / "again.db"

    document = rekindle("rehearse", "wipe", "--journal", str(journal), "--json").document
    copied = rekindle(
        "rehearse", "--from", str(journal), "--journal", str(again), "--json"
    ).document

    for found in (document, copied):
        assert (found["outcome"], found["wipes"], found["bootstraps"]) == ("done", 3, 1)
        assert found["pods"] == {"ready": 104, "expected": 104}
    report = rekindle("report", "--journal", str(journal)).out
    assert "| Nodes wiped | 3 |" in report
    verbs = [x.verb for x in entries(again) if isinstance(x, e.ActionIntended)]
    assert verbs.count("node.reset") == 3
