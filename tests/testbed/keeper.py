"""
Ends the testbed's processes when the test process has died, however it died.

Runs as a process of its own. Its standard input is a pipe from the test process, with a line
`+PID` for each process started and `-PID` for each one ended; the end of the pipe is the sign.
A PID that has been given to another process meanwhile is known by its start time and left alone.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 5.0


def started(pid: int) -> str | None:
    """
    When the process started, in ticks since boot; None when there is none or only its remains.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return None if fields[0] == "Z" else fields[19]


def end(held: dict[int, str]) -> None:
    """
    Ask every process group to stop, then make it.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid, since in held.items():
            if started(pid) == since:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, sign)
        while any(started(pid) == since for pid, since in held.items()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)


def main() -> None:
    """
    Keep the list until the pipe ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    held: dict[int, str] = {}
    for line in sys.stdin:
        pid = int(line[1:])
        if line[0] == "+" and (since := started(pid)):
            held[pid] = since
        elif line[0] == "-":
            held.pop(pid, None)
    end(held)


if __name__ == "__main__":
    main()
