"""
A journal, walked through today's code: the rows, the recorded looks beside them, and what comes of it.

A journal that nobody writes is verified before it is held against anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine import guests
from engine.errors import EnvironmentWrong
from engine.parted import Difference
from engine.plan import Plan
from engine.recipe import Recipe, Retry
from engine.replay import Replayer
from journal import entries as e
from journal.reader import Reader
from journal.redactor import redact_text
from journal.row import Row
from phases.diagnosis.words import counted as number_of
from rekindle.looks.film import RecordingDamaged, film_of
from rekindle.looks.takes import Take, Takes
from rekindle.recipes import recipe
from rekindle.retold import rows_of
from rekindle.runs import Source
from rekindle.there import may_be_there

WITHHELD = "[redacted: what differs is a secret, or made of one]"
KEPT = 1_000  # differences that are kept; what is over is counted


@dataclass(slots=True)
class Replayed:
    """
    What a replay came to.

    *film*: the recording that was used (None: there is none), *said*: what it lacks, *torn*: what is damaged of it.
    *unasked*: what the other plan says otherwise, and no replay can tell what would have come of it.
    """

    source: Source
    replayer: Replayer
    differences: list[Difference] = field(default_factory=list)
    count: int = 0
    film: Path | None = None
    said: list[str] = field(default_factory=list)
    torn: str = ""
    seconds: float = 0.0
    phases: list[str] = field(default_factory=list)
    unasked: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Say whether today's code decides as the journal has it."""
        return not self.count

    def must_be_whole(self) -> None:
        """
        Refuse to let an answer stand that a damaged recording had a part in.

        :raises RecordingDamaged: when it is damaged.
        """
        if not self.torn:
            return
        looks = number_of(self.replayer.counted.looks, "look")
        raise RecordingDamaged(
            f"recording {self.film}: {self.torn}; {looks} of it were replayed, and the rest of the run by the "
            "journal's own facts",
            reference="recording-damaged",
            hint="put a copy of the file in its place, or take it away: without it the whole run is replayed by the "
            "journal's own facts",
        )

    def keep(self, found: list[Difference]) -> None:
        """Count differences, and keep the first of them."""
        self.count += len(found)
        self.differences += found[: max(0, KEPT - len(self.differences))]


def replayed(source: Source, plan: Plan | None) -> Replayed:
    """
    Hold a run against today's code, and against *plan* if one is given.

    :raises ChainBroken: when the journal is not what was written.
    :raises EnvironmentWrong: when the journal's plan means nothing to today's code.
    """
    begun = time.monotonic()
    result = _held_against(source, plan, lambda rows: rows)
    if not result.same:
        # The verdict is of the journal as it is. What differs is shown by what of it may be shown, and what today's
        # code makes of that: a text made of a secret's is not always known for one.
        fit = _held_against(source, plan, rows_of)
        result.differences = fit_to_show(result.differences, fit.differences)
        result.phases = fit.phases
    result.seconds = time.monotonic() - begun
    return result


def fit_to_show(found: list[Difference], fit: list[Difference]) -> list[Difference]:
    """Tell each difference by its like in a replay of redacted rows; what has none there differs in a secret."""
    like = {_key(one): one for one in fit}
    return [_told_by(like.get(_key(one)), one) for one in found]


def _key(one: Difference) -> tuple[object, ...]:
    return one.position, one.at, one.what


def _told_by(like: Difference | None, one: Difference) -> Difference:
    told = like if like is not None else replace(one, journaled={}, today={}, because=())
    return replace(
        told,
        journaled=_bodies(one.journaled, told.journaled),
        today=_bodies(one.today, told.today),
    )


def _bodies(found: dict[str, Any], fit: dict[str, Any]) -> dict[str, Any]:
    told = {redact_text(s): None if body is None else WITHHELD for s, body in found.items()}
    fitting = {redact_text(subject): body for subject, body in fit.items()}
    return {subject: fitting.get(subject, body) for subject, body in told.items()}


