"""A repository of a few Kustomizations, and a plan for a testbed of one node: for what needs no cluster of 104 pods."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from journal.entries import ActionIntended, ActionSettled, AnyEntry, Outcome
from journal.reader import Reader
from phases.verbs import NUDGE
from tests.system.conftest import ANTON, Operator, write_plan
from tests.testbed.testbed import Testbed

SYSTEM = "flux-system"
PARENT = f"{SYSTEM}/cluster"
Objects = list[dict[str, Any]]


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


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def write_tree(tree: Path, children: Objects, brought: dict[str, Objects]) -> None:
    """Write a repository that is brought up as anton's is; *brought* is what each child applies, by its name."""
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
    roots = [source, kustomization("cluster")]
    for name, objects in {"roots": roots, "cluster": children, **brought}.items():
        (tree / name).mkdir(parents=True)
        (tree / name / "objects.yaml").write_text(yaml.safe_dump_all(objects))


def inventory(children: Objects, namespaces: list[str]) -> dict[str, Any]:
    """What should exist, by the children themselves."""
    items: list[dict[str, Any]] = []
    for child in children:
        item: dict[str, Any] = {"key": f"{SYSTEM}/{child['metadata']['name']}", "parent": PARENT}
        needs = [f"{SYSTEM}/{one['name']}" for one in child["spec"].get("dependsOn", ())]
        items.append({**item, "depends_on": needs} if needs else item)
    return {
        "schema": "rekindle.inventory/1",
        "roots": [PARENT],
        "namespaces": ["default", SYSTEM, "kube-system", *namespaces],
        "kustomizations": [{"key": PARENT}, *items],
    }


@contextmanager
def operating(folder: Path, expected: dict[str, Any]) -> Iterator[Operator]:
    """Begin a testbed of one node for the tree in *folder*, with a plan that expects this inventory."""
    with Testbed(folder / "bed", folder / "tree", nodes=1) as bed:
        path = write_plan(bed, folder)
        plan = yaml.safe_load(path.read_text())
        (folder / "inventory.yaml").write_text(yaml.safe_dump(expected))
        plan["inventory"] = {"file": str(folder / "inventory.yaml")}
        plan["flux"]["roots"] = str(folder / "tree" / "roots")
        del plan["crds"]
        path.write_text(yaml.safe_dump(plan))
        operator = Operator(bed, folder, folder / "small.db", path)
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


def entries(operator: Operator) -> list[AnyEntry]:
    """What the newest run's journal says."""
    with Reader(operator.journal) as reader:
        run = reader.newest_run()
        assert run is not None
        return [row.entry for row in reader.rows(run.run_id) if row.entry is not None]


def deeds(operator: Operator, verb: str) -> list[ActionIntended]:
    """The actions of a verb that were done."""
    told = entries(operator)
    done = {e.action for e in told if isinstance(e, ActionSettled) and e.outcome is Outcome.DONE}
    return [
        e for e in told if isinstance(e, ActionIntended) and e.verb == verb and e.action in done
    ]


def nudges(operator: Operator) -> list[tuple[str, str]]:
    """(whom, for what) of each nudge that reached its object."""
    return [
        (deed.target.rpartition("/")[2], str(deed.arguments["cause"]))
        for deed in deeds(operator, NUDGE)
    ]
