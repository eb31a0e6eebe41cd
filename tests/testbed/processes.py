"""
Starts and stops the testbed's programs, by the PIDs that it started and no others.

Each runs in a process group of its own and writes to a log file of its own. A child waits for a
line before it becomes its program, so that there is no instant at which it runs unknown to the
keeper (see keeper.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GATE = 'read -r _ || exit 1; exec "$@" </dev/null'


class Processes:
    """
    The programs that run, by name.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.RLock()
        self._keeper: subprocess.Popen[str] | None = None

    def start(self, name: str, argv: list[str | Path], env: dict[str, str] | None = None) -> None:
        """
        Start a program unless it runs.
        """
        with self._lock:
            if self.running(name):
                return
            self._logs.mkdir(parents=True, exist_ok=True)
            with (self._logs / f"{name}.log").open("ab") as log:
                child = subprocess.Popen(
                    ["/bin/sh", "-c", GATE, name, *map(str, argv)],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self._logs,
                    env=os.environ | (env or {}),
                    start_new_session=True,
                )
            self._running[name] = child
            self._tell(f"+{child.pid}")
            with child.stdin or contextlib.nullcontext() as gate:
                if gate:
                    gate.write(b"go\n")

    def running(self, name: str) -> bool:
        """
        Whether the program was started and has not ended.
        """
        with self._lock:
            child = self._running.get(name)
            return child is not None and child.poll() is None

    def pid(self, name: str) -> int:
        """
        The PID that it was started with.
        """
        return self._running[name].pid

    def stop(self, *names: str, patience_seconds: float = 8.0) -> None:
        """
        Ask the programs to end, all at once; make them end when they do not in time.
        """
        with self._lock:
            children = [self._running.pop(name) for name in names if name in self._running]
        deadline = time.monotonic() + patience_seconds
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for child in children:
                if child.poll() is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(child.pid, sign)
            while sign is signal.SIGTERM and any(child.poll() is None for child in children):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.02)
        for child in children:
            child.wait()
            self._tell(f"-{child.pid}")

    def stop_all(self) -> None:
        """
        Stop everything, and the keeper last.
        """
        self.stop(*self._running, patience_seconds=3.0)
        with self._lock:
            keeper, self._keeper = self._keeper, None
        if keeper is not None:
            if keeper.stdin:
                keeper.stdin.close()
            keeper.wait()

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._keeper is None:
                self._keeper = subprocess.Popen(
                    [sys.executable, "-S", "-E", str(Path(__file__).with_name("keeper.py"))],
                    stdin=subprocess.PIPE,
                    text=True,
                    start_new_session=True,
                )
            if self._keeper.stdin:
                self._keeper.stdin.write(line + "\n")
                self._keeper.stdin.flush()
