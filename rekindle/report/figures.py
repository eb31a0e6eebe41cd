"""The rows of the milestone's Metrics: a value, an instant, or why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from journal.entries import Instant, Outcome
from rekindle.report.corrections import told
from rekindle.report.following import OPENED, Follower
from rekindle.report.happenings import Action
from rekindle.report.kept import Counted
from rekindle.report.lessons import by_journal, counted
from rekindle.report.phrases import chain
from rekindle.report.reasons import Ledger, Verdict
from rekindle.report.story import Metric
from rekindle.spans import between

BOOTSTRAP = "etcd.bootstrap"
WIPE = "node.wipe"
RESET = "node.reset"
AT_ONCE_SECONDS = 1.0
STALE_SECONDS = 60.0  # a kubelet that is gone is found out within a minute
FAMILIES = {
    "k8s-node": "nodes",
    "namespace": "namespaces",
    "crd": "CRDs",
    "kustomization": "Kustomizations",
    "helmrelease": "HelmReleases",
    "deployment": "Deployments",
    "statefulset": "StatefulSets",
    "daemonset": "DaemonSets",
}
NOT_COUNTED = "pods were never counted in this run"


def metrics(found: Follower, verdict: Verdict, ledger: Ledger | None) -> tuple[Metric, ...]:
    """Fill every row; the first five are the milestone's own."""
    return (
        _initial(found),
        _after_incident(found),
        _after_reset(found),
        _target(found),
        _reached(found),
        _there(found),
        *_times(found, verdict, ledger),
        *_counts(found),
    )


def _expected(found: Follower) -> int | None:
    planned: Any = found.compiled.get("section", {}).get("inventory", {}).get("pods")
    if found.curve.points:
        return found.curve.points[-1].expected
    return planned if isinstance(planned, int) else None


def _number(name: str, number: int | None, why: str, since: Action | None = None) -> Metric:
    """Make a row of a number; *since*: the action by the end of which it was so."""
    if number is None:
        return Metric(name=name, value="not known", why=why)
    row = Metric(name=name, value=str(number), number=float(number), why=why)
    if since is None or since.settled is None:
        return row
    return replace(row, at=since.settled, of={"at": since.of["settled"]})


def _pods(
    found: Follower, name: str, ready: Counted | None, existing: Counted | None, why: str
) -> Metric:
    """Say how many pods there were and how many of them were Ready: a pod that serves nobody is there as well."""
    told = [one for one in (ready, existing) if one is not None]
    if not told:
        return Metric(name=name, value="not known", why=NOT_COUNTED)
    said = [f"{existing.number} existing"] if existing is not None else []
    said += [f"{ready.number} Ready"] if ready is not None else []
    if existing is None:
        why += "; how many existed was not counted"
    elif existing.leaving is None and existing.number > (_expected(found) or existing.number):
        why += "; any on the way out are among them, for this journal does not tell them apart"
    elif existing.leaving:
        why += f"; beside them {on_their_way_out(existing.leaving)}, and count as none"
    return Metric(
        name=name,
        value=", ".join(said),
        number=float(ready.number) if ready is not None else None,
        existing=existing.number if existing is not None else None,
        leaving=existing.leaving if existing is not None else None,
        at=told[0].at,
        why=why,
        of={"at": told[0].entry},
        entries=tuple(sorted({one.entry for one in told})),
    )


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
    why = f"{first_counted(found)}; only a pod that is Ready serves anybody{stale(found)}"
    return _pods(found, "Post-incident pod count", found.ready.first, found.existing.first, why)


def stale(found: Follower) -> str:
    """Say that what was counted first was a picture of before, where less was Ready right afterwards."""
    first, lowest = found.ready.first, found.ready.lowest
    if first is None or lowest is None or not 0 < lowest.at - first.at <= STALE_SECONDS:
        return ""
    later = found.corrections.took(first.told, lowest.told)
    return f"; {later} later only {lowest.number} were: what was counted first had been said before"


def on_their_way_out(leaving: int) -> str:
    """Say how many pods are deleted and still listed, which those on a lost node are for as long as it is lost."""
    return f"{counted(leaving, 'deleted pod')} {'was' if leaving == 1 else 'were'} on the way out"


def first_counted(found: Follower) -> str:
    """Say when pods were counted first: a cluster without an API has no pods that anybody could count."""
    first, looked = found.ready.first, found.memory.looked_at
    if first is None or looked is None or first.at - looked < AT_ONCE_SECONDS:
        return "at the first look"
    after = found.corrections.took((found.looked_by, looked), first.told)
    return f"when they could first be counted, {after} after the first look"


def _there(found: Follower) -> Metric:
    """Say what was there at the first look, kind by kind: what an accident took beside the pods."""
    said = [
        f"{there} of {of} {name}"
        for family, name in FAMILIES.items()
        for there, of in (found.there.get(family, (0, 0)),)
        if of
    ]
    why = (
        "of what the inventory lists, whether well or not" if said else "the API told nothing then"
    )
    value = ", ".join(said) or "not known"
    looked, of = found.memory.looked_at, {"at": found.looked_by}
    return Metric(name="There at the first look", value=value, at=looked, why=why, of=of)


