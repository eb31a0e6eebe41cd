"""Commands of the operator: deadlines, floods, exit codes, and what outlives us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from journal.entries import Outcome
from phases.section import Command
from rekindle.adapters import commands as commands_module
from rekindle.adapters import orphans
from rekindle.adapters.commands import Commands
from tests.adapters.conftest import dead, make_intent, until_true

if TYPE_CHECKING:
    from engine.world import Settlement
    from journal.entries import Json


class Runner:
    """Commands of one plan, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "c.db"
        self.stopping = threading.Event()

    def commands(self, script: str, **more: Json) -> Commands:
        command = Command(argv=("sh", "-c", script), directory=str(self.folder), **more)
        return Commands({"it": command}, self.journal, stopping=self.stopping, grace_seconds=0.5)

    def run(self, script: str, deadline: float = 20.0, **more: Json) -> Settlement:
        intent = make_intent("command.run", deadline=deadline, command="it")
        settled = self.commands(script, **more).run(intent)
        assert settled is not None
        return settled

    @property
    def output(self) -> Path:
        return self.folder / "c.db.output" / "1.log"

    @property
    def lock(self) -> Path:
        return orphans.path_for(self.journal, "1")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_what_a_command_says_is_kept_privately(runner: Runner) -> None:
    settled = runner.run("echo out; echo err >&2; cat; echo $HOW", environment={"HOW": "so"})

    assert (settled.outcome, settled.code) == (Outcome.DONE, "exit-0")
    assert runner.output.read_text() == "out\nerr\nso\n"
    assert runner.output.stat().st_mode & 0o777 == 0o600
    assert settled.evidence["size"] == 11
    assert settled.evidence["output"] == str(runner.output)


def test_secrets_are_not_kept(runner: Runner) -> None:
    begin = "-----BEGIN RSA PRIVATE KEY-----"  # gitleaks:allow  made up
    runner.run(
        f"echo '{begin}'; echo c2VjcmV0c2VjcmV0; echo '-----END RSA PRIVATE KEY-----'; echo ok"
    )

    text = runner.output.read_text()
    assert "c2VjcmV0c2VjcmV0" not in text
    assert text.endswith("ok\n")


@pytest.mark.parametrize(
    ("effect", "outcome"), [("convergent", Outcome.FAILED), ("once", Outcome.UNSETTLED)]
)
def test_a_failed_command_promises_only_what_it_can(
    effect: str, outcome: Outcome, runner: Runner
) -> None:
    settled = runner.run("exit 3", effect=effect)

    assert (settled.outcome, settled.code) == (outcome, "exit-3")


def test_a_program_that_is_not_there_was_certainly_not_run(runner: Runner) -> None:
    commands = Commands(
        {"it": Command(argv=("/no/such/program",), directory=str(runner.folder))},
        runner.journal,
        stopping=runner.stopping,
    )
    settled = commands.run(make_intent("command.run", command="it"))

    assert settled is not None
    assert (settled.outcome, settled.code) == (Outcome.FAILED, "invalid")
    assert not runner.lock.exists()


def test_a_deadline_ends_the_whole_group(runner: Runner) -> None:
    script = "trap '' TERM; sleep 60 & echo $! > child; echo $$ > leader; wait; sleep 60"
    began = time.monotonic()
    settled = runner.run(script, deadline=0.7)

    assert (settled.outcome, settled.code) == (Outcome.UNSETTLED, "timeout")
    assert time.monotonic() - began < 5
    for name in ("child", "leader"):
        pid = int((runner.folder / name).read_text())
        until_true(partial(dead, pid), 2)


def test_what_a_command_leaves_running_is_ended(runner: Runner) -> None:
    settled = runner.run("sleep 60 & echo $! > child")

    assert settled.code == "exit-0"
    pid = int((runner.folder / "child").read_text())
    until_true(partial(dead, pid), 2)


def test_a_flood_is_read_to_its_end_and_cut_in_the_middle(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_module, "OUTPUT_LIMIT_BYTES", 64 * 1024)
    settled = runner.run("echo first; yes 0123456789 | head -n 100000; echo last")

    text = runner.output.read_bytes()
    assert settled.code == "exit-0"
    assert len(text) < 66 * 1024
    assert text.startswith(b"first\n")
    assert text.endswith(b"last\n")
    assert b"bytes left out" in text


