"""The mailbox between many threads and the one that decides."""

from __future__ import annotations

import threading

from rekindle.adapters.mailbox import Mailbox
from tests.adapters.conftest import until_true


def test_a_slow_reader_slows_the_writers_down() -> None:
    """Mutant: a queue without a limit; then a flood of events fills the memory."""
    stopping = threading.Event()
    mailbox: Mailbox[int] = Mailbox(stopping, limit=2)
    done: list[int] = []

    def write() -> None:
        for number in range(4):
            mailbox.put(number)
            done.append(number)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    until_true(lambda: len(done) == 2)
    writer.join(0.3)
    assert done == [0, 1]

    assert mailbox.take() == [0, 1]
    until_true(lambda: len(done) == 4)
    assert mailbox.take() == [2, 3]
    writer.join(3.0)
    mailbox.close()


def test_a_writer_that_waits_ends_with_everything_else() -> None:
    """Mutant: wait for room without looking whether everything ends."""
    stopping = threading.Event()
    mailbox: Mailbox[int] = Mailbox(stopping, limit=1)
    mailbox.put(1)
    writer = threading.Thread(target=mailbox.put, args=(2,), daemon=True)
    writer.start()
    writer.join(0.2)
    assert writer.is_alive()
    stopping.set()
    writer.join(3.0)

    assert not writer.is_alive()
    mailbox.close()
