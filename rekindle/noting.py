"""
Remarks and corrections: which entry is meant, what is true in its place, and who writes it.

The session that holds the lease takes a note in from the inbox; where nobody does, the note takes the lease itself, on
closed runs too: a postmortem is written after the night. It then has the instant of the run's last entry, so that no
clock of the run moves; its row says when it was written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.errors import Exit, UsageWrong
from journal import entries as e
from journal import inbox
from journal.lease import Holder
from journal.reader import Reader
from journal.row import Row
from journal.troubles import held
from phases import codes
from rekindle.asked import note_of, take_in_notes
from rekindle.folding import newest
from rekindle.moments import corrected_of, is_of_day, is_since, moment_of
from rekindle.output import tell
from rekindle.runs import run_in
from rekindle.spans import stamp

QUIET = (e.Observed, e.Decided, e.TimerSet, e.TimerCancelled, e.TimerFired, e.LeaseTaken)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed; an empty text, or 0, where nothing was."""

    text: str
    entry: int = 0
    time: str = ""
    cause: str = ""


def write(path: Path, run_id: str | None, wanted: Wanted) -> Exit:
    """
    Write a note.

    :raises UsageWrong: when it names no entry that there is.
    :raises LeaseHeld: when it is about an older run while somebody pursues the newest.
    """
    chosen = run_in(path, run_id).run_id
    newest_run = run_in(path, None).run_id
    with Reader(path) as reader:
        alive = reader.holder_alive()
        request = _Finding(reader, chosen).request(wanted)
    _honoured(path, chosen, request)
    inbox.encoded(request)  # what an inbox would refuse is refused of every note
    if alive and chosen != newest_run:
        raise held(path)
    if alive:
        inbox.submit(path, request)
        tell("left for the running session, which takes it in at its next turn")
        return Exit.DONE
    _append(path, chosen, request, closed_or_old=chosen != newest_run)
    tell(f"written to run {chosen}")
    return Exit.DONE


def _honoured(path: Path, run_id: str, request: inbox.Note) -> None:
    """
    Refuse the time or the cause of an object that no report would tell: a note that was written is believed to count.

    :raises UsageWrong: when no row of the report has that time, or that cause.
    """
    if not request.finding:
        return
    from rekindle.report.gather import honours

    time, cause = honours(path, run_id, note_of(request, request.said or 0.0))
    at = stamp(request.said or 0.0)
    if request.time is not None and not time:
        raise UsageWrong(
            f"no cause and no first sign in the report would tell that {request.finding} was so at "
            f"{stamp(request.time)}: entry {request.corrects}, of {at}, tells of it first",
            reference="note-about-what",
            hint="the table What went wrong first names what can be corrected, to an instant before the run saw it; "
            "`rekindle note TEXT` remarks anything",
        )
    if request.cause and not cause:
        raise UsageWrong(
            f"no row of the report would tell the cause of {request.finding}: it is no root cause, and no root of the "
            f"tree that the first look did not find; entry {request.corrects}, of {at}, tells of it first",
            reference="note-about-what",
            hint="Root causes and What went wrong first name what can be corrected; "
            "`rekindle note --entry SEQ --cause TEXT` says it of an entry, `rekindle note TEXT` remarks anything",
        )


def _append(path: Path, run_id: str, request: inbox.Note, *, closed_or_old: bool) -> None:
    from journal.store import Journal

    found = newest(path, run_id)
    if found is None:
        raise AssertionError("the run was there a moment ago")
    still = found.memory.now if closed_or_old or found.memory.outcome else None
    journal = Journal.resume(path, holder=Holder.here(), run_id=run_id, at=still)
    now = found.memory.now
    try:
        take_in_notes(journal, now)  # left before this one, for a session that was killed
        journal.append([note_of(request, now)])
    finally:
        journal.close(e.LeaseLost(at=now, epoch=journal.epoch))


