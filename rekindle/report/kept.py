"""Lists that stay small however long a run was, and say how much they left out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

from journal.entries import Instant, Observed
from phases import codes
from rekindle.report.happenings import Pods

T = TypeVar("T")
POINTS = 600


class Ends(Generic[T]):
    """The first and the last of many: how it began and how it ended is what people ask."""

    def __init__(self, limit: int) -> None:
        self._first: list[T] = []
        self._last: deque[T] = deque(maxlen=limit - limit // 2)
        self._half = limit // 2
        self._count = 0

    def add(self, item: T) -> None:
        """Take in the next one."""
        self._count += 1
        if len(self._first) < self._half:
            self._first.append(item)
        else:
            self._last.append(item)

    @property
    def items(self) -> tuple[T, ...]:
        """What is left, in its order."""
        return (*self._first, *self._last)

    @property
    def left_out(self) -> int:
        """How many are not."""
        return self._count - len(self._first) - len(self._last)


@dataclass(slots=True)
class Tape(Generic[T]):
    """All of many, as long as they are at most *limit*; one more, and it has none of them and is not *whole*."""

    limit: int
    items: list[T] = field(default_factory=list)
    whole: bool = True

    def add(self, item: T) -> None:
        """Take in the next one."""
        if self.whole and len(self.items) < self.limit:
            self.items.append(item)
        else:
            self.items, self.whole = [], False


class Counted(NamedTuple):
    """So many, at an instant, by an entry (its seq); *leaving*: how many more are on their way out (None: unknown)."""

    at: Instant
    number: int
    entry: int
    leaving: int | None = None

    @property
    def told(self) -> tuple[int, Instant]:
        """The entry, and what it says of when."""
        return self.entry, self.at


@dataclass(slots=True)
class Count:
    """A number over time: the first, the lowest and the last of it."""

    first: Counted | None = None
    lowest: Counted | None = None
    last: Counted | None = None

    def see(self, at: Instant, number: int, entry: int, leaving: int | None = None) -> None:
        """Take in a count."""
        self.last = Counted(at, number, entry, leaving)
        if self.first is None or self.first.at == at:  # a look may be several entries
            self.first = self.last
        if self.lowest is None or number < self.lowest.number:
            self.lowest = self.last


@dataclass(slots=True)
class Existing(Count):
    """Pods that are there and not on their way out: a lost node keeps those that were deleted, beside their heirs."""

    listed: int | None = None
    leaving: int | None = None  # an older journal does not tell

    def observe(self, entry: Observed, seq: int) -> None:
        """Take in what was observed."""
        existing, leaving = entry.changed.get(codes.EXISTING), entry.changed.get(codes.LEAVING)
        if existing is None and leaving is None:
            return  # nearly always
        told = [one is not None and one.code.isdecimal() for one in (existing, leaving)]
        if existing is not None and told[0]:
            self.listed = int(existing.code)
        if leaving is not None and told[1]:
            self.leaving = int(leaving.code)
        if any(told) and self.listed is not None:
            self.see(entry.at, max(self.listed - (self.leaving or 0), 0), seq, self.leaving)


@dataclass(slots=True)
class Curve:
    """Pods over time, at most so many points: of each stretch the lowest, the highest and the last stay."""

    limit: int = POINTS
    points: list[Pods] = field(default_factory=list)

    def add(self, at: Instant, ready: int, expected: int, seq: int = 0) -> None:
        """Take in a count of the entry *seq*; one that says nothing new is no point."""
        if self.points and (self.points[-1].ready, self.points[-1].expected) == (ready, expected):
            return
        self.points.append(Pods(at, ready, expected, of={"at": seq} if seq else {}))
        if len(self.points) >= 4 * self.limit:
            self.points = thinned(self.points, 2 * self.limit)

    def drawn(self) -> tuple[Pods, ...]:
        """Return the points."""
        return tuple(thinned(self.points, self.limit))


def thinned(points: list[Pods], limit: int) -> list[Pods]:
    """Leave at most *limit* points, among them the first, the last, the lowest and the highest of all."""
    if len(points) <= limit:
        return points
    stretches = (limit - 1) // 3
    kept = [points[0]]
    rest = points[1:]
    for number in range(stretches):
        begin, end = (len(rest) * n // stretches for n in (number, number + 1))
        stretch = rest[begin:end]
        chosen = {
            min(range(len(stretch)), key=lambda i: stretch[i].ready),
            max(range(len(stretch)), key=lambda i: stretch[i].ready),
            len(stretch) - 1,
        }
        kept += [stretch[index] for index in sorted(chosen)]
    return kept
