"""
Waking exactly the objects whose recorded cause cleared: once per UID, generation and end of the cause.

The protocol is Flux's own annotation; a blanket reconcile would only queue behind itself.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256

from engine.answer import Act, Answer, Subject, Wait
from engine.memory import Attempt, Memory
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding, Instant, Json, Outcome
from journal.redactor import redact_text
from phases import codes, order
from phases.clearing import CLEARED, Asked, is_blind
from phases.diagnosis.controllers import WORKERS
from phases.diagnosis.releases import ONLY_A_RESET
from phases.durations import Durations
from phases.ends import RESUMED, is_handled, key_of, steady_from
from phases.section import Section
from phases.verbs import NUDGE

# Twice the time after which Flux looks at a dependency again, where nobody told it another.
CONFIRM_SECONDS = 60.0
# They tell which token they handled.
CONFIRMED = {
    "gitrepository",
    "helmchart",
    "helmrelease",
    "helmrepository",
    "kustomization",
    "ocirepository",
}
# So many at once, of all kinds; more where a controller is known to have more workers. Of one kind never more than its
# controller reconciles at once.
NUDGES_IN_FLIGHT = 4
CONTROLLERS = {
    "gitrepository": "source-controller",
    "helmrelease": "helm-controller",
    "kustomization": "kustomize-controller",
}
NUDGES_PER_SECOND = 5
NOT_YET = "its cause has cleared; waits for its turn to be woken"
NUDGED = {
    "externalsecret": "ExternalSecret",
    "gitrepository": "GitRepository",
    "helmchart": "HelmChart",
    "helmrelease": "HelmRelease",
    "helmrepository": "HelmRepository",
    "kustomization": "Kustomization",
    "ocirepository": "OCIRepository",
    "store": "ClusterSecretStore",
}
# Rules that say of an object, with "clears by itself: yes", that its cause has gone and that nothing is missing but its
# next attempt. They see what no fact is about: what it waited for may be in no inventory.
MENDED = frozenset({"E4", "H7", "H8", "K13", "K14", "N10", "N11"})
SHOWN_ITEMS = 5  # of what a health check waited for


def is_clear(section: Section, subject: Subject, cause: str, facts: Facts) -> bool:
    """Say whether the recorded cause that blocks *subject* has provably cleared."""
    family, _, name = cause.partition(":")
    asked = CLEARED.get(family)
    return asked is not None and asked(Asked(section, subject, name, facts))


def mended(findings: Findings) -> Findings:
    """Return the findings that ``is_mended`` asks about: few of many, and it is asked of everything that waits."""
    return {key: found for key, found in findings.items() if _is_over(found)}


def _is_over(found: Finding) -> bool:
    """A release that has given up clears by nothing but a reset, whatever it gave up for: of that its cause tells."""
    if found.cause == ONLY_A_RESET:
        return True
    return found.rule in MENDED and found.clears_itself == "yes"


def is_mended(subject: Subject, fact: Fact, findings: Findings) -> bool:
    """Say whether diagnosis has found of this very failure that only the next attempt is waited for."""
    return any(
        _is_over(found)
        and found.subject == subject
        and found.since == fact.since  # a look at causes may be of the attempt before
        for found in findings.values()
    )


def brief(cause: str) -> str:
    """Shorten what may name hundreds of objects for people, annotations and keys: all of it was judged."""
    items = cause.split(",")
    if len(items) <= SHOWN_ITEMS:
        return cause
    digest = sha256(cause.encode()).hexdigest()[:8]  # two that begin alike are two
    return f"{','.join(items[:SHOWN_ITEMS])} and {len(items) - SHOWN_ITEMS} more ({digest})"


def is_resumed(subject: Subject, fact: Fact, cause: str, memory: Memory) -> bool:
    """
    Say whether a person resumed what the run was stuck for, and nothing but an attempt can show whether it is mended.

    What failed again since then has shown it: that is not mended, and the next word is a person's again.
    """
    resumed = memory.resumed
    return (
        resumed is not None
        and subject in resumed.stuck
        and fact.since is not None
        and fact.since < resumed.at
        and is_blind(cause, memory.facts)
    )


def nudge(section: Section, subject: Subject, fact: Fact, cause: str, memory: Memory) -> Answer:
    """Once per UID, generation and end of the cause; a nudge that did not help is not repeated."""
    # As the journal will have it, which keeps nothing that looks like a secret: key and token have to be known again.
    shown = redact_text(brief(cause))
    key = key_of(section, subject, fact, cause, shown, memory)
    if key in memory.keys and not _may_repeat(subject, key, memory):
        return _woken(section, subject, fact, shown, key, memory)
    steady = steady_from(cause, fact, memory.facts)
    if not memory.passed(steady):
        return Wait(f"{cause} has cleared; it is woken once that has lasted", steady)
    kind, _, name = subject.partition("/")
    namespace, _, bare = name.rpartition("/")  # a store has no namespace
    # What nobody sends needs no token of its own: a wish that stays the same is written once.
    at = memory.opened_at if memory.watches else memory.now
    stamp = _stamp(at)
    arguments = {
        "kind": NUDGED[kind],
        "namespace": namespace,
        "name": bare,
        "uid": str(fact.detail["uid"]),
        "generation": fact.detail["generation"],
        "requested_at": f"{stamp}#{memory.run_id}#{shown}",
        "reset": kind == "helmrelease",
        "cause": cause,
        "once": key,
    }
    if fact.code == codes.READY or fact.detail.get("says_ready"):
        arguments["ready"] = True  # else it is refused where the object says so by then
    return Act(NUDGE, subject, arguments, _why(shown))


def _why(cause: str) -> str:
    """Say what is known of the end of a cause."""
    family, _, blind = cause.partition(":")
    if family != RESUMED:
        return f"{cause} has cleared"
    return (
        f"the run was resumed after it was stuck: only an attempt shows whether {blind} is mended"
    )


def _since(cause: str) -> str:
    """Say after what an object was woken."""
    family, _, _ = cause.partition(":")
    return "the run was resumed" if family == RESUMED else f"{cause} cleared"


@lru_cache(maxsize=8)
def _stamp(at: Instant) -> str:
    """Write an instant; all that a turn wakes it wakes at the same one."""
    return datetime.fromtimestamp(at, UTC).isoformat()


def held(section: Section, subject: Subject, facts: Facts) -> Wait:
    """
    Say why nobody wakes what a worker holds, though its cause has cleared: a nudge can only make it later.

    Without the gate the nudge is taken up once the attempt is over; with it (off by default, kustomize-controller 1.9,
    internal/features) every nudge ends the health check that runs, and begins another. A source has none to end, and
    of a release no fact says that a worker holds it.
    """
    family = subject.partition("/")[0]
    gate = _said_of_controller(section, family, "cancels", facts)
    cancels = family == "kustomization" and gate is True
    why = "would cut its health check off and begin another" if cancels else "only waits behind it"
    return Wait(f"its cause has cleared, and a worker holds it already: a nudge {why}")


def _woken(
    section: Section, subject: Subject, fact: Fact, cause: str, key: str, memory: Memory
) -> Wait:
    """Only what the controller handled shows that a whole attempt began after the nudge; silence is a finding."""
    last = memory.last_of(NUDGE, subject)
    helpless = Wait(f"woken after {_since(cause)}; {fact.reason}", can_clear="unknown")
    if last is None or last.arguments.get("once") != key or last.settled_at is None:
        return helpless
    told = subject.partition("/")[0] in CONFIRMED
    if not told or is_handled(fact, last):
        return helpless
    due = _due(section, last, memory.facts)
    if not memory.passed(due):
        return Wait(f"woken after {_since(cause)}; no controller has taken it up yet", due)
    return Wait(
        f"woken after {_since(cause)}, and no controller took it up: its workers are all busy, or it is down",
        can_clear="unknown",
    )


def paced(
    section: Section, answers: dict[Subject, Answer], memory: Memory
) -> dict[Subject, Answer]:
    """Wake few at a time and by the critical path: a herd would only queue in front of itself."""
    wished = [s for s, a in answers.items() if isinstance(a, Act) and a.verb == NUDGE]
    if not wished:
        return answers
    begun = [a for a in memory.last.values() if a.verb == NUDGE]
    recent = [a.intended_at for a in begun if a.intended_at > memory.now - 1.0]
    workers = workers_by_family(section, memory.facts)
    held = [a for a in begun if _is_in_flight(section, a, memory)]
    lanes = {
        family: count - sum(a.target.startswith(f"{family}/") for a in held)
        for family, count in workers.items()
    }
    open_ = sum(a.verb == NUDGE for a in memory.open.values())
    most = max(NUDGES_IN_FLIGHT, *workers.values())
    free = max(0, min(most - open_, NUDGES_PER_SECOND - len(recent)))
    later = _left_over(section, wished, memory, lanes, free)
    if not later:
        return answers
    told = dict(answers)
    for subject in later:
        told[subject] = Wait(NOT_YET)
    # One alarm is enough for all of them: a second has passed, or somebody is no longer waited for.
    alarms = [
        *(at + 1.0 for at in recent),
        *(_due(section, a, memory.facts) for a in held if a.settled_at),
    ]
    if alarms:
        told[later[0]] = Wait(NOT_YET, min(alarms))
    return told


def _left_over(
    section: Section, wished: list[Subject], memory: Memory, lanes: dict[str, int], free: int
) -> list[Subject]:
    """Return who has to wait for its turn; *lanes* is how many more each family's controller takes."""
    wanted = Counter(subject.partition("/")[0] for subject in wished)
    if len(wished) <= free and all(wanted[family] <= lanes[family] for family in lanes):
        return []  # no order is needed, and none is cheap
    later: list[Subject] = []
    for subject in order.urgency(section, memory.facts, wished, Durations.of(memory)):
        family = subject.partition("/")[0]
        if free <= 0 or lanes.get(family, free) <= 0:
            later.append(subject)
            continue
        free -= 1
        if family in lanes:
            lanes[family] -= 1
    return later


