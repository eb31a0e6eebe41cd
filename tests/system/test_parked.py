"""
A parked Kustomization, on a real control plane: ``interval: 1h``, no ``retryInterval``, and a cause that clears.

Promise: it is Ready seconds after its cause has cleared, woken once and for just that; nobody else is woken for it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal.entries import ActionIntended, ActionSettled, Outcome
from journal.reader import Reader
from phases.verbs import NUDGE
from tests.system.conftest import ANTON, RUN_SECONDS, Operator, until, write_plan
from tests.testbed.testbed import Testbed

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]
SYSTEM, LATE = "flux-system", "late"
CAUSE = f"namespace-missing:{LATE}"
REQUESTED_AT = "reconcile.fluxcd.io/requestedAt"
# Its namespace is nobody's in Git, so that only somebody can clear its cause; who depends on it; who does not.
PARKED, BEHIND, BESIDE = "parked", "behind", "beside"


def kustomization(name: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    source = {"kind": "GitRepository", "name": SYSTEM}
    common = {"interval": "1h", "timeout": "1m", "prune": True, "sourceRef": source}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {**common, "path": f"./{name}", **spec},
    }


def config_map(name: str, namespace: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def write_tree(tree: Path) -> None:
    """Write a repository that is brought up as anton's is, and brings three Kustomizations."""
    shutil.copytree(ANTON / "bootstrap" / "manifests", tree / "bootstrap" / "manifests")
    source = {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": SYSTEM, "namespace": SYSTEM},
        "spec": {
            "interval": "1h",
            "url": "http://127.0.0.1:16091/fleet.git",
            "ref": {"branch": "main"},
        },
    }
    children = [
        kustomization(PARKED),
        kustomization(BEHIND, dependsOn=[{"name": PARKED}]),
        kustomization(BESIDE),
    ]
    for name, objects in {
        "roots": [source, kustomization("cluster")],
        "cluster": children,
        PARKED: [config_map(PARKED, LATE)],
        BEHIND: [config_map(BEHIND, "default")],
        BESIDE: [config_map(BESIDE, "default")],
    }.items():
        (tree / name).mkdir(parents=True)
        (tree / name / "objects.yaml").write_text(yaml.safe_dump_all(objects))


def inventory() -> dict[str, Any]:
    parent = f"{SYSTEM}/cluster"
    items: list[dict[str, Any]] = [{"key": f"{SYSTEM}/{n}"} for n in (PARKED, BEHIND, BESIDE)]
    for item in items:
        item["parent"] = parent
    items[1]["depends_on"] = [f"{SYSTEM}/{PARKED}"]
    return {
        "schema": "rekindle.inventory/1",
        "roots": [parent],
        "namespaces": ["default", SYSTEM, "kube-system", LATE],
        "kustomizations": [{"key": parent}, *items],
    }


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    write_tree(folder / "tree")
    with Testbed(folder / "bed", folder / "tree", nodes=1) as bed:
        path = write_plan(bed, folder)
        plan = yaml.safe_load(path.read_text())
        (folder / "inventory.yaml").write_text(yaml.safe_dump(inventory()))
        plan["inventory"] = {"file": str(folder / "inventory.yaml")}
        plan["flux"]["roots"] = str(folder / "tree" / "roots")
        del plan["crds"]
        path.write_text(yaml.safe_dump(plan))
        operator = Operator(bed, folder, folder / "parked.db", path)
        try:
            yield operator
        finally:
            operator.stop()


def listed(operator: Operator) -> dict[str, Any]:
    """Every Kustomization by its name; none while nobody answers."""
    try:
        found = operator.bed.kubectl("get", "kustomizations", "-n", SYSTEM, "-o", "json")
    except RuntimeError:
        return {}
    return {item["metadata"]["name"]: item for item in json.loads(found)["items"]}


def ready(operator: Operator, name: str) -> str:
    """The condition Ready: its status and message."""
    status = listed(operator).get(name, {}).get("status", {})
    found = (c for c in status.get("conditions", ()) if c["type"] == "Ready")
    return next((f"{c['status']} {c['message']}" for c in found), "")


def nudges(operator: Operator) -> list[tuple[str, str]]:
    """(whom, for what) of each nudge that reached its object."""
    with Reader(operator.journal) as reader:
        run = reader.newest_run()
        assert run is not None
        entries = [row.entry for row in reader.rows(run.run_id)]
    done = {
        entry.action
        for entry in entries
        if isinstance(entry, ActionSettled) and entry.outcome is Outcome.DONE
    }
    return [
        (entry.target.rpartition("/")[2], str(entry.arguments["cause"]))
        for entry in entries
        if isinstance(entry, ActionIntended) and entry.verb == NUDGE and entry.action in done
    ]


def test_what_was_parked_is_ready_seconds_after_its_cause_has_cleared_and_nobody_else_is_woken(
    operator: Operator,
) -> None:
    process = operator.start("run", str(operator.plan), "--json")
    until("it is parked", 300, lambda: f'"{LATE}" not found' in ready(operator, PARKED))
    until("who is beside it is ready", 30, lambda: ready(operator, BESIDE).startswith("True"))
    assert CAUSE not in {cause for _, cause in nudges(operator)}, "woken before its cause cleared"

    operator.bed.kubectl("create", "namespace", LATE)
    cleared = time.monotonic()
    until("it is ready", 15, lambda: ready(operator, PARKED).startswith("True"))
    print(f"\nready {time.monotonic() - cleared:.1f} s after its cause had cleared")
    process.communicate(timeout=RUN_SECONDS)

    assert process.returncode == 0, operator.told()[-4000:]
    woken = nudges(operator)
    assert [whom for whom, cause in woken if cause == CAUSE] == [PARKED]
    assert [cause for whom, cause in woken if whom == PARKED] == [CAUSE]
    assert BESIDE not in {whom for whom, _ in woken}
    objects = listed(operator)
    token = objects[PARKED]["metadata"]["annotations"][REQUESTED_AT]
    assert token.endswith(f"#{CAUSE}")
    assert objects[PARKED]["status"]["lastHandledReconcileAt"] == token
    assert REQUESTED_AT not in objects[BESIDE]["metadata"].get("annotations", {})
