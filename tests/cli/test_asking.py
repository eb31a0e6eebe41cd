"""A question at a terminal hears Ctrl-C whenever it comes. Mutant: read the line without the wait before it."""

from __future__ import annotations

import subprocess
import sys

import pytest

# The signal is delivered to another thread: as when it comes just before a read, nothing interrupts the read itself.
LATE = """
import os, signal, threading, time
from rekindle import asking
def interrupted(*_): raise KeyboardInterrupt
signal.signal(signal.SIGINT, interrupted)
def other():
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)
threading.Thread(target=other, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
try:
    asking.line("begin? ")
except KeyboardInterrupt:
    print("heard", flush=True)
os._exit(0)
"""


def test_a_signal_that_interrupts_no_read_is_heard_all_the_same() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LATE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            process.wait(10)  # its input stays open, and empty
            assert process.stdout.read() == "heard\n"
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail("the signal was not heard")


@pytest.mark.parametrize(("given", "expected"), [("y\n", "y"), ("  no \n", "no"), ("", "")])
def test_one_line_is_taken_and_an_ended_input_is_empty(given: str, expected: str) -> None:
    code = "from rekindle import asking; print([asking.line('? ')])"
    ended = subprocess.run(
        [sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True
    )

    assert (ended.stdout, ended.stderr) == (f"[{expected!r}]\n", "? ")
