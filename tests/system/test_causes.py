"""
Every cause that a real control plane with real Flux can be brought into, and what `rekindle diagnose` calls it.

One cluster, and three acts: it is well, and a hundred looks find nothing; it is broken in all ways at once, and each
is named; and then what cannot be had at the same time. What is expected stands in `tests/testbed/causes/expected.py`.

The hundred looks have all that a rule may ask for: the inventory that `rekindle inventory --from cluster` takes, logs
(this cluster has none that a rule asks for: kubelets are played) and the machines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from phases import codes
from phases.diagnosis.pods import pods_on
from phases.diagnosis.scene import Scene
from phases.snapshot import LISTED_KINDS, NodeLook, Snapshot, Unseen
from phases.snapshot import Seen as Listed
from rekindle.adapters.listing import cluster_of, list_all
from rekindle.adapters.talos import NodeEye, Talosctl, TalosNodeAddress
from rekindle.diagnosed import HEALTHY, of_scene
from rekindle.inventoried import Taken, of_cluster
from tests.testbed.causes.cluster import HERE, Causes
from tests.testbed.causes.expected import (
    AWAY,
    BUSY,
    EVERYTHING,
    INVENTORIED,
    LOCKED,
    TOGETHER,
    Cause,
    family_of,
)
from tests.testbed.testbed import Testbed

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
LOOKS = 100
PATIENCE_SECONDS = 240.0
MOMENT_SECONDS = 90.0
MACHINE_SECONDS = 3.0  # how old a look at the machines may grow; it counts for ten
COMMAND_SECONDS = 60.0


@dataclass
class Watched:
    """
    All that was said of a cluster: *healthy* while it was well, *said* since, *last* when all was broken at once.

    Of those first looks: the *verdicts*, how many kinds had something to be missed (*expected*), the *machines* seen.
    """

    healthy: list[set[str]] = field(default_factory=list)
    verdicts: set[str] = field(default_factory=set)
    expected: list[int] = field(default_factory=list)
    machines: list[int] = field(default_factory=list)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    last: dict[str, dict[str, Any]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    took: dict[str, float] = field(default_factory=dict)

    def lacks(self, causes: tuple[Cause, ...]) -> list[str]:
        """What is not yet said as it has to be."""
        told = {name: _clears(found) for name, found in self.said.items()}
        return [f"{c.id} {c.clears}" for c in causes if told.get(c.id) != c.clears]


@dataclass
class Observer:
    """Looks with the real command, at a cluster that is broken."""

    causes: Causes
    watched: Watched

    def diagnose(self, *more: str) -> dict[str, dict[str, Any]]:
        """One run of the command; its findings."""
        words = ["diagnose", "--json", "--kubeconfig", str(self.causes.bed.kubeconfig), *more]
        ended = subprocess.run(
            [sys.executable, "-m", "rekindle", *words],
            env={**os.environ, "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert ended.returncode == 2, ended.stderr
        document = json.loads(ended.stdout)
        assert document["unseen"] == {}
        found: dict[str, dict[str, Any]] = document["findings"]
        self.watched.said.update(found)
        return found

    def until_all(self, causes: tuple[Cause, ...], seconds: float, *more: str) -> None:
        """Look until everything was said; what is missing then is printed, and is a test's matter."""
        end = time.monotonic() + seconds
        while True:
            self.watched.last = self.diagnose(*more)
            lacking = self.watched.lacks(causes)
            if not lacking:
                return
            if time.monotonic() > end:
                print(f"\nnot said within {seconds:g} s: {', '.join(lacking)}")
                return


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    seen = Watched()
    with Causes(tmp_path_factory.mktemp("causes")) as causes:
        observer = Observer(causes, seen)
        _timed(seen, "begin", causes.begin)
        _timed(seen, "looks", lambda: _look_at_what_is_well(causes, seen))
        _timed(seen, "break", causes.break_all)
        _timed(seen, "together", lambda: observer.until_all(TOGETHER, PATIENCE_SECONDS))
        seen.there = _subjects(list_all(causes.bed.kubeconfig)) | _unlisted(causes.bed)
        together = seen.last
        _timed(seen, "delete", causes.delete_under_who_is_ready)
        inventory = ("--inventory", str(HERE / "inventory.yaml"))
        observer.until_all(INVENTORIED, MOMENT_SECONDS, *inventory)
        _timed(seen, "busy", lambda: _moment(causes.keep_workers_busy, observer, BUSY))
        _timed(seen, "locked", lambda: _moment(causes.kill_during_an_install, observer, LOCKED))
        _timed(seen, "away", lambda: _moment(causes.scale_source_controller_away, observer, AWAY))
        seen.last = together
    print(f"\n{ {name: round(seconds) for name, seconds in seen.took.items()} }")
    return seen


def _timed(seen: Watched, name: str, act: Callable[[], object]) -> None:
    begun = time.monotonic()
    act()
    seen.took[name] = time.monotonic() - begun


