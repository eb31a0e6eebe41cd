"""
The black box on a real control plane: somebody recovers by hand, makes the seed's mistakes, and hands over.

The operator here is a script that knows nothing of rekindle. In the middle of a cold start they delete the root
Kustomization "to clear an error", then what is left: a CRD, if Flux went before it was through, and the namespace whose
objects have finalizers of a controller that went with the root. They put the root back before there is anything to
serve it, and wait. What they did, what could not succeed, in which order, and what would have helped has to be in the
watch's journal and on its screen. That journal gives a postmortem and a rehearsal; then the same run goes on with
hands.
"""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal import entries as e
from journal.entries import AnyEntry, Finding
from journal.errors import Diagnosed
from journal.reader import Reader
from tests.system.conftest import ANTON, RUN_SECONDS, Operator, until
from tests.testbed.recovery import Recovery

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]
BY_HAND = {
    "command.run",
    "etcd.bootstrap",
    "flux.delete",
    "kubeconfig.fetch",
    "root.apply",
    "talos.apply",
}


POOLS = ("replicapool", "database", "scratch")
FINALIZER = "cephblockpool.ceph.rook.io"
NETWORK, NAMESPACE = "T16:cni", "N6:namespace/storage"
CRD = "externalsecrets.external-secrets.io"
NEXT = f"C4:crd/{CRD}"
BRINGS = ("helmrelease", "external-secrets", "external-secrets")
HELM = ("deployment", "flux-system", "helm-controller")
ROOT = ("kustomization", "flux-system", "cluster-apps")
VERDICT_SECONDS = 10.0
GONE = {"", "Absent", "Terminating"}


def entries(operator: Operator) -> list[AnyEntry]:
    return entries_of(operator.journal)


def entries_of(journal: Path) -> list[AnyEntry]:
    """The newest run's entries; none while the journal is being made."""
    try:
        with Reader(journal) as reader:
            run = reader.newest_run()
            rows = reader.rows(run.run_id) if run is not None else ()
            return [row.entry for row in rows if row.entry is not None]
    except Diagnosed:
        return []


def done_by_hand(operator: Operator) -> set[str]:
    return {entry.verb for entry in entries(operator) if isinstance(entry, e.ByHand)}


def recover_until_something_runs(operator: Operator) -> None:
    """What the template's README says, typed by a person."""
    hands = Recovery(operator.bed)
    hands.configure()
    # A person reads a line before they type the next one.
    would = "I would: etcd.bootstrap"
    until("the watch sees what is next", 120, lambda: would in operator.told())
    hands.bootstrap()
    would = "I would: kubeconfig.fetch"
    until("the watch sees that a kubeconfig can be fetched", 120, lambda: would in operator.told())
    first = next(iter(operator.bed.nodes))
    kubeconfig = str(operator.folder / "our-kubeconfig")
    operator.bed.talosctl(first, "kubeconfig", kubeconfig, "--merge=false", "--force")
    # What was there at the first look of the API may have come with the machines (Talos' inline manifests).
    would = "I would: command.run"
    until("the watch sees that there is no network", 120, lambda: would in operator.told())
    hands.manifests()
    until("the watch is in flux-synced", 120, lambda: operator.state() == "flux-synced")
    hands.roots()
    until("Flux applies", 240, lambda: ready(operator) > 10)


def ready(operator: Operator) -> int:
    """How many Kustomizations are Ready."""
    listed = operator.bed.kubectl("get", "kustomizations", "-A", "-o", "json")
    conditions = [
        item.get("status", {}).get("conditions", []) for item in json.loads(listed)["items"]
    ]
    return sum(
        any(c["type"] == "Ready" and c["status"] == "True" for c in own) for own in conditions
    )


def there(operator: Operator, kind: str, namespace: str, name: str) -> bool:
    words = ("get", kind, "-n", namespace, name, "--ignore-not-found", "-o", "name")
    return bool(operator.bed.kubectl(*words).strip())


def let_go(operator: Operator, kind: str, namespace: str, name: str) -> None:
    """Take the finalizers off something that may be gone by then: it is gone afterwards."""
    patch = json.dumps({"metadata": {"finalizers": None}})
    words = ("patch", kind, "-n", namespace, name, "--type=merge", "-p", patch)
    with suppress(RuntimeError):
        operator.bed.kubectl(*words)
    until(f"{kind} {name} is gone", 60, lambda: not there(operator, kind, namespace, name))


