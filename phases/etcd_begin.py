"""
How etcd begins: bootstrapped empty, or recovered from a snapshot. Once, whichever of the two it is.

Where an etcd lived in this run, or there is a snapshot of one, an empty one takes a person's word.

A second beginning makes a second cluster. So the decision rests on what every control plane shows just now, not on what
the journal believes; and a beginning of either kind that happened, or may have, is a doubt in both.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.allowing import answer_to, is_undone
from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.memory import Attempt, Memory
from engine.patience import spoken
from engine.plan import Plan
from engine.recipe import Facts
from engine.world import ALREADY_EXISTS
from journal.entries import Fact, Json, Outcome
from phases import codes
from phases.etcd_snapshot import Source, control_planes, is_of_another, source, taken
from phases.lives import wiped_at
from phases.section import Section
from phases.verbs import BOOTSTRAP, RECOVER

UNSEEN_PATIENCE_SECONDS = 600.0  # a node that reboots after its configuration is unseen by nature
BOOTSTRAP_PATIENCE_SECONDS = 300.0  # etcd may take this long to show that it was bootstrapped
SHOWN_DIGITS = 8
LIVED = frozenset({codes.HEALTHY, codes.FORMING, codes.LOST, codes.FOREIGN, codes.PARTED})


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is known where etcd has to begin. *waiting*: control planes that wait for it, in the plan's order."""

    plan: Plan
    facts: Facts
    memory: Memory
    waiting: tuple[str, ...]
    source: Source | None
    attempts: tuple[Attempt, ...]

    @property
    def section(self) -> Section:
        """The domain's part of the plan."""
        section: Section = self.plan.target
        return section

    @property
    def recovers(self) -> bool:
        """Say whether it is a recovery: there is a snapshot, and the plan allows it."""
        return self.source is not None and self.plan.verbs[RECOVER].enabled

    @property
    def lived(self) -> bool:
        """Say whether this run has seen an etcd that is not there any more."""
        return not LIVED.isdisjoint(self.memory.met.get(codes.ETCD, ()))

    @property
    def given_up(self) -> bool:
        """Say whether a person has given up that etcd as a whole, node by node, and nothing was begun since."""
        planes = self.section.talos.control_planes
        wiped = all(wiped_at(self.memory, name) is not None for name in planes)
        return wiped and all(a.outcome is Outcome.FAILED for a in self.attempts)

    @property
    def word(self) -> str:
        """The same for people."""
        return "recovery" if self.recovers else "bootstrap"


def decide(plan: Plan, facts: Facts, memory: Memory) -> Answer:
    """Decide where no control plane tells a member; everything before the act is a reason not to."""
    planes = control_planes(plan.target, facts)
    seen = {name: fact for name, fact in planes.items() if fact.code != codes.UNSEEN}
    waiting = tuple(name for name, fact in seen.items() if fact.code == codes.WAITS_FOR_ETCD)
    there = source(plan, memory)
    now = Beginning(plan, facts, memory, waiting, there, _attempts(plan, memory, there))
    absent = {name: fact for name, fact in planes.items() if name not in seen}
    if absent:
        question = _unseen(now, absent)
        if question is not None:
            return question
    if len(waiting) != len(seen) or not waiting:
        return Wait("not every control plane waits for etcd yet")
    return _begin(now)


def _attempts(plan: Plan, memory: Memory, there: Source | None) -> tuple[Attempt, ...]:
    """
    Return the beginnings that count, oldest first.

    What a later snapshot of this run shows the effect of is no doubt any more: that etcd lived, and is what the
    snapshot is of. One of another etcd shows nothing of it. Nor is what was begun in an etcd of which nothing is left.
    """
    known = (*memory.attempts_at(BOOTSTRAP), *memory.attempts_at(RECOVER))
    own = taken(memory) if there is not None and there.taken is not None else None
    left = (
        a
        for a in known
        if not is_undone(plan, memory, a)
        and (
            own is None
            or a.intended_at > own.intended_at
            or is_of_another(own, str(a.arguments["node"]))
        )
    )
    return tuple(sorted(left, key=lambda attempt: attempt.intended_at))