def _look_at_what_is_well(causes: Causes, seen: Watched) -> None:
    bed = causes.bed
    causes.bed.wait("an inventory can be taken", lambda: not _taken(bed).unready, MOMENT_SECONDS)
    inventory = _taken(bed).inventory
    machines = Machines(bed)
    for _ in range(LOOKS):
        nodes = machines.look()
        snapshot = replace(list_all(bed.kubeconfig, logs=True), nodes=nodes)
        assert all(isinstance(look, Listed) for look in snapshot.objects.values())
        scene = Scene(snapshot, inventory)
        found = of_scene(scene)
        seen.healthy.append(set(found.findings))
        seen.verdicts.add(found.verdict)
        seen.expected.append(len(found.counts))
        seen.machines.append(sum(look is not None for look in scene.machines().values()))


def _taken(bed: Testbed) -> Taken:
    """As `rekindle inventory --from cluster` does."""
    return of_cluster(list_all(bed.kubeconfig, kinds=LISTED_KINDS), cluster_of(bed.kubeconfig))


class Machines:
    """Looks at the machines, but not every time."""

    def __init__(self, bed: Testbed) -> None:
        talosctl = Talosctl(str(bed.bin / "talosctl"), bed.talosconfig)
        self._eyes = {
            name: NodeEye(talosctl, TalosNodeAddress(name, address))
            for name, address in bed.nodes.items()
        }
        self._looks: dict[str, Listed[NodeLook] | Unseen] = {}
        self._at = -MACHINE_SECONDS

    def look(self) -> dict[str, Listed[NodeLook] | Unseen]:
        """The last look, or a new one: each takes about a second."""
        if time.monotonic() - self._at > MACHINE_SECONDS:
            self._looks = {name: eye.look() for name, eye in self._eyes.items()}
            self._at = time.monotonic()
        return self._looks


def _moment(act: Callable[[], None], observer: Observer, cause: Cause) -> None:
    """What would keep the other causes from showing, or be gone by the time they do."""
    act()
    observer.until_all((cause,), MOMENT_SECONDS)


def _subjects(snapshot: Snapshot) -> set[str]:
    listed = {kind: x.value for kind, x in snapshot.objects.items() if isinstance(x, Listed)}
    return {
        codes.k8s_node(key) if kind == "Node" else codes.subject(kind, key)
        for kind, found in listed.items()
        for key in found
    } | {pods_on(pod.spec.node_name) for pod in listed["Pod"].values()}


def _unlisted(bed: Testbed) -> set[str]:
    """Secrets and ConfigMaps are never listed by the program; here their names are."""
    words = ("get", "secrets,configmaps", "--namespace=flux-system", "--output=name")
    return {name.replace("/", "/flux-system/") for name in bed.kubectl(*words).split()}


def _clears(found: dict[str, Any]) -> str:
    """The document leaves out what is as it mostly is."""
    return str(found.get("clears_itself", "unknown"))


def _name(cause: Cause) -> str:
    return cause.id


def test_a_cluster_that_is_well_has_no_finding_in_a_hundred_looks(watched: Watched) -> None:
    assert watched.healthy == [set()] * LOOKS
    assert watched.verdicts == {HEALTHY}


def test_in_these_looks_there_was_something_to_miss_and_every_machine_was_seen(
    watched: Watched,
) -> None:
    """Else the rules that ask for it find nothing in any cluster."""
    assert min(watched.expected) > 0
    assert watched.machines == [3] * LOOKS


@pytest.mark.parametrize("cause", EVERYTHING, ids=_name)
def test_a_cause_is_named_with_its_subject_and_whether_it_clears(
    watched: Watched, cause: Cause
) -> None:
    assert cause.id in watched.said, sorted(watched.said)
    found = watched.said[cause.id]

    assert _clears(found) == cause.clears, found["message"]
    assert (found["rule"], found["subject"]) == (cause.rule, cause.subject)


@pytest.mark.parametrize("cause", EVERYTHING, ids=_name)
def test_a_neighbour_that_is_well_is_not_named(watched: Watched, cause: Cause) -> None:
    """Neither as what it is about nor as what it blocks; and something of its family is."""
    found = [one for one in watched.said.values() if one["rule"] == cause.rule]
    named = {name for one in found for name in (one["subject"], *one.get("blocks", ()))}

    assert cause.well in watched.there
    assert cause.well not in named
    assert cause.family in {family_of(name) for name in named}


def test_nothing_is_said_that_is_not_so(watched: Watched) -> None:
    """Everything was broken by hand, so that it is known what there is to be found."""
    expected = {cause.id for cause in TOGETHER}

    assert {
        name: watched.last[name]["message"] for name in watched.last if name not in expected
    } == {}


def test_no_message_has_a_value_of_a_secret(watched: Watched) -> None:
    said = json.dumps(watched.said)

    assert "AGE-SECRET-KEY" not in said
