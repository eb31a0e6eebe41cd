"""
``kill -9`` of ``rekindle run`` in each of the five states and during a running command, on a real control plane.

Promise: it goes on where it stopped; etcd is bootstrapped once; no command ever runs beside another.
"""

from __future__ import annotations

import json
import signal
import subprocess

import pytest

from tests.system.conftest import RUN_SECONDS, Operator, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]
COMMAND = "while the command runs"
MOMENTS = ("node-maintenance", "talos-ready", "cni-up", COMMAND, "flux-synced", "pods-healthy")


def test_a_run_that_is_killed_in_every_state_still_arrives_with_one_bootstrap(
    operator: Operator,
) -> None:
    process = operator.start("run", str(operator.plan), "--json")
    for moment in MOMENTS:
        _kill_at(operator, process, moment)
        process = operator.start("resume", "--json")
    output, _ = process.communicate(timeout=RUN_SECONDS)
    document = json.loads(output)

    assert process.returncode == 0, operator.told()[-4000:]
    assert document["outcome"] == "done"
    assert document["pods"] == {"ready": 104, "expected": 104}
    assert operator.bed.bootstraps() == 1
    _no_two_at_once(operator)
    code, _ = operator.call("log", "--verify")
    assert code == 0


def _kill_at(operator: Operator, process: subprocess.Popen[str], moment: str) -> None:
    """Kill the program as soon as the journal, or the command's own log, shows the moment."""

    def reached() -> bool:
        assert process.poll() is None, f"ended before {moment}: {operator.told()[-4000:]}"
        if moment == COMMAND:
            return len(operator.commands()) % 2 == 1
        return operator.state() == moment

    until(moment, 600, reached)
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _no_two_at_once(operator: Operator) -> None:
    running: set[str] = set()
    for what, pid, _ in operator.commands():
        if what == "begin":
            assert not running, operator.commands()
            running.add(pid)
        else:
            running.discard(pid)
