"""What two runs tried in a state, verb by verb: how often, on what, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from rekindle.courses import Course

A, B = "a", "b"
Two = tuple[str, str]  # what is said of a, and of b
Ended = Mapping[str, int]  # how many attempts, and how many ended how


@dataclass(frozen=True, slots=True)
class Tried:
    """
    A verb in a state.

    *often*: how often it was begun in a and in b; *same*: on so many targets as often in both; *more*: on which more
    often by the one; *ended*: how it ended in a and in b on each target on which both began it, where that differs;
    *in_all*: how it ended on all targets, where one began it on a target that the other did not, and that differs.
    """

    verb: str
    often: tuple[int, int]
    same: int
    more: dict[str, tuple[str, ...]]
    ended: dict[str, Two]
    in_all: Two | None


def attempts(a: Course, b: Course, state: str) -> Iterator[Tried]:
    """Return each verb of which something was begun in a state."""
    mine, theirs = a.attempts.get(state, {}), b.attempts.get(state, {})
    keys = sorted(mine.keys() | theirs.keys())
    for verb, group in groupby(keys, key=lambda key: key.partition(" ")[0]):
        known: dict[str, tuple[Ended, Ended]]
        known = {key.partition(" ")[2]: (mine.get(key, {}), theirs.get(key, {})) for key in group}
        counts = {target: (_count(one), _count(two)) for target, (one, two) in known.items()}
        yield Tried(
            verb=verb,
            often=(sum(n for n, _ in counts.values()), sum(n for _, n in counts.values())),
            same=sum(one == two for one, two in counts.values()),
            more={
                A: tuple(target for target, (one, two) in counts.items() if one > two),
                B: tuple(target for target, (one, two) in counts.items() if one < two),
            },
            ended={
                target: (_how(one), _how(two))
                for target, (one, two) in known.items()
                if all(counts[target]) and _how(one) != _how(two)
            },
            in_all=_in_all(known) if any(0 in count for count in counts.values()) else None,
        )


def _count(ended: Ended) -> int:
    return ended.get("attempts", 0)


def _how(ended: Ended) -> str:
    """Say how many attempts ended how."""
    outcomes = [
        f"{count} {word}" for word, count in sorted(ended.items()) if count and word != "attempts"
    ]
    return ", ".join(outcomes) or ("none ended" if _count(ended) else "none begun")


def _in_all(known: Mapping[str, tuple[Ended, Ended]]) -> Two | None:
    """Say how all attempts at a verb ended in a and in b; None: alike."""
    totals: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    for both in known.values():
        for total, ended in zip(totals, both, strict=True):
            total.update(ended)
    one, two = map(_how, totals)
    return None if one == two else (one, two)
