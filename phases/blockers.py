"""
What one dead backend holds up: an aggregated API that nobody serves, a webhook that nobody answers.

The first remedy is the backend itself: as long as it is expected and can come, it is waited for. Only where nothing
would bring it, or what would waits behind its own victim, a person is asked to take the registration away; nothing
that serves is ever taken away, and nothing that stands in nobody's way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.answer import Act, Answer, Ask, Subject, Wait, hopeless
from engine.memory import Memory
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding
from phases import codes
from phases.holding import HOLDER_GRACE_SECONDS
from phases.inventory import HelmReleaseItem, KustomizationItem
from phases.knots import GONE
from phases.readiness.admission import CONFIGURATIONS
from phases.section import Section
from phases.verbs import UNHOOK, UNSERVE, settled

UNSERVED = ("AP1", "AP2", "AP3")  # the catalogue's rules
UNCALLED = "WH1"
# A controller that was just brought back needs its image, its lease and its certificate before it serves.
BACKEND_SECONDS = 600.0
REMOVAL_SETTLE_SECONDS = 30.0  # both kinds are watched
APIS = codes.subject("APIService", "")
HOOKS = tuple(codes.subject(kind, "") for kind in CONFIGURATIONS)
SERVED_BY_NOW = "has endpoints by now"  # as the rule words it
# How an API server words a call that reached nobody. A time-out is no sign of that: somebody may be there and slow.
NOBODY = re.compile(
    r'service "[^"]+" not found|no endpoints available|connection refused'
    r"|does not exist|has no ready endpoint"
)


@dataclass(frozen=True, slots=True)
class Dead:
    """
    A registration whose backend does not answer.

    *directly* is what it holds up of what this run waits for, *behind* also what waits for that in turn.
    """

    subject: Subject
    fact: Fact
    found_at: float
    directly: frozenset[Subject]
    behind: frozenset[Subject]


def blockers(
    section: Section,
    facts: Facts,
    findings: Findings,
    memory: Memory,
    known: dict[Subject, Answer],
) -> dict[Subject, Answer]:
    """Answer for each dead registration that holds up this run; of *known* answers, what waits for a person says so."""
    answers: dict[Subject, Answer] = {}
    for name, finding in findings.items():
        if finding.rule != UNCALLED and finding.rule not in UNSERVED:
            continue
        dead = _dead(name, finding, facts, findings, memory)
        if dead is None:
            continue
        answers[dead.subject] = answer = _answer(section, dead, facts, memory)
        if isinstance(answer, Act):
            for subject in dead.behind:
                waiting = known.get(subject)
                if isinstance(waiting, Wait):
                    answers[subject] = hopeless(waiting)
    return answers


def is_called(section: Section, name: str, facts: Facts) -> bool:
    """Say whether nothing dead stands behind a webhook any more: nobody asks for it, or its backend is there."""
    if any(facts.get(codes.kind(kind), GONE).code != codes.SEEN for kind in CONFIGURATIONS):
        return False
    backends = [_expected(section, fact) for fact in _asking(name, facts)]
    return all(found and all(_is_ready(s, facts) for s in found) for found in backends)


def backends_of(section: Section, name: str, facts: Facts) -> list[Subject]:
    """Name what is expected behind a webhook, whoever asks for it."""
    return [s for fact in _asking(name, facts) for s in _expected(section, fact)]


def _asking(name: str, facts: Facts) -> list[Fact]:
    """Return the configurations that ask for a webhook."""
    return [
        fact
        for subject, fact in facts.items()
        if subject.startswith(HOOKS) and name in fact.detail["webhooks"]
    ]


def is_served(name: str, facts: Facts) -> bool:
    """Say whether an aggregated API (``GROUP/VERSION``) refuses nobody any more: it answers, or is not registered."""
    if facts.get(codes.kind("APIService"), GONE).code != codes.SEEN:
        return False
    return all(_is_ready(subject, facts) for subject in apis_of(name, facts))


def apis_of(name: str, facts: Facts) -> list[Subject]:
    """Name what registers an aggregated API."""
    return [s for s, fact in facts.items() if s.startswith(APIS) and fact.detail["api"] == name]


def _dead(
    name: str, finding: Finding, facts: Facts, findings: Findings, memory: Memory
) -> Dead | None:
    """Return what a finding is about, if that very object is still there, is dead, and holds this run up."""
    fact = facts.get(finding.subject)
    found_at = memory.found_at.get(name)
    if fact is None or found_at is None or fact.detail.get("uid") != finding.uid:
        return None
    if not (
        _is_uncalled(finding, fact) if finding.rule == UNCALLED else fact.code == codes.BLOCKED
    ):
        return None
    directly = frozenset(s for s in _refused(finding, findings) if _is_waited_for(s, facts))
    behind = directly.union(finding.victims)
    return Dead(finding.subject, fact, found_at, directly, behind) if directly else None


def _is_uncalled(finding: Finding, fact: Fact) -> bool:
    """One that must answer and is called at a Service was called in vain, and nobody was there, nor is by now."""
    strict: dict[str, str] = fact.detail["webhooks"]
    called = any(service and name in finding.message for name, service in strict.items())
    nobody = NOBODY.search(finding.message) is not None and SERVED_BY_NOW not in finding.message
    return called and fact.code == codes.SEEN and nobody


def _refused(finding: Finding, findings: Findings) -> Iterator[Subject]:
    """What a finding blocks, and what a namespace that cannot go because of it blocks in turn."""
    yield from finding.blocks
    spaces = {subject for subject in finding.blocks if subject.startswith("namespace/")}
    for other in findings.values():
        if other.subject in spaces:
            yield from other.blocks


def _is_waited_for(subject: Subject, facts: Facts) -> bool:
    return facts.get(subject, GONE).code not in {codes.READY, codes.UNOBSERVABLE}


def _is_ready(subject: Subject, facts: Facts) -> bool:
    return facts.get(subject, GONE).code == codes.READY


def _answer(section: Section, dead: Dead, facts: Facts, memory: Memory) -> Answer:
    what = _named(dead.fact)
    due = dead.found_at + HOLDER_GRACE_SECONDS
    if not memory.passed(due):
        return Wait(f"{what} has no backend", due)
    verb = UNSERVE if dead.fact.detail["kind"] == "APIService" else UNHOOK
    shown = settled(memory.last_of(verb, dead.subject), REMOVAL_SETTLE_SECONDS)
    if shown is not None and not memory.passed(shown):
        return Wait(f"{what} was removed and is still listed", shown)
    return _coming(section, dead, facts, memory) or _removal(section, verb, dead)


# --- the backend ---------------------------------------------------------------------------------


def _coming(section: Section, dead: Dead, facts: Facts, memory: Memory) -> Wait | None:
    """Wait for what would bring the backend; None: nothing would, or it waits behind its own victim."""
    what, late = _named(dead.fact), dead.found_at + BACKEND_SECONDS
    expected = _expected(section, dead.fact)
    left = [subject for subject in expected if not _is_ready(subject, facts)]
    coming = [subject for subject in left if not _waits(section, subject, dead, facts)]
    if left and not coming:
        return None
    if expected and memory.passed(late):
        return Wait(f"{what} still has no backend: {', '.join(expected)}", can_clear="unknown")
    if expected:
        return Wait(f"{what} waits for its backend: {', '.join(expected)}", late)
    # Which of them it is, only its Service could tell: any that is still to come may be the one.
    nearby = [
        subject
        for subject in _near(section, dead.fact)
        if not _is_ready(subject, facts) and not _waits(section, subject, dead, facts)
    ]
    if nearby and not memory.passed(late):
        return Wait(f"{what}: its backend may come with {', '.join(nearby[:3])}", late)
    return None


def _expected(section: Section, fact: Fact) -> tuple[Subject, ...]:
    """Return what the inventory expects to serve it: the workload of that name, or what its owner brings."""
    services = set(fact.detail["services"])
    named = [s for _, key, s, _ in section.workloads if key in services]
    if named:
        return tuple(named)
    owner = str(fact.detail["owner"])
    brought = [
        codes.subject(item.kind, item.key)
        for item in section.inventory.workloads
        if owner and item.owner == owner
    ]
    return tuple(brought) or ((owner,) if owner in section.reconciled else ())


def _near(section: Section, fact: Fact) -> list[Subject]:
    """Return what else may serve it: the workloads beside its Service, and what only a foreign source knows."""
    spaces = {service.partition("/")[0] for service in fact.detail["services"]}
    beside = [s for _, key, s, _ in section.workloads if key.partition("/")[0] in spaces]
    return [*beside, *(codes.subject("kustomization", key) for key in section.inventory.unknown)]


def _waits(section: Section, start: Subject, dead: Dead, facts: Facts) -> bool:
    """Say whether *start* can only come after something that the dead one holds up."""
    todo, seen = [start], {start}
    while todo:
        subject = todo.pop()
        if subject in dead.directly:
            return True
        fresh = [s for s in _before(section, subject, facts) if s not in seen]
        seen.update(fresh)
        todo.extend(fresh)
    return False


def _before(section: Section, subject: Subject, facts: Facts) -> Iterator[Subject]:
    """Return what has to come first: the namespace, what brings it as long as it is not there, its dependencies."""
    family, _, key = subject.partition("/")
    space = codes.subject("namespace", key.partition("/")[0])
    if facts.get(space, GONE).code in {codes.TERMINATING, codes.ABSENT}:
        yield space
    if facts.get(subject, GONE).code in {codes.ABSENT, codes.TERMINATING}:
        yield from _bringing(section, family, key)
    yield from (s for s in section.dependencies.get(subject, ()) if not _is_ready(s, facts))


def _bringing(section: Section, family: str, key: str) -> Iterator[Subject]:
    """Return what would make an object: its owner, or the Kustomization that applies it."""
    inventory = section.inventory
    yield from (
        item.owner
        for item in inventory.workloads
        if item.owner and (item.kind.lower(), item.key) == (family, key)
    )
    items: dict[str, Sequence[KustomizationItem | HelmReleaseItem]] = {
        "kustomization": inventory.kustomizations,
        "helmrelease": inventory.helmreleases,
    }
    for synced in items.get(family, ()):
        if synced.parent and synced.key == key:
            yield codes.subject("kustomization", synced.parent)


# --- the question --------------------------------------------------------------------------------


def _removal(section: Section, verb: str, dead: Dead) -> Act:
    """Ask for exactly this object to go: bound to its UID and to what is lost with it."""
    detail = dead.fact.detail
    kind, name = str(detail["kind"]), str(detail["name"])
    where = ", ".join(f"Service {key}" for key in detail["services"])
    holds = ", ".join(sorted(dead.directly)[:3])
    own = _expected(section, dead.fact)
    why = f"{', '.join(own)} waits for what it holds up" if own else "nothing would bring it"
    ask = Ask(
        question=f"remove {kind} {name}? Nothing answers at {where}, and {why}",
        consequence=_lost(dead.fact),
        evidence={"uid": detail["uid"], "services": detail["services"], "verb": verb},
        typed=name,
    )
    arguments = {key: detail[key] for key in ("kind", "name", "uid")}
    return Act(verb, dead.subject, arguments, f"{_named(dead.fact)} holds up {holds}", ask)


def _lost(fact: Fact) -> str:
    if fact.detail["kind"] == "APIService":
        return f"API {fact.detail['api']} is gone until what provides it is applied again"
    names = ", ".join(sorted(fact.detail["webhooks"]))
    return (
        f"what {names} would have checked or changed is let through, and stays, "
        "until their operator makes the configuration anew"
    )


def _named(fact: Fact) -> str:
    return f"{fact.detail['kind']} {fact.detail['name']}"
