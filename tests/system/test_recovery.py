"""
A real control plane, real Flux, real talosctl: the seed's nights, one after the other on the same cluster.

The tests of this module build on each other, in their order: a cold start, then the accident, then the accident with
a namespace that is held. In the end that night is rehearsed from its journal, and has to be the same one.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from journal.entries import ActionIntended, AnyEntry, FindingsChanged, Observed
from journal.reader import Reader
from phases.inventory import Inventory
from rekindle.folding import newest
from rekindle.waiting import spent
from tests.system.conftest import ANTON, Operator, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]
POOLS = ("replicapool", "database", "scratch")
CRD = "crd/externalsecrets.external-secrets.io"
FINALIZER = "cephblockpool.ceph.rook.io"


def pods(operator: Operator) -> int:
    """How many pods run."""
    listed = operator.bed.api("GET", "/api/v1/pods")["items"]
    return sum(pod["status"].get("phase") == "Running" for pod in listed)


def test_a_cold_start_leads_from_maintenance_to_104_pods(operator: Operator) -> None:
    code, document = operator.run()

    assert code == 0, operator.told()[-4000:]
    assert document["schema"] == "rekindle.run/1"
    assert document["outcome"] == "done"
    assert document["pods"] == {"ready": 104, "expected": 104}
    assert pods(operator) == 104
    assert operator.bed.bootstraps() == 1
    assert document["bootstraps"] == 1
    with Reader(operator.journal) as reader:
        run = reader.newest_run()
        assert run is not None
        used = spent(row.entry for row in reader.rows(run.run_id) if row.entry is not None)
    shares = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in used.states.items())
    print(
        f"\ncold start to 104 pods: {used.total:.0f} s ({shares}); "
        f"{used.waiting_share:.0%} of it nothing could have been done"
    )


def test_the_journal_of_a_real_run_verifies(operator: Operator) -> None:
    code, output = operator.call("log", "--verify")

    assert (code, output[:5]) == (0, "whole")


def test_a_healthy_cluster_passes_through_without_an_action(operator: Operator) -> None:
    before = operator.bed.calls()

    code, document = operator.run()

    assert (code, document["outcome"]) == (0, "done")
    found = newest(operator.journal)
    assert found is not None
    assert found.memory.actions == 0
    assert operator.bed.calls() == before


def test_the_inventory_of_the_healthy_cluster_is_the_plans_own(operator: Operator) -> None:
    """What the example's inventory says was not written by this cluster: the two have to agree."""
    code, output = operator.call(
        "inventory",
        "--from",
        "cluster",
        "--kubeconfig",
        str(operator.folder / "our-kubeconfig"),
    )

    assert code == 0, operator.told()[-4000:]
    found = Inventory.model_validate(yaml.safe_load(output))
    written = Inventory.model_validate(yaml.safe_load((ANTON / "inventory.yaml").read_text()))
    assert found.pods == written.pods == 104
    for items in ("roots", "namespaces", "kustomizations", "helmreleases", "workloads", "stores"):
        assert set(getattr(found, items)) == set(getattr(written, items)), items


def delete_root(operator: Operator) -> None:
    """The accident: somebody deletes the root to clear an error."""
    operator.bed.kubectl(
        "delete", "kustomization", "--namespace", "flux-system", "cluster-apps", "--wait=false"
    )
    until("pods are gone", 120, lambda: pods(operator) < 30)
    until(
        "the network is gone", 60, lambda: not exists(operator, "daemonset", "kube-system/cilium")
    )


def exists(operator: Operator, kind: str, key: str) -> bool:
    namespace, _, name = key.partition("/")
    found = operator.bed.kubectl(
        "get", kind, "-n", namespace, name, "--ignore-not-found", "-o", "name"
    )
    return bool(found.strip())


def test_the_accident_is_undone_without_touching_a_node(operator: Operator) -> None:
    before = operator.bed.calls()
    delete_root(operator)

    code, document = operator.run()

    assert code == 0, operator.told()[-4000:]
    assert document["pods"] == {"ready": 104, "expected": 104}
    assert pods(operator) == 104
    assert operator.bed.calls() == before  # no node was told anything


