"""The program as its users have it: a process, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from journal.errors import Diagnosed
from journal.reader import Reader

SECONDS = 120.0


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The last line of stdout, which is one JSON document."""
        document: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return document


@dataclass(frozen=True)
class Program:
    """``rekindle``, with a state folder of its own."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("REKINDLE")}
        return {**kept, "XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "rekindle", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_entry(
        self, journal: Path, kind: str, scenario: str = "june-12", speed: int = 60
    ) -> subprocess.Popen[str]:
        """Start a rehearsal, slowly, and return it as soon as its journal has an entry of that kind."""
        words = ("rehearse", scenario, "--speed", str(speed), "--journal", str(journal), "--json")
        process = self.start(*words)
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                with Reader(journal) as reader:
                    if any(row.kind == kind for row in reader.rows()):
                        return process
            except Diagnosed:
                pass  # not there yet
            time.sleep(0.05)
        process.kill()
        process.communicate()
        pytest.fail(f"no {kind} within a minute")

    def __call__(self, *arguments: str) -> Answer:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=SECONDS)
        assert "Traceback" not in err, err
        return Answer(process.returncode, out, err)


@pytest.fixture
def rekindle(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def scenario_without_operator(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario of the package, with nobody there to answer."""

    def make(name: str) -> Path:
        import yaml

        from rekindle.simulator.scenario import find_scenario

        source = find_scenario(name)
        scenario = yaml.safe_load(source.read_text())
        scenario["operator"] = []
        scenario["tree"] = str(source.parents[1] / "data" / scenario["tree"])
        path = tmp_path / f"{name}-alone.yaml"
        path.write_text(yaml.safe_dump(scenario, sort_keys=False))
        return path

    return make
