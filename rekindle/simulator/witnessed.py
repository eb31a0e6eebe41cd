"""
What a run's entries tell of its cluster: the situation that it met, how long things took, what happened meanwhile.

Pure, folded entry by entry. What was never seen is in none of these: whoever asks is told nothing, not "absent".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.answer import Subject
from journal import entries as e
from journal.entries import Fact, Instant, Outcome
from phases import codes
from phases.kinds import WORKLOADS
from phases.needs import is_at_work
from phases.snapshot import KINDS
from phases.verbs import BOOTSTRAP, COMMAND

NOT_ASKED = "not-asked"  # how a look begins at which nobody has answered yet
BLIND = frozenset({codes.UNSEEN, codes.UNOBSERVABLE, codes.UNKNOWN})
CORE = ("Namespace", "CustomResourceDefinition", "Node", *WORKLOADS)
GONE = frozenset({codes.ABSENT, codes.UNOBSERVABLE})
Change = tuple[Instant, Fact]


@dataclass
class Remarks:
    """
    What whoever reviews a recorded scenario has to know, in sentences.

    *recorded* is in the journal, *assumed* is not, *inexpressible* is, and no scenario can say it.
    """

    recorded: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    inexpressible: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answer (None: nobody gave one), with the seconds between."""

    text: str
    answer: bool | None = None
    think: float = 0.0


@dataclass(frozen=True, slots=True)
class Ran:
    """An attempt of a command, from its intent to its settlement."""

    name: str
    begun: Instant
    ended: Instant
    outcome: Outcome


