"""Whole rehearsals through the program: the document, the exit code, the journal afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from journal.reader import Reader
from tests.cli.conftest import Program

BOOTSTRAPS = {
    "cold-start": 1,
    "dead-webhook": 0,
    "june-12": 0,
    "node-lost": 0,
    "reboot-mid-sync": 1,
    "wipe": 1,
}
WIPES = {"wipe": 3}
# What the root Kustomization will run into once it may be applied at all: two roots, and what is next after both.
NETWORK, NAMESPACE = "T16:cni", "N6:namespace/storage"
IN_SERIES: dict[str, list[str]] = {
    NETWORK: [],
    NAMESPACE: [],
    "C4:crd/externalsecrets.external-secrets.io": [NAMESPACE, NETWORK],
}


@pytest.mark.parametrize("scenario", sorted(BOOTSTRAPS))
def test_a_rehearsal_ends_with_one_document_and_a_whole_chain(
    rekindle: Program, tmp_path: Path, scenario: str
) -> None:
    journal = str(tmp_path / "j.db")

    answer = rekindle("rehearse", scenario, "--journal", journal, "--json")

    assert answer.code == 0, answer.err
    document = answer.document
    assert answer.out.count("\n") == 1
    assert document["schema"] == "rekindle.rehearsal/1"
    assert document["outcome"] == "done"
    assert document["state"] == "done"
    assert document["pods"] == {"ready": 104, "expected": 104}
    assert document["wipes"] == WIPES.get(scenario, 0)
    assert document["bootstraps"] == BOOTSTRAPS[scenario]
    assert document["cluster_seconds"] > 0
    assert document["wall_seconds"] > 0
    if scenario == "june-12":
        assert {root["rule"] for root in document["roots"]} == {"C4", "N6", "T16"}
        assert document["time_to_verdict_seconds"] <= 10
        assert "time_to_verdict_seconds" not in document["counters"]
        with Reader(Path(journal)) as reader:
            (closed,) = (row.entry for row in reader.rows() if row.kind == "run.closed")
        seconds = document["time_to_verdict_seconds"]
        assert closed.summary["time_to_verdict_seconds"] == seconds  # type: ignore[union-attr]
        assert {root["id"]: root["next_after"] for root in document["roots"]} == IN_SERIES
    verified = rekindle("log", "--verify", "--journal", journal)
    assert (verified.code, verified.out[:5]) == (0, "whole")


def test_resume_of_a_closed_run_prints_its_document_and_exits_by_its_outcome(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    first = rekindle("rehearse", "node-lost", "--journal", journal, "--json").document

    answer = rekindle("resume", "--journal", journal, "--json")

    assert answer.code == 0
    same = (
        "schema",
        "outcome",
        "state",
        "pods",
        "wipes",
        "bootstraps",
        "run_id",
        "cluster_seconds",
    )
    assert {key: first[key] for key in same} == {key: answer.document[key] for key in same}


def test_what_can_never_succeed_ends_with_its_way_out_first_and_status_says_so(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    """Mutant: ``status`` counts what waits in vain for what goes on, and answers 1."""
    path = scenario_without_operator("cold-start")
    scenario = yaml.safe_load(path.read_text())
    scenario["plan"]["crds"]["preapply"] = "never"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    journal = str(tmp_path / "j.db")

    answer = rekindle("rehearse", str(path), "--journal", journal)

    assert answer.code == 2, answer.err
    (told,) = [line for line in answer.err.splitlines() if line.startswith("stuck (")]
    assert told.startswith("stuck (crd-missing): no CRD serves ExternalSecret")
    status = rekindle("status", "--journal", journal)
    assert status.code == 2
    assert "no, not by waiting" in status.out
    assert "put externalsecrets.external-secrets.io.yaml into crds.directory" in status.out


@pytest.mark.program
def test_a_second_rehearsal_in_the_same_file_is_a_second_run_of_one_chain(
    rekindle: Program, tmp_path: Path
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", "node-lost", "--journal", journal)
    rekindle("rehearse", "node-lost", "--journal", journal)

    answer = rekindle("history", "--journal", journal, "--json")

    assert [run["outcome"] for run in answer.document["runs"]] == ["done", "done"]
    assert rekindle("log", "--verify", "--journal", journal).code == 0


@pytest.mark.program
def test_without_an_operator_the_session_ends_waiting_and_an_approval_lets_it_go_on(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    journal = str(tmp_path / "j.db")
    scenario = str(scenario_without_operator("june-12"))

    answer = rekindle("rehearse", scenario, "--journal", journal, "--json")

    assert (answer.code, answer.document["outcome"]) == (4, "waiting"), answer.err
    status = rekindle("status", "--journal", journal, "--json").document
    assert "person" in status["can_succeed"]
    assert "N6" in {cause["rule"] for cause in status["causes"]}
    told = rekindle("status", "--journal", journal).out
    assert "because       " in told
    assert "namespace storage is Terminating: 3 cephblockpools hold finalizers" in told
    assert "2 h " in told
    approvals = status["approvals"]
    assert len(approvals) == 3
    wrong = rekindle("approve", approvals[0]["id"], "--type", "something", "--journal", journal)
    assert (wrong.code, "nothing was approved" in wrong.err) == (64, True)
    for item in approvals:
        given = rekindle("approve", item["id"], "--type", item["typed"], "--journal", journal)
        assert given.code == 0, given.err

    resumed = rekindle("resume", "--journal", journal, "--json")

    assert (resumed.code, resumed.document["outcome"]) == (0, "done"), resumed.err
    assert resumed.document["pods"] == {"ready": 104, "expected": 104}


@pytest.mark.program
def test_approve_by_option_counts_for_exactly_that_question(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", str(scenario_without_operator("june-12")), "--journal", journal)
    approvals = rekindle("status", "--journal", journal, "--json").document["approvals"]
    options = [part for item in approvals for part in ("--approve", item["id"])]

    resumed = rekindle("resume", "--journal", journal, "--json", *options)

    assert (resumed.code, resumed.document["outcome"]) == (0, "done"), resumed.err


@pytest.mark.program
def test_a_refused_approval_ends_stuck_and_is_not_asked_again(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", str(scenario_without_operator("june-12")), "--journal", journal)
    approvals = rekindle("status", "--journal", journal, "--json").document["approvals"]
    for item in approvals:
        assert rekindle("approve", item["id"], "--refuse", "--journal", journal).code == 0

    resumed = rekindle("resume", "--journal", journal, "--json")

    assert (resumed.code, resumed.document["outcome"]) == (2, "stuck"), resumed.err
    assert "approval-refused" in resumed.err


@pytest.mark.program
def test_a_cancelled_run_is_closed_for_good(
    rekindle: Program, tmp_path: Path, scenario_without_operator: Callable[[str], Path]
) -> None:
    journal = str(tmp_path / "j.db")
    rekindle("rehearse", str(scenario_without_operator("june-12")), "--journal", journal)

    assert rekindle("cancel", "--journal", journal).code == 0

    resumed = rekindle("resume", "--journal", journal, "--json")
    assert (resumed.code, resumed.document["outcome"]) == (5, "cancelled")
    assert rekindle("cancel", "--journal", journal).code == 64


@pytest.mark.program
def test_a_rehearsal_that_nobody_pursues_is_cancelled_with_its_figures_and_its_world(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutants: close with an empty summary; leave the simulator's process to its idle minute."""
    journal = tmp_path / "j.db"
    process = rekindle.until_entry(journal, "action.settled")
    process.kill()
    process.communicate()
    with Reader(journal) as reader:
        socket = Path(str(reader.runs()[-1].opened.world["socket"]))
    before = rekindle("status", "--journal", str(journal), "--json").document["counts"]["pods"]
    assert socket.exists()

    assert rekindle("cancel", "--journal", str(journal)).code == 0

    document = rekindle("resume", "--journal", str(journal), "--json").document
    assert document["pods"] == {"ready": before["good"], "expected": 104}
    assert document["counters"]["digest"]
    end = time.monotonic() + 10
    while socket.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not socket.exists()


@pytest.mark.program
def test_a_rehearsal_whose_world_is_gone_is_cancelled_with_its_pods(
    rekindle: Program, waiting: Path
) -> None:
    assert rekindle("cancel", "--journal", str(waiting)).code == 0

    document = rekindle("resume", "--journal", str(waiting), "--json").document
    assert document["pods"]["expected"] == 104
    assert document["pods"]["ready"] > 23


def test_the_scenarios_shown_in_examples_are_those_of_the_package() -> None:
    from rekindle.simulator.scenario import find_scenario, names

    shown = Path(__file__).parents[2] / "examples" / "rehearsals"

    assert {path.stem for path in shown.glob("*.yaml")} == set(names())
    for name in names():
        assert (shown / f"{name}.yaml").read_text() == find_scenario(name).read_text()
