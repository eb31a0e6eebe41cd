"""The program as its users have it: a process, its exit code, its two streams."""

from __future__ import annotations

import json
import os
import shutil
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
from tests.cli import forked
from tests.cli.forked import Forked

SECONDS = 120.0
MAIN = "from rekindle.cli.main import main\nmain()"


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
        # Users have buffers, and so the errors of a late flush; and compiled modules.
        # No cluster of whoever runs the tests.
        ours = ("REKINDLE", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "KUBECONFIG")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return {**kept, "XDG_STATE_HOME": str(self.folder / "state"), "NO_COLOR": "1"}

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> Forked:
        """Start the program."""
        return forked.parent().start(arguments, self.folder, {**self.environment, **(env or {})})

    def afresh(
        self, *arguments: str, code: str = "", env: dict[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start it in a new interpreter; *code* is Python that runs in its process before it."""
        begin = ["-c", f"{code}\n{MAIN}"] if code else ["-m", "rekindle"]
        return subprocess.Popen(
            [sys.executable, *begin, *arguments],
            env={**self.environment, **(env or {})},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_entry(
        self, journal: Path, kind: str, scenario: str = "june-12", speed: int = 60
    ) -> Forked:
        """Start a rehearsal, slowly, and return it as soon as its journal has an entry of that kind."""
        return self.until(journal, kind, "rehearse", scenario, "--speed", str(speed))

    def until(self, journal: Path, kind: str, *words: str, times: int = 1) -> Forked:
        """Start a command about a journal, and return it as soon as that has so many entries of a kind."""
        process = self.start(*words, "--journal", str(journal), "--json")
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None:
            try:
                with Reader(journal) as reader:
                    if [row.kind for row in reader.rows()].count(kind) >= times:
                        return process
            except Diagnosed:
                pass  # not there yet
            time.sleep(0.05)
        process.kill()
        pytest.fail(f"no {kind} within a minute: {process.communicate()[1]}")

    def __call__(
        self, *arguments: str, code: str = "", env: dict[str, str] | None = None
    ) -> Answer:
        if code:
            return _ended(self.afresh(*arguments, code=code, env=env))
        return _ended(self.start(*arguments, env=env))


def _ended(process: Forked | subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=SECONDS)
    assert "Traceback" not in err, err
    assert process.returncode is not None
    return Answer(process.returncode, out, err)


@pytest.fixture
def rekindle(tmp_path: Path) -> Program:
    return Program(tmp_path)


def alone(name: str, folder: Path, called: str = "") -> Path:
    """Write a scenario of the package with nobody there to answer, under a name of its own if one is given."""
    import yaml

    from rekindle.simulator.scenario import find_scenario

    source = find_scenario(name)
    scenario = yaml.safe_load(source.read_text())
    scenario["operator"] = []
    scenario["name"] = called or name
    scenario["tree"] = str(source.parents[1] / "data" / scenario["tree"])
    path = folder / f"{called or f'{name}-alone'}.yaml"
    path.write_text(yaml.safe_dump(scenario, sort_keys=False))
    return path


@pytest.fixture
def scenario_without_operator(tmp_path: Path) -> Callable[[str], Path]:
    """A scenario of the package, with nobody there to answer."""
    return lambda name: alone(name, tmp_path)


@pytest.fixture(scope="session")
def journal_of_a_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of node-lost, done and closed; not to be written: copy it."""
    folder = tmp_path_factory.mktemp("night")
    journal = folder / "j.db"
    assert Program(folder)("rehearse", "node-lost", "--journal", str(journal)).code == 0
    return journal


@pytest.fixture(scope="session")
def journal_that_waits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of june-12, left with three questions open; not to be written: see ``waiting``."""
    folder = tmp_path_factory.mktemp("waits")
    journal = folder / "j.db"
    scenario = str(alone("june-12", folder))
    assert Program(folder)("rehearse", scenario, "--journal", str(journal)).code == 4
    return journal


@pytest.fixture
def waiting(journal_that_waits: Path, tmp_path: Path) -> Path:
    """A copy of it, to be answered, cancelled and looked at, but not resumed: its world is the original's."""
    copy = tmp_path / "night shift's.db"
    shutil.copyfile(journal_that_waits, copy)
    return copy
