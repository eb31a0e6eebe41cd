"""A journal of a whole rehearsal, and pages asked for as a browser asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from journal import entries as e
from journal.lease import Holder
from journal.options import Options
from journal.reader import Reader
from journal.store import Journal
from rekindle.rehearsal import load
from rekindle.web.application import Application
from rekindle.web.guard import Guard

TOKEN = "a-token-of-the-tests"
HOST = "127.0.0.1:8000"
OPENED = 1_780_000_000.0
QUICK = Options(synchronous="off")
ALICE = Holder(name="alice", host="desk", pid=101)


@dataclass
class Scripted:
    """Time that passes only while somebody waits; then *happens* is called, once a wait."""

    happens: list[Callable[[], object]] = field(default_factory=list)
    at: float = 0.0

    def now(self) -> float:
        return self.at

    def wait(self, seconds: float) -> bool:
        self.at += seconds
        if not self.happens:
            return True
        self.happens.pop(0)()
        return False


@dataclass
class Browser:
    """Somebody who was let in."""

    application: Application
    pace: Scripted

    def get(self, path: str, **more: Any) -> TestResponse:  # noqa: ANN401  werkzeug's own
        client = Client(self.application)
        client.set_cookie("rekindle", TOKEN, domain="127.0.0.1")
        return client.get(path, base_url=f"http://{HOST}", **more)


def browser_of(journal: Path) -> Browser:
    pace = Scripted()
    return Browser(Application(journal, Guard(TOKEN), pace), pace)


def opened(run_id: str = "run-1", **changes: object) -> e.RunOpened:
    """The first entry of a run of the june-12 plan."""
    _, _, plan = load("june-12")
    values: dict[str, object] = {
        "at": OPENED,
        "run_id": run_id,
        "purpose": "run",
        "cluster": "lab",
        "identity": {"cluster": "lab"},
        "plan": plan.compiled(),
        "plan_digest": plan.digest(),
        "version": "0.1.0",
        "initial": "node-maintenance",
        **changes,
    }
    return e.RunOpened(**values)  # type: ignore[arg-type]


@pytest.fixture
def writing(tmp_path: Path) -> Iterator[Journal]:
    """A run that is being written."""
    with Journal.open_run(tmp_path / "j.db", opened(), holder=ALICE, options=QUICK) as journal:
        yield journal


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the june-12 rehearsal, done."""
    path = tmp_path_factory.mktemp("web") / "june.db"
    program = [sys.executable, "-m", "rekindle", "rehearse", "june-12", "--journal", str(path)]
    subprocess.run(program, check=True, capture_output=True, cwd=path.parent)
    return path


@pytest.fixture(scope="session")
def run_id(rehearsed: Path) -> str:
    with Reader(rehearsed) as reader:
        return reader.runs()[-1].run_id


@pytest.fixture
def browser(rehearsed: Path) -> Browser:
    return browser_of(rehearsed)
