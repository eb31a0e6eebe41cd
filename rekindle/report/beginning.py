"""What a summary says beside when a run was: by which clock that is told, and that it only watched at first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from journal.steady import SteadyClock
from rekindle.report.happenings import Change, SetBack
from rekindle.report.story import Run
from rekindle.spans import exact, stamp

WATCH = "watch"


def told_of_hands(run: Run, changes: Iterable[Change]) -> Iterator[str]:
    """Say of a run that was opened as a watch when it was given hands, and by whom."""
    taken = next((one for one in changes if one.kind == "hands"), None)
    if run.opened_as == WATCH != run.purpose and taken is not None:
        yield f"It was opened to watch only; at {stamp(taken.at)} {taken.text}."


def set_back(clock: SteadyClock) -> tuple[SetBack, ...]:
    """Say where the host's clock was set back."""
    return tuple(SetBack(at=one.written, entry=one.seq, seconds=one.seconds) for one in clock.jumps)


def told_of_clock(clock: SteadyClock) -> Iterator[str]:
    """Say in a sentence how instants and spans are told then."""
    jumps = clock.jumps
    if not jumps:
        return
    total, last = exact(sum(one.seconds for one in jumps)), stamp(jumps[-1].written)
    back = f"by {total}, to {last}"
    if len(jumps) > 1:
        back = f"{len(jumps)} times, by {total} in all, at last to {last}"
    yield (
        f"The host's clock was set back {back}: instants are told as it showed them, their order and all durations "
        "are of the time that passed."
    )