def _held_against(
    source: Source, plan: Plan | None, fit: Callable[[Iterator[Row]], Iterator[Row]]
) -> Replayed:
    film = film_of(source.journal, source.run_id)
    takes = Takes(film) if may_be_there(film) else None
    result = Replayed(source, Replayer(recipe(), plan), film=film if takes else None)
    with Reader(source.journal) as reader:
        held = reader.holder_alive() is True
        if not held:
            reader.verify()
        if takes is not None:
            takes.recording = held
        try:
            walk(result, fit(reader.rows(source.run_id)), iter(takes or ()))
        except ValueError as error:  # pydantic's, of a plan of another time
            raise EnvironmentWrong(
                f"the plan of run {source.run_id} means nothing to this rekindle: {_first_line(error)}",
                reference="replay-plan-foreign",
                hint="replay it with the rekindle that wrote it: `rekindle log` shows its version",
            ) from error
    if takes is not None:
        result.said += takes.said
        result.torn = takes.torn
    return result


def walk(result: Replayed, rows: Iterator[Row], takes: Iterator[Take]) -> None:
    """Give the replayer each look before the entries of its turn."""
    replayer = result.replayer
    take, until = next(takes, None), 0
    for row in rows:
        while take is not None and take.after < row.seq:
            result.keep(replayer.looked_away())
            replayer.looked(take.after, take.snapshot, take.at, diagnosed=take.diagnosed)
            until, take = take.until, next(takes, None)
        if row.seq > until:
            result.keep(replayer.looked_away())
        result.keep(replayer.see(row.seq, row.entry))
        if isinstance(row.entry, e.RunOpened | e.PlanChanged) and replayer.compiled is not None:
            result.phases += _of_other_versions(replayer.compiled, replayer.recipe)
            if replayer.plan is not None:
                told = (*result.unasked, *_paced_otherwise(replayer.compiled, replayer.plan))
                result.unasked = list(dict.fromkeys(told))
    result.keep(replayer.ended())


def _of_other_versions(plan: Plan, ours: Recipe) -> list[str]:
    """Say which phases decide here in another version than then: a difference may be theirs."""
    return [
        f"the phase {name!r} was of {then['distribution']} {then['version']} then, and is of {today['version']} here"
        for name, (then, today) in guests.changed(plan, ours).items()
    ]


def _paced_otherwise(journaled: Plan, other: Plan) -> Iterator[str]:
    """
    Name what decides when an action is tried again, and how long it may take, where another plan says otherwise.

    How often it is tried, and after which failures, is decided by what happened, and is compared.
    """
    for name, verb in sorted(other.verbs.items()):
        before = journaled.verbs[name]
        if _wait_of(verb.retry) != _wait_of(before.retry):
            yield f"the backoff of {name}"
        if verb.deadline_seconds != before.deadline_seconds:
            yield f"the deadline of {name}"


def _wait_of(retry: Retry) -> tuple[float, float, bool]:
    return retry.backoff_seconds, retry.backoff_limit_seconds, retry.full_jitter


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def document(result: Replayed) -> dict[str, Any]:
    """Write what a replay came to, as JSON."""
    counted = result.replayer.counted
    return {
        "schema": "rekindle.replay/1",
        "journal": str(result.source.journal),
        "run_id": result.source.run_id,
        "verdict": "same" if result.same else "differs",
        "turns": counted.turns,
        "turns_not_compared": {why.value: count for why, count in counted.left.items()},
        "decisions": counted.decisions,
        "moves": counted.moves,
        "looks": counted.looks,
        "turns_without_look": counted.unlooked,
        "diagnoses": counted.diagnoses,
        "facts": counted.facts,
        "withdrawn": counted.withdrawn,
        "recording": str(result.film) if result.film is not None else None,
        "recording_lacks": [*result.said, *([result.torn] if result.torn else [])],
        "recording_damaged": bool(result.torn),
        "phases": result.phases,
        "plan_not_compared": result.unasked,
        "seconds": round(result.seconds, 3),
        "count": result.count,
        "differences": [
            {
                "seq": one.position,
                "at": one.at,
                "state": one.state,
                "what": one.what.value,
                "why": one.why.value,
                "because": list(one.because),
                "journaled": one.journaled,
                "today": one.today,
            }
            for one in result.differences
        ],
    }
