"""A journal's newest run, folded: what every command that reads begins with. Standard library and msgspec only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.memory import Memory, fold
from journal import entries as e
from journal.reader import Reader
from journal.row import Lease


@dataclass(frozen=True, slots=True)
class Found:
    """A run, folded, with the compiled plan that it is judged by; *alive*: somebody holds the lease just now."""

    memory: Memory
    opened: e.RunOpened
    plan: dict[str, Any]
    lease: Lease | None
    alive: bool | None
    last_seq: int


def newest(path: Path, run_id: str | None = None) -> Found | None:
    """
    Fold the newest run of a journal, or the one that is named, from its last checkpoint.

    None when there is no such file or no run in it.
    """
    if run_id is None and not path.exists():
        return None
    with Reader(path) as reader:
        runs = reader.runs()
        chosen = [run for run in runs if run_id is None or run.run_id.startswith(run_id)]
        if not chosen:
            return None
        run = chosen[-1]
        memory, after = Memory(), 0
        checkpoint = reader.latest_checkpoint(run.run_id)
        if checkpoint is not None:
            after, body = checkpoint
            memory = msgspec.json.decode(body, type=Memory)
        plan = run.opened.plan
        for row in reader.rows(run.run_id, after):
            if row.entry is not None:
                memory = fold(memory, row.entry)
        if memory.plan_digest != run.opened.plan_digest:
            for row in reader.rows(run.run_id):
                if isinstance(row.entry, e.PlanChanged):
                    plan = row.entry.plan
        return Found(memory, run.opened, plan, run.lease, reader.holder_alive(), run.last_seq)
