"""
How long a recovery takes in which a twentieth of the Kustomizations fails at first, beside Flux left alone.

On the testbed: a real API server, real Flux controllers. Sixty Kustomizations with ``interval: 1h`` and no
``retryInterval``; three fail for a cause that clears a little later. ``rekindle run`` recovers them; beside it,
alternating, nobody does anything, with the interval of the three scaled down, since nobody waits an hour for a figure.
Goal: at most 1.2 x the critical path, which is read off a watch (``sighting.py``), not off rekindle's own journal.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fleet
import yaml
from sighting import (
    ALL,
    CAUSE,
    DEPENDENCY,
    ROOT,
    SOURCE,
    START,
    Chain,
    Eye,
    critical_path,
)

from tests.testbed.build import EXIT_CONFIGURATION, CannotBuildError
from tests.testbed.recovery import Recovery
from tests.testbed.testbed import Testbed

GOAL = 1.2
HOUR_SECONDS = 3600
BY_HAND_SECONDS = (
    12.0  # after the root: when somebody makes the namespace that nothing in Git makes
)
PASS_SECONDS, CLEAN_SECONDS = 240.0, 120.0


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass came to: the path that decided, what the program said of it, and how often an object was woken."""

    chain: Chain
    document: dict[str, Any]
    nudges: int


class Bench:
    """Recovers again and again on one testbed."""

    def __init__(self, bed: Testbed, folder: Path, scaled: int) -> None:
        """The control plane and Flux run; there is no root yet."""
        self._bed = bed
        self._folder = folder
        self._scaled = scaled
        self._eye = Eye(str(bed.kubeconfig))
        self._count = 0

    def ours(self) -> Pass:
        """Let rekindle do it."""
        self._count += 1
        plan = write_plan(self._bed, self._folder)
        command = [sys.executable, "-m", "rekindle", "run", str(plan), "--json", "--journal"]
        journal = self._folder / f"pass-{self._count}.db"
        with (self._folder / "rekindle.log").open("a") as log:
            child = subprocess.Popen(
                [*command, str(journal)],
                env=os.environ | self._bed.environment,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        try:
            self._recover(lambda: child.poll() is None)
            said, _ = child.communicate(timeout=CLEAN_SECONDS)
        finally:
            if child.poll() is None:
                child.kill()
        assert child.returncode == 0, (self._folder / "rekindle.log").read_text()[-4000:]
        return self._measured(json.loads(said))

    def plain(self) -> Pass:
        """Apply the root, and leave Flux alone."""
        self._bed.kubectl("apply", "-f", str(fleet.roots(self._bed.tree, f"{self._scaled}s")))
        self._recover(lambda: True)
        found = self._measured({})
        assert not found.nudges, "somebody nudged"
        assert found.chain.parked, "nothing lay on the path"
        return found

    def _recover(self, goes_on: Callable[[], bool]) -> None:
        """Wait until all are ready; be the somebody who makes the one namespace."""
        eye, made = self._eye, False

        def all_ready() -> bool:
            nonlocal made
            failed = eye.of(f"kustomization/{fleet.FOR_SOMEBODY}").failed
            if not made and failed and time.time() - failed > BY_HAND_SECONDS:
                self._bed.kubectl("create", "namespace", fleet.BY_HAND)
                made = True
            return all(map(eye.was_ready, ALL)) or not goes_on()

        self._bed.wait("all Kustomizations are ready", all_ready, PASS_SECONDS)

    def _measured(self, document: dict[str, Any]) -> Pass:
        eye = self._eye
        nudges = sum(len(eye.of(subject).tokens) for subject in ALL)
        for subject in ALL:
            seen = eye.of(subject)
            failed = subject.partition("/")[2] in fleet.LATE
            assert bool(seen.parked_seconds) >= failed, f"{subject} did not fail"
            assert len(seen.tokens) <= seen.blocked, f"{subject} was woken without a cause"
        return Pass(critical_path(eye), document, nudges)

    def clean(self) -> None:
        """Take everything away that a pass brought. The controllers go on, as they do after an accident."""
        bed, eye = self._bed, self._eye
        system = ("--namespace", fleet.SYSTEM)
        bed.kubectl("delete", "kustomization", *system, fleet.ROOT, "--wait=false")
        bed.wait("no Kustomization is left", lambda: not eye.there & {*ALL, ROOT}, CLEAN_SECONDS)
        bed.kubectl("delete", "gitrepository", *system, fleet.SYSTEM)
        spaces = (fleet.SPACE, fleet.BY_HAND, fleet.BY_FLUX)
        bed.kubectl("delete", "namespace", *spaces)
        bed.kubectl("delete", "crd", fleet.CRD)
        brought = {SOURCE, f"crd/{fleet.CRD}", *(f"namespace/{name}" for name in spaces)}
        # What the watch has yet to tell of this pass must not be taken for the next one's.
        bed.wait("nothing of it is left", lambda: not brought & eye.there, CLEAN_SECONDS)
        eye.forget()


def write_plan(bed: Testbed, folder: Path) -> Path:
    """Write what an operator would; only the stability window is shorter, which begins when all is measured."""
    inventory = folder / "inventory.yaml"
    inventory.write_text(yaml.safe_dump(fleet.inventory()))
    script = bed.tree / "bootstrap" / "apps.sh"
    crds = {"FLUX_CRDS": str(bed.bin / "crds")}
    nodes = {
        name: {"address": address, "config": str(bed.machine_configs[name])}
        for name, address in bed.nodes.items()
    }
    plan = {
        "cluster": "anton",
        "talos": {
            "talosconfig": str(bed.talosconfig),
            "talosctl": str(bed.bin / "talosctl"),
            "nodes": nodes,
        },
        "kubernetes": {"kubeconfig": str(folder / "kubeconfig")},
        "cni": {"daemonset": "kube-system/cilium", "command": "apps"},
        "flux": {"roots": str(fleet.roots(bed.tree, fleet.HOUR))},
        "inventory": {"file": str(inventory)},
        "commands": {"apps": {"argv": ["bash", str(script)], "environment": crds}},
        "machine": {"states": {"pods-healthy": {"stable": "1s"}}},
    }
    path = folder / "recovery.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    return path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--scaled", type=int, default=30, help="seconds in place of the hour")
    parser.add_argument("--verbose", action="store_true", help="print each pass's path")
    return parser.parse_args()


