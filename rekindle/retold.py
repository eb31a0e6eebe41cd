"""
What a journal keeps, made fit to be shown: without secrets.

A journal is redacted when it is written. It is done again here, as a report does it: what is shown ends in tickets and
in logs of CI, and an older rekindle may have known fewer kinds of secrets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.memory import Memory
from journal import codec
from journal.learned import decoder
from journal.redactor import redact_payload, redact_text
from journal.row import Row
from rekindle.output import as_line, print_json, print_line

# What of a run's memory is told in words. A subject is no name of a secret: what is kept by subject is left alone.
SAID = (
    "cluster",
    "answers",
    "findings",
    "approvals",
    "open",
    "last",
    "deeds",
    "objections",
    "interrupted",
)
NODES = ("node/", "k8s-node/")


def rows_of(rows: Iterable[Row]) -> Iterator[Row]:
    """Return rows as today's program would have written them."""
    for row in rows:
        if row.entry is None:
            yield row
            continue
        body = codec.encode(row.entry)
        clean = redact_payload(body)
        yield row if clean is body else replace(row, entry=codec.decode_fresh(clean))


def memory_of(memory: Memory) -> Memory:
    """Return what is known of a run, as today's program would have known it; of the facts, those of nodes."""
    told: dict[str, Any] = {name: getattr(memory, name) for name in SAID}
    told["facts"] = {key: fact for key, fact in memory.facts.items() if key.startswith(NODES)}
    body = msgspec.json.encode(told)
    clean = redact_payload(body)
    if clean is body:
        return memory
    whole = json.loads(msgspec.json.encode(memory))
    said = json.loads(clean)
    others = {key: fact for key, fact in whole["facts"].items() if not key.startswith(NODES)}
    said["facts"] = {**others, **said["facts"]}
    return decoder(Memory).decode(json.dumps({**whole, **said}).encode())


def told_line(text: str) -> None:
    """Write one line of data. Raises ``OutputFailed``."""
    print_line(redact_text(text))


def told_json(document: dict[str, Any]) -> None:
    """Write one document and a newline. Raises ``OutputFailed``."""
    body = as_line(document).encode()
    clean = redact_payload(body)
    print_json(document if clean is body else json.loads(clean))
