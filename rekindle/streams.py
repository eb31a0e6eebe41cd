"""
The three standard streams, whatever the caller left of them.

A closed one is a trap: the next file that is opened takes its number, and what is printed lands in the journal.
Standard library only.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress

STDIN, STDOUT, STDERR = 0, 1, 2


def mend() -> None:
    """Put /dev/null where a stream is closed; call it before any file is opened."""
    for number in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(number)
        except OSError:
            _to_nowhere(number)
    if sys.stdout is None:
        sys.stdout = os.fdopen(STDOUT, "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(STDERR, "w", encoding="utf-8", closefd=False)
    if sys.stdin is None:
        sys.stdin = os.fdopen(STDIN, encoding="utf-8", closefd=False)


def silence(number: int) -> None:
    """Nobody hears what is written there: let it go nowhere, so that ending the process is no error."""
    with suppress(OSError):
        _to_nowhere(number)


def _to_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    if nowhere == number:
        os.set_inheritable(number, True)
        return
    os.dup2(nowhere, number, inheritable=True)
    os.close(nowhere)
