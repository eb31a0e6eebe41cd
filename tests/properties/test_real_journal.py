"""
Promise: the journal on disk tells the same story as one that cannot fail, whoever dies beside it.

Method: a recovery with crashes is told twice, with the in-memory journal of these tests and with the real one
(SQLite, its lease, its lock, its checkpoints); each death closes the database and drops the lock as a killed process
does. Both must hold the same entries, the chain must verify, and the world must have been told the same. This also
keeps the harness honest: what the other properties find in memory is what would be on disk.

Mutant, killed here: the epoch is not raised when the lease is taken over.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from journal import entries as e
from journal.entries import AnyEntry
from journal.reader import Reader
from rekindle.simulator.faults import Faults
from tests.properties.clusters import SEEDS, YES, examples, faults, lives, story
from tests.properties.harness import Death
from tests.properties.sqlite_book import SqliteBook

Life = list[tuple[Death, float]]


def told(entries: list[AnyEntry]) -> list[dict[str, Any]]:
    """Entries, but for the names of those who held the lease."""
    found = [msgspec.to_builtins(entry) for entry in entries]
    for body in found:
        body.pop("took_over_from", None)
        if body["kind"] == "lease.taken":
            body.pop("holder")
    return found


@given(name=st.sampled_from(["cold", "june"]), seed=SEEDS, trouble=faults(), life=lives(3))
@settings(max_examples=examples(0.1))
def test_on_disk_as_in_memory(name: str, seed: int, trouble: Faults, life: Life) -> None:
    ideal, one = story(name, seed=seed, faults=trouble, operator=YES)
    ideal.to_the_end(life, resumes=1)

    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.db"
        book = SqliteBook(path)
        real, other = story(name, seed=seed, faults=trouble, operator=YES, book=book)
        real.to_the_end(life, resumes=1)
        entries = book.entries()
        with Reader(path) as reader:
            reader.verify()

    assert real.endings == ideal.endings
    assert told(entries) == told(ideal.book.entries())
    assert [t.intent for t in real.told] == [t.intent for t in ideal.told]
    assert one.digest() == other.digest()
    epochs = [entry.epoch for entry in entries if isinstance(entry, e.LeaseTaken)]
    assert epochs == list(range(1, len(epochs) + 1))
