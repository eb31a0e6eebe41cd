"""
The example with states of its own, not rehearsed: ``rekindle run`` of its plan, killed with ``kill -9`` and resumed.

Machine, commands, probes and the phase by its entry point are the example's own. What its commands start
are ``kubectl`` and ``talosctl`` of this file: the nodes are files, and each begin and end of a command is a line. Only
waits are shorter than in the example. No testbed: ports and API are a bad night's.

Promise: wherever it was killed it comes to the same end, every command was run once, and none beside another.
Mutants, each tried: ``orphans.is_running`` says no (what runs is said to have ended); ``Runner`` adopts nothing (it
waits for what has long ended). Only the program that is installed meets them: its environment is the operator's.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rekindle.adapters.tls_probe import TALOS_PORT
from tests.adapters.conftest import write_program
from tests.adapters.talos_nodes import BOOT_ID, configured, server
from tests.system.nights.lying import deployment, meta, network
from tests.system.nights.stage import Running, Stage, free_address, staged, until

pytestmark = pytest.mark.program
OWN = Path(__file__).parents[2] / "examples" / "own-states"
NODES = ("k8s-1", "k8s-2", "k8s-3")
NETWORK = ("cilium-operator", "coredns")
BEFORE, AFTER = "v1.11.4", "v1.11.5"
# What changes a node. One that is held goes on when somebody lets it.
DOES = """#!/bin/sh
set -eu
nodes=$(dirname "$0")/../nodes verb=$1 node=$2
echo "begin $verb $node" >> "$nodes/log"
while [ -e "$nodes/$node/hold-$verb" ]; do sleep 0.05; done
case $verb in
cordon) touch "$nodes/$node/cordoned" ;;
drain) touch "$nodes/$node/drained" ;;
upgrade)
  touch "$nodes/$node/away"
  until [ -e "$nodes/$node/seen-away" ]; do sleep 0.05; done
  echo "$3" > "$nodes/$node/version" ;;
