"""The dead-wait ledger of a closed run, in the words in which people read it; made by ``phases.ledger``."""

from __future__ import annotations

from collections.abc import Mapping

from engine.patience import spoken
from journal.entries import Json

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
    "DW13": "pods on a lost node",
    "DW14": "a held namespace",
    "DW15": "our own windows",
    "DW16": "a registry's limit",
    "DW17": "a certificate",
    "DW18": "a person",
    "DW20": "a deletion",
    "nobody": "no session",
}


def sentence(summary: Mapping[str, Json]) -> str:
    """Say in a line what a run's time went to; empty for a run that has no ledger."""
    found = summary.get("ledger")
    if not isinstance(found, Mapping):
        return ""
    total, work, ratio = (found.get(k) for k in ("seconds", "critical_path_seconds", "ratio"))
    times = f" (T/CP {ratio:g})" if ratio else ""
    said = [f"{spoken(total or 0.0)}, of which the work alone {spoken(work or 0.0)}{times}"]
    dead = _named(found.get("dead") or {})
    said += [f"dead: {dead}"] if dead else []
    said += [f"not known: {spoken(found['unknown'])}"] if found.get("unknown", 0) >= 1 else []
    beside = _named(found.get("beside") or {})
    said += [f"beside it: {beside}"] if beside else []
    return "; ".join(said)


def _named(classes: Mapping[str, float]) -> str:
    """Name the longest waits first."""
    order = sorted(classes.items(), key=lambda item: -item[1])
    lasting = [(name, span) for name, span in order if span >= 1]
    told = [f"{NAMES.get(name, name)} {spoken(span)} ({name})" for name, span in lasting[:SHOWN]]
    return ", ".join(told) + (f" and {len(lasting) - SHOWN} more" if len(lasting) > SHOWN else "")