def _unseen(now: Beginning, absent: dict[str, Fact]) -> Answer | None:
    """A living etcd may hide on a node that does not answer: wait ten minutes, then ask, naming it."""
    names = sorted(absent)
    named, memory = ", ".join(names), now.memory
    since = {name: fact.since for name, fact in absent.items()}
    due = max((s or memory.opened_at) for s in since.values()) + UNSEEN_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"{named}: not seen; a living etcd may hide there", due, can_clear="unknown")
    if now.recovers:
        return Stuck(
            reference="etcd-quorum-unseen",
            message=f"{named} has not been seen for {spoken(UNSEEN_PATIENCE_SECONDS)}: a living etcd may hide there",
            hint=f"bring back {named}, or replace it; a recovery needs every control plane to be seen without etcd",
        )
    ask = Ask(
        question=f"bootstrap etcd without {named}, not seen for {spoken(UNSEEN_PATIENCE_SECONDS)}?",
        consequence="if etcd lives there, this makes a second cluster beside it",
        evidence={"unseen": names, "since": since},
        typed=" ".join(names),
    )
    return None if answer_to(memory, codes.ETCD, ask) == "given" else ask


def _begin(now: Beginning) -> Answer:
    attempts = now.attempts
    if attempts and attempts[-1].code == ALREADY_EXISTS:
        # Also after a repetition that a person allowed: that yes was no yes to this.
        return _data_left(attempts[-1], now.memory)
    doubtful = [a for a in attempts if a.outcome in {None, Outcome.UNSETTLED, Outcome.DONE}]
    if doubtful:
        return _in_doubt(now, doubtful[-1])
    due = _by_hand_until(now.memory) if not attempts else None
    if due is not None and not now.memory.passed(due):
        shown = f"it would show within {spoken(BOOTSTRAP_PATIENCE_SECONDS)}"
        text = f"somebody may have begun etcd by hand before this run had hands: {shown}"
        return Wait(text, due)
    # A certain refusal is repeated where it was given, never elsewhere.
    name = str(attempts[-1].arguments["node"]) if attempts else now.waiting[0]
    if name not in now.waiting:
        return Wait(f"{name} refused the {now.word} and does not wait for etcd any more")
    return _act(now, name, None)


def _by_hand_until(memory: Memory) -> float | None:
    """
    Say until when an etcd may show that somebody else began while this run only watched; None: it never did.

    On another node than the one that the watch named, and so late that the look at a take-over shows nothing of it.
    """
    since = memory.acts_since
    return None if since is None else since + BOOTSTRAP_PATIENCE_SECONDS


def _act(now: Beginning, name: str, doubt: Ask | None) -> Answer:
    detail = now.facts[codes.node(name)].detail
    unread = [what for what in ("uuid", "boot_id") if not detail.get(what)]
    if unread:
        # Without them a doubt in this step could never be told from another machine or another boot.
        why = f"the {' and '.join(unread)} of {name} cannot be read; no {now.word} without"
        return Wait(why, can_clear="unknown")
    arguments: dict[str, Json] = {
        "node": name,
        "address": now.section.talos.nodes[name].address,
        "machine_uuid": detail.get("uuid", ""),
        "boot_id": detail.get("boot_id", ""),
    }
    reason = "every planned control plane waits for etcd and none has a member"
    if now.source is None or not now.recovers:
        is_missed = (now.source is not None or now.lived) and not now.given_up
        approval = _empty(now, name, doubt) if is_missed else doubt
        return Act(BOOTSTRAP, codes.node(name), arguments, reason, approval)
    others = {n: f.address for n, f in now.section.talos.nodes.items() if n in now.waiting}
    del others[name]
    found = now.source
    arguments |= {
        "snapshot": found.path,
        "sha256": found.sha256,
        "copied": found.copied,
        "taken": found.taken,
        "others": others,
    }
    return Act(RECOVER, codes.node(name), arguments, reason, _approval(now, found, name, doubt))