def verdicts(operator: Operator) -> dict[str, float]:
    """When each root that can never clear was first named, in seconds after its cause could be seen."""
    with Reader(operator.journal) as reader:
        run = reader.newest_run()
        assert run is not None
        entries = [r.entry for r in reader.rows(run.run_id) if r.entry is not None]
    looks = [entry for entry in entries if isinstance(entry, Observed)]
    # The namespace begins to go during the run, and what holds it is known once that was listed.
    held = next(e.at for e in looks if any(s.startswith("holder/") for s in e.changed))
    named: dict[str, float] = {}
    for entry in entries:
        for found in entry.changed.values() if isinstance(entry, FindingsChanged) else ():
            if found.root and found.clears_itself == "no":
                seen = held if found.subject == "namespace/storage" else looks[0].at
                named.setdefault(found.subject, round(entry.at - seen, 1))
    return named


def test_a_held_namespace_and_a_crd_behind_its_consumer_are_named_asked_and_untied(
    operator: Operator,
) -> None:
    """The finalizers' controller goes with the root, as Rook did: only a person may take them off."""
    for name in POOLS:
        patch = json.dumps({"metadata": {"finalizers": [FINALIZER]}})
        operator.bed.kubectl(
            "patch", "cephblockpool", "-n", "storage", name, "--type=merge", "-p", patch
        )
    delete_root(operator)

    code, document = operator.run()

    assert (code, document["outcome"]) == (4, "waiting"), operator.told()[-4000:]
    named = verdicts(operator)
    print(f"\nnamed as what never clears, seconds after it could be seen: {named}")
    assert {"namespace/storage", CRD} <= named.keys(), named
    assert max(named[CRD], named["namespace/storage"]) <= 10
    found = newest(operator.journal)
    assert found is not None
    open_ = [a for a in found.memory.approvals.values() if not a.answer]
    assert {a.typed for a in open_} == {f"storage/{name}" for name in POOLS}
    for approval in open_:
        code, _ = operator.call("approve", approval.approval, "--type", approval.typed)
        assert code == 0

    code, document = operator.resume()

    assert code == 0, operator.told()[-4000:]
    assert document["pods"] == {"ready": 104, "expected": 104}
    found = newest(operator.journal)
    assert found is not None
    verbs = {key.split()[0] for key in found.memory.last}
    assert {"finalizer.release", "crd.preapply", "root.apply"} <= verbs


def newest_entries(journal: Path) -> list[AnyEntry]:
    """What a journal's newest run did and saw."""
    with Reader(journal) as reader:
        run = reader.newest_run()
        assert run is not None
        return [row.entry for row in reader.rows(run.run_id) if row.entry is not None]


def knots(entries: list[AnyEntry]) -> set[tuple[str, str]]:
    """The roots that could never clear: (rule, subject)."""
    changed = (entry.changed for entry in entries if isinstance(entry, FindingsChanged))
    found = (finding for findings in changed for finding in findings.values())
    return {(f.rule, f.subject) for f in found if f.root and f.clears_itself == "no"}


def deeds(entries: list[AnyEntry]) -> set[str]:
    return {entry.verb for entry in entries if isinstance(entry, ActionIntended)} - {"flux.nudge"}


def test_the_night_is_rehearsed_from_its_journal_with_the_same_knots_and_deeds(
    operator: Operator,
) -> None:
    """Mutant: the namespace began to go during the run; what held it is looked for at the first look alone."""
    again = operator.journal.with_name("again.db")
    source = ("--from", str(operator.journal))

    process = operator.start("rehearse", *source, "--json", journal=again)
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, operator.told()[-4000:]
    document = json.loads(output)
    assert (document["outcome"], document["bootstraps"], document["wipes"]) == ("done", 0, 0)
    assert document["pods"] == {"ready": 104, "expected": 104}
    recorded, rehearsed = newest_entries(operator.journal), newest_entries(again)
    assert ("N6", "namespace/storage") in knots(recorded)
    assert knots(rehearsed) == knots(recorded)
    assert deeds(rehearsed) == deeds(recorded)
