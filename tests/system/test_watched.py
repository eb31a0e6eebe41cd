"""
The black box on a real control plane: somebody recovers by hand, makes the seed's mistakes, and hands over.

The operator here is a script that knows nothing of rekindle. In the middle of a cold start they delete the root
Kustomization "to clear an error", put it back by hand, and wait. What they did, what could not succeed and what would
have helped has to be in the watch's journal and on its screen; then the same run goes on with hands.
"""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from journal import entries as e
from journal.entries import AnyEntry
from journal.errors import Diagnosed
from journal.reader import Reader
from tests.system.conftest import Operator, until
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


def entries(operator: Operator) -> list[AnyEntry]:
    """The newest run's entries; none while the journal is being made."""
    try:
        with Reader(operator.journal) as reader:
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
    first = next(iter(operator.bed.nodes))
    kubeconfig = str(operator.folder / "our-kubeconfig")
    operator.bed.talosctl(first, "kubeconfig", kubeconfig, "--merge=false", "--force")
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


def make_the_seeds_mistakes(operator: Operator) -> None:
    """Delete the root to clear an error; put it back, with nothing that it needs."""
    root = ("kustomization", "flux-system", "cluster-apps")
    operator.bed.kubectl("delete", root[0], "-n", root[1], root[2], "--wait=false")
    until("the deletion is seen", 60, lambda: "flux.delete" in done_by_hand(operator))
    until(
        "the network is gone",
        180,
        lambda: not there(operator, "daemonset", "kube-system", "cilium"),
    )
    until("the watch is back in cni-up", 120, lambda: operator.state() == "cni-up")


def stopped(watch: subprocess.Popen[str]) -> dict[str, object]:
    watch.send_signal(signal.SIGINT)
    out, _ = watch.communicate(timeout=120)
    assert watch.returncode == 75
    document: dict[str, object] = json.loads(out.strip().splitlines()[-1])
    return document


def test_an_operator_who_makes_the_seeds_mistakes_is_watched_told_and_relieved(
    operator: Operator,
) -> None:
    watch = operator.start("watch", str(operator.plan), "--json")
    until("the watch looks on", 60, lambda: operator.state() == "node-maintenance")
    recover_until_something_runs(operator)
    make_the_seeds_mistakes(operator)
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

    code, output = operator.call("resume", "--take-over", "--yes", "--json")

    assert code == 0, operator.told()[-4000:]
    assert json.loads(output)["pods"] == {"ready": 104, "expected": 104}
    assert operator.bed.bootstraps() == 1
    assert [type(one) for one in entries(operator)].count(e.RunOpened) == 1
    assert operator.call("log", "--verify")[1].startswith("whole")