def _approval(now: Beginning, found: Source, name: str, doubt: Ask | None) -> Ask:
    """Bind the yes to the snapshot, to the machine, and to what is lost by it."""
    again = f"; {doubt.question}" if doubt is not None else ""
    return Ask(
        question=f"recover etcd on {name} from {found.path}, of {found.written()}{again}?",
        consequence=f"what was written to etcd after {found.written()} is lost, and {name} alone is etcd until the "
        "others join; if another control plane still holds etcd's data there are two clusters",
        evidence={
            "sha256": found.sha256,
            "machine_uuid": now.facts[codes.node(name)].detail.get("uuid"),
            "taken": found.taken,
            "copied": found.copied,
            **({"doubt": doubt.evidence} if doubt is not None else {}),
        },
        typed=f"{name} {found.sha256[:SHOWN_DIGITS]}",
    )


def _empty(now: Beginning, name: str, doubt: Ask | None) -> Ask:
    """An empty etcd in the place of one that lived is a person's decision."""
    found = now.source
    again = f" {doubt.question}" if doubt is not None else ""
    if found is not None:
        why = f"there is a snapshot of {found.written()}"
        lost = f"everything in {found.path}"
        other = f"; set machine.verbs.{RECOVER}.enabled to recover from it"
    else:
        why, lost = "one lived in this run", "everything that it had"
        other = "; name a snapshot in the plan (etcd.snapshot) if there is one"
    return Ask(
        question=f"bootstrap an empty etcd on {name}, although {why}?{again}",
        consequence=f"{lost} is left out, and only what Git has comes back{other}",
        evidence={
            "sha256": found.sha256 if found is not None else None,
            **({"doubt": doubt.evidence} if doubt else {}),
        },
        typed=name,
    )


def _in_doubt(now: Beginning, last: Attempt) -> Answer:
    """It began or may have: give it time, then ask to repeat it on the same machine only."""
    name, memory = str(last.arguments["node"]), now.memory
    word = "recovery" if last.verb == RECOVER else "bootstrap"
    done = "recovered" if last.verb == RECOVER else "bootstrapped"
    if last.outcome is None or last.settled_at is None:
        return Wait(f"the {word} on {name} is under way")
    due = last.settled_at + BOOTSTRAP_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"etcd was {done} on {name} and does not show itself yet", due)
    here = now.facts[codes.node(name)].detail if name in now.waiting else {}
    same = bool(here.get("uuid")) and here["uuid"] == last.arguments.get("machine_uuid")
    if not same:
        return Stuck(
            reference="etcd-bootstrap-in-doubt",
            message=f"the {word} on {name} is in doubt and that machine is not there to be asked",
            hint=f"bring back {name} with the same disk; never bootstrap another node in its place",
        )
    # Only another boot, read and not guessed, shows that what was accepted is gone.
    if last.outcome is Outcome.DONE and here.get("boot_id") in {"", last.arguments.get("boot_id")}:
        return Wait(f"Talos accepted the {word} on {name}; etcd has not shown itself in this boot")
    ask = Ask(
        question=f"the {word} on {name} ended {last.outcome} and no etcd shows; repeat it on the same machine?",
        consequence="if the first one still comes up elsewhere there are two clusters",
        evidence={
            "action": last.action,
            "machine_uuid": here.get("uuid"),
            "settled": last.settled_at,
        },
        typed=name,
    )
    return _act(now, name, ask)


def _data_left(last: Attempt, memory: Memory) -> Answer:
    """AlreadyExists is success only where a healthy etcd follows; it is never answered with another beginning."""
    name = str(last.arguments["node"])
    due = (last.settled_at or last.intended_at) + BOOTSTRAP_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"{name} has etcd data already; waiting for that etcd to show itself", due)
    return Stuck(
        reference="etcd-data-left",
        message=f"{name} has an etcd data directory and no etcd came up from it",
        hint=f"`talosctl -n {name} service etcd` says why; recover from a snapshot, or wipe EPHEMERAL of that "
        "node only after every other control plane was asked, then `rekindle cancel` and `rekindle run PLAN`",
    )
