"""Recorded runs of small rehearsals, and entries made by hand: what scenarios are made from in tests."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases import codes
from phases.snapshot import KINDS
from rekindle.simulator.recorded import Recording, recording_of
from rekindle.simulator.scenario import OperatorRule
from tests.properties.clusters import story

START = 1_749_715_200.0
NODES = ("n1", "n2", "n3")


@cache
def recorded(name: str) -> tuple[AnyEntry, ...]:
    """The entries of a rehearsal of a small scenario."""
    run, _ = story(name, operator=(OperatorRule("*", answer=True, think=30.0),))
    ended = run.session()
    assert ended is not None
    assert ended.outcome == "done"
    return tuple(run.book.entries())


def opened_of(entries: Iterable[AnyEntry]) -> e.RunOpened:
    return next(entry for entry in entries if isinstance(entry, e.RunOpened))


def made(entries: Iterable[AnyEntry | None]) -> Recording:
    kept = list(entries)
    opened = opened_of(entry for entry in kept if entry is not None)
    found = recording_of(opened, kept, opened.plan["machine"])
    assert found is not None
    return found


def node(code: str, boot: str = "b1", *, members: Iterable[str] = NODES, reason: str = "") -> Fact:
    detail = {"role": "controlplane", "boot_id": boot, "members": list(members) or None}
    return Fact(code, reason, detail=detail)


def seen(at: float, changed: dict[str, Fact]) -> e.Observed:
    return e.Observed(at=START + at, changed=changed)


def whole(**other: Fact) -> e.Observed:
    """A look at a cluster of which nothing is missing."""
    opened = opened_of(recorded("june"))
    facts = {codes.node(name): node(codes.RUNNING) for name in NODES}
    facts |= {codes.kind(name): Fact(codes.SEEN) for name in KINDS}
    facts |= {codes.API: Fact(codes.UP), codes.KUBECONFIG: Fact("ours")}
    facts |= {
        f"namespace/{name}": Fact(codes.READY)
        for name in opened.plan["section"]["inventory"]["namespaces"]
    }
    return seen(0.0, facts | {name.replace("__", "/"): fact for name, fact in other.items()})


def night(*entries: AnyEntry) -> Recording:
    opened = replace(opened_of(recorded("june")), at=START)
    return made([opened, *entries])


def by_hand(at: float, verb: str, target: str) -> e.ByHand:
    return e.ByHand(at=START + at, verb=verb, target=target)