uncordon) rm "$nodes/$node/cordoned" "$nodes/$node/drained" ;;
esac
echo "end $verb $node" >> "$nodes/log"
"""
KUBECTL = """#!/bin/sh
nodes=$(dirname "$0")/../nodes
case "$*" in
"cordon "* | "drain "* | "uncordon "*) exec "$(dirname "$0")/does" "$1" "$2" ;;
*unschedulable*) if [ -e "$nodes/$4/cordoned" ]; then printf true; fi ;;
*ownerReferences*)
  node=${6#spec.nodeName=}
  echo DaemonSet
  if ! [ -e "$nodes/${node%%,*}/drained" ]; then echo ReplicaSet; fi ;;
*osImage*) printf 'Talos (%s)' "$(cat "$nodes/$4/version")" ;;
*) exit 64 ;;
esac
"""
TALOSCTL = """#!/bin/sh
here=$(dirname "$0")
case "$*" in
*" upgrade --image="*) exec "$here/does" upgrade "$(cat "$here/../nodes/${1#--endpoints=}")" "${4##*:}" ;;
*) exec "$here/asked" "$@" ;;
esac
"""
HEADER = ("NODE", "ID", "HOSTNAME", "PEER URLS", "CLIENT URLS", "LEARNER")
MEMBERS = "\n".join(
    f"{node:11}{member:19}{name:11}{peer:24}{client:24}{learner}"
    for node, member, name, peer, client, learner in (
        HEADER,
        *(
            (
                "10.5.0.2",
                f"4b7c1a2f4e6c1d2{number}",
                name,
                "https://x:2380",
                "https://x:2379",
                "false",
            )
            for number, name in enumerate(NODES)
        ),
    )
)
EVERYTHING_ONCE = [
    f"{what} {verb} {node}"
    for node in NODES
    for verb in ("cordon", "drain", "upgrade", "uncordon")
    for what in ("begin", "end")
]


@dataclass(frozen=True)
class Kill:
    """
    When: once it has *moved* to that state, or while *runs*, a verb and a node.

    What was killed while a command runs is resumed while it still does, or after it has ended *unseen*.
    """

    moved: str = ""
    runs: str = ""
    unseen: bool = False

    @property
    def hold(self) -> str:
        verb, _, node = self.runs.partition(" ")
        return f"{node}/hold-{verb}"


BETWEEN = tuple(
    Kill(moved=state)
    for state in (
        "drain-k8s-1",
        "settle-k8s-1",
        "cordon-k8s-2",
        "settle-k8s-2",
        "uncordon-k8s-3",
        "pods-healthy",
    )
)
RUNNING = (
    Kill(runs="cordon k8s-1"),
    Kill(runs="drain k8s-1", unseen=True),
    Kill(runs="upgrade k8s-2"),
    Kill(runs="upgrade k8s-3", unseen=True),
    Kill(runs="uncordon k8s-3"),
)


@dataclass
class Walked:
    """Three nodes, each a folder, and their operator."""

    stage: Stage
    addresses: dict[str, str]
    shown: dict[str, Any] = field(default_factory=dict)
    due: str = ""  # in which state it is killed next: what would end that state waits for the kill

    @property
    def nodes(self) -> Path:
        return self.stage.tmp / "nodes"

    def write(self) -> None:
        """Write the nodes, the programs, and what the plan names."""
        for name, address in self.addresses.items():
            (self.nodes / name).mkdir(parents=True)
            (self.nodes / name / "version").write_text(f"{BEFORE}\n")
            (self.nodes / address).write_text(name)
        (self.nodes / "log").touch()
        folder, talosctl = self.stage.talosctl.folder, self.stage.talosctl
        talosctl.program.rename(folder / "asked")
        for program, text in (("does", DOES), ("kubectl", KUBECTL), ("talosctl", TALOSCTL)):
            write_program(folder / program, text)
        shutil.copy(OWN / "bin" / "node", folder)
        talosctl.says("etcd_members", MEMBERS)
        expected = {"schema": "rekindle.inventory/1", "nodes": list(NODES)}
        (self.stage.tmp / "inventory.yaml").write_text(yaml.safe_dump(expected))
        api = self.stage.api
        api.objects["Node"].clear()
        api.put("DaemonSet", network(len(NODES)))
        api.put("Deployment", *(deployment(f"kube-system/{one}") for one in NETWORK))
        self.follow()
        self.plan()

    def plan(self) -> None:
        """Write the example's plan, with shorter waits and with what is where here."""
        theirs = yaml.safe_load((OWN / "recovery.yaml").read_text())
        for probe in theirs["probes"].values():
            probe["every"] = "1s"
        states = theirs["machine"]["states"]
        for step in ("cordon", "drain", "uncordon"):
            states["nodes"]["steps"][step]["options"]["settle"] = "1s"
        states["pods-healthy"]["stable"] = "5s"  # long enough to be killed in
        theirs["commands"]["apps"]["directory"] = "."
        nodes = {
            name: {"address": address, "config": "cp-1.yaml"}
            for name, address in self.addresses.items()
        }
        self.stage.plan(
            talos={"talosconfig": "talosconfig", "nodes": nodes},
            **{part: theirs[part] for part in ("cni", "commands", "probes", "machine")},
        )

    def follow(self) -> None:
        """Let the API show what the nodes are; one that is upgraded is back when the run waits for it."""
        for name in NODES:
            folder = self.nodes / name
            away = folder / "away"
            settling = f"settle-{name}"
            if away.exists() and settling != self.due and settling in self.moved():
                away.unlink()
            ready = {"type": "Ready", "status": str(not away.exists()), "reason": "x"}
            spec = {"unschedulable": True} if (folder / "cordoned").exists() else {}
            status = {"conditions": [ready], "nodeInfo": {"bootID": BOOT_ID}}
            found = {"metadata": meta(name), "spec": spec, "status": status}
            if self.shown.get(name) != found:
                self.shown[name] = found
                self.stage.api.put("Node", found)
            if away.exists():
                (folder / "seen-away").touch()

    def moved(self) -> list[str]:
        return [str(entry.target) for entry in self.stage.entries("moved")]

    def lines(self) -> list[str]:
        return (self.nodes / "log").read_text().splitlines()

    def until(self, what: str, true: Callable[[], bool], running: Running | None = None) -> None:
        def reached() -> bool:
            self.follow()
            over = running is not None and running.process.poll() is not None
            assert true() or not over, running and running.told()
            return true()

        until(what, reached, running.told if running else self.lines)

    # --- kills -------------------------------------------------------------------------------

    def killed(self, running: Running, kill: Kill) -> None:
        """Kill the program when it is time."""
        self.due = kill.moved
        if kill.moved:
            self.until(kill.moved, lambda: kill.moved in self.moved(), running)
        else:
            self.until(kill.runs, lambda: f"begin {kill.runs}" in self.lines(), running)
        running.process.kill()
        running.process.wait()
        self.due = ""

    def resumed(self, kill: Kill) -> Running:
        """Go on after it, and let go of what was held."""
        hold = self.nodes / kill.hold
        if kill.unseen:
            hold.unlink()
            self.until("its end", lambda: f"end {kill.runs}" in self.lines())
        before = len(self.stage.rows())
        running = self.stage.start("resume", "--json")
        self.until("it goes on", lambda: "run.resumed" in self.kinds(before), running)
        if kill.runs and not kill.unseen:
            self.until("a look", lambda: "observed" in self.kinds(before), running)
            assert "action.settled" not in self.kinds(before), "what runs was said to have ended"
            hold.unlink()
        return running

    def kinds(self, after: int) -> list[str]:
        return [row.kind for row in self.stage.rows()[after:]]


@contextmanager
def walking(tmp: Path) -> Iterator[Walked]:
    with staged(tmp) as stage, ExitStack() as ports:
        addresses = {NODES[0]: stage.address}
        for name in NODES[1:]:
            addresses[name] = free_address()
            port = (addresses[name], TALOS_PORT)
            ports.enter_context(server(configured(stage.certificate), port))
        walked = Walked(stage, addresses)
        walked.write()
        yield walked


@pytest.mark.parametrize(
    "kills", [(), BETWEEN, RUNNING], ids=["never", "between-states", "while-a-command-runs"]
)
def test_a_walk_that_is_killed_comes_to_the_same_end(
    tmp_path: Path, kills: tuple[Kill, ...]
) -> None:
    with walking(tmp_path / "home") as walked:
        for kill in kills:
            if kill.runs:
                (walked.nodes / kill.hold).touch()
        running = walked.stage.start("run", "recovery.yaml", "--json")
        for kill in kills:
            walked.killed(running, kill)
            running = walked.resumed(kill)
        walked.until("its end", lambda: running.process.poll() is not None, running)
        said = running.ended()

        assert said.code == 0, said.err
        assert json.loads(said.out)["outcome"] == "done"
        assert walked.lines() == EVERYTHING_ONCE
        for name in NODES:
            assert (walked.nodes / name / "version").read_text() == f"{AFTER}\n"
            assert not (walked.nodes / name / "cordoned").exists()
        assert len(walked.stage.entries("run.resumed")) == len(kills)
        assert walked.stage("log", "--verify").code == 0
        assert walked.stage("replay").code == 0
