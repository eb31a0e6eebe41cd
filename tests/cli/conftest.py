"""The program as its users have it: a process, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
