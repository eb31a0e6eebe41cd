"""
Which end of a cause it is that an object is woken for, and whether its controller has handled the nudge.

A nudge is sent once per UID, generation and end of the cause. The same cause may come back: somebody deletes a
namespace a second time, a webhook's backend goes again. That is another end if it was seen to come after the last
nudge, and the object has failed again since. Neither alone says so: an object that a nudge did not help fails for what
is over, and what only comes and goes beside it held up no attempt.
"""

from __future__ import annotations

import re
from datetime import datetime

from engine.answer import Subject
from engine.memory import Attempt, Memory
from engine.recipe import Facts
from journal.entries import Fact, Instant
from phases import codes
from phases.blockers import apis_of, backends_of
from phases.clearing import SOURCES, servers, waited
from phases.knots import crd_of
from phases.section import Section
from phases.verbs import NUDGE

# The family of the cause where not a fact but a person tells that another one has cleared: who resumed the run.
RESUMED = "resumed"
STEADY_SECONDS = 30.0  # for which the API server answers before who failed for it tries again
# Since the epoch, as `date +%s` tells them: so Flux's documents ask for an attempt.
SECONDS = re.compile(r"\d{1,10}(?:\.\d+)?")


def key_of(
    section: Section, subject: Subject, fact: Fact, cause: str, shown: str, memory: Memory
) -> str:
    """
    Name what a nudge is sent for, once: the object as it is, its cause as the journal has it (*shown*), and its end.

    The first end has no name of its own, where the object's own fact cannot tell it from the next.
    """
    told = _occurrence(section, subject, cause, memory)
    first = f"{fact.detail['uid']}/{fact.detail['generation']}/{shown}{told}"
    last = memory.last_of(NUDGE, subject)
    if told or last is None or first not in memory.keys:
        return first
    ended = _ended_at(section, cause, memory)
    if ended is not None and ended > last.intended_at and _has_failed_since(fact, last):
        return f"{first}@{ended:.0f}"
    used = str(last.arguments.get("once"))
    return used if used.startswith(f"{first}@") else first


def _occurrence(section: Section, subject: Subject, cause: str, memory: Memory) -> str:
    """
    Tell one end of a cause from the next: a store that fails again after a reboot clears again.

    So may all that a person was told to mend before resuming, once for each resume. Of stores, sources and who serves
    what these fetched alone: what Ready says of them is not made anew by every attempt of theirs, as a Kustomization's
    is. A CRD that is made anew a second time takes with it what was applied after the first.
    """
    (family, _, name), facts = cause.partition(":"), memory.facts
    if family == RESUMED and memory.resumed is not None:
        return f"@{memory.resumed.at:.0f}"
    own = family == "health" and subject.startswith("helmrelease/")
    if own and any(map(_is_gone, map(facts.get, waited(name)))):
        return "@gone"  # made anew, it may be too late once more, and come up in the end
    known = facts.get(subject)
    outlived = family == "kind" and known is not None and known.detail.get("says_ready")
    if subject.startswith(("store/", *SOURCES)) or outlived:
        ended = [known]
    elif family == "store":
        ended = [facts.get(codes.subject("store", name))]
    else:
        ended = [facts.get(server) for server in servers(section)] if family == "source" else []
    since = [fact.since for fact in ended if fact is not None and fact.since is not None]
    return f"@{max(since):.0f}" if since else ""


def _is_gone(fact: Fact | None) -> bool:
    return fact is not None and fact.code == codes.ABSENT


def _ended_at(section: Section, cause: str, memory: Memory) -> Instant | None:
    """
    Return when a cause was last seen to end; None: nobody has seen it.

    Only of what was something else before: a fact is also made when somebody first asks for it, and dated then.
    """
    shown = (s for s in _shows_end(section, cause, memory.facts) if s in memory.codes)
    since = (fact.since for fact in map(memory.facts.get, shown) if fact is not None)
    return max((at for at in since if at is not None), default=None)


def _shows_end(section: Section, cause: str, facts: Facts) -> list[Subject]:
    """Name what shows that a cause has ended, as ``clearing`` asks for it."""
    family, _, name = cause.partition(":")
    match family:
        case "namespace" | "namespace-gone" | "namespace-missing":
            return [codes.subject("namespace", name)]
        case "kind":
            kind, _, group = name.partition(".")
            crd = crd_of(section, facts, kind, group)
            return [] if crd is None else [codes.subject("crd", crd)]
        case "health":
            return waited(name)
        case "webhook":
            return backends_of(section, name, facts)
        case "api":
            return apis_of(name, facts)
        case "apiserver":
            return [codes.API, codes.ETCD]
        case _:
            return []


def steady_from(cause: str, fact: Fact, facts: Facts) -> Instant:
    """
    Return from when on an object may be woken for a cause that has cleared; 0: at once.

    A change of etcd's leader is over before anybody sees the API server missing: that it has answered for a while since
    the failure is all that is known, and what is tried sooner may meet the same. What fails for it once more is woken
    once more only if the run has seen the API server, or etcd, go and come back: else a nudge did not help.
    """
    if cause.partition(":")[0] != "apiserver":
        return 0.0
    known = (fact, facts.get(codes.API), facts.get(codes.ETCD))
    since = [one.since for one in known if one is not None and one.since is not None]
    return max(since, default=0.0) + STEADY_SECONDS


def _has_failed_since(fact: Fact, last: Attempt) -> bool:
    """Say whether a failure came after a nudge, by its token, or by two clocks, of which one tells whole seconds."""
    if fact.detail.get("handled_at") == last.arguments.get("requested_at", ""):
        return True
    return fact.since is not None and fact.since > last.intended_at


def is_handled(fact: Fact, last: Attempt) -> bool:
    """
    Say whether a whole attempt began after a nudge: its controller has handled that token, or a later one.

    Whoever else asks for an attempt takes our token's place, and it is never told.
    """
    token = fact.detail.get("handled_at") or fact.detail.get("handled_foreign")
    if token == last.arguments.get("requested_at"):
        return True
    at = _asked_at(str(token or ""))
    return at is not None and at > last.intended_at


def _asked_at(token: str) -> Instant | None:
    """Return when somebody asked for an attempt, as far as the token says so; one of ours names its run behind a #."""
    told = token.partition("#")[0]
    if SECONDS.fullmatch(told):
        return float(told)
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        return None
    return None if at.tzinfo is None else at.timestamp()
