"""What a plan file may say about its cluster: each error at its place, all of them at once."""

from __future__ import annotations

from typing import Any

import pytest

from engine.errors import PlanInvalid, Problem
from engine.plan import Plan, load
from engine.yamlfile import Marks, YamlFile
from phases import sectionfile
from phases.recipe import recipe

INVENTORY = """schema: rekindle.inventory/1
namespaces: [apps]
workloads:
- {kind: Deployment, key: apps/web, pods: 2}
- {kind: StatefulSet, key: apps/db, pods: 1}
pods: 3
"""
PLAN = """cluster: home
talos:
  talosconfig: talosconfig
  nodes:
    cp-1: {address: 192.0.2.11, config: cp-1.yaml}
    cp-2: {address: 192.0.2.12, config: cp-2.yaml}
kubernetes: {kubeconfig: kubeconfig}
cni: {daemonset: kube-system/cilium, command: bootstrap}
flux: {roots: roots.yaml}
inventory: {file: inventory.yaml}
commands:
  bootstrap: {argv: [helmfile, sync]}
"""


def loaded(text: str, inventory: str = INVENTORY) -> Plan:
    def include(path: str) -> YamlFile:
        if path != "inventory.yaml":
            raise FileNotFoundError(2, "No such file or directory", path)
        return YamlFile(path, inventory)

    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        del marks, problems
        return section

    return load(YamlFile("p.yaml", text), recipe(), include, finish)


def refused(text: str, inventory: str = INVENTORY) -> list[str]:
    with pytest.raises(PlanInvalid) as caught:
        loaded(text, inventory)
    return [str(problem) for problem in caught.value.problems]


def changed(old: str, new: str) -> str:
    assert old in PLAN
    return PLAN.replace(old, new)


def test_the_smallest_plan_loads() -> None:
    plan = loaded(PLAN)

    assert ("cp-1", "cp-2") == plan.target.talos.control_planes
    expected = {
        "daemonset/kube-system/cilium": 2,
        "deployment/apps/web": 2,
        "statefulset/apps/db": 1,
    }
    watched = {subject: pods for _, _, subject, pods in plan.target.workloads}
    assert expected.items() <= watched.items()
    assert "deployment/flux-system/kustomize-controller" in watched


def test_who_is_told_and_of_what() -> None:
    notify = loaded(PLAN + "notify: {argv: [tell, me], on: [done]}\n").target.notify

    assert notify.argv == ("tell", "me")
    assert notify.on == ("done",)
    assert notify.deadline_seconds == 30.0
    assert loaded(PLAN).target.notify is None


