"""Recorded looks, each with the entries of the journal that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from journal.entries import Instant
from phases.snapshot import Snapshot
from rekindle.looks.film import FilmTorn, records
from rekindle.looks.frames import Diagnosed, End, Frame, Joiner


@dataclass(slots=True)
class Take:
    """A look, and the entries after *after* up to *until* (both seqs): those of the turn that it was taken for."""

    after: int
    at: Instant
    snapshot: Snapshot
    until: int = 0
    diagnosed: bool = False


@dataclass(slots=True)
class Takes:
    """Reads a film. *said*: what is missing in it, known once it was read."""

    path: Path
    said: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Take]:
        """
        Yield the looks in order.

        The last one of a session that was killed is left out: nobody wrote which entries belong to it.
        """
        last: Take | None = None
        joiner = Joiner()
        try:
            for record in records(self.path):
                match record:
                    case Diagnosed() if last is not None:
                        last.diagnosed = True
                    case Frame():
                        if last is not None and not record.whole:
                            last.until = record.after
                            yield last
                        last = Take(record.after, record.at, joiner.snapshot(record))
                    case End() if last is not None:
                        if record.after >= last.after:
                            last.until = record.after
                            yield last
                        if record.why == "full":
                            self.said.append(f"it was full after entry {last.after}")
                        last = None
                    case _:
                        pass
        except (FilmTorn, msgspec.MsgspecError, KeyError, OSError) as error:
            self.said.append(f"it is not whole: {error}")
