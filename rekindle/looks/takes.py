"""Recorded looks, each with the entries of the journal that belong to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from journal.entries import Instant
from phases.snapshot import Snapshot
from rekindle.looks.film import FilmCutOff, FilmTorn, is_checked, records
from rekindle.looks.frames import Diagnosed, End, Frame, Joiner

UNCHECKED = (
    "it has no checksums, for an older rekindle began it: what differs by its looks may be damage"
)
NO_LOOK = "it has no look"


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
    """
    Reads a film. *said*: what is missing in it, and *torn*: what is damaged of it; known once it was read.

    *recording*: a session may be writing it, so that an end which is missing is to come.
    """

    path: Path
    recording: bool = False
    said: list[str] = field(default_factory=list)
    torn: str = ""

    def __iter__(self) -> Iterator[Take]:
        """
        Yield the looks in order.

        The last one of a session that was killed is left out: nobody wrote which entries belong to it.
        """
        try:
            if not is_checked(self.path):
                self.said.append(UNCHECKED)
            yield from self._looks()
        except OSError as error:
            self.torn = f"it cannot be read: {error.strerror or error}"
        except FilmTorn as error:
            if not (self.recording and isinstance(error, FilmCutOff)):
                self.torn = str(error)
        except (msgspec.MsgspecError, KeyError) as error:
            self.torn = f"what it holds is no look that this rekindle knows: {error}"

    def _looks(self) -> Iterator[Take]:
        last, record = None, None
        joiner = Joiner()
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
        if record is None:  # whoever recorded was ended before a look
            self.said.append(NO_LOOK)
