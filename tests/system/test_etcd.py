"""
Etcd on a real control plane: its alarms, and a quorum that is lost and recovered from a snapshot by the real talosctl.

The nodes are the stand-in's; the snapshot is of the real etcd, so that talosctl itself checks it, twice.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal.entries import ActionSettled, ApprovalAsked, Decided
from phases.verbs import RECOVER, SNAPSHOT
from rekindle.adapters.talos import NodeEye, Talosctl, TalosNodeAddress
from tests.system.conftest import RUN_SECONDS, Operator, until, write_plan
from tests.system.small import config_map, deeds, entries, inventory, kustomization, write_tree
from tests.testbed.testbed import Testbed

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
QUORUM_SECONDS = 240
CHILD, KEPT = "child", "kept-by-nobody-in-git"
WIPED = ("--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL")
RESET = ("reset", "--wait=false", "--graceful=false", "--reboot")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    children = [kustomization(CHILD)]
    write_tree(folder / "tree", children, {CHILD: [config_map(CHILD, "default")]})
    with Testbed(folder / "bed", folder / "tree") as bed:
        path = write_plan(bed, folder)
        plan = yaml.safe_load(path.read_text())
        (folder / "inventory.yaml").write_text(yaml.safe_dump(inventory(children, [])))
        plan["inventory"] = {"file": str(folder / "inventory.yaml")}
        plan["flux"]["roots"] = str(folder / "tree" / "roots")
        plan.setdefault("machine", {})["verbs"] = {RECOVER: {"enabled": True}}
        del plan["crds"]
        path.write_text(yaml.safe_dump(plan))
        operator = Operator(bed, folder, folder / "small.db", path)
        try:
            yield operator
        finally:
            operator.stop()


def eye(operator: Operator, name: str) -> NodeEye:
    bed = operator.bed
    talosctl = Talosctl(str(bed.bin / "talosctl"), bed.talosconfig)
    return NodeEye(talosctl, TalosNodeAddress(name, bed.nodes[name]))


def looked(operator: Operator, name: str) -> Any:  # noqa: ANN401  a look, seen or not
    return getattr(eye(operator, name).look(), "value", None)


def said(operator: Operator) -> list[dict[str, Any]]:
    told = entries(operator)
    return [e.answers["etcd"] for e in told if isinstance(e, Decided) and "etcd" in e.answers]


def answers(operator: Operator, text: str) -> bool:
    try:
        return any(text in str(body) for body in said(operator)[-1:])
    except Exception:  # noqa: BLE001  the journal is being written
        return False


def test_a_healthy_etcd_tells_everything_that_is_asked(operator: Operator) -> None:
    code, document = operator.run()
    assert code == 0, operator.told()[-4000:]
    assert document["outcome"] == "done"

    looks = {name: looked(operator, name) for name in operator.bed.nodes}

    assert {look.leader for look in looks.values()} == {looks["k8s-1"].leader} != {""}
    assert all(look.member_id in look.member_ids for look in looks.values())
    assert all(set(look.members) == set(looks) and look.alarms == () for look in looks.values())
    assert all(look.raft_term and look.db_size for look in looks.values())


def test_a_lost_quorum_is_recovered_from_a_snapshot_of_what_was_left(operator: Operator) -> None:
    bed = operator.bed
    # What no Git brings back: only etcd had it.
    bed.kubectl("create", "configmap", "--namespace", "default", KEPT)
    bootstraps = bed.bootstraps()
    for name in ("k8s-2", "k8s-3"):
        bed.talosctl(name, *RESET, *WIPED)
    until("they are empty", 60, lambda: bed.view("k8s-3")["phase"] == "maintenance")

    process = operator.start("run", str(operator.plan), "--json")
    output, _ = process.communicate(timeout=QUORUM_SECONDS)
    assert process.returncode == 2, operator.told()[-4000:]  # nothing of it can come by waiting
    assert answers(operator, "etcd-quorum-lost"), output
    assert looked(operator, "k8s-1").leader == ""

    bed.talosctl("k8s-1", *RESET, "--system-labels-to-wipe", "EPHEMERAL")
    process = operator.start("resume", "--json")
    until("it asks", 180, lambda: answers(operator, "recover etcd on"))
    asked = [e for e in entries(operator) if isinstance(e, ApprovalAsked) and e.subject == "etcd"]
    code, _ = operator.call("approve", asked[-1].approval, "--type", asked[-1].typed)
    assert code == 0, operator.told()[-4000:]
    process.communicate(timeout=RUN_SECONDS)

    assert process.returncode == 0, operator.told()[-4000:]
    assert KEPT in bed.kubectl("get", "configmaps", "--namespace", "default", "-o", "name")
    recovered = [c for c in bed.calls() if c["method"] in {"EtcdRecover", "Bootstrap"}][-2:]
    assert [call["method"] for call in recovered] == ["EtcdRecover", "Bootstrap"]
    assert recovered[1]["details"]["recover_etcd"] is True
    assert bed.bootstraps() == bootstraps + 1
    (taken,) = [e for e in entries(operator) if isinstance(e, ActionSettled) and e.verb == SNAPSHOT]
    file = Path(taken.evidence["path"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.parent == operator.journal.parent
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest == taken.evidence["sha256"] == recovered[0]["details"]["sha256"]
    assert len(deeds(operator, RECOVER)) == 1


def test_an_alarm_is_seen(operator: Operator) -> None:
    operator.bed.raise_alarm("k8s-2")

    assert looked(operator, "k8s-1").alarms == ("NOSPACE",)