def make_the_seeds_mistakes(operator: Operator) -> None:
    """Delete the root to clear an error, and then the namespace that is left, with all that it holds."""
    for name in POOLS:  # Rook is played by nobody: what it would hold is held for good
        made = partial(there, operator, "cephblockpool", "storage", name)
        until("Flux has made the pools", 300, made)
        patch = json.dumps({"metadata": {"finalizers": [FINALIZER]}})
        words = ("cephblockpool", "-n", "storage", name, "--type=merge", "-p", patch)
        operator.bed.kubectl("patch", *words)
    operator.bed.kubectl("delete", ROOT[0], "-n", ROOT[1], ROOT[2], "--wait=false")
    until("the deletion is seen", 60, lambda: "flux.delete" in done_by_hand(operator))
    until(
        "the network is gone",
        180,
        lambda: not there(operator, "daemonset", "kube-system", "cilium"),
    )
    # Flux uninstalls itself among all else, and what brought this CRD may come before it or be left behind, Ready:
    # then the CRD would be something that was deleted, and not something that is still to come.
    # Who still uninstalls it is not cut off: Helm's record of it would stay (X4). Who is there may be gone before that.
    until(
        "it is uninstalled, or nobody is left who would",
        180,
        lambda: not (there(operator, *BRINGS) and there(operator, *HELM)),
    )
    if there(operator, *BRINGS):
        operator.bed.kubectl("delete", BRINGS[0], "-n", BRINGS[1], BRINGS[2], "--wait=false")
        let_go(operator, *BRINGS)
    operator.bed.kubectl("delete", "crd", CRD, "--ignore-not-found", "--wait=false")
    until("the CRD is gone", 120, lambda: not there(operator, "crd", "default", CRD))
    operator.bed.kubectl("delete", "namespace", "storage", "--wait=false")
    until("the watch is back in cni-up", 120, lambda: operator.state() == "cni-up")


def roots_of(journal: Path) -> list[tuple[float, dict[str, Finding]]]:
    """The roots, whenever they changed."""
    standing: dict[str, Finding] = {}
    told = []
    for entry in entries_of(journal):
        if isinstance(entry, e.FindingsChanged):
            standing.update(entry.changed)
            standing = {name: f for name, f in standing.items() if name not in entry.cleared}
            told.append((entry.at, {name: f for name, f in standing.items() if f.root}))
    return told


def in_series(roots: dict[str, Finding]) -> bool:
    """Two things that stand in the way now, and what does so once both are out of it."""
    if not {NETWORK, NAMESPACE, NEXT} <= roots.keys():
        return False
    before = (*roots[NETWORK].next_after, *roots[NAMESPACE].next_after)
    return not before and {NETWORK, NAMESPACE} <= set(roots[NEXT].next_after)


def look_with_fresh_eyes(operator: Operator, journal: Path, *words: str) -> dict[str, object]:
    """A black box that is begun in the middle of it knows at once what is wrong, and what comes after that."""
    box = operator.start("watch", *words, "--json", journal=journal)
    until("the series is told", 60, lambda: any(in_series(r) for _, r in roots_of(journal)))
    document = stopped(box)

    looked = next(entry.at for entry in entries_of(journal) if isinstance(entry, e.Observed))
    told = next(at for at, roots in roots_of(journal) if in_series(roots))
    print(f"\nthe series was told {told - looked:.1f} s after the first look")
    assert told - looked <= VERDICT_SECONDS
    return document


def look_without_a_plan(operator: Operator) -> None:
    """Somebody else comes by with a kubeconfig and a list of what there was: they see the same, and touch nothing."""
    kubeconfig = str(operator.folder / "our-kubeconfig")
    listed = ("--inventory", str(ANTON / "inventory.yaml"), "--network", "kube-system/cilium")
    journal = operator.folder / "passer-by.db"
    document = look_with_fresh_eyes(operator, journal, "--kubeconfig", kubeconfig, *listed)

    assert (document["state"], document["would"]) == ("cni-up", [])
    told = entries_of(journal)
    assert not [one for one in told if isinstance(one, e.ActionIntended | e.ApprovalAsked)]


def look_with_nothing_but_a_kubeconfig(operator: Operator) -> None:
    """And somebody who knows nothing of the cluster: no network is there to be recognised, and nothing is missed."""
    kubeconfig = str(operator.folder / "our-kubeconfig")
    journal = operator.folder / "stranger.db"
    box = operator.start("watch", "--kubeconfig", kubeconfig, "--json", journal=journal)
    both = {NETWORK, NAMESPACE}
    until("both are told", 60, lambda: any(both <= roots.keys() for _, roots in roots_of(journal)))
    document = stopped(box)

    assert (document["state"], document["would"]) == ("cni-up", [])
    assert "no DaemonSet is recognised as the network" in operator.told()
    told = entries_of(journal)
    assert not [one for one in told if isinstance(one, e.ActionIntended | e.ApprovalAsked)]


def put_the_root_back_too_early(operator: Operator) -> None:
    """Nothing is there to serve it: neither a network nor Flux nor the kind that it needs."""
    if there(operator, *ROOT):  # Flux went before it was through, and nobody else lets go of it
        let_go(operator, *ROOT)
    folder = str(ANTON / "bootstrap" / "root")
    operator.bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", folder)
    subject = "/".join(ROOT)
    until("the root is seen", 60, lambda: code_of(operator, subject) not in GONE)