def workers_by_family(section: Section, facts: Facts) -> dict[str, int]:
    """Return how many objects of each kind its controller reconciles at once, as it was started or by its default."""
    found: dict[str, int] = {}
    for family, controller in CONTROLLERS.items():
        said = _said_of_controller(section, family, "workers", facts)
        found[family] = WORKERS[controller] if said is None else int(said)
    return found


def _said_of_controller(section: Section, family: str, name: str, facts: Facts) -> Json:
    """Return what the controller of a family of objects was told; None: nothing, or it is not known."""
    for subject in _deployments(section.flux.controllers, family):
        fact = facts.get(subject)
        if fact is not None and name in fact.detail:
            found: Json = fact.detail[name]
            return found
    return None


@lru_cache(
    maxsize=64
)  # a plan has them for good, and every nudge in flight is held against them every turn
def _deployments(controllers: tuple[str, ...], family: str) -> tuple[Subject, ...]:
    """Name the Deployments of a family's controller."""
    wanted = f"/{CONTROLLERS.get(family)}"
    return tuple(codes.subject("Deployment", key) for key in controllers if key.endswith(wanted))


def _is_in_flight(section: Section, attempt: Attempt, memory: Memory) -> bool:
    """A worker has it, or will: until the controller says that it has handled the token, or for as long as it may."""
    if attempt.settled_at is None:
        return True
    if attempt.outcome is not Outcome.DONE:
        return False
    family, fact = attempt.target.partition("/")[0], memory.facts.get(attempt.target)
    if fact is None or family not in CONFIRMED:
        return False
    if is_handled(fact, attempt):
        return False
    return not memory.passed(_due(section, attempt, memory.facts))


def _due(section: Section, attempt: Attempt, facts: Facts) -> float:
    """Until when a nudge may go unconfirmed: twice the time after which its controller looks at a dependency again."""
    family = attempt.target.partition("/")[0]
    told = _said_of_controller(section, family, "requeue", facts)
    return (attempt.settled_at or attempt.intended_at) + (
        2 * float(told) if told else CONFIRM_SECONDS
    )


def _may_repeat(subject: Subject, key: str, memory: Memory) -> bool:
    """A nudge that certainly never arrived is no nudge."""
    last = memory.last_of(NUDGE, subject)
    return last is not None and last.arguments.get("once") == key and last.outcome is Outcome.FAILED