CASES = {
    "an unknown key": (
        changed("flux: {", "flux: {speed: 9, "),
        "9:8: flux.speed: unknown key",
    ),
    "nobody to tell": (
        PLAN + "notify: {argv: []}\n",
        "13:10: notify.argv: Tuple should have at least 1 item after validation, not 0",
    ),
    "a moment that is never told": (
        PLAN + "notify: {argv: [tell], on: [dinner]}\n",
        "13:29: notify.on[0]: Input should be 'approval', 'blocked' or 'done'",
    ),
    "a command to tell with no span": (
        PLAN + "notify: {argv: [tell], deadline: soon}\n",
        "13:24: notify.deadline: 'soon' is no duration; write it like 30s, 15m or 1h30m",
    ),
    "an unknown part": (PLAN + "storage: {}\n", "13:1: storage: unknown key"),
    "no flux at all": (changed("flux: {roots: roots.yaml}\n", ""), "1:1: flux: is missing"),
    "an unknown command": (
        changed("command: bootstrap", "command: boot"),
        "8:38: cni.command: no command 'boot' under commands",
    ),
    "an unknown command of flux": (
        changed("flux: {", "flux: {command: boot, "),
        "9:8: flux.command: no command 'boot' under commands",
    ),
    "a command that is to run once": (
        changed("sync]}", "sync]}\n  wipe: {argv: [wipe], effect: once, guard: it is empty}"),
        f"13:24: commands.wipe.effect: {sectionfile.AGAIN}",
    ),
    "a command with a probe of its own": (
        changed("sync]}", "sync]}\n  wipe: {argv: [wipe], probe: [look]}"),
        f"13:24: commands.wipe.probe: {sectionfile.AGAIN}",
    ),
    "a command with a guard": (
        changed("sync]}", "sync]}\n  wipe: {argv: [wipe], guard: it is empty}"),
        f"13:24: commands.wipe.guard: {sectionfile.AGAIN}",
    ),
    "a command without words": (
        changed("[helmfile, sync]", "[]"),
        "12:15: commands.bootstrap.argv: Tuple should have at least 1 item after validation, not 0",
    ),
    "a command's bad deadline": (
        changed("sync]}", "sync], deadline: soon}"),
        "12:39: commands.bootstrap.deadline: 'soon' is no duration; write it like 30s, 15m or 1h30m",
    ),
    "one address for two nodes": (
        changed("192.0.2.12", "192.0.2.11"),
        "6:12: talos.nodes.cp-2.address: 192.0.2.11 is given to two nodes",
    ),
    "no control plane": (
        PLAN.replace(", config", ", role: worker, config"),
        "4:3: talos.nodes: no node has the role controlplane",
    ),
    "an odd role": (
        changed("cp-1.yaml}", "cp-1.yaml, role: king}"),
        "5:52: talos.nodes.cp-1.role: Input should be 'controlplane' or 'worker'",
    ),
    "no inventory": (
        changed("inventory: {file: inventory.yaml}\n", ""),
        "1:1: inventory: write it as {file: PATH}",
    ),
    "an inventory written into the plan": (
        changed("{file: inventory.yaml}", "{pods: 3}"),
        "10:1: inventory: write it as {file: PATH}",
    ),
    "an inventory that is not there": (
        changed("file: inventory.yaml", "file: elsewhere.yaml"),
        "10:13: inventory.file: cannot be read: No such file or directory; `rekindle inventory` writes one",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_error_of_the_plan_is_said_at_its_place(name: str) -> None:
    text, expected = CASES[name]

    assert f"p.yaml:{expected}" in refused(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INVENTORY.replace("pods: 3", "pods: 4"), "6:1: pods: the workloads above have 3 pods"),
        (INVENTORY.replace("pods: 3\n", ""), "1:1: pods: the workloads above have 3 pods"),
        (
            INVENTORY.replace("apps/db, pods: 1", "apps/db, pods: -1"),
            "5:37: workloads[1].pods: Input",
        ),
        (INVENTORY.replace("apps/db", "db"), "5:23: workloads[1].key: write it as namespace/name"),
        (INVENTORY.replace("StatefulSet", "Zoo"), "5:4: workloads[1].kind: Input should be"),
        (INVENTORY.replace("inventory/1", "inventory/2"), "1:1: schema: Input should be"),
        (INVENTORY + "colour: red\n", "7:1: colour: unknown key"),
        (INVENTORY + "pods: 3\n", "7:1: pods: this key stands at line 6 already"),
        ("", "1:1: $: the file is empty"),
    ],
)
def test_an_error_of_the_inventory_is_said_in_the_inventory(text: str, expected: str) -> None:
    assert any(line.startswith(f"inventory.yaml:{expected}") for line in refused(PLAN, text))


def test_the_errors_of_both_files_come_at_once() -> None:
    found = refused(changed("192.0.2.12", "192.0.2.11"), INVENTORY.replace("pods: 3", "pods: 4"))

    assert {"p.yaml", "inventory.yaml"} == {line.partition(":")[0] for line in found}


def test_the_default_machine_is_complete() -> None:
    plan = loaded(PLAN)

    states = ("node-maintenance", "talos-ready", "cni-up", "flux-synced", "pods-healthy")
    assert states == plan.states
    assert 30.0 == plan.machine.states["pods-healthy"].stable


SOUP = """cluster: 42
machine:
  initial: nowhere
  states:
    cni-up: {deadline: {after: 15x}}
  verbs:
    etcd.bootstrap: {retry: {attempts: 300}}
    paint: {}
talos:
  talosconfig: talosconfig
  nodes:
    cp-1: {address: 1.2.3.4.5, config: cp-1.yaml, role: boss}
kubernetes: {kubeconfig: kubeconfig}
cni: {daemonset: cilium, command: boostrap}
flux: {roots: roots.yaml}
inventory: {file: inventory.yaml}
commands:
  bootstrap: {argv: [], deadline: 15x}
  other: {argv: [true-enough], deadline: 15x}
"""


def test_every_error_of_every_kind_is_said_at_once_and_none_that_is_none() -> None:
    """Mutant: let ``remains`` return None; the names and limits wait for the next round of mending."""
    with pytest.raises(PlanInvalid) as caught:
        loaded(SOUP)
    told = {f"{p.line}: {p.path}" for p in caught.value.problems}

    assert told == {
        "1: cluster",
        "3: machine.initial",
        "5: machine.states.cni-up.deadline.after",
        "7: machine.verbs.etcd.bootstrap.retry.attempts",
        "8: machine.verbs.paint",
        "12: talos.nodes.cp-1.address",
        "12: talos.nodes.cp-1.role",
        "14: cni.daemonset",
        "14: cni.command",
        "18: commands.bootstrap.argv",
        "18: commands.bootstrap.deadline",
        "19: commands.other.deadline",
    }


@pytest.mark.parametrize("text", ["a:\n\t- b\n", PLAN + "---\n" + PLAN, "", "# a remark\n"])
def test_what_is_no_yaml_is_told_alone(text: str) -> None:
    with pytest.raises(PlanInvalid) as caught:
        loaded(text)

    assert len(caught.value.problems) == 1