def code_of(operator: Operator, subject: str) -> str:
    """The last verdict on a subject in the journal."""
    looks = (entry for entry in entries(operator) if isinstance(entry, e.Observed))
    codes = [look.changed[subject].code for look in looks if subject in look.changed]
    return codes[-1] if codes else ""


def stopped(watch: subprocess.Popen[str]) -> dict[str, object]:
    watch.send_signal(signal.SIGINT)
    out, _ = watch.communicate(timeout=120)
    assert watch.returncode == 75
    document: dict[str, object] = json.loads(out.strip().splitlines()[-1])
    return document


def the_postmortem(operator: Operator) -> None:
    """What the journal of a watch tells afterwards: whose hands, what they waited for, and what never cleared."""
    code, output = operator.call("report", "--json")
    assert code == 0, operator.told()[-4000:]
    story: dict[str, Any] = json.loads(output)
    code, page = operator.call("report")
    assert code == 0

    assert (story["run"]["purpose"], story["run"]["outcome"]) == ("watch", "open")
    assert {deed["verb"] for deed in story["by_hand"]} >= BY_HAND
    assert (story["actions"], story["approvals"]) == ([], [])
    causes = {cause["id"]: cause for cause in story["causes"]}
    assert {NETWORK, NAMESPACE, NEXT} <= causes.keys()
    assert causes[NAMESPACE]["clears_itself"] == "no"
    assert causes[NAMESPACE]["cleared"] is None
    assert causes[NETWORK]["next_after"] == causes[NAMESPACE]["next_after"] == []
    assert story["verdict"]["at"] is not None
    assert "namespace storage is Terminating: 3 cephblockpools hold finalizers" in page
    assert "flux.delete" in page


def the_rehearsal(operator: Operator) -> None:
    """The same night, played: a cold start in which somebody deletes the root; and rekindle's hands do better."""
    run_id = next(entry.run_id for entry in entries(operator) if isinstance(entry, e.RunOpened))
    source = ("rehearse", "--from", str(operator.journal))
    written = operator.folder / "written"
    written.mkdir()
    again = operator.folder / "again.db"
    process = operator.start(*source, "--write", str(written), journal=again)
    process.communicate(timeout=120)
    assert process.returncode == 0, operator.told()[-4000:]
    scenario = yaml.safe_load((written / f"from-{run_id}.yaml").read_text("utf-8"))
    process = operator.start(*source, "--json", journal=again)
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, operator.told()[-4000:]
    document = json.loads(output)
    assert (document["outcome"], document["recorded_from"]) == ("done", run_id)
    assert (document["pods"], document["bootstraps"]) == ({"ready": 104, "expected": 104}, 1)
    deleted = [event["key"] for event in scenario["events"] if event["do"] == "delete"]
    assert "/".join(ROOT[1:]) in deleted, scenario["events"]


def asked(operator: Operator) -> dict[str, str]:
    """What has to be typed, by question."""
    questions = (one for one in entries(operator) if isinstance(one, e.ApprovalAsked))
    return {one.approval: one.typed for one in questions}


def test_an_operator_who_makes_the_seeds_mistakes_is_watched_told_and_relieved(
    operator: Operator,
) -> None:
    watch = operator.start("watch", str(operator.plan), "--json")
    until("the watch looks on", 60, lambda: operator.state() == "node-maintenance")
    recover_until_something_runs(operator)
    make_the_seeds_mistakes(operator)
    look_with_fresh_eyes(operator, operator.folder / "late.db", str(operator.plan))
    look_without_a_plan(operator)
    look_with_nothing_but_a_kubeconfig(operator)
    put_the_root_back_too_early(operator)
    until(
        "what cannot succeed is said",
        120,
        lambda: "this wait cannot succeed because" in operator.told(),
    )
    document = stopped(watch)

    assert (document["schema"], document["state"]) == ("rekindle.watch/1", "cni-up")
    assert done_by_hand(operator) >= BY_HAND
    assert "you are in cni-up" in operator.told()
    assert "I would: command.run command/apps" in operator.told()
    told = entries(operator)
    assert not [one for one in told if isinstance(one, e.ActionIntended | e.ApprovalAsked)]
    assert operator.commands() == []

    the_postmortem(operator)
    the_rehearsal(operator)

    hands = operator.start("resume", "--take-over", "--yes", "--json")
    until("a person is asked for each pool", 300, lambda: len(asked(operator)) == len(POOLS))
    assert set(asked(operator).values()) == {f"storage/{name}" for name in POOLS}
    for approval, typed in asked(operator).items():
        assert operator.call("approve", approval, "--type", typed)[0] == 0
    output, _ = hands.communicate(timeout=RUN_SECONDS)

    assert hands.returncode == 0, operator.told()[-4000:]
    assert json.loads(output)["pods"] == {"ready": 104, "expected": 104}
    assert operator.bed.bootstraps() == 1
    assert [type(one) for one in entries(operator)].count(e.RunOpened) == 1
    assert operator.call("log", "--verify")[1].startswith("whole")
