"""Pages of ``docs/reference`` that are tables of the code: rules of diagnosis, classes of dead waits, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from engine.memory import Memory
from phases import wait_classes
from phases.diagnosis.catalogue import RULES
from rekindle.ledger import NAMES
from rekindle.projections.metrics import Tally, families_of

MADE = "Made from the code by `make docs`."
LEDGER = {"seconds": 1.0, "critical_path_seconds": 1.0, "ratio": 1.0, "useful": 1.0, "unknown": 0.0}


def rules() -> str:
    """Every rule of diagnosis: what it finds, and how it is known to be right."""
    text = (
        "What `rekindle diagnose` and every run ask of a look ([why it is not there](../explanation/diagnosis.md)). "
        "A finding is called `RULE:SUBJECT`."
    )
    found = sorted(RULES, key=lambda rule: _by_number(rule.id))
    rows = ((f"`{r.id}`", r.title, str(r.proof), r.source) for r in found)
    return _page("Rules of diagnosis", text, ("rule", "finds", "proof", "source"), rows)


def dead_waits() -> str:
    """Every class that the ledger of a run may say."""
    text = (
        "The classes of a run's ledger, in the words in which `status` tells it; by what each is told, and which of "
        "the catalogue are never said, is in [where the time went](../explanation/dead-wait.md). Beside them time is "
        "`useful` (somebody was at work on what the run waited for) or `unknown`."
    )
    rows = ((f"`{name}`", NAMES[name]) for name in sorted(classes(), key=_by_number))
    return _page("Classes of dead waits", text, ("class", "means"), rows)


def classes() -> set[str]:
    """Every class of a wait that the ledger tells from the others and calls dead."""
    told = {value for value in vars(wait_classes).values() if isinstance(value, str)}
    return {value for value in told if re.fullmatch(r"DW\d+", value)} | {wait_classes.NOBODY}


def metrics() -> str:
    """Every metric of a run: its name, its type and its help, as Prometheus gets them."""
    text = (
        "What `rekindle metrics` writes ([metrics and traces](../how-to/metrics-and-traces.md)). What is not known has "
        "no sample. Every sample has the labels `cluster` and `purpose`."
    )
    tally = Tally(memory=Memory(summary={"ledger": LEDGER}))
    found = sorted(families_of(tally, None, held=None), key=lambda family: family.name)
    rows = ((f"`{f.name}`", f.kind, f.told) for f in found)
    return _page("Metrics", text, ("metric", "type", "help"), rows)


def _by_number(name: str) -> tuple[str, int]:
    """K2 comes before K10."""
    letters, number = re.fullmatch(r"(\D*)(\d*)", name).groups()  # type: ignore[union-attr]
    return letters, int(number or 0)


def _page(title: str, text: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"# {title}", "", MADE, "", text, "", *_table(columns, rows), ""]
    return "\n".join(lines)


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|{' --- |' * len(columns)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
