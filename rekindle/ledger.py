"""The dead-wait ledger of a closed run, in the words in which people read it; made by ``phases.ledger``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from journal.entries import Instant, Json
from rekindle.spans import between, exact, shares

SHOWN = 4
# The catalogue of dead waits, a few words each: docs/explanation/dead-wait.md.
NAMES = {
    "DW1": "a retry",
    "DW3": "a health check in vain",
    "DW4": "busy workers",
    "DW5": "a dependency's poll",
    "DW6": "a first stage behind a namespace",
    "DW7": "a source's poll",
    "DW8": "a release's retry",
    "DW9": "a secret's retry",
    "DW10": "a CRD",
    "DW11": "pods that back off",
    "DW12": "a volume on a lost node",
    "DW13": "pods on a lost node",
    "DW14": "a held namespace",
    "DW15": "our own windows",
    "DW16": "a registry's limit",
    "DW17": "a certificate",
    "DW18": "a person",
    "DW20": "a deletion",
    "nobody": "no session",
}


def sentence(summary: Mapping[str, Json], ended: Instant | None = None) -> str:
    """
    Say in a line what a run's time went to; empty for a run that has no ledger.

    *ended* is when it was closed: the time that it took is then that between the instants which people are shown.
    """
    found = summary.get("ledger")
    if not isinstance(found, Mapping):
        return ""
    ratio = found.get("ratio")
    work = rounded(found, ended)
    times = f" (T/CP {ratio:g})" if ratio else ""
    longest = found.get("critical_path_seconds") or 0.0
    # No part of it: the longest chain may have been worked on while the path waited for something else.
    said = [f"{exact(work.total)}", f"the work alone would have taken {exact(longest)}{times}"]
    dead = _named(found.get("dead") or {}, work.dead)
    said += [f"dead: {dead}"] if dead else []
    said += [f"not known: {exact(work.unknown)}"] if found.get("unknown", 0) >= 1 else []
    aside = found.get("beside") or {}
    beside = _named(aside, {name: round(span) for name, span in aside.items()})
    said += [f"beside it: {beside}"] if beside else []
    return "; ".join(said)


@dataclass(frozen=True, slots=True)
class Rounded:
    """A ledger in whole seconds: *useful*, *unknown* and *dead* add up to *total*, which is what people are shown."""

    total: int
    useful: int
    unknown: int
    dead: Mapping[str, int]


def rounded(ledger: Mapping[str, Json], ended: Instant | None = None) -> Rounded:
    """Round the ledger of a closing entry, or of an open run at its latest entry (*ended*; none: by itself)."""
    seconds = float(ledger.get("seconds") or 0.0)
    total = round(seconds)
    if ended is not None:  # a closing entry has milliseconds
        total = between(round(ended - seconds, 3), ended)
    dead: Mapping[str, float] = ledger.get("dead") or {}
    known = (float(ledger.get("useful") or 0.0), float(ledger.get("unknown") or 0.0))
    useful, unknown, *rest = shares(total, (*known, *dead.values()))
    return Rounded(total, useful, unknown, dict(zip(dead, rest, strict=True)))


def _named(classes: Mapping[str, float], seconds: Mapping[str, int]) -> str:
    """Name the longest waits first; *seconds* are those that are shown."""
    order = sorted(classes.items(), key=lambda item: -item[1])
    lasting = [name for name, span in order if span >= 1]
    told = [f"{NAMES.get(name, name)} {exact(seconds[name])} ({name})" for name in lasting[:SHOWN]]
    return ", ".join(told) + (f" and {len(lasting) - SHOWN} more" if len(lasting) > SHOWN else "")
