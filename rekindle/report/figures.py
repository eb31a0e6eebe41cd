"""The rows of the milestone's Metrics: a value, an instant, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.patience import spoken
from journal.entries import Outcome
from rekindle.lines import stamp
from rekindle.report.following import Follower
from rekindle.report.story import Ledger, Metric, Verdict

BOOTSTRAP = "etcd.bootstrap"
WIPE = "node.wipe"
NOT_COUNTED = "pods were never counted in this run"


def metrics(found: Follower, verdict: Verdict, ledger: Ledger | None) -> tuple[Metric, ...]:
    """Fill every row; the first five are the milestone's own."""
    return (
        _initial(found),
        _after_incident(found),
        _after_reset(found),
        _target(found),
        _reached(found),
        *_times(found, verdict, ledger),
        *_counts(found),
    )


def _expected(found: Follower) -> int | None:
    planned: Any = found.compiled.get("section", {}).get("inventory", {}).get("pods")
    if found.curve.points:
        return found.curve.points[-1].expected
    return planned if isinstance(planned, int) else None


def _number(name: str, number: int | None, why: str, at: float | None = None) -> Metric:
    if number is None:
        return Metric(name=name, value="not known", why=why)
    return Metric(name=name, value=str(number), number=float(number), at=at, why=why)


def _initial(found: Follower) -> Metric:
    """Nobody of this run saw the cluster before; what should run is the one thing that is known of it."""
    planned: Any = found.compiled.get("section", {}).get("inventory", {}).get("pods")
    why = (
        "by the inventory, which is of the cluster as it should be; this run did not see it before"
        if isinstance(planned, int)
        else "the plan has no inventory, and this run did not see the cluster before"
    )
    return _number("Initial pod count", planned if isinstance(planned, int) else None, why)


def _after_incident(found: Follower) -> Metric:
    first = found.first_pods
    at, ready = first if first is not None else (None, None)
    why = (
        "Ready at the first look; pods that exist and are not Ready do not count"
        if first is not None
        else NOT_COUNTED
    )
    return _number("Post-incident pod count", ready, why, at)


def _after_reset(found: Follower) -> Metric:
    low = found.lowest
    at, ready = low if low is not None else (None, None)
    wipes = [deed for deed in found.doings.by_hand.items if deed.verb == WIPE]
    if low is None:
        why = NOT_COUNTED
    elif found.causes.bare and not wipes:
        bare = found.causes.bare
        why = f"the lowest count of this run; {bare} nodes had been reset, or never configured, before it"
    elif wipes:
        why = f"the lowest count of this run; {len(wipes)} nodes were wiped by hand"
    else:
        why = "no node was reset in this run; this is its lowest count"
    return _number("Post-reset pod count", ready, why, at)


def _target(found: Follower) -> Metric:
    return _number(
        "Target pod count", _expected(found), "what the inventory expects, as last counted"
    )


def _reached(found: Follower) -> Metric:
    if not found.curve.points:
        return Metric(name="Reached pod count", value="not known", why=NOT_COUNTED)
    last = found.curve.points[-1]
    if found.full_since is None:
        why = f"not reached: {last.expected - last.ready} are missing at the last look"
        return _number("Reached pod count", last.ready, why, found.seen_at)
    took = spoken(found.full_since - found.opened.at)
    return _number(
        "Reached pod count", last.ready, f"all of them, {took} after the start", found.full_since
    )


def _times(found: Follower, verdict: Verdict, ledger: Ledger | None) -> Iterator[Metric]:
    end = found.last if found.closed_at is None else found.closed_at
    span = end - found.opened.at
    ended = "from its opening to its end" if found.memory.outcome else "so far"
    yield Metric(name="Time of the run", value=f"{span:.0f} s", number=round(span, 3), why=ended)
    if verdict.seconds is None:
        yield Metric(
            name="Time to the verdict", value="none", why="no cause was found that never clears"
        )
    else:
        yield Metric(
            name="Time to the verdict",
            value=f"{verdict.seconds:.0f} s",
            number=verdict.seconds,
            at=verdict.at,
            why="from the first look until it was known that waiting alone would never do",
        )
    if ledger is None or ledger.ratio is None:
        why = "no work was seen" if ledger is not None else "the journal's plan cannot be read here"
        yield Metric(name="T/CP", value="none", why=why)
    else:
        why = f"{ledger.seconds:.0f} s, of which the work alone {ledger.critical_path:.0f} s"
        yield Metric(name="T/CP", value=f"{ledger.ratio:g}", number=ledger.ratio, why=why)


def _counts(found: Follower) -> Iterator[Metric]:
    done = [a for a in found.doings.actions.values() if a.outcome == Outcome.DONE.value]
    verbs = ", ".join(f"{count} {verb}" for verb, count in sorted(found.doings.counts.items()))
    yield _number("Actions", found.doings.begun, verbs or "this run began none")
    boots = [action for action in done if action.verb == BOOTSTRAP]
    at = boots[0].settled if boots else None
    told = found.memory.summary.get("bootstraps")
    why = f"settled as done; the world counted {told}" if told is not None else "settled as done"
    yield _number("Bootstraps of etcd", len(boots), why, at)
    wipes = [deed for deed in found.doings.by_hand.items if deed.verb == WIPE]
    nodes = ", ".join(f"{deed.name} at {stamp(deed.at)}" for deed in wipes)
    yield _number("Nodes wiped", len(wipes), nodes or "no node was seen to lose its configuration")