def _after_reset(found: Follower) -> Metric:
    wipes = _wiped(found)
    bare = found.causes.bare
    if wipes:
        why = f"the lowest of this run; wiped in it: {counted(len(wipes), 'node')}"
    elif bare:
        why = f"the lowest of this run; {counted(bare, 'node')} had been reset, or never configured, before it"
    else:
        why = "no node was reset in this run; this is the lowest of it"
    return _pods(found, "Post-reset pod count", found.ready.lowest, found.existing.lowest, why)


def _target(found: Follower) -> Metric:
    return _number(
        "Target pod count",
        _expected(found),
        "what the inventory expects, as last counted; all of them Ready",
    )


def _reached(found: Follower) -> Metric:
    last = found.ready.last
    missing = found.curve.points[-1].expected - last.number if last is not None else 0
    if last is None or found.full_since is None:
        why = f"not reached: {missing} of those that are expected are not Ready at the last look"
    else:
        full = (found.full_by, found.full_since)
        took = found.corrections.took((OPENED, found.opened.at), full)
        why = f"all that are expected, {took} after the start"
        last = last._replace(entry=found.full_by)
    row = _pods(found, "Reached pod count", last, found.existing.last, why)
    at, by = found.counted
    return replace(row, at=at, of={"at": by}) if last is not None else row


def _times(found: Follower, verdict: Verdict, ledger: Ledger | None) -> Iterator[Metric]:
    opened, end = found.opened.at, found.end
    ended = "from its opening to its end" if found.memory.outcome else "so far"
    yield Metric(
        name="Time of the run",
        value=f"{between(opened, end)} s",
        number=round(end - opened, 3),
        why=ended,
        entries=(OPENED, found.closed_by) if found.closed_by else (OPENED,),
        corrected=_between(found, (OPENED, opened), (found.closed_by, end)),
    )
    if verdict.seconds is None or verdict.looked_at is None or verdict.at is None:
        yield Metric(
            name="Time to the verdict", value="none", why="no cause was found that never clears"
        )
    else:
        yield Metric(
            name="Time to the verdict",
            value=f"{between(verdict.looked_at, verdict.at)} s",
            number=verdict.seconds,
            at=verdict.at,
            why="from the first look until it was known that waiting alone would never do",
            of={"at": found.sentenced_by},
            entries=(found.looked_by, found.sentenced_by),
            corrected=_between(
                found, (found.looked_by, verdict.looked_at), (found.sentenced_by, verdict.at)
            ),
        )
    if ledger is None or ledger.ratio is None:
        why = "no work was seen" if ledger is not None else "the journal's plan cannot be read here"
        yield Metric(name="T/CP", value="none", why=why)
    else:
        took = between(opened, end)
        longest = chain(ledger, took)
        why = f"T {took} s, the time of the run; CP {longest} s, the longest chain of work in it"
        why += by_journal(found)
        yield Metric(name="T/CP", value=f"{ledger.ratio:g}", number=ledger.ratio, why=why)


def _between(found: Follower, begun: tuple[int, Instant], ended: tuple[int, Instant]) -> str:
    """Return how long it was by the instants that people corrected; empty: as the journal says."""
    true = found.corrections.true
    span = true(*ended) - true(*begun)
    shown = between(true(*begun), true(*ended))
    return f"{shown} s" if span != ended[1] - begun[1] else ""


def _counts(found: Follower) -> Iterator[Metric]:
    done = [a for a in found.doings.actions.values() if a.outcome == Outcome.DONE.value]
    verbs = ", ".join(f"{count} {verb}" for verb, count in sorted(found.doings.counts.items()))
    yield _number("Actions", found.doings.begun, verbs or "this run began none")
    boots = [action for action in done if action.verb == BOOTSTRAP]
    told = found.memory.summary.get("bootstraps")
    why = "actions that are known to have happened"
    why += f"; the simulated cluster itself counted {told}" if told is not None else ""
    yield _number("Bootstraps of etcd", len(boots), why, boots[0] if boots else None)
    wipes = _wiped(found)
    nodes = ", ".join(f"{name} at {at}{how}" for _, name, at, how in wipes)
    yield _number("Nodes wiped", len(wipes), nodes or "no node was seen to lose its configuration")


def _wiped(found: Follower) -> list[tuple[Instant, str, str, str]]:
    """Return when each node was wiped, and whether by somebody else; of our own resets, those that were seen."""
    deeds = [deed for deed in found.doings.by_hand.items if deed.verb == WIPE]
    seen = [
        action
        for action in found.doings.actions.values()
        if action.verb == RESET and action.outcome == Outcome.DONE.value and action.by == "probe"
    ]
    by_hand = [
        (one.when("at"), one.name, told(one, "at"), " by hand")
        for one in found.corrections.beside(deeds)
    ]
    ours = [
        (one.when("settled"), one.name, told(one, "settled"), "")
        for one in found.corrections.beside(seen)
    ]
    return sorted([*by_hand, *ours])
