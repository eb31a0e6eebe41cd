"""
A run played again in the live view, as it was: the same watcher, fed from the journal in the time of then.

What nobody held is skipped: whoever watches wants to see what was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from engine.folding import fold
from engine.judging import Rules
from engine.memory import Memory
from engine.patience import spoken
from engine.plan import from_compiled
from engine.ports import Watcher
from engine.recipe import Recipe
from engine.turn import Turn
from journal import entries as e
from journal.row import Row
from rekindle.elaborating import elaborated
from rekindle.pace import Pace
from rekindle.watchers import Show

# What only a turn writes. A session writes everything else between two turns, or begins or ends with it.
TURNED = (
    e.Observed,
    e.GoalMoved,
    e.FindingsChanged,
    e.TimerSet,
    e.TimerCancelled,
    e.TimerFired,
    e.RetryScheduled,
    e.Moved,
    e.ByHand,
    e.Decided,
    e.ApprovalAsked,
    e.ActionIntended,
)
BY_A_TURN = (
    "probe",
    "deadline",
)  # who settles an action in a turn; its own end is written before one
SKIPPED_SECONDS = 60.0  # of the world, without anybody: less is waited for as everything else


@dataclass(slots=True)
class Player:
    """
    Plays rows; *speed* is seconds of the world in a second of ours. ``play`` says whether it was seen to its end.

    *verbose*: each cause is told in full where it was found, as the session did that was asked to.
    """

    recipe: Recipe
    show: Show
    pace: Pace
    speed: float
    verbose: bool = False
    memory: Memory = field(default_factory=Memory)
    _watcher: Watcher = field(init=False)
    _rules: Rules | None = None
    _begun: float = 0.0  # ours, at which the world's time was _from
    _from: float = 0.0
    _until: float = 0.0  # of the world: what is shown next

    def __post_init__(self) -> None:
        """Put whoever tells causes before whoever shows the run."""
        self._watcher = elaborated(self.show, self.show.say, verbose=self.verbose)

    def play(self, rows: Iterable[Row]) -> bool:
        """Show one commit after the other, each in its time."""
        first = True
        for commit in _commits(rows):
            at = max(commit[0].at, self._until)
            if first:
                self._begun, self._from, self._until, first = self.pace.monotonic(), at, at, False
                self.show.clock = self.now
            self._skip(commit, at)
            self._until = at
            if self.pace.wait((at - self.now()) / self.speed):
                return False
            self._shown(commit)
        return True

    def now(self) -> float:
        """Tell the time of then; it never runs ahead of what is shown next. Any thread may ask."""
        passed = (self.pace.monotonic() - self._begun) * self.speed
        return min(self._from + passed, self._until)

    def _skip(self, commit: list[Row], at: float) -> None:
        idle = sum(row.entry.idle_seconds for row in commit if isinstance(row.entry, e.RunResumed))
        if idle < SKIPPED_SECONDS:
            return
        self.show.say(f"nobody held the run for {spoken(idle)}: skipped")
        self._begun, self._from = self.pace.monotonic(), at

    def _shown(self, commit: list[Row]) -> None:
        for rows, turned in _turns(commit):
            self._fold(rows)
            self._watcher.wrote(rows)
            if turned and self._rules is not None:
                self._watcher.turned(
                    self._rules, Turn((), self.memory, {}, {}, (), diagnosed=False)
                )

    def _fold(self, rows: Iterable[Row]) -> None:
        for row in rows:
            entry = row.entry
            if entry is None:
                continue
            if isinstance(entry, (e.RunOpened, e.PlanChanged)):
                self._rules = Rules.of(self.recipe, from_compiled(entry.plan, self.recipe))
            self.memory = fold(self.memory, entry)


def _turns(rows: Iterable[Row]) -> Iterator[tuple[list[Row], bool]]:
    """Part what was written in one breath: each turn with its entries, and what came before, between and after."""
    part: list[Row] = []
    turned = looked = False
    for row in rows:
        of_a_turn, looks = _is_of_a_turn(row.entry), isinstance(row.entry, e.Observed)
        if part and (of_a_turn != turned or (looks and not looked)):
            yield part, turned
            part = []
        part.append(row)
        turned, looked = of_a_turn, looks
    if part:
        yield part, turned


def _is_of_a_turn(entry: e.AnyEntry | None) -> bool:
    if isinstance(entry, e.ActionSettled):
        return entry.by in BY_A_TURN
    return isinstance(entry, TURNED)


def _commits(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """What has one instant was written in one breath: a turn, or what came between two, or several of these."""
    for _, group in groupby(rows, key=lambda row: row.at):
        yield list(group)
