"""
What cannot come before a person has mended what a run is stuck on: waiting for it is in vain.

Whoever is stuck says so at once, but a session only ends when nothing else of it may come any more: what waits behind a
Stuck must not keep it until its deadline, for an hour in which nothing could happen. Only what is certain counts: what
Flux, another node or a machine that comes back may bring without us keeps its hope, as does what is independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from engine.answer import Act, Answer, Ask, Stuck, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding
from phases import codes, order
from phases.etcd_quorum import has_no_leader
from phases.holding import BUILT_IN
from phases.knots import kind_subject
from phases.needs import is_at_work
from phases.readiness.nodes import CNI_MISSING
from phases.section import Section
from phases.serving import serving

APPLIERS = ("kustomization/", "helmrelease/")
FLUX = (*APPLIERS, "gitrepository/", "ocirepository/", "helmrepository/", "helmchart/")
# What may show itself late, or come back with its machine, whatever was said of it: the session goes on for that.
MAY_RETURN = frozenset(
    {"etcd-bootstrap-in-doubt", "etcd-data-left", "etcd-quorum-unseen", "node-reset-in-doubt"}
)
# Of an object of Flux all else is about a nudge: Flux tries it again without one, at its interval.
OF_FLUX = frozenset({"suspended-in-cluster", "cause-cannot-clear"})
OLD = "revision is not up to date"  # kustomize-controller 1.9, checkDependencies
NO_ETCD = frozenset({codes.LOST, codes.NONE})
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """What is answered, and what is known beside it. Hundreds may be stuck: what each asks is sorted once for all."""

    answers: Mapping[Subject, Answer]
    findings: Findings
    memory: Memory
    section: Section | None

    @property
    def facts(self) -> Facts:
        """What is known of each subject."""
        return self.memory.facts

    @cached_property
    def final(self) -> Mapping[Subject, list[Finding]]:
        """The findings that never clear, by what they are about."""
        never = [found for found in self.findings.values() if found.clears_itself == "no"]
        return _sorted((found.subject, found) for found in never)

    @cached_property
    def absent_of(self) -> Mapping[Subject, list[Subject]]:
        """What is waited for and is not there, by who applies it."""
        parents = {} if self.section is None else self.section.parents
        absent = (one for one in self.answers if _is_absent(one, self.facts))
        return _sorted((parents[one], one) for one in absent if one in parents)

    @cached_property
    def outdated(self) -> Mapping[str, list[Subject]]:
        """Who was refused for an old revision of something, by the cause that names it."""
        known = ((one, self.facts.get(one)) for one in self.answers)
        return _sorted(
            (str(fact.detail.get("cause") or ""), one)
            for one, fact in known
            if fact is not None and OLD in fact.reason
        )


def _sorted(pairs: Iterable[tuple[str, T]]) -> Mapping[str, list[T]]:
    found: dict[str, list[T]] = {}
    for name, one in pairs:
        found.setdefault(name, []).append(one)
    return found


def behind(plan: Plan, memory: Memory, answers: Mapping[Subject, Answer]) -> set[Subject]:
    """
    Return what cannot come before what *answers* are stuck on is mended.

    A CRD that is missing may be brought by whatever is still to be applied and does not come after it itself: as long
    as there is such a thing, nobody is hopeless for that CRD.
    """
    section: Section = plan.target
    case = Case(answers, memory.findings, memory, section)
    held = {
        subject: found
        for subject, answer in answers.items()
        if isinstance(answer, Stuck) and (found := _held(subject, answer, section, case))
    }
    while held:
        found = reach(set().union(*held.values()), case)
        coming = any(s not in found for s in _bringers(case))
        left = {s: first for s, first in held.items() if not (coming and s.startswith("crd/"))}
        if len(left) == len(held):
            return found
        held = left
    return set()


def reach(first: set[Subject], case: Case) -> set[Subject]:
    """
    Return *first* and what cannot get well before it is.

    Of much that is not there nobody knows who brings it (a store, a CRD): but if all that is still to be applied is
    behind it, then so is whatever is absent, and who waits for that. Not so what somebody deleted: who brings that is
    Ready, and does it again (``phases.vanished``).
    """
    answers, facts, found = case.answers, case.facts, set(first)
    if case.section is not None:
        found |= order.behind(case.section, facts, found)
    appliers = _bringers(case)
    if not appliers or not found.issuperset(appliers):
        return found
    absent = {s for s in answers if _is_absent(s, facts) and not _is_deleted(s, case)}
    waiting = (root.victims for root in case.findings.values() if root.subject in absent)
    found = found.union(absent, *waiting)
    return found if case.section is None else found | order.behind(case.section, facts, found)


def _bringers(case: Case) -> list[Subject]:
    """Return all of Flux that may still bring something."""
    answers = case.answers.items()
    return [s for s, a in answers if s.startswith(APPLIERS) and may_bring(s, a, case)]


def may_bring(subject: Subject, answer: Answer, case: Case) -> bool:
    """
    Say whether something may still come of what was answered so.

    Of an object of Flux that we are stuck on as well, while a worker may be at it, or if it is only our nudge.
    """
    if isinstance(answer, Stuck) and subject.startswith(FLUX):
        return answer.reference not in OF_FLUX or not _is_over(subject, case)
    return is_hopeful(answer)


def _is_over(subject: Subject, case: Case) -> bool:
    """
    Say of what nobody tries any more whether its last attempt has come to its end as well.

    A worker that was at it brings that to an end, and may have begun it a moment ago, until diagnosis has seen it.
    """
    fact = case.facts.get(subject)
    return fact is not None and subject in case.final and fact.detail.get("parked") is not False


def _is_deleted(subject: Subject, case: Case) -> bool:
    if case.section is None:
        return False
    sources = (case.section.parents, case.section.owners, case.section.bringers)
    bringer = next((found[subject] for found in sources if subject in found), "")
    return _code(bringer, case.facts) == codes.READY


def is_hopeful(answer: Answer) -> bool:
    """Say whether an answer may still become another by itself, or by what the run or a person does."""
    return isinstance(answer, Act | Ask) or (isinstance(answer, Wait) and answer.can_clear != "no")


def _held(subject: Subject, stuck: Stuck, section: Section, case: Case) -> set[Subject]:
    """Return what is held up by one that is stuck, as far as that is certain: itself, and what waits just for it."""
    is_nudge = subject.startswith(FLUX) and stuck.reference not in OF_FLUX
    if stuck.reference in MAY_RETURN or is_nudge:
        return set()
    asked = next((rule for family, rule in HELD if subject.startswith(family)), None)
    return set(asked(subject, section, case)) if asked is not None else set()


def _by_node(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """Etcd is whole, and the API up, with every control plane; some etcd runs as soon as enough of them come up."""
    planes = _planes(section)
    if subject not in planes:
        return
    yield from (codes.ETCD, codes.API)
    if all(_is_at_rest(plane, case) for plane in planes):
        yield codes.KUBECONFIG


def _is_at_rest(plane: Subject, case: Case) -> bool:
    """Say whether a control plane brings no etcd by itself: it is stuck, or waits for a beginning."""
    waits = _code(plane, case.facts) == codes.WAITS_FOR_ETCD
    return waits or isinstance(case.answers.get(plane), Stuck)


def _by_etcd(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """Without an etcd there is no API, and no control plane is well whose etcd waits for a leader."""
    planes = {plane: case.facts.get(plane) for plane in _planes(section)}
    if _code(subject, case.facts) not in NO_ETCD:
        return
    if any(fact is None or fact.code == codes.UNSEEN for fact in planes.values()):
        return  # with it an etcd may come back that nobody sees now
    yield from (codes.API, codes.KUBECONFIG)
    yield from (plane for plane, fact in planes.items() if fact and has_no_leader(fact))


def _by_kubeconfig(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """An API counts as up once it answers our credentials."""
    del section
    if _code(subject, case.facts) not in {"", codes.OURS, codes.UNOBSERVABLE}:
        yield codes.API


def _by_command(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """Nobody but its command installs the network, or Flux, where no controller is left that might."""
    facts = case.facts
    if _may_flux_act(section, facts):
        return
    if subject == f"command/{section.cni.command}" and _is_absent(section.network, facts):
        # A node that is not registered may still do so, and one that somebody cordoned may be let go.
        waiting = (s for s in case.answers if s.startswith("k8s-node/") and s in facts)
        yield from (node for node in waiting if facts[node].reason == CNI_MISSING)
    if subject == f"command/{section.flux.command or section.cni.command}":
        yield from (one for one in case.answers if one.startswith(FLUX))


def _may_flux_act(section: Section, facts: Facts) -> bool:
    """Say whether a controller of Flux is there, or the operator that puts them back, or nobody has seen."""
    if _is_operated(facts):
        return True
    flux = (codes.subject("deployment", key) for key in section.flux.controllers)
    return any(subject in facts and facts[subject].code != codes.ABSENT for subject in flux)


def _is_operated(facts: Facts) -> bool:
    """Say whether flux-operator is there, or nobody has seen."""
    listed = facts.get(codes.kind("Deployment"))
    return listed is None or listed.code != codes.SEEN or "operator" in listed.detail


def _by_root(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """
    What follows a source that is not there is tried in vain; of the roots only those that are not there are held.

    Not where flux-operator is there: its FluxInstance may have a source and a root, which it applies again by itself.
    """
    del subject
    facts = case.facts
    if _is_operated(facts):
        return
    yield from (one for one in section.roots if _is_absent(one, facts))
    follow = [s for s in case.answers if s.startswith("kustomization/")]
    # What a worker has got already it may bring to an end.
    at_work = any(s in facts and is_at_work(s, facts[s]) for s in follow)
    if _is_absent(section.source, facts) and not at_work:
        yield from (section.source, *follow)


def _by_crd(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """
    Whoever was refused for want of the kind is refused again, if it is known who would have to bring it.

    A kind that no chart or manifest has is made by an operator while it runs, and may be there in a moment.
    """
    if subject not in section.bringers and subject not in case.final:
        return
    yield from _with_victims(subject, case)
    for one in case.answers:
        fact = case.facts.get(one)
        cause = str(fact.detail.get("cause") or "") if fact is not None else ""
        if cause.startswith("kind:") and kind_subject(section, cause) == subject:
            yield one


def _by_holder(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """
    Nothing is made in a namespace that is held, nor of a kind, where nobody is left who lets go of it by itself.

    A person who says no to taking a finalizer off may well count on its controller, which is told to run.
    """
    fact = case.facts.get(subject)
    if fact is None:
        return
    detail = fact.detail
    rules = (f.rule for f in case.findings.values() if str(detail.get("uid")) in _uids(f))
    who = serving(section, detail, next(rules, ""), case.facts)
    if who.lives or who.comes or BUILT_IN.issuperset(detail["finalizers"]):
        return
    held = (
        codes.subject("namespace", str(detail.get("namespace"))),
        codes.subject("crd", f"{detail.get('resource')}.{detail.get('group')}"),
    )
    yield from (one for one in held if _code(one, case.facts) == codes.TERMINATING)


def _by_flux(subject: Subject, section: Section, case: Case) -> Iterator[Subject]:
    """
    One that is suspended brings nothing any more; what waits for it to be Ready is let through where it was already.

    A source that is suspended goes on serving what it has.
    """
    fact = case.facts.get(subject)
    if fact is None or not _is_over(subject, case):
        return
    yield from case.absent_of.get(subject, ())
    if not (fact.detail.get("says_ready") or fact.detail.get("revision")):
        yield from _with_victims(subject, case)
    yield from _outdated(subject, fact, section, case)


def _outdated(subject: Subject, fact: Fact, section: Section, case: Case) -> Iterator[Subject]:
    """Of one source, what depends on a Kustomization waits for the revision that it was suspended before."""
    source, applied = case.facts.get(section.source), fact.detail.get("applied")
    served = source.detail.get("revision") if source is not None else None
    if not subject.startswith("kustomization/") or not applied or not served or applied == served:
        return
    yield from case.outdated.get(f"dependency:{subject.partition('/')[2]}", ())


def _uids(found: Finding) -> set[str]:
    """Return the UIDs that a finding has as its evidence."""
    return {line.rpartition(" ")[2] for line in found.evidence}


def _with_victims(subject: Subject, case: Case) -> Iterator[Subject]:
    """Return a subject, and what diagnosis found behind it for good."""
    yield subject
    for found in case.final.get(subject, ()):
        yield from found.victims


def _planes(section: Section) -> list[Subject]:
    return [codes.node(name) for name in section.talos.control_planes]


def _is_absent(subject: Subject, facts: Facts) -> bool:
    return _code(subject, facts) == codes.ABSENT


def _code(subject: Subject, facts: Facts) -> str:
    fact = facts.get(subject)
    return fact.code if fact is not None else ""


Rule = Callable[[Subject, Section, Case], Iterable[Subject]]
HELD: tuple[tuple[str, Rule], ...] = (
    ("node/", _by_node),
    (codes.ETCD, _by_etcd),
    (codes.KUBECONFIG, _by_kubeconfig),
    ("command/", _by_command),
    (codes.ROOT, _by_root),
    ("crd/", _by_crd),
    ("holder/", _by_holder),
    *((family, _by_flux) for family in FLUX),
)
