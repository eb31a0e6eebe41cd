"""A run that grows, read again and again: only what is new is folded. Never takes, or needs, the lease."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.folding import fold
from engine.plan import Plan, from_compiled
from journal import entries as e
from journal.reader import Reader
from journal.row import Row
from rekindle import folding
from rekindle.eta import READ_ENTRIES, Forecast, eta
from rekindle.folding import Found
from rekindle.recipes import recipe


class Following:
    """
    *found* is the run as of the last look.

    Use it from one thread. Every error is a ``Diagnosed``; ``look`` may be tried again after one.
    """

    def __init__(self, path: Path, found: Found) -> None:
        self.path = path
        self.found = found
        self._forecast: Forecast | None = None
        self._compiled: tuple[str, Plan] | None = None

    def look(self) -> list[Row]:
        """Read what is new, and who holds the run now."""
        run_id = self.found.memory.run_id
        with Reader(self.path) as reader:
            rows = list(reader.rows(run_id, self.found.last_seq))
            memory, plan = self.found.memory, self.found.plan
            for row in rows:
                if row.entry is not None:
                    memory = fold(memory, row.entry)
                if isinstance(row.entry, e.PlanChanged):
                    plan = row.entry.plan
            newest = reader.newest_run()
            mine = newest is not None and newest.run_id == run_id
            self.found = replace(
                self.found,
                memory=memory,
                plan=plan,
                lease=newest.lease if mine and newest is not None else None,
                alive=reader.holder_alive() if mine else False,
                last_seq=rows[-1].seq if rows else self.found.last_seq,
            )
        if self._forecast is not None:
            self._forecast.wrote(rows)
        if memory.outcome and self.found.closed is None:
            self.found = folding.newest(self.path, run_id) or self.found
        return rows

    def eta(self) -> str:
        """Say when it will be done; empty for a closed run."""
        memory = self.found.memory
        if memory.outcome:
            return ""
        if self._forecast is None:
            self._forecast = Forecast()
            if self.found.last_seq <= READ_ENTRIES:
                with Reader(self.path) as reader:
                    upto = self.found.last_seq
                    known = (row for row in reader.rows(memory.run_id) if row.seq <= upto)
                    self._forecast.wrote(known)
        if self.found.alive is False:
            return eta(memory, self._plan(), self._forecast.learnt, held=False).sentence
        return self._forecast.say(self._plan(), memory)

    def _plan(self) -> Plan:
        digest = self.found.memory.plan_digest
        if self._compiled is None or self._compiled[0] != digest:
            self._compiled = (digest, from_compiled(self.found.plan, recipe()))
        return self._compiled[1]
