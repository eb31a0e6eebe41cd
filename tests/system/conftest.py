"""
What the system tests share: a testbed, a plan for it, and the program as a process of its own.

One testbed a module: starting a control plane costs more than everything that a test then does to it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rekindle.folding import newest
from tests.testbed.testbed import Testbed

ROOT = Path(__file__).resolve().parents[2]
ANTON = ROOT / "examples" / "anton"
RUN_SECONDS = 900.0
WITHOUT_JOURNAL = {"diagnose", "inventory"}
WRAPPER = """#!/usr/bin/env bash
# Notes when it begins and ends, so that a test can tell whether two ever ran at once.
set -euo pipefail
echo "begin $$ $(date +%s.%N)" >>"$COMMAND_LOG"
bash "$APPS"
echo "end $$ $(date +%s.%N)" >>"$COMMAND_LOG"
"""


@dataclass
class Operator:
    """A person at a terminal without a TTY: runs the program, and answers what it asks."""

    bed: Testbed
    folder: Path
    journal: Path
    plan: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def stop(self) -> None:
        """End what is still running of what was started here."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.bed.environment, "NO_COLOR": "1"}

    def start(self, *arguments: str, journal: Path | None = None) -> subprocess.Popen[str]:
        """Begin a command in the background; its output goes to a file beside the journal."""
        command = [sys.executable, "-m", "rekindle", *arguments]
        if arguments[0] not in WITHOUT_JOURNAL:
            command += ["--journal", str(journal or self.journal)]
        with (self.folder / "operator.log").open("a") as log:
            process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.started.append(process)
        return process

    def call(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end; (exit code, stdout)."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=RUN_SECONDS)
        return process.returncode, output

    def run(self) -> tuple[int, dict[str, Any]]:
        """``rekindle run``; (exit code, document)."""
        code, output = self.call("run", str(self.plan), "--json")
        assert output, (self.folder / "operator.log").read_text()[-4000:]
        return code, json.loads(output)

    def resume(self) -> tuple[int, dict[str, Any]]:
        code, output = self.call("resume", "--json")
        assert output, (self.folder / "operator.log").read_text()[-4000:]
        return code, json.loads(output)

    def state(self) -> str:
        """The state that the journal knows; empty while there is none."""
        try:
            found = newest(self.journal)
        except Exception:  # noqa: BLE001  it is being created
            return ""
        return found.memory.state if found is not None else ""

    def told(self) -> str:
        return (self.folder / "operator.log").read_text()

    def commands(self) -> list[list[str]]:
        """What the wrapper noted: [begin or end, pid, instant]."""
        log = self.folder / "commands.log"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def write_plan(bed: Testbed, folder: Path) -> Path:
    """Write anton's plan for this testbed: the same roots, inventory and command, the testbed's nodes."""
    plan = yaml.safe_load((ANTON / "recovery.yaml").read_text())
    wrapper = folder / "apps.sh"
    wrapper.write_text(WRAPPER)
    plan["talos"] = {
        "talosconfig": str(bed.talosconfig),
        "talosctl": str(bed.bin / "talosctl"),
        "nodes": {
            name: {"address": address, "config": str(bed.machine_configs[name])}
            for name, address in bed.nodes.items()
        },
    }
    plan["kubernetes"] = {"kubeconfig": str(folder / "our-kubeconfig")}
    plan["flux"]["roots"] = str(ANTON / "bootstrap" / "root")
    plan["crds"]["directory"] = str(ANTON / "bootstrap" / "crds")
    plan["inventory"] = {"file": str(ANTON / "inventory.yaml")}
    plan["repository"] = str(ANTON)
    plan["commands"]["apps"] = {
        "argv": ["bash", str(wrapper)],
        "deadline": "5m",
        "directory": str(folder),
        "environment": {
            "APPS": str(ANTON / "bootstrap" / "apps.sh"),
            "COMMAND_LOG": str(folder / "commands.log"),
            "FLUX_CRDS": str(bed.bin / "crds"),
        },
    }
    path = folder / "recovery.yaml"
    path.write_text(yaml.safe_dump(plan, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("bed")
    with Testbed(folder / "bed", ANTON) as bed:
        plan = write_plan(bed, folder)
        operator = Operator(bed, folder, folder / "anton.db", plan)
        try:
            yield operator
        finally:
            operator.stop()


def until(what: str, seconds: float, true: Callable[[], bool]) -> None:
    """Wait for something that a test made happen."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.05)
