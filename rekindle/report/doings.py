"""Actions, the questions that people answered for them, and what was done by hand."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from engine.memory import Memory
from engine.recipe import Verb
from journal import entries as e
from journal.entries import Outcome
from journal.row import Row
from phases.placeholders import filled
from phases.verbs import COMMAND, RELEASE
from rekindle.applied import applied
from rekindle.report.cleaning import clean, told
from rekindle.report.happenings import Action, Approval, HandDeed
from rekindle.report.kept import Ends
from rekindle.sentences import name_of

ACTIONS, APPROVALS, DEEDS = 5_000, 1_000, 500
ARGV = 600  # characters
OPEN = "open"
BY_LOOKING = {"probe", "resume"}
# How what was in doubt was settled; "unsettled" is the end of what nothing can tell.
HOW = {
    "done": "what the cluster showed afterwards proves that it happened",
    "failed": "what the cluster showed afterwards proves that it had not happened",
    "unsettled": "its end was never learned; only what was observed afterwards counts",
    OPEN: "nobody knows: nothing in the journal settles it",
}


@dataclass(slots=True)
class Doings:
    """Folded entry by entry. *verbs* are the plan's, with what they destroy; *section* its words about the cluster."""

    verbs: Mapping[str, Verb]
    section: Mapping[str, Any] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    by_hand: Ends[HandDeed] = field(default_factory=lambda: Ends(DEEDS))
    begun: int = 0
    asked: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def see(self, row: Row, known: Memory) -> None:
        """Take in an entry at its place; *known* has the facts by which people call what was acted on."""
        entry, seq = row.entry, row.seq
        match entry:
            case e.ActionIntended():
                self._intend(entry, known, row.epoch, seq)
            case e.ActionSettled():
                self._settle(entry, seq)
            case e.ApprovalAsked():
                self._ask(entry, known, seq)
            case e.ApprovalGiven() | e.ApprovalRefused():
                self._answer(entry, seq)
            case e.ByHand():
                shown = {k: clean(entry.evidence.get(k, "")) for k in ("subject", "old", "new")}
                name = clean(name_of(entry.target, known))
                self.by_hand.add(
                    HandDeed(
                        at=entry.at,
                        verb=clean(entry.verb),
                        target=clean(entry.target),
                        name=name,
                        subject=shown["subject"],
                        old=shown["old"],
                        new=shown["new"],
                        of={"at": seq},
                        entries=(seq,),
                    )
                )
            case _:
                pass

    def _intend(self, entry: e.ActionIntended, known: Memory, session: int, seq: int) -> None:
        self.begun += 1
        verb_name = clean(entry.verb)
        self.counts[verb_name] = self.counts.get(verb_name, 0) + 1
        approval = str(entry.arguments.get("approval", ""))
        asked = self.approvals.get(approval)
        verb = self.verbs.get(entry.verb)
        if asked is not None:
            actions = (*asked.actions, clean(entry.action))
            self.approvals[approval] = replace(asked, actions=actions)
        elif len(self.actions) >= ACTIONS:
            return
        self.actions[entry.action] = Action(
            action=clean(entry.action),
            verb=verb_name,
            target=clean(entry.target),
            name=clean(name_of(entry.target, known)),
            attempt=entry.attempt,
            effect=str(verb.effect.value) if verb is not None else "unknown",
            intended=entry.at,
            outcome=OPEN,
            approval=clean(approval) if asked is not None else "",
            argv=argv_of(self.section, entry),
            applied=clean(applied(entry)),
            about=about(self.section, entry),
            because=clean(entry.arguments.get("cause") or ""),
            destroys=_destroys(verb, asked),
            session=session,
            of={"intended": seq},
            entries=(seq,),
        )

    def _settle(self, entry: e.ActionSettled, seq: int) -> None:
        known = self.actions.get(entry.action)
        if known is None:
            return
        outcome = entry.outcome.value
        doubtful = entry.outcome is Outcome.UNSETTLED or entry.by in BY_LOOKING or known.doubtful
        self.actions[entry.action] = replace(
            known,
            outcome=outcome,
            settled=entry.at,
            code=clean(entry.code),
            by=clean(entry.by),
            evidence=told(entry.evidence),
            doubtful=doubtful,
            settled_how=HOW[outcome] if doubtful else "",
            destroys="" if entry.outcome is Outcome.FAILED else known.destroys,
            of={**known.of, "settled": seq},
            entries=(*known.entries, seq),
        )

    def _ask(self, entry: e.ApprovalAsked, known: Memory, seq: int) -> None:
        self.asked += 1
        if entry.approval in self.approvals or len(self.approvals) >= APPROVALS:
            return  # asked again: who said yes to it before stays said
        self.approvals[entry.approval] = Approval(
            approval=clean(entry.approval),
            subject=clean(entry.subject),
            name=clean(name_of(entry.subject, known)),
            question=clean(entry.question),
            consequence=clean(entry.consequence),
            typed=clean(entry.typed),
            asked=entry.at,
            of={"asked": seq},
            entries=(seq,),
        )

    def _answer(self, entry: e.ApprovalGiven | e.ApprovalRefused, seq: int) -> None:
        known = self.approvals.get(entry.approval)
        if known is not None:
            answer = "given" if isinstance(entry, e.ApprovalGiven) else "refused"
            self.approvals[entry.approval] = replace(
                known,
                answer=answer,
                actor=clean(entry.actor),
                answered=entry.at,
                of={**known.of, "answered": seq},
                entries=(*known.entries, seq),
            )

    def also(self, deeds: Sequence[HandDeed]) -> None:
        """Take in what others did by the facts alone: the journal has no entry of it."""
        for deed in deeds:
            self.by_hand.add(deed)

    def finished(self) -> tuple[Action, ...]:
        """Return the actions; what was never settled is in doubt."""
        return tuple(
            replace(a, doubtful=True, settled_how=HOW[OPEN]) if a.outcome == OPEN else a
            for a in self.actions.values()
        )


