"""
On a terminal nobody has to begin again: a session that is stuck keeps looking, and goes on once the cause is mended.

Somebody suspends a Kustomization, sees on the screen what that holds up, and resumes it. Mutants, each tried:
``patient = False`` in ``run`` and in ``resume``; a session without a terminal that waits for ever.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from journal import entries as e
from journal.reader import Reader
from rekindle.folding import newest
from tests.cli.conftest import Program
from tests.cli.terminal import Terminal, on_terminal

pytestmark = pytest.mark.program

STUCK = "is suspended in the cluster and not in Git"
# The cluster is a scenario's, said to be real; whoever paused a part of it goes on when the file *resumed* is there.
STAGED = """
import time
from pathlib import Path
import msgspec
import rekindle.cli.run, rekindle.planfile, rekindle.rehearsal, rekindle.worlds
plan, world = rekindle.rehearsal.in_process("node-lost")
identity = msgspec.structs.replace(world.identity(), kind="real")
world.identity = lambda: identity
rekindle.planfile.read_plan = lambda path: plan
rekindle.worlds.real = lambda plan, journal: world
resumed, wait = Path("resumed"), world.next
def paused(yes):
    found = world.cluster.api.get("Kustomization", "media/jellyfin")
    spec = msgspec.structs.replace(found.spec, suspend=yes)
    if spec != found.spec:
        world.cluster.api.put("Kustomization", msgspec.structs.replace(found, spec=spec))
def next_(until):
    paused(not resumed.exists())
    time.sleep(0 if resumed.exists() else 0.005)
    return wait(until)
world.next = next_
paused(True)
"""


def entries(journal: Path) -> list[e.AnyEntry]:
    with Reader(journal) as reader:
        return [row.entry for row in reader.rows() if row.entry is not None]


def sessions(journal: Path) -> int:
    return sum(isinstance(one, e.RunOpened | e.RunResumed) for one in entries(journal))


def until_nothing_is_left(terminal: Terminal, journal: Path) -> None:
    """Read on until no answer is one that a session would stay for; then it has had time to leave."""
    end, left = time.monotonic() + 60.0, {"wait"}
    while left - {"stuck"} and time.monotonic() < end:
        terminal._read(0.2)
        found = newest(journal)
        assert found is not None
        left = {str(body.get("answer")) for body in found.memory.answers.values()}
    assert left == {"stuck"}, terminal.plain[-2000:]
    terminal._read(1.0)


def without_a_terminal(rekindle: Program, journal: Path) -> None:
    """Nobody is there to mend anything: the session ends and says so."""
    answer = rekindle("run", "--journal", str(journal), code=STAGED)
    assert (answer.code, STUCK in answer.err) == (2, True), answer.err


@pytest.mark.parametrize("command", ["run", "resume"])
def test_what_is_stuck_is_seen_and_mended_and_goes_on_by_itself(
    rekindle: Program, tmp_path: Path, command: str
) -> None:
    journal = tmp_path / "j.db"
    if command == "resume":
        without_a_terminal(rekindle, journal)
    words = ("run", "--yes") if command == "run" else ("resume",)

    terminal = on_terminal(rekindle, *words, "--journal", str(journal), code=STAGED)
    terminal.until(STUCK)
    until_nothing_is_left(terminal, journal)
    begun = sessions(journal)
    (tmp_path / "resumed").touch()

    assert terminal.ended() == 0, terminal.plain[-2000:]
    assert sessions(journal) == begun, "nobody began it again"
    left = [one for one in entries(journal) if isinstance(one, e.RunInterrupted)]
    assert len(left) == (command == "resume")
    closed = [one.outcome for one in entries(journal) if isinstance(one, e.RunClosed)]
    assert closed == [e.RunOutcome.DONE]
