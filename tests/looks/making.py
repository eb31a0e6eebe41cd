"""Rehearsals inside the test, with somebody who records what they see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.recipe import Recipe
from engine.replay import Replayer
from journal.codec import kind_of
from journal.entries import AnyEntry
from journal.row import Row
from phases.recipe import recipe
from phases.snapshot import Snapshot
from rekindle.looks.film import FILM_BYTES
from rekindle.looks.recorder import Recorder
from rekindle.looks.takes import Takes
from rekindle.replaying import Replayed, walk
from rekindle.runs import Source
from tests.properties.clusters import YES, story


@dataclass
class Night:
    """A recovery that was recorded; *seen* are its looks as they were, *said* what the recorder told."""

    entries: list[AnyEntry]
    film: Path
    seen: list[Snapshot]
    said: list[str] = field(default_factory=list)

    def rows(self) -> Iterator[Row]:
        for seq, entry in enumerate(self.entries, start=1):
            yield Row(
                id=seq,
                run_id="r",
                seq=seq,
                kind=kind_of(entry),
                at=entry.at,
                wall_ns=0,
                epoch=1,
                entry=entry,
            )

    def replayed(self, using: Recipe | None = None) -> tuple[Replayed, Takes]:
        """Replay it with its recording, by today's recipe or another."""
        takes = Takes(self.film)
        result = Replayed(Source(self.film, "r"), Replayer(using or recipe()), film=self.film)
        walk(result, self.rows(), iter(takes))
        return result, takes


def night(
    folder: Path, name: str = "june", *, limit: int = FILM_BYTES, orderly: bool = True
) -> Night:
    """Recover a small scenario, and record it."""
    seen: list[Snapshot] = []
    said: list[str] = []
    film = folder / "j.db.r.looks"
    recorder = Recorder(film, lambda: len(run.book.entries()), said.append, limit=limit)

    def keep(snapshot: Any) -> Any:  # noqa: ANN401  the domain's look
        seen.append(snapshot)
        recorder.looked(snapshot)
        return snapshot

    run, _ = story(name, operator=YES, blindfold=keep, using=recorder.over(recipe()))
    ended = run.session()
    assert ended is not None
    assert ended.outcome == "done"
    if orderly:
        recorder.done()
    recorder.close()
    return Night(run.book.entries(), film, seen, said)
