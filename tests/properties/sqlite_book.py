"""The real journal as a story's book, and the death of the process that holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.memory import Memory
from journal import entries as e
from journal.entries import AnyEntry, Instant
from journal.lease import Holder
from journal.options import Options
from journal.reader import Reader
from journal.row import Row
from journal.store import Journal
from rekindle.folding import newest
from tests.properties.harness import Fate, verbs_of

QUICK = Options(synchronous="off")
ME = Holder(name="me", host="here", pid=1)


@dataclass(slots=True)
class SqliteBook:
    """A journal on disk; what is committed survives the process, its lock does not."""

    path: Path
    fate: Fate = field(default_factory=Fate)
    previous_heartbeat: Instant = 0.0
    journal: Journal | None = None

    @property
    def held(self) -> Journal:
        """The journal, which must be open."""
        assert self.journal is not None
        return self.journal

    @property
    def epoch(self) -> int:
        return self.held.epoch

    def open(self, opened: e.RunOpened) -> None:
        self.journal = Journal.open_run(self.path, opened, holder=ME, options=QUICK)

    def resume(self) -> None:
        self.fate.at("before-commit")
        self.journal = Journal.resume(self.path, holder=ME, options=QUICK)
        lease = self.journal.previous_lease
        assert lease is not None
        self.previous_heartbeat = lease.heartbeat_world
        self.fate.at("after-commit")

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> Sequence[Row]:
        self.fate.at("before-commit", verbs_of(entries))
        written = self.held.append(entries, checkpoint=checkpoint, lease_seconds=lease_seconds)
        self.fate.at("after-commit", verbs_of(entries))
        return written

    def heartbeat(self, now: Instant) -> None:
        self.held.heartbeat(now)

    def close(self) -> None:
        """Let go of it, as a session does at its end."""
        self.held.close()
        self.journal = None

    def die(self) -> None:
        """The kernel takes the lock back; nothing is written any more."""
        if self.journal is None:
            return
        if self.journal._commits is not None:
            self.journal._commits.close()
        self.journal._lock.release()
        self.journal = None

    def entries(self) -> list[AnyEntry]:
        with Reader(self.path) as reader:
            return [row.entry for row in reader.rows() if row.entry is not None]

    def folded(self) -> Memory:
        found = newest(self.path)
        assert found is not None
        return found.memory
