"""A recorded look, reduced and diagnosed by today's code, and held against what the journal has of it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from engine.draft import Draft
from engine.judging import Rules
from engine.memory import Memory
from engine.observing import note_findings, observe
from engine.parted import Said, code_of, named, plain
from engine.recipe import Facts, Findings
from journal import entries as e
from journal.entries import Instant


@dataclass(slots=True)
class Look:
    """A recorded look that is being compared; *facts* and *findings* are those of today that differ (None: none do)."""

    position: int
    at: Instant
    today_facts: Facts
    today_findings: Findings | None
    compared: int = 0  # 1: the facts, 2: the findings as well
    facts: Facts | None = None
    findings: Findings | None = None
    because: tuple[str, ...] = ()

    def seen_today(self, memory: Memory) -> Memory:
        """Return what would be known, had today's code reduced and diagnosed the look."""
        seen = memory
        if self.facts is not None:
            seen = replace(seen, facts=dict(self.facts))
        return seen if self.findings is None else replace(seen, findings=dict(self.findings))

    def compare_facts(self, rules: Rules, memory: Memory) -> Said:
        """Compare once all has been taken in that was seen."""
        draft = Draft(rules, memory, self.at)
        observe(draft, self.today_facts)
        then = memory.facts
        said: Said = {}
        for entry in draft.entries:
            if isinstance(entry, e.Observed):
                said.update({s: (plain(then.get(s)), plain(f)) for s, f in entry.changed.items()})
                said.update({s: (plain(then.get(s)), None) for s in entry.removed})
        # A journal that has none of the figures was written before they were made: nothing has changed.
        figures = rules.recipe.figures
        said = {s: pair for s, pair in said.items() if s not in figures or pair[0] is not None}
        if said:
            self.facts = draft.memory.facts
            self.because = named(
                f"{s}: {code_of(a)} then, {code_of(b)} today" for s, (a, b) in said.items()
            )
        return said

    def compare_findings(self, rules: Rules, memory: Memory, today: Findings) -> Said:
        """Compare once all has been taken in that was found."""
        draft = Draft(rules, memory, self.at)
        note_findings(draft, today)
        then = memory.findings
        said: Said = {}
        for entry in draft.entries:
            if isinstance(entry, e.FindingsChanged):
                said.update({k: (plain(then.get(k)), plain(f)) for k, f in entry.changed.items()})
                said.update({k: (plain(then.get(k)), None) for k in entry.cleared})
        if said:
            self.findings = draft.memory.findings
            self.because = (*self.because, *named(f"finding {key}" for key in said))
        return said
