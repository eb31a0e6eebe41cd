"""Causes that nothing else explained, what they blocked, and what went wrong first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from engine.memory import Memory
from journal import entries as e
from journal.entries import Fact, Finding, Instant
from phases import codes
from phases.diagnosis.words import listed
from phases.etcd_quorum import has_no_leader
from phases.verbs import RECOVER
from rekindle.causes import weight
from rekindle.report.cleaning import clean
from rekindle.report.corrections import Corrections
from rekindle.report.endings import Ending, Endings
from rekindle.report.proofs import VICTIMS, as_found, cause_of
from rekindle.report.reasons import Cause, Edge, Sign, Verdict
from rekindle.report.signs import of_root, unexplained
from rekindle.report.story import Remark
from rekindle.sentences import name_of

CAUSES, EDGES, SIGNS = 500, 300, 12
# Nodes, as the first look may find them: their stage tells no instant.
STAGES = {
    codes.MAINTENANCE: "has no machine configuration: it was reset, or never configured",
    codes.UNSEEN: "does not answer on its Talos API",
    codes.FOREIGN: "belongs to another cluster",
}
REMOVED = "not explained: somebody or something removed it"
NOT_EXPLAINED = "not explained"
LEADERLESS = "runs on {} and has no leader there: no quorum of its members answered"
NODES = codes.node("")
BAD = {codes.TERMINATING, codes.FAILED, codes.BLOCKED, codes.PROGRESSING, codes.SUSPENDED}


@dataclass(slots=True)
class Causes:
    """
    Folded entry by entry.

    *open* has the place in *found* of each root that still stands, *first* each finding that still stands as it was
    found, and by which entry (a seq); *named* whom each of *found* named as its victims then.
    """

    found: list[Cause] = field(default_factory=list)
    open: dict[str, int] = field(default_factory=dict)
    first: dict[str, tuple[int, Finding]] = field(default_factory=dict)
    named: list[tuple[str, ...]] = field(default_factory=list)
    left_out: int = 0
    edges: tuple[Edge, ...] = ()
    edges_left_out: int = 0
    signs: list[Sign] = field(default_factory=list)
    gone: list[Sign] = field(default_factory=list)
    endings: Endings = field(default_factory=Endings)
    held: int = 0  # what roots held up, at most, while there was no verdict
    unready: dict[str, str] = field(default_factory=dict)  # nodes, at the first look, and why
    told: dict[str, str] = field(default_factory=dict)  # what people say was the cause, and of what
    subjects: dict[str, str] = field(default_factory=dict)  # of what each finding is, by its id
    bare: int = 0  # nodes without a machine configuration at the first look

    @property
    def told_who(self) -> bool:
        """
        Say whether a person named the cause of what came first, or of a root of the tree that is gone.

        Of what followed from these, a cause tells nothing of who began it.
        """
        begun = min(map(_begun, self.found), default=None)
        gone = {sign.subject for sign in self.gone}
        return not gone.isdisjoint(self.told) or any(
            cause.named and (_begun(cause) == begun or cause.subject in gone)
            for cause in self.found
        )

    @property
    def removed(self) -> tuple[str, ...]:
        """
        Name the roots of the tree that were gone and of which no person said why.

        Who named the cause of anything else has not said who removed these; a root that was removed took with it what
        it had brought.
        """
        gone = [sign for sign in self.gone if sign.unexplained == REMOVED]
        roots = {sign.subject for sign in gone}
        said = {*self.told}
        for cause in self.found:
            if cause.named:
                said |= {cause.subject, *(cause.victims if cause.subject in roots else ())}
        return tuple(sign.name for sign in gone if sign.subject not in said)

    def see(
        self,
        entry: e.FindingsChanged,
        before: Memory,
        after: Memory,
        known: Memory,
        seq: int = 0,
    ) -> None:
        """Take in what changed with entry *seq*, between two memories; *known* has the facts."""
        for name in entry.cleared:
            self.first.pop(name, None)
            self._clear(name, entry.at, seq)
        for name, finding in entry.changed.items():
            self.subjects[clean(name)] = clean(finding.subject)
            found_at = after.found_at.get(name, entry.at)
            if found_at == entry.at or name not in self.first:  # a look may be several entries
                self.first[name] = (self.first.get(name, (seq, finding))[0], finding)
            if finding.root:
                self._root(name, finding, found_at, known, (entry.at, seq))
        if after.sentence is not before.sentence:
            self._sentenced(after)
        elif after.sentence is None:
            self._most_yet(after)

    def _clear(self, name: str, at: Instant, seq: int) -> None:
        place = self.open.pop(name, None)
        if place is not None:
            cause = self.found[place]
            over, awaited = self.endings.leave(name)
            entries, of = (*cause.entries, seq), {**cause.of, "cleared": seq}
            self.found[place] = replace(cause, cleared=at, awaited=awaited, of=of, entries=entries)
            if over is not None:
                self._end(over)

    def observe(self, entry: e.Observed, seq: int) -> None:
        """Take in what was observed: it may show that what a cause waited for came true."""
        for over in self.endings.see(entry, seq):
            self._end(over)

    def _end(self, over: Ending) -> None:
        cause = self.found[over.place]
        entries = tuple(dict.fromkeys((*cause.entries, over.seq)))
        of = {**cause.of, "over": over.seq}
        self.found[over.place] = replace(cause, over=over.at, awaited=False, of=of, entries=entries)

    def at_last(self, facts: Mapping[str, Fact]) -> None:
        """Await no end that nothing would tell any more, by the latest facts, nor one of what came again."""
        awaited = self.endings.awaited(facts)
        self.found = [
            replace(cause, awaited=place in awaited) if cause.awaited else cause
            for place, cause in enumerate(self.found)
        ]

    def _root(
        self,
        name: str,
        finding: Finding,
        found_at: Instant,
        known: Memory,
        now: tuple[Instant, int],
    ) -> None:
        place, (seq, first) = self.open.get(name), self.first[name]
        if place is None:
            if len(self.found) >= CAUSES:
                self.left_out += 1
                return
            self.open[name] = len(self.found)
            cause = replace(cause_of(name, finding, found_at, known), of={"found": seq})
            self.found.append(replace(as_found(cause, first, *now), entries=(now[1],)))
            self.named.append(tuple(clean(one) for one in first.victims[:VICTIMS]))
            self.endings.begin(name, self.open[name], finding, found_at, known.facts)
        elif len(finding.victims) > self.found[place].victim_count:
            cause = self.found[place]
            worse = cause_of(name, finding, cause.found, known)
            self.found[place] = replace(
                as_found(replace(worse, of={"found": seq}), first, *now),
                at_verdict=cause.at_verdict,
                verdict_message=cause.verdict_message,
                corrected=cause.corrected,
                entries=cause.entries,
            )
            self.endings.begin(name, place, finding, cause.found, known.facts)

    def correct(self, remark: Remark) -> None:
        """Put what a person says was the cause beside each cause of that name."""
        said = f"{remark.cause or remark.text} ({remark.actor})"
        self.told[remark.finding] = said
        self.found = [
            replace(cause, corrected=said) if cause.id == remark.finding else cause
            for cause in self.found
        ]

    def _most_yet(self, after: Memory) -> None:
        """Without a verdict, draw what blocks what as it is when most is held up."""
        held = sum(len(found.victims) for found in after.findings.values() if found.root)
        if held > self.held:
            self.held = held
            self._draw(after)

    def _sentenced(self, after: Memory) -> None:
        """Draw what blocks what, as it is at the verdict."""
        said = after.sentence
        for name, finding in said.roots.items() if said is not None else ():
            place = self.open.get(name)
            if place is not None:
                self.found[place] = replace(
                    self.found[place], at_verdict=True, verdict_message=clean(finding.message)
                )
        self._draw(after)

    def _draw(self, after: Memory) -> None:
        order = sorted(after.findings.values(), key=lambda f: (not f.root, weight(f)))
        edges = list(
            dict.fromkeys(
                Edge(clean(finding.subject), clean(blocked), finding.root)
                for finding in order
                for blocked in finding.blocks
                if blocked != finding.subject
            )
        )
        self.edges, self.edges_left_out = tuple(edges[:EDGES]), max(0, len(edges) - EDGES)

    def look(
        self, facts: Mapping[str, Fact], known: Memory, at: Instant, trunks: Sequence[str]
    ) -> None:
        """
        Note what the first look shows that was wrong before it, by the cluster's own instants.

        *trunks* are the roots of the tree: that one is gone is a sign although nothing tells since when.
        """
        for subject in trunks:
            fact = facts.get(subject)
            if fact is not None and fact.code == codes.ABSENT:
                text = "a root of the GitOps tree is not there, nor what only it brings"
                self.gone.append(unexplained(subject, text, at, REMOVED))
        nodes = [s for s in sorted(facts) if s.startswith(NODES)]
        led = [s.removeprefix(NODES) for s in nodes if has_no_leader(facts[s])]
        if led:
            said = LEADERLESS.format(listed(led))
            self.gone.append(unexplained(codes.ETCD, said, at, NOT_EXPLAINED))
        for subject, fact in facts.items():
            if subject.startswith(NODES) and fact.code in STAGES and not was_not_asked(fact):
                text = STAGES[fact.code]
                self.gone.append(unexplained(subject, text, at, NOT_EXPLAINED))
                self.bare += fact.code == codes.MAINTENANCE
            if subject.startswith(codes.k8s_node("")) and fact.code in BAD:
                self.unready[clean(subject)] = clean(fact.reason.rstrip(".") or fact.code)
            if fact.code in BAD and fact.since is not None and fact.since < at:
                text = clean(fact.reason or fact.code)
                name = clean(name_of(subject, known))
                self.signs.append(
                    Sign(subject=clean(subject), name=name, text=text, seen=at, at=fact.since)
                )
        self.signs = sorted(self.signs, key=lambda sign: sign.at or at)[: 4 * SIGNS]

    def first_signs(self, looked: Instant | None, corrections: Corrections) -> tuple[Sign, ...]:
        """
        Return what went wrong first, roots among it; what nobody tells an instant of comes last.

        What the first look at *looked* showed was there before; only where it showed nothing, what came later counts.
        """
        roots = [of_root(cause, self.unready, looked) for cause in self.found]
        told = {sign.subject for sign in roots}
        others = [
            *map(self._known, self.gone),
            *(sign for sign in self.signs if sign.subject not in told),
        ]
        signs = [*(corrections.on(sign, self.subjects) for sign in others), *roots]
        early = [s for s in signs if looked is not None and (s.broke or s.seen) <= looked]
        signs = early or signs
        signs.sort(
            key=lambda s: (s.broke is None, s.broke if s.broke is not None else s.seen, not s.root)
        )
        return tuple(signs)

    def _known(self, sign: Sign) -> Sign:
        """
        Put beside a sign what is known of it by now: a person may have said why.

        A quorum is only called lost once every control plane was seen; the first look shows what that is of.
        """
        if sign.unexplained == REMOVED and sign.subject in self.told:
            return replace(sign, unexplained=f"corrected: {self.told[sign.subject]}")
        cause = next((one for one in self.found if one.verb == RECOVER), None)
        if sign.subject != codes.ETCD or cause is None:
            return sign
        return replace(
            sign,
            text=f"{codes.ETCD} {sign.text}",
            root=True,
            ours=cause.ours,
            entries=cause.entries,
            corrections=cause.corrections,
        )

    def verdict(self, memory: Memory, looked_by: int = 0, sentenced_by: int = 0) -> Verdict:
        """Say when it was known that waiting alone would never do, and by which entries (seqs) that is known."""
        said, looked = memory.sentence, memory.looked_at
        if said is None or looked is None:
            edges, left = self.edges, self.edges_left_out
            return Verdict(looked_at=looked, edges=edges, edges_left_out=left)
        order = sorted(said.roots.items(), key=lambda item: weight(item[1]))
        return Verdict(
            looked_at=looked,
            at=said.at,
            seconds=round(said.at - looked, 3),
            roots=tuple(clean(name) for name, _ in order),
            edges=self.edges,
            edges_left_out=self.edges_left_out,
            of={"looked_at": looked_by, "at": sentenced_by},
        )


def _begun(cause: Cause) -> Instant:
    return cause.found if cause.broke is None else cause.broke


def was_not_asked(fact: Fact) -> bool:
    """Say whether a machine is out of sight since nobody has asked it yet: of that no answer says nothing."""
    return fact.code == codes.UNSEEN and fact.reason.startswith(codes.NOT_ASKED)