def measured(bed: Testbed, folder: Path, options: argparse.Namespace) -> int:
    """Print the figures; 1 when the goal is missed."""
    by_hand = Recovery(bed)
    by_hand.configure()
    by_hand.bootstrap()
    by_hand.manifests()
    bench = Bench(bed, folder, options.scaled)
    ours: list[Pass] = []
    plain: list[Pass] = []
    for _ in range(options.passes):
        for run, passes in ((bench.ours, ours), (bench.plain, plain)):
            if ours:
                bench.clean()
            passes.append(run())
            if options.verbose:
                print(told(passes[-1]), flush=True)
    return int(report(ours, plain, options.scaled) > GOAL)


def told(found: Pass) -> str:
    """Write a pass's path, hop by hop: how long it lay, and how long it was worked on."""
    hops = (
        f"{hop.subject.partition('/')[2] or hop.subject} {hop.begun - hop.due:.1f}+{hop.end - hop.begun:.1f}"
        for hop in found.chain.hops
    )
    return f"  {found.chain.total:.1f} s, path {found.chain.work:.1f} s: {', '.join(hops)}"


def report(ours: list[Pass], plain: list[Pass], scaled: int) -> float:
    """Print the medians; how many times its critical path our recovery takes."""
    median = statistics.median
    factor = HOUR_SECONDS / scaled
    took, alone = (median(p.chain.total for p in passes) for passes in (ours, plain))
    ratio = median(p.chain.total / p.chain.work for p in ours)
    print(
        f"rekindle    {took:7.1f} s  {ratio:5.2f} x the critical path of "
        f"{median(p.chain.work for p in ours):.1f} s (goal {GOAL:g} x), "
        f"{median(p.nudges for p in ours):.0f} nudges, each for a cause"
    )
    lay = {kind: median(p.chain.idle(kind) for p in ours) for kind in (CAUSE, DEPENDENCY, START)}
    print(
        f"            beyond the path: {lay[CAUSE]:.1f} s from the cause's end to the next attempt, "
        f"{lay[DEPENDENCY]:.1f} s after dependencies, {lay[START]:.1f} s in Flux's first queue"
    )
    books = [p.document["counters"]["ledger"] for p in ours]
    print(
        f"            its own ledger: {median(b['seconds'] for b in books):.1f} s, "
        f"{median(b['critical_path_seconds'] for b in books):.1f} s of work on its path (no wait counts there)"
    )
    parked = median(p.chain.parked for p in plain)
    hours = [p.chain.total + p.chain.parked * (factor - 1) for p in plain]
    print(
        f"Flux alone  {alone:7.1f} s  {alone / took:5.2f} x rekindle, with {scaled} s for the hour (1/{factor:g})"
    )
    print(
        f"            unscaled: {alone - parked:.1f} s + {parked:.1f} s parked x {factor:g} = "
        f"{median(hours):.0f} s, {median(hours) / took:.0f} x rekindle"
    )
    print(f"passes {len(ours)}, alternating; load {os.getloadavg()[0]:.1f}")
    return ratio


def main() -> int:
    """Measure on a testbed of its own."""
    options = _options()
    for sign in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sign, signal.default_int_handler)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fleet.write_tree(folder / "tree", (fleet.HOUR, f"{options.scaled}s"))
            with Testbed(folder / "bed", folder / "tree", nodes=1) as bed:
                return measured(bed, folder, options)
    except CannotBuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_CONFIGURATION
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
