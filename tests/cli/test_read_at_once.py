"""
Threads that read a journal at the same moment, as the pages of ``serve`` do, and none has read one before.

A process each, since a failure here ends the process: a mutant (``folding.newest`` that decodes by
``msgspec.json.decode(..., type=Memory)``) dies of a segmentation fault in every third.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.program

TRIES = 10
READING = """
import sys, threading
from pathlib import Path
from rekindle import folding

sys.setswitchinterval(1e-6)
start = threading.Barrier(6)
states = []

def read():
    start.wait()
    states.append(folding.newest(Path(sys.argv[1])).memory.state)

threads = [threading.Thread(target=read) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*states)
"""


def test_many_read_at_once(journal_of_a_night: Path) -> None:
    for _ in range(TRIES):
        ended = subprocess.run(
            [sys.executable, "-c", READING, str(journal_of_a_night)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (ended.returncode, ended.stdout) == (0, "done done done done done done\n"), (
            ended.stderr
        )