def argv_of(section: Mapping[str, Any], entry: e.ActionIntended) -> str:
    """Return what a command ran, by the plan that the journal has; empty for all else."""
    if entry.verb != COMMAND:
        return ""
    command = (section.get("commands") or {}).get(str(entry.arguments.get("command", "")))
    argv = command.get("argv") if isinstance(command, Mapping) else None
    if not isinstance(argv, list | tuple):
        return ""
    words = filled(map(str, argv), entry.arguments)
    return clean(shlex.join(clean(word) for word in words), ARGV)


def about(section: Mapping[str, Any], entry: e.ActionIntended) -> tuple[str, ...]:
    """Name what an action is for, beside its target: what a finalizer holds, what a command brings."""
    said = entry.arguments
    if entry.verb == RELEASE:
        scopes = (
            f"namespace/{said.get('namespace', '')}",
            f"crd/{said.get('resource', '')}.{said.get('group', '')}",
        )
        return tuple(clean(scope) for scope in scopes)
    if entry.verb != COMMAND:
        return ()
    network = (section.get("cni") or {}).get("command")
    flux = section.get("flux") or {}
    brought = ("cni",) if network and said.get("command") == network else ()
    if said.get("command") != (flux.get("command") or network):
        return brought
    keys = [clean(key) for key in flux.get("controllers") or ()]
    spaces = dict.fromkeys(f"namespace/{key.partition('/')[0]}" for key in keys)
    return (*brought, *(f"deployment/{key}" for key in keys), *spaces)


def _destroys(verb: Verb | None, asked: Approval | None) -> str:
    """What a person was told that it would cost; else what the catalogue says of a verb that asks for typing."""
    if asked is not None and asked.typed:
        return asked.consequence
    return clean(verb.destroys) if verb is not None and verb.typed_approval else ""
