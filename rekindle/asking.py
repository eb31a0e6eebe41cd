"""
One line from a person at a terminal.

A signal that comes between a prompt and a read that blocks is only heard after the next key: so the read never blocks.
"""

from __future__ import annotations

import select
import sys

HEARD_SECONDS = 0.2


def line(prompt: str) -> str:
    """Show the prompt on stderr and return what was typed; empty where the input has ended."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    while not select.select([sys.stdin], [], [], HEARD_SECONDS)[0]:
        pass  # back in Python, where a signal is raised
    return sys.stdin.readline().strip()
