"""
The circle on a real control plane: a cluster that lives is wiped by its own request, starts cold, and has all its pods.

One approval a node, one bootstrap for the new life, nothing wiped that was not asked for, and the labels always written
out: a reset without them would leave a node of the testbed off for good.

The first of the two cold starts has no virtual address until the API has been seen: the kubeconfig names nothing else,
and each control plane is asked at its own. The operator's own commands know only the virtual one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from journal import entries as e
from journal.reader import Reader
from tests.system.conftest import RUN_SECONDS, Operator, until
from tests.testbed import settings

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]
VIRTUAL_PORT = int(settings.ENDPOINT.rpartition(":")[2])
NODES = ("k8s-1", "k8s-2", "k8s-3")
PODS = {"ready": 104, "expected": 104}


def newest(operator: Operator) -> list[e.AnyEntry]:
    with Reader(operator.journal) as reader:
        run = reader.newest_run()
        assert run is not None
        return [row.entry for row in reader.rows(run.run_id) if row.entry is not None]


@pytest.fixture(scope="module")
def allowed(operator: Operator) -> Operator:
    """The plan allows the verb; nothing is wiped for that."""
    plan = yaml.safe_load(operator.plan.read_text())
    plan["machine"] = {"verbs": {"node.reset": {"enabled": True}}}
    operator.plan.write_text(yaml.safe_dump(plan, sort_keys=False))
    return operator


@contextmanager
def nobody_holds_the_virtual_address() -> Iterator[None]:
    """What connects to it is refused: the address is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind((settings.VIP, VIRTUAL_PORT))
        yield
        with socket.socket() as caller:
            assert caller.connect_ex((settings.VIP, VIRTUAL_PORT)) == errno.ECONNREFUSED


def test_a_living_cluster_is_wiped_on_request_and_comes_back_whole(allowed: Operator) -> None:
    operator, bed = allowed, allowed.bed
    process = operator.start("run", str(operator.plan), "--yes", "--json")
    with nobody_holds_the_virtual_address():
        until("the API is asked", 300, lambda: operator.state() == "cni-up")
    output, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0, operator.told()[-4000:]
    assert json.loads(output)["outcome"] == "done"
    assert settings.ENDPOINT in (operator.folder / "our-kubeconfig").read_text()
    assert bed.bootstraps() == 1
    assert not [call for call in bed.calls() if call["method"] == "Reset"], "allowed is not asked"

    process = operator.start("run", str(operator.plan), "--reset", "all", "--json")
    output, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 4, operator.told()[-4000:]
    asked = [x for x in newest(operator) if isinstance(x, e.ApprovalAsked)]
    assert sorted(x.typed for x in asked) == list(NODES)  # asked as each was first seen
    assert all(bed.view(x.typed)["uuid"] in x.question for x in asked)
    assert not [call for call in bed.calls() if call["method"] == "Reset"], "nobody said yes yet"

    begun = time.monotonic()
    yes = [word for x in asked for word in ("--approve", x.approval)]
    process = operator.start("run", str(operator.plan), "--json", *yes)
    output, _ = process.communicate(timeout=RUN_SECONDS)
    assert process.returncode == 0, operator.told()[-4000:]
    document = json.loads(output)
    assert (document["outcome"], document["wipes"], document["pods"]) == ("done", 3, PODS)
    _only_what_was_agreed(operator)
    assert bed.bootstraps() == 2, "one for each life"
    code, _ = operator.call("log", "--verify")
    assert code == 0
    print(f"from the yes to 104 pods: {time.monotonic() - begun:.0f} s")


def _only_what_was_agreed(operator: Operator) -> None:
    entries = newest(operator)
    intents = [x for x in entries if isinstance(x, e.ActionIntended)]
    resets = [x for x in intents if x.verb == "node.reset"]
    assert [x.target for x in resets] == [f"node/{name}" for name in NODES]
    assert len({x.arguments["approval"] for x in resets}) == len(NODES)
    assert [x.verb for x in intents].count("etcd.bootstrap") == 1
    _copied_before_the_first_wipe(entries)
    calls = [call for call in operator.bed.calls() if call["method"] == "Reset"]
    assert [call["node"] for call in calls] == list(NODES)
    for call in calls:
        assert call["code"] == "OK"
        assert call["details"] == {
            "partitions": ["STATE", "EPHEMERAL"],
            "graceful": False,
            "reboot": True,
        }
    proven = [
        x
        for x in entries
        if isinstance(x, e.ActionSettled) and x.verb == "node.reset" and x.by == "probe"
    ]
    assert {x.outcome for x in proven} == {e.Outcome.DONE}
    assert len(proven) == len(NODES)


def _copied_before_the_first_wipe(entries: list[e.AnyEntry]) -> None:
    """Nobody asked for a copy of etcd: it is made while somebody still answers, and it is there afterwards."""
    intents = {x.action: x for x in entries if isinstance(x, e.ActionIntended)}
    first = next(
        at
        for at, x in enumerate(entries)
        if isinstance(x, e.ActionIntended) and x.verb == "node.reset"
    )
    (copied,) = (
        x
        for x in entries[:first]
        if isinstance(x, e.ActionSettled) and intents[x.action].verb == "etcd.snapshot"
    )
    assert copied.outcome == e.Outcome.DONE
    content = Path(str(copied.evidence["path"])).read_bytes()
    assert hashlib.sha256(content).hexdigest() == copied.evidence["sha256"]
    assert len(content) == copied.evidence["bytes"]