@dataclass
class Witness:
    """
    Everything that a scenario can be made of.

    *first* has what each subject was when it was first seen; *look* all facts of the first complete look, the first at
    which the API answered and every kind could be listed (empty: there was none), *looked_at* its instant; *bare* says
    that etcd was bootstrapped before it, or never was: what was seen later is not what was left. *history* has every
    change by subject, *about* what people were asked about. Withdrawn entries (*withdrawn*) were there and cannot be
    read.
    """

    opened: e.RunOpened
    end: Instant = 0.0
    facts: dict[Subject, Fact] = field(default_factory=dict)
    first: dict[Subject, Fact] = field(default_factory=dict)
    look: dict[Subject, Fact] = field(default_factory=dict)
    looked_at: Instant | None = None
    bootstrapped: bool = False
    history: dict[Subject, list[Change]] = field(default_factory=dict)
    questions: dict[str, Question] = field(default_factory=dict)
    commands: list[Ran] = field(default_factory=list)
    about: dict[Subject, None] = field(default_factory=dict)
    intended: list[e.ActionIntended] = field(default_factory=list)
    by_hand: list[e.ByHand] = field(default_factory=list)
    goals: list[e.GoalMoved] = field(default_factory=list)
    interruptions: int = 0
    withdrawn: int = 0
    plans: int = 0
    _asked: dict[str, Instant] = field(default_factory=dict)
    _begun: dict[str, Instant] = field(default_factory=dict)

    @property
    def node_names(self) -> tuple[str, ...]:
        """The planned nodes, as the run's plan has them."""
        return tuple(self.opened.plan["section"]["talos"]["nodes"])

    @property
    def saw_anything(self) -> bool:
        """Say whether any node was ever seen, or anything of the API."""
        return bool(self.look) or any(codes.node(name) in self.first for name in self.node_names)

    def see(self, entry: e.AnyEntry) -> None:
        """Take in an entry."""
        self.end = max(self.end, entry.at)
        match entry:
            case e.Observed():
                self._observed(entry)
            case e.ApprovalAsked():
                self._asked.setdefault(entry.approval, entry.at)
                self.about[entry.subject] = None
                self.questions.setdefault(entry.approval, Question(entry.question))
            case e.ApprovalGiven() | e.ApprovalRefused():
                self._answered(entry)
            case e.ActionIntended():
                self.intended.append(entry)
                self._begun[entry.action] = entry.at
            case e.ActionSettled():
                self._settled(entry)
            case e.ByHand():
                self.by_hand.append(entry)
                self.bootstrapped |= entry.verb == BOOTSTRAP and not self.look
            case e.GoalMoved():
                self.goals.append(entry)
            case e.RunResumed():
                self.interruptions += 1
            case e.PlanChanged():
                self.plans += 1
            case _:
                pass

    def _observed(self, entry: e.Observed) -> None:
        for subject, fact in entry.changed.items():
            self.facts[subject] = fact
            self.history.setdefault(subject, []).append((entry.at, fact))
            if fact.code not in BLIND:
                self.first.setdefault(subject, fact)
        for subject in entry.removed:
            self.facts.pop(subject, None)
        if entry.part == entry.parts and not self.look and self._is_complete():
            self.look, self.looked_at = dict(self.facts), entry.at

    def _is_complete(self) -> bool:
        """Say whether every node was asked, the API answers, and each kind was listed or refused for good."""
        nodes = [self.facts.get(codes.node(name)) for name in self.node_names]
        if any(fact is None or fact.reason.startswith(NOT_ASKED) for fact in nodes):
            return False
        api = self.facts.get(codes.API)
        if api is None or api.code not in {codes.UP, codes.PARTIAL}:
            return False
        for name in KINDS:
            fact = self.facts.get(codes.kind(name))
            seen = fact is not None and fact.code == codes.SEEN
            denied = fact is not None and not fact.reason.startswith(NOT_ASKED)
            if not seen and (name in CORE or not denied):
                return False
        return True

    def _answered(self, entry: e.ApprovalGiven | e.ApprovalRefused) -> None:
        asked = self._asked.get(entry.approval)
        question = self.questions.get(entry.approval)
        if asked is not None and question is not None:
            yes = isinstance(entry, e.ApprovalGiven)
            think = max(0.0, entry.at - asked)
            self.questions[entry.approval] = Question(question.text, yes, think)

    def _settled(self, entry: e.ActionSettled) -> None:
        begun = self._begun.pop(entry.action, None)
        certain = entry.outcome is not Outcome.FAILED
        self.bootstrapped |= entry.verb == BOOTSTRAP and certain and not self.look
        if entry.verb == COMMAND and begun is not None:
            name = entry.target.partition("/")[2]
            self.commands.append(Ran(name, begun, entry.at, entry.outcome))

    # --- what it comes to ------------------------------------------------------------------------

    @property
    def situation(self) -> dict[Subject, Fact]:
        """Return what the run met, so far as it saw it: of machines without a cluster, machines are all there is."""
        if self.lived and self.look:
            kubeconfig = self.first.get(codes.KUBECONFIG)
            known = {codes.KUBECONFIG: kubeconfig} if kubeconfig is not None else {}
            return {**self.look, **known}
        subjects = (codes.KUBECONFIG, *(codes.node(name) for name in self.node_names))
        return {subject: self.first[subject] for subject in subjects if subject in self.first}

    @property
    def lived(self) -> bool:
        """Say whether there was a cluster when the run began: etcd had data, and nobody had to make it anew."""
        if self.look:
            return not self.bootstrapped
        members = (self.first.get(codes.node(name)) for name in self.node_names)
        return not self.bootstrapped and any(
            f is not None and f.detail.get("members") for f in members
        )

    def came(self, subject: Subject, since: Instant = 0.0) -> Instant | None:
        """Return the first instant, *since* at the earliest, at which a subject was there."""
        changes = self.history.get(subject, ())
        return next((at for at, f in changes if at >= since and f.code not in GONE), None)

    def became(self, subject: Subject, code: str, since: Instant = 0.0) -> Instant | None:
        """Return the first instant, *since* at the earliest, at which a subject had a code."""
        changes = self.history.get(subject, ())
        return next((at for at, f in changes if at >= since and f.code == code), None)

    def took(self, subject: Subject, floors: Iterable[Instant] = ()) -> float | None:
        """
        Return how long a subject was worked on until it was Ready for the first time; None: that was not seen.

        Work before the last of *floors* (instants) that came before it was Ready is only waiting.
        """
        begun: Instant | None = None
        for at, fact in self.history.get(subject, ()):
            if fact.code == codes.READY:
                if begun is None:
                    return None
                since = max((floor for floor in floors if floor < at), default=begun)
                return at - max(begun, since) or None
            at_work = is_at_work(subject, fact)
            begun = (at if begun is None else begun) if at_work else None
        return None


def witness_of(opened: e.RunOpened, entries: Iterable[e.AnyEntry | None]) -> Witness:
    """Fold a run; None stands for an entry whose payload was withdrawn."""
    found = Witness(opened, opened.at)
    for entry in entries:
        if entry is None:
            found.withdrawn += 1
        else:
            found.see(entry)
    return found
