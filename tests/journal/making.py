"""What the tests of this room build journals from."""

from __future__ import annotations

import itertools
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from journal import entries as e
from journal import files
from journal.lease import Holder
from journal.options import Options
from journal.stamp import Stamp
from journal.store import Journal

QUICK = Options(synchronous="off")
ALICE = Holder(name="alice", host="desk", pid=101)
BOB = Holder(name="bob", host="sofa", pid=202)
ROOT = Path(__file__).resolve().parents[2]


def opened(run_id: str = "run-1", **changes: object) -> e.RunOpened:
    values: dict[str, object] = {
        "at": 100.0,
        "run_id": run_id,
        "purpose": "run",
        "cluster": "lab",
        "identity": {"cluster": "lab"},
        "plan": {"nodes": ["cp-1"]},
        "plan_digest": "d1",
        "version": "0.1.0",
        "initial": "node-maintenance",
        **changes,
    }
    return e.RunOpened(**values)  # type: ignore[arg-type]


def note(text: str = "hello", at: float = 101.0) -> e.Note:
    return e.Note(at=at, text=text, actor="alice")


def begin(path: Path, holder: Holder = ALICE, options: Options = QUICK) -> Journal:
    return Journal.open_run(path, opened(), holder=holder, options=options)


def ticking() -> Options:
    """Clocks that tell equal stories each time, so that two journals can be compared byte for byte."""
    ticks = itertools.count(1)
    return Options(synchronous="off", stamp=lambda: Stamp(next(ticks) * 1_000_000_000, 7, "boot-1"))


def rich_journal(path: Path) -> Path:
    """Two runs, a withdrawn payload, a checkpoint, a proper end."""
    with begin(path) as journal:
        journal.append([note("one"), note("two", 102.5)])
        journal.append([note("a slip of the tongue")])
        journal.append([e.Redacted(at=103.0, seq=5, why="it was private")])
        moved = e.Moved(at=104.0, source="node-maintenance", target="talos-ready", why="facts")
        journal.append([moved], checkpoint=b'{"state":"talos-ready"}')
        journal.append([e.RunClosed(at=105.0, outcome=e.RunOutcome.CANCELLED, state="talos-ready")])
    with Journal.open_run(path, opened("run-2"), holder=BOB, options=QUICK) as journal:
        fact = e.Fact("Current", "2 of 2", since=100.0, detail={"é": [1, 2.5, None]})
        journal.append([e.Observed(at=110.0, changed={"pod/a": fact})], checkpoint=b"{}")
    return path


def tamper(path: Path, statement: str, *values: object) -> None:
    """Change what the triggers refuse to change, as somebody would who wants to, and put the triggers back."""
    with closing(sqlite3.connect(path)) as database:
        database.isolation_level = None
        database.execute("PRAGMA synchronous = off")
        database.execute("BEGIN")
        found = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = found.fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement, values)
        for _, text in triggers:
            database.execute(text)
        database.execute("COMMIT")


def start_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    """Run code in another process, with its stdout to read from and its stdin to hold it by."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def modes(folder: Path) -> dict[str, str]:
    return {file.name: oct(file.stat().st_mode & 0o777) for file in sorted(folder.iterdir())}


def forget_head(path: Path) -> None:
    files.beside(path, ".head").unlink()
