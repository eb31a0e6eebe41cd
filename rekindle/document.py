"""The one JSON document that a session ends with."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from engine.memory import VERDICT, WATCH, Memory
from journal.entries import Outcome
from rekindle.causes import roots, weight
from rekindle.watching import would

REHEARSAL = "rekindle.rehearsal/1"
RUN = "rekindle.run/1"
WATCHED = "rekindle.watch/1"


def of_run(
    memory: Memory,
    *,
    outcome: str,
    counted: dict[str, Any],
    journal: str,
    wall_seconds: float = 0.0,
) -> dict[str, Any]:
    """
    Say how a session ended, or how the run was closed. *counted* has the figures of the recipe and of the world.

    ``cluster_seconds`` are the cluster's own, from the opening of the run; ``wall_seconds`` are this session's.
    """
    return {
        "schema": schema_of(memory),
        "outcome": outcome,
        "state": memory.state,
        "run_id": memory.run_id,
        "cluster": memory.cluster,
        "cluster_seconds": round(memory.now - memory.opened_at + memory.set_back, 3),
        "wall_seconds": round(wall_seconds, 3),
        "journal": journal,
        **figures(memory, counted),
        "answers": memory.answers,
        **verdict(memory),
        **(watched(memory) if memory.watches else {}),
    }


def watched(memory: Memory) -> dict[str, Any]:
    """Say what a run that only watches would do now, what others did, and why things are not there."""
    return {
        "would": [to_builtins(wish) for wish in would(memory)],
        "by_hand": [to_builtins(deed) for deed in memory.deeds],
        "causes": [to_builtins(root) for root in roots(memory)],
    }


def verdict(memory: Memory) -> dict[str, Any]:
    """
    Say what was found the first time that a cause could never clear by itself, and how long after the first look.

    ``roots`` are those of that moment; none, and no time, where waiting could always help.
    """
    said = memory.sentence
    if said is None or memory.looked_at is None:
        return {VERDICT: None, "roots": []}
    found = [
        {
            "id": name,
            "rule": root.rule,
            "subject": root.subject,
            "message": root.message,
            "blocks": len(root.victims),
            "clears_itself": root.clears_itself,
            "next_after": list(root.next_after),
        }
        for name, root in sorted(said.roots.items(), key=lambda item: weight(item[1]))
    ]
    return {VERDICT: memory.verdict_seconds, "roots": found}


def figures(memory: Memory, counted: dict[str, Any]) -> dict[str, Any]:
    """The figures that people count by; a simulated world counts for itself, a real one in its journal."""
    leading = {
        "pods": counted.get("pods", {}),
        "bootstraps": counted.get("bootstraps", bootstraps(memory)),
        "wipes": counted.get("wipes", wipes(memory)),
    }
    if "recorded_from" in counted:
        leading["recorded_from"] = counted["recorded_from"]
    rest = {key: value for key, value in counted.items() if key not in {*leading, VERDICT}}
    return {**leading, "counters": rest} if rest else leading


def schema_of(memory: Memory) -> str:
    """The documents of a rehearsal, a watch and a run differ by name, so that nobody mistakes one for another."""
    return {"rehearse": REHEARSAL, WATCH: WATCHED}.get(memory.purpose, RUN)


def bootstraps(memory: Memory) -> int:
    """How often etcd was bootstrapped, so far as the journal knows (a simulated world counts for itself)."""
    return sum(a.outcome is Outcome.DONE for a in memory.attempts_at("etcd.bootstrap"))


def wipes(memory: Memory) -> int:
    """How many nodes this run wiped, as they showed themselves afterwards."""
    resets = memory.attempts_at("node.reset")
    return len({a.target for a in resets if a.outcome is Outcome.DONE and a.by == "probe"})