PARENT = """
import sys, threading, time
from pathlib import Path
from engine.world import Intent
from phases.section import Command
from rekindle.adapters.commands import Commands

folder = Path(sys.argv[1])
command = Command(argv=("sh", "-c", sys.argv[2]), directory=str(folder))
commands = Commands({"it": command}, folder / "c.db", stopping=threading.Event())
intent = Intent("1", "command.run", "t", 1, 1, float(sys.argv[3]), time.time(), {"command": "it"})
commands.run(intent)
"""


def start_parent(folder: Path, script: str, deadline: float = 60.0) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), script, str(deadline)],
        env={**os.environ, "PYTHONPATH": root},
    )


def kill_parent(folder: Path, script: str, deadline: float = 60.0) -> None:
    """Start a command from a process of its own, and kill that process without warning."""
    parent = start_parent(folder, script, deadline)
    until_true((folder / "started").exists, 15)
    until_true(lambda: orphans.read(folder / "c.db.action-1.lock"), 5)
    parent.send_signal(signal.SIGKILL)
    parent.wait()


def test_an_orphan_is_waited_for_and_settled_as_doubt(runner: Runner) -> None:
    kill_parent(
        runner.folder, "touch started; until [ -e go ]; do sleep 0.05; done; echo end; touch ended"
    )
    assert orphans.is_running(runner.lock)
    settled: list[Settlement | None] = []
    intent = make_intent("command.run", deadline=60, command="it")
    adopting = threading.Thread(
        target=lambda: settled.append(runner.commands("true").adopt(intent)), daemon=True
    )
    adopting.start()
    adopting.join(0.8)
    assert adopting.is_alive()
    (runner.folder / "go").touch()
    adopting.join(10)

    assert settled[0] is not None
    assert (settled[0].outcome, settled[0].code) == (Outcome.UNSETTLED, "no-answer")
    assert (runner.folder / "ended").exists()
    until_true(lambda: runner.output.read_text() == "end\n")


def test_an_orphan_without_the_lock_is_found_by_its_group(runner: Runner) -> None:
    script = f'exec {sys.executable} -c \'import os,time; os.closerange(3,64); open("started","w"); time.sleep(60)\''
    kill_parent(runner.folder, script)
    until_true(lambda: not orphans.is_locked(runner.lock))
    record = orphans.read(runner.lock)

    assert record is not None
    assert orphans.is_running(runner.lock)
    assert record.argv[0] == "sh"
    orphans.end(record, signal.SIGKILL)
    until_true(lambda: not orphans.is_running(runner.lock))


def test_an_orphans_deadline_still_holds(runner: Runner) -> None:
    kill_parent(runner.folder, "touch started; sleep 60")
    intent = make_intent("command.run", deadline=0.2, command="it")
    settled = runner.commands("true").adopt(intent)

    assert settled is not None
    assert settled.outcome is Outcome.UNSETTLED


def adopt_in_time(commands: Commands, deadline: float) -> Settlement:
    """Adopt in a thread, so that a mutant that never ends fails instead of hanging."""
    settled: list[Settlement | None] = []
    intent = make_intent("command.run", deadline=deadline, command="it")
    adopting = threading.Thread(target=lambda: settled.append(commands.adopt(intent)), daemon=True)
    adopting.start()
    adopting.join(10)
    assert settled, "it was not ended"
    assert settled[0] is not None
    return settled[0]


def test_an_orphan_that_does_not_listen_is_killed(runner: Runner) -> None:
    """Mutant: ``adopt`` sends SIGTERM for ever."""
    kill_parent(
        runner.folder, "trap '' TERM; touch started; for _ in $(seq 300); do sleep 0.1; done"
    )
    record = orphans.read(runner.lock)
    assert record is not None
    try:
        assert adopt_in_time(runner.commands("true"), 0.2).outcome is Outcome.UNSETTLED
        assert not orphans.is_running(runner.lock)
    finally:
        orphans.end(record, signal.SIGKILL)


