"""
By what it is known that a recorded cause has cleared, family by family: a fact says so, or nobody does.

Of the families that are not here nobody can tell (``is_blind``), unless a person does: who resumes what was stuck was
told to mend it first. A build that fails waits for a commit, as a path that is not in its source does, and Flux wakes
for that by itself; keys, rights and credentials are not read by anybody here; nor is what a key of a Secret says, or
who else may have to write it. A release whose chart is not there is looked at again every half minute. A policy that
denies is changed by people. What a finding knows of an object that no inventory has is ``nudges.is_mended``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from engine.answer import Subject
from engine.recipe import Facts
from phases import codes
from phases.blockers import is_called, is_served
from phases.homes import home_goes
from phases.knots import crd_of
from phases.readiness.releases import GIVEN_UP
from phases.section import Section

SOURCES = ("gitrepository/", "ocirepository/", "helmrepository/", "helmchart/")


class Asked(NamedTuple):
    """Whether the cause *name* (without its family) of *subject* has cleared."""

    section: Section
    subject: Subject
    name: str
    facts: Facts


def _dependency(asked: Asked) -> bool:
    family = asked.subject.partition("/")[0]
    if not _is_ready(codes.subject(family, asked.name), asked.facts):
        return False  # nearly always, and asked of everything that waits, every turn
    others = asked.section.dependencies.get(asked.subject, ())
    return all(_is_ready(other, asked.facts) for other in others)


def _kind(asked: Asked) -> bool:
    kind, _, group = asked.name.partition(".")
    return crd_of(asked.section, asked.facts, kind, group) is not None


def _namespace(asked: Asked) -> bool:
    """Gone is as good as active: the next attempt creates it anew."""
    fact = asked.facts.get(codes.subject("namespace", asked.name))
    return fact is not None and fact.code in {codes.READY, codes.ABSENT}


def _namespace_missing(asked: Asked) -> bool:
    return _is_ready(codes.subject("namespace", asked.name), asked.facts)


def _source(asked: Asked) -> bool:
    """
    Of Kustomizations, and of the source that each follows itself, where a fact says so; a chart's is none.

    A source stays Ready while nobody serves what it fetched.
    """
    follows = asked.subject.startswith("kustomization/")
    fact = asked.facts.get(asked.subject)
    own = str(fact.detail.get("source") or "") if fact is not None else ""
    needed = (own or asked.section.source, *servers(asked.section))
    return follows and all(_is_ready(subject, asked.facts) for subject in needed)


def _store(asked: Asked) -> bool:
    """A store that was well all along, and then as well, is not what an ExternalSecret failed for."""
    fact, failed = (
        asked.facts.get(codes.subject("store", asked.name)),
        asked.facts.get(asked.subject),
    )
    if fact is None or fact.code != codes.READY or fact.reason:
        return False
    since = None if failed is None else failed.since
    return fact.since is None or since is None or fact.since >= since


def _backend(asked: Asked) -> bool:
    """Say whether all that may stand behind a Service came up after it was called in vain."""
    fact, space = asked.facts.get(asked.subject), asked.name.partition("/")[0]
    workloads = asked.section.workloads
    same = [s for _, key, s, _ in workloads if key == asked.name]
    wanted = same or [s for _, key, s, _ in workloads if key.partition("/")[0] == space]
    if fact is None or fact.since is None or not all(_is_ready(s, asked.facts) for s in wanted):
        return False
    return any((asked.facts[s].since or 0.0) > fact.since for s in wanted)


def _reason(asked: Asked) -> bool:
    """A source, or a store, that reached nobody before the network was up: names are resolved by then."""
    fact = asked.facts.get(asked.subject)
    if not asked.subject.startswith(("store/", *SOURCES)) or fact is None or fact.since is None:
        return False
    up = _network_since(asked.section, asked.facts)
    return bool(fact.detail.get("unreached")) and up is not None and fact.since < up


def _network_since(section: Section, facts: Facts) -> float | None:
    """Return since when all of the network is up; None: it is not, or nobody knows what it is."""
    names = section.networking
    if not names or not all(_is_ready(name, facts) for name in names):
        return None
    return max(facts[name].since or 0.0 for name in names)


def _object(asked: Asked) -> bool:
    kind, _, key = asked.name.partition("/")
    return _is_ready(codes.subject(kind, key), asked.facts)


def _health(asked: Asked) -> bool:
    """What a release waits for is its own: of what is gone only its next attempt brings it back."""
    own = asked.subject.startswith("helmrelease/")
    return all(_is_over(name, asked.facts, own=own) for name in waited(asked.name))


def _is_over(name: Subject, facts: Facts, *, own: bool) -> bool:
    fact = facts.get(name)
    if fact is None or fact.code == codes.READY:
        return fact is not None
    return own and fact.code == codes.ABSENT and not home_goes(name, facts)


def _webhook(asked: Asked) -> bool:
    return is_called(asked.section, asked.name, asked.facts)


def _api(asked: Asked) -> bool:
    return is_served(asked.name, asked.facts)


def _apiserver(asked: Asked) -> bool:
    """The API answers, and etcd behind it, where machines tell; for how long already, ``ends.steady_from`` says."""
    etcd = asked.facts.get(codes.ETCD)
    api = asked.facts.get(codes.API)
    well = etcd is None or etcd.code == codes.HEALTHY
    return api is not None and api.code == codes.UP and well


def _at_once(_asked: Asked) -> bool:
    """
    Whatever it was, it is over, and only another attempt shows it.

    What Helm gave up for and did not name: the nodes and the network are up again by the time this is asked. What Ready
    says and Helm's own last word denies: a status of before.
    """
    return True


def is_blind(cause: str, facts: Facts) -> bool:
    """
    Say whether nobody here can see *cause* end, even once it has: a person may mend it outside Git.

    Of most reasons nothing tells; a Secret and a ConfigMap are never listed, and may be there though no fact says so.
    """
    family, _, name = cause.partition(":")
    if family == "object":
        kind, _, key = name.partition("/")
        return codes.subject(kind, key) not in facts
    return family == "reason" or family not in CLEARED


def servers(section: Section) -> list[Subject]:
    """Name who serves what sources fetched, as far as the plan knows it."""
    named = (key for key in section.flux.controllers if key.endswith("/source-controller"))
    return [codes.subject("deployment", key) for key in named]


def waited(names: str) -> list[Subject]:
    """Name the objects of a ``health`` cause as facts do."""
    return [_of_health_check(item) for item in names.split(",")]


def _is_ready(subject: Subject, facts: Facts) -> bool:
    fact = facts.get(subject)
    return fact is not None and fact.code == codes.READY


def _of_health_check(item: str) -> Subject:
    """``Deployment/ns/name``, as a health check names it, to the subject of the same object."""
    kind, _, key = item.partition("/")
    return codes.subject(kind, key)


CLEARED: Mapping[str, Callable[[Asked], bool]] = {
    **dict.fromkeys(GIVEN_UP, _at_once),
    "api": _api,
    "apiserver": _apiserver,
    "backend": _backend,
    "dependency": _dependency,
    "health": _health,
    "kind": _kind,
    "namespace": _namespace,
    "namespace-gone": _namespace,
    "namespace-missing": _namespace_missing,
    "object": _object,
    "reason": _reason,
    "release": _at_once,
    "source": _source,
    "store": _store,
    "webhook": _webhook,
}