class _Finding:
    """Finds the entry that a correction is about, in one run of a journal."""

    def __init__(self, reader: Reader, run_id: str) -> None:
        self._reader = reader
        self._run_id = run_id
        first = next(iter(reader.rows(run_id)))
        self._opened_at = first.at
        self._since: float | None = None  # of what a time is corrected of, if the cluster told it

    def request(self, wanted: Wanted) -> inbox.Note:
        """Make the request; its text says the same as its fields."""
        row = self._row(lambda one: one.seq == wanted.entry, wanted.entry) if wanted.entry else None
        old, equals, new = wanted.time.rpartition("=")
        finding, cause = "", wanted.cause.strip()
        if equals and (found := self._of_object(old.strip(), wanted.entry)) is not None:
            finding, row = found[0], self._same(row, found[1])
        elif equals:
            row = self._same(row, self._named(old))
        if cause and "=" in cause:
            name, _, rest = cause.partition("=")
            about = self._of_finding(name.strip(), wanted.entry if wanted.time else 0, root=True)
            if about is not None and finding not in {"", about[0]}:
                raise UsageWrong(
                    f"{finding} and {about[0]} are named, and a note corrects one",
                    reference="note-about-what",
                    hint="write two notes",
                )
            if about is not None:
                finding, cause = about[0], rest.strip()
                # a time beside it is the cause's own, and not of another entry
                row = self._same(row, about[1]) if wanted.time else row or about[1]
            if about is not None and not cause:
                raise UsageWrong(
                    f"--cause {name.strip()}= says no cause",
                    reference="note-empty",
                    hint=f"--cause '{name.strip()}=TEXT' says what the true cause was",
                )
        if (wanted.time or cause) and row is None:
            raise UsageWrong(
                "a correction has to say which entry it corrects",
                reference="note-about-what",
                hint="--entry SEQ, --time OLD=NEW or --cause FINDING=TEXT name it; `rekindle log` shows the entries",
            )
        time = self._time(new, row, finding) if row is not None and wanted.time else None
        return inbox.Note(
            actor=str(Holder.here()),
            text=wanted.text or _spelled(row, time, finding, cause),
            run=self._run_id,
            corrects=row.seq if row is not None else 0,
            said=row.at if row is not None else None,
            time=time,
            finding=finding,
            cause=cause,
        )

    def _time(self, text: str, row: Row, finding: str) -> float:
        """Read what a time is corrected to: of an object, one near to since when the cluster says that it is so."""
        if finding and self._since is not None:
            with suppress(UsageWrong):  # it may be near to when it was found
                return corrected_of(text, self._opened_at, self._since)
        return corrected_of(text, self._opened_at, row.at)

    def _same(self, first: Row | None, second: Row) -> Row:
        if first is None or first.seq == second.seq:
            return second
        raise UsageWrong(
            f"entry {first.seq} and entry {second.seq} are named, and a note corrects one",
            reference="note-about-what",
            hint="write two notes",
        )

    def _named(self, text: str) -> Row:
        """Find the entry of a number, or the only one at an instant that `rekindle log` shows."""
        try:
            moment = moment_of(text, self._opened_at)
        except UsageWrong as error:
            raise UsageWrong(
                f"{text.strip()!r} is no entry, no instant, and nothing that this run saw",
                reference="note-about-what",
                hint="an object is named as `rekindle log --json` does: kustomization/NAMESPACE/NAME, node/NAME",
            ) from error
        if moment.seq is not None:
            return self._row(lambda one: one.seq == moment.seq, text)
        at = int(moment.at or 0.0)
        found = [
            row
            for row in self._reader.rows(self._run_id)
            if int(row.at) == at and not isinstance(row.entry, QUIET)
        ]
        if len(found) == 1:
            return found[0]
        named = ", ".join(f"{row.seq} ({row.kind})" for row in found[:SHOWN])
        if not found and is_of_day(text):
            at = int(corrected_of(text, self._opened_at, self._opened_at))
        raise UsageWrong(
            f"{len(found)} entries have the instant {stamp(at)}{f': {named}' if found else ''}",
            reference="note-about-what",
            hint="name the entry by its number: --time SEQ=NEW; `rekindle log` shows them. Since when something was "
            "so before is no entry's: --time OBJECT=NEW",
        )

    def _row(self, wanted: Callable[[Row], bool], said: object) -> Row:
        for row in self._reader.rows(self._run_id):
            if wanted(row):
                return row
        raise UsageWrong(
            f"run {self._run_id} has no entry {said}",
            reference="note-about-what",
            hint="`rekindle log --all` shows the entries with their numbers",
        )

    def _of_finding(self, name: str, entry: int, *, root: bool = False) -> tuple[str, Row] | None:
        """
        Find where a cause was found first, or anew by *entry*: by its id, or by the subject that it is about.

        *root*: rather than another of that subject. What was seen to be gone may have no cause that the cluster tells:
        it is named by itself.
        """
        gone, found = None, None
        self._since = None
        standing: set[str] = set()
        for row in self._reader.rows(self._run_id):
            if isinstance(row.entry, e.FindingsChanged):
                standing.difference_update(row.entry.cleared)
                for key, one in row.entry.changed.items():
                    if key in standing or name not in {key, one.subject}:
                        continue
                    fits = row.seq == entry if entry else one.root or not root
                    if fits or found is None:
                        found, self._since = (key, row), one.since
                    if fits:
                        return found
                standing.update(row.entry.changed)
            elif gone is None and isinstance(row.entry, e.Observed):
                fact = row.entry.changed.get(name)
                gone = (name, row) if fact is not None and fact.code == codes.ABSENT else None
        return found or gone

    def _of_object(self, name: str, entry: int) -> tuple[str, Row] | None:
        """Find a finding, what is gone, or else where an object was seen first: since when it was so may be noted."""
        found = self._of_finding(name, entry)
        if found is not None:
            return found
        for row in self._reader.rows(self._run_id):
            if isinstance(row.entry, e.Observed) and name in row.entry.changed:
                self._since = row.entry.changed[name].since
                return name, row
        return None


def _spelled(row: Row | None, time: float | None, finding: str, cause: str) -> str:
    """Say a correction in words, for whoever reads only those."""
    what = f"entry {row.seq} ({row.kind})" if row is not None else ""
    said = []
    if time is not None and row is not None and is_since(finding, row.at, time):
        said.append(f"{finding} was so since {stamp(time)}; it was found at {stamp(row.at)}")
    elif time is not None and row is not None:
        said.append(f"{finding or what} happened at {stamp(time)}, not at {stamp(row.at)}")
    if cause:
        said.append(f"the cause of {finding or what} was: {cause}")
    return "; ".join(said)
