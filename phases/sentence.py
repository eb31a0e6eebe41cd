"""
What no waiting ends, by the catalogue of causes: said at once, with the way out, and not at a deadline.

The 59 minutes of the night that this program comes from were lost after five seconds. But a sentence that is wrong ends
a recovery that would have succeeded, so that it is passed only on a root that has stood for a while, that somebody here
waits behind, and for which the recovery has no verb of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.answer import Act, Answer, Ask, Stuck, Subject, Wait, hopeless
from engine.memory import Memory
from engine.recipe import Findings
from journal.entries import Finding
from phases import codes
from phases.clearing import waited
from phases.ends import is_handled
from phases.hands import verb_for
from phases.hopeless import APPLIERS, Case, may_bring, reach
from phases.nudges import NOT_YET
from phases.section import Section
from phases.snapshot import MORE_KINDS
from phases.verbs import NUDGE, RELEASE

# A look at causes may be half a minute older than what it is held against, and what a controller is about to change by
# itself is over by then: whoever stops for less would stop for a picture.
STANDING_SECONDS = 30.0
NUDGED_SECONDS = 300.0  # a whole attempt after our nudge, and the look at it
# The longest pause of a kubelet between two pulls of an image, and between two starts of a container.
KUBELET_SECONDS = 300.0
# Words in the causes of what is not there, or is refused for want of what is not there (a credential, a right, a newer
# CRD): all of them may be brought by what is not applied yet.
LACKING = ("absent", "missing", "refused", "credentials", "forbidden", "version-not-served")
# What a server refuses to a source may be for want of a Secret, and that of an ExternalSecret that is still to be read;
# of what is asked for by its name the rules know themselves whether one makes it.
FOR_A_SECRET = frozenset({"refused", "credentials"})
MAKERS = (*APPLIERS, "externalsecret/")
# Causes that are the kubelet's last word and not its last attempt: a registry, or a mirror of one, may be among what
# still comes up (a mirror's "not found" hides that the registry behind it is out of reach), and what a container needs
# to start with is most while everything starts at once.
TRIED_AGAIN = {"L7": "image", "L8": "crashing"}
BESIDE = {kind.lower() for kind in MORE_KINDS}
# Rules about what the run may not be judged by: they end a wait only if something of this run is behind them.
OTHERS = ("C", "F", "L", "N", "T")
# Rules about what is wrong and keeps nobody from becoming Ready: one object of two owners, and drift.
HARMLESS = frozenset({"H12", "N12"})
# Rules about what is corrected in Git, and may be already: while the source may still be fetched nobody knows.
IN_GIT = frozenset({"H6", "H9", "K2", "K6", "K8", "K9", "K10", "K11", "K19"})
SOURCE_SECONDS = NUDGED_SECONDS


def sentenced(
    answers: dict[Subject, Answer],
    findings: Findings,
    memory: Memory,
    section: Section | None = None,
) -> dict[Subject, Answer]:
    """
    Replace waits that no waiting ends: Stuck for a cause that can never clear, and no hope for what is behind it.

    *section*: what is known of what needs what, beyond what the findings say.
    """
    case = Case(answers, findings, memory, section)
    final, behind = _final(case)
    if not final:
        return answers
    told = dict(answers)
    for subject in behind:
        answer = told.get(subject)
        if isinstance(answer, Wait) and answer.can_clear != "no":
            told[subject] = hopeless(answer)
    for root in final:
        told[root.subject] = Stuck(
            reference="cause-cannot-clear",
            message=f"{root.message}: no waiting ends this",
            hint=_way_out(root),
        )
    return told


def alarmed(
    answers: dict[Subject, Answer],
    findings: Findings,
    memory: Memory,
    section: Section | None = None,
) -> dict[Subject, Answer]:
    """
    Have it thought over again once a cause has stood for long enough: where nothing else happens, nobody would.

    Time reaches a decision only through the journal, so that one of the answers bears the instant: that of the cause
    itself where nobody waits, for what is absent and no phase answers for (a CRD) has nobody else to say so.
    """
    case = Case(answers, findings, memory, section)
    coming = [
        (at, name)
        for name, root in findings.items()
        for at in _instants(name, root, case)
        if not memory.passed(at)
    ]
    waits = {s: answer for s, answer in answers.items() if isinstance(answer, Wait)}
    if not coming:
        return answers
    due, name = min(coming)
    root = findings[name]
    if not waits:
        return {**answers, root.subject: Wait(root.message, due, can_clear="unknown")}
    if any(a.until is not None and memory.now < a.until <= due for a in waits.values()):
        return answers  # all is thought over sooner, and this again then
    concerned = (root.subject, *root.blocks, *root.victims, *sorted(waits))
    bearer = next(subject for subject in concerned if subject in waits)
    answer = waits[bearer]
    return {**answers, bearer: Wait(answer.reason, due, can_clear=answer.can_clear)}


def _instants(name: str, root: Finding, case: Case) -> tuple[float, ...]:
    """Say at which instants a sentence on a root may be passed that could not be before."""
    at = _lasting_from(name, root, case)
    if at is None:
        return ()
    return (at, _tried_until(case.memory)) if _is_tried_again(root) else (at,)


def _final(case: Case) -> tuple[list[Finding], set[Subject]]:
    """
    Return the roots that nothing ends, and what cannot get well before they are mended.

    Those that something which is still to come may end are taken out: it may bring what is missing, or be what a
    kubelet tries again for. What comes only after another of them comes no
    sooner than that one is mended, so that two of which each lacks what is behind the other are both final.
    """
    answers, memory = case.answers, case.memory
    roots = case.findings.items()
    held = [root for name, root in roots if _is_lasting(name, root, case)]
    while held:
        behind = reach({s for root in held for s in (root.subject, *root.victims)}, case)
        coming = [s for s, a in answers.items() if s not in behind and may_bring(s, a, case)]
        left = [root for root in held if not _may_be_ended(root, coming, memory)]
        if len(left) == len(held):
            return held, behind
        held = left
    return [], set()


def _is_lasting(name: str, root: Finding, case: Case) -> bool:
    """Say whether a root stands, is in the way, and is nobody's to clear: neither its own nor the recovery's."""
    at = _lasting_from(name, root, case)
    return at is not None and case.memory.passed(at)


def _lasting_from(name: str, root: Finding, case: Case) -> float | None:
    """Say from when on it is so, as far as time alone is missing; None: it is not so."""
    answers, memory = case.answers, case.memory
    if not root.root or root.clears_itself != "no" or root.next_after:
        return None
    if _is_in_hand(root, case) or isinstance(answers.get(root.subject), Act | Ask | Stuck):
        return None
    if not _is_in_the_way(root, answers, memory):
        return None
    concerned = (root.subject, *root.blocks)
    found_at = memory.found_at.get(name)
    if found_at is None or any(_is_to_be_woken(answers.get(s)) for s in concerned):
        return None
    woken = (_woken_until(s, memory) for s in concerned)
    return max(found_at + STANDING_SECONDS, _fetched_until(root, case), *woken)


def _fetched_until(root: Finding, case: Case) -> float:
    """Say until when a revision is waited for that may have what is wrong put right: not where none can come."""
    if root.rule not in IN_GIT or case.section is None:
        return 0.0
    memory, source = case.memory, case.section.source
    passing = (
        memory.found_at.get(name, memory.now) + SOURCE_SECONDS
        for name, finding in case.findings.items()
        if finding.subject == source and finding.clears_itself != "no"
    )
    return max(passing, default=0.0)


def _is_to_be_woken(answer: Answer | None) -> bool:
    """Say whether our nudge is still to come: an attempt after it may find the cause gone."""
    if isinstance(answer, Wait):
        return answer.reason == NOT_YET
    return isinstance(answer, Act) and answer.verb == NUDGE


def _woken_until(subject: Subject, memory: Memory) -> float:
    """
    Say until when an attempt of *subject* after our nudge is waited for.

    Once its controller says that it has handled the nudge that attempt is over, and only the look at it may be late.
    """
    nudged, fact = memory.last_of(NUDGE, subject), memory.facts.get(subject)
    if nudged is None:
        return 0.0
    until = nudged.intended_at + NUDGED_SECONDS
    if fact is None or fact.since is None or "requested_at" not in nudged.arguments:
        return until
    if not is_handled(fact, nudged):
        return until
    return min(until, fact.since + STANDING_SECONDS)


def _is_in_hand(root: Finding, case: Case) -> bool:
    """Say whether the recovery has a verb for this; a finalizer it takes off only what it expects to be there."""
    verb = verb_for(root, () if case.section is None else case.section.early)
    return bool(verb) and (verb != RELEASE or _is_expected(root, case.memory))


def _is_in_the_way(root: Finding, answers: Mapping[Subject, Answer], memory: Memory) -> bool:
    """
    Say whether a root is in the way of what this run waits for.

    Rules read more than a run is judged by: of that, what nobody here waits behind ends nobody's wait.
    """
    if root.rule in HARMLESS:
        return False
    if not answers.keys().isdisjoint((root.subject, *root.victims)):
        return True
    if root.subject.partition("/")[0] in BESIDE or root.rule.startswith(OTHERS):
        return False
    fact = memory.facts.get(root.subject)
    return _is_expected(root, memory) and (fact is None or fact.code != codes.READY)


def _is_expected(root: Finding, memory: Memory) -> bool:
    """Say whether a root is about an object of this run, as far as anything of this run is known."""
    return root.subject in memory.facts or not memory.facts


def _may_be_ended(root: Finding, coming: list[Subject], memory: Memory) -> bool:
    """
    Say whether what is still to come may end this.

    A release that gave up is reset once what it gave up for has cleared, and what keeps that from clearing is a cause
    of its own; but for its own objects, of which nobody else may say that they never come up.
    """
    family = _gave_up_for(root, memory)
    if _is_tried_again(root) or family == "health":
        return bool(coming) or _is_being_tried(memory) or _is_coming_up(root, memory)
    if family and family != "kind":
        return True
    bringers = MAKERS if root.cause in FOR_A_SECRET else APPLIERS
    return _lacks(root, memory) and any(s.startswith(bringers) for s in coming)


def _is_coming_up(root: Finding, memory: Memory) -> bool:
    """Say whether Kubernetes still works on what a release gave up for: it says itself when it has given up as well."""
    if _gave_up_for(root, memory) != "health":
        return False
    found = map(memory.facts.get, waited(_cause(root, memory).partition(":")[2]))
    return any(fact is not None and fact.code == codes.PROGRESSING for fact in found)


def _lacks(root: Finding, memory: Memory) -> bool:
    """Say whether what is missing may be brought by what is not applied, or not made, yet."""
    return any(word in root.cause for word in LACKING) or _gave_up_for(root, memory) == "kind"


def _gave_up_for(root: Finding, memory: Memory) -> str:
    """Return the family of the cause that a release gave up for; empty: it did not, or named none."""
    fact = memory.facts.get(root.subject)
    if fact is None or not fact.detail.get("given_up") or not root.rule.startswith("H"):
        return ""
    cause = _cause(root, memory)
    return "" if cause == fact.detail["given_up"] else cause.partition(":")[0]


def _cause(root: Finding, memory: Memory) -> str:
    return str(memory.facts[root.subject].detail.get("cause") or "")


def _is_tried_again(root: Finding) -> bool:
    return TRIED_AGAIN.get(root.rule) == root.cause


def _is_being_tried(memory: Memory) -> bool:
    """Say whether a kubelet may still make its first attempt after the last of the others has come up."""
    return not memory.passed(_tried_until(memory))


def _tried_until(memory: Memory) -> float:
    """Say until when: so long after the last of the others."""
    return max(_ready_since(memory), default=0.0) + KUBELET_SECONDS


def _ready_since(memory: Memory) -> Iterator[float]:
    """Since when each of what is up is up."""
    for fact in memory.facts.values():
        if fact.code == codes.READY and fact.since is not None:
            yield fact.since


def _way_out(root: Finding) -> str:
    """Say what a person can do, the harmless before the rest; what destroys is never a hint."""
    ways = [
        r.text
        for danger in ("look", "nudge", "reversible")
        for r in root.remedies
        if r.danger == danger
    ]
    mend = "; ".join(ways[:2]) if ways else "mend its cause"
    return f"{mend}; once it is mended this goes on: `rekindle resume`"