def test_an_orphan_outside_of_its_group_is_found_by_its_lock(runner: Runner) -> None:
    """Nothing but the open file tells of it. Mutant: ``_popen`` without ``pass_fds``."""
    # Both end by themselves within half a minute, also when this test is killed.
    child = 'os.setsid(); open("started","w"); [time.sleep(0.05) for _ in range(600) if not os.path.exists("go")]'
    waits = "for _ in $(seq 600); do [ -e leave ] && break; sleep 0.05; done"
    script = f"{sys.executable} -c 'import os,time; {child}' & {waits}"
    kill_parent(runner.folder, script)
    record = orphans.read(runner.lock)
    assert record is not None
    (runner.folder / "leave").touch()
    try:
        until_true(lambda: not orphans.group_lives(record))
        assert orphans.is_running(runner.lock)
    finally:
        (runner.folder / "go").touch()
    until_true(lambda: not orphans.is_running(runner.lock))


def test_a_record_that_cannot_be_written_does_not_deny_what_runs(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full after the spawn. Mutant: let the error out, and ``run`` says that nothing was started."""

    def full(lock: orphans.ActionLock, record: orphans.Record) -> None:
        assert lock.path == runner.lock
        if record.exit_code is None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(orphans.ActionLock, "write", full)
    settled = runner.run("touch ran")

    assert (runner.folder / "ran").exists()
    assert settled.outcome is Outcome.DONE


def test_an_exit_code_that_was_recorded_settles(runner: Runner) -> None:
    runner.run("exit 0")
    settled = runner.commands("true").adopt(make_intent("command.run", command="it"))

    assert settled is not None
    assert (settled.outcome, settled.code) == (Outcome.DONE, "exit-0")


def test_an_action_that_was_never_started_is_in_doubt(runner: Runner) -> None:
    settled = runner.commands("true").adopt(make_intent("command.run", command="it"))

    assert settled is not None
    assert settled.outcome is Outcome.UNSETTLED


def test_a_command_goes_on_without_us_when_we_stop(runner: Runner) -> None:
    threading.Timer(0.5, runner.stopping.set).start()
    script = "sleep 1; touch ended"
    commands = runner.commands(script)
    assert commands.run(make_intent("command.run", command="it")) is None
    assert orphans.is_running(runner.lock)
    until_true((runner.folder / "ended").exists)
    for process in (commands._left[0].process, commands._left[0].sink):
        assert process.wait(5) == 0


def test_an_action_is_never_run_beside_itself(runner: Runner) -> None:
    lock = orphans.ActionLock(runner.lock)
    settled = runner.run("touch ran")
    lock.release()

    assert (settled.outcome, settled.code) == (Outcome.FAILED, "conflict")
    assert not (runner.folder / "ran").exists()


def test_a_group_of_the_same_number_is_not_ours() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as leader:
        try:
            record = orphans.describe(leader.pid, ())
            stranger = orphans.Record(group=record.group, started="1", boot=record.boot)
            earlier = orphans.Record(
                group=record.group, started=record.started, boot="another boot"
            )

            assert orphans.group_lives(record)
            assert not orphans.group_lives(stranger)
            assert not orphans.group_lives(earlier)
        finally:
            leader.kill()


def test_a_node_is_put_into_the_arguments_and_into_no_shell(runner: Runner) -> None:
    """Mutant: run the arguments as they stand in the plan."""
    argv = ("sh", "-c", 'printf "%s|" "$@" >said', "sh", "{node}", "a{address}b", "{.status}")
    command = Command(argv=argv, directory=str(runner.folder))
    commands = Commands({"it": command}, runner.journal, stopping=runner.stopping)
    about = {"node": "$(touch evil); k8s-1", "address": "192.0.2.1"}
    intent = make_intent("command.run", deadline=20.0, command="it", **about)

    settled = commands.run(intent)

    assert settled is not None
    assert settled.outcome is Outcome.DONE
    said = (runner.folder / "said").read_text()
    assert said == "$(touch evil); k8s-1|a192.0.2.1b|{.status}|"
    assert not (runner.folder / "evil").exists()
